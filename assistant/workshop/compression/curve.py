"""Accuracy over sparsity: the points, a table and a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Point:
    """A pruned model: its dev score, the score after recovery (None: not recovered), weights that are left, and how
    many times as fast a forward pass is as the whole model's in the same run."""

    sparsity: float
    score: float
    recovered: float | None
    weights: int
    times_as_fast: float


@dataclass(frozen=True)
class Curve:
    """Points by sparsity, and what they are of."""

    application: str
    kind: str
    importance: str
    metric: str
    dev_rows: int
    points: Sequence[Point]

    def save(self, folder: Path) -> None:
        """Write `curve.json` and `curve.png`, each whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / "curve.json.tmp"
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        temporary.replace(folder / "curve.json")
        self._draw(folder / "curve.png")

    def _draw(self, path: Path) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot()
        sparsity = [p.sparsity for p in self.points]
        axes.plot(sparsity, [p.score for p in self.points], marker="o", label="pruned")
        recovered = [(p.sparsity, p.recovered) for p in self.points if p.recovered is not None]
        if recovered:
            axes.plot(*zip(*recovered, strict=True), marker="s", label="and fine-tuned")
            axes.legend()
        axes.set_xlabel(f"share of {self.kind} left out")
        axes.set_ylabel(f"{self.metric} on {self.dev_rows:,} dev rows")
        axes.set_title(f"{self.application}: {self.kind} by {self.importance}")
        axes.grid(alpha=0.3)
        temporary = path.with_suffix(".tmp")
        figure.savefig(temporary, format="png", dpi=120)
        temporary.replace(path)

    def table(self) -> list[str]:
        """A line per point."""
        lines = [f"{'sparsity':>8} {self.metric:>16} {'recovered':>10} {'weights':>12} {'speed':>7}"]
        for p in self.points:
            recovered = "-" if p.recovered is None else f"{p.recovered:.4f}"
            lines.append(
                f"{p.sparsity:8.2f} {p.score:16.4f} {recovered:>10} {p.weights:12,} {p.times_as_fast:6.2f}x"
            )
        return lines
