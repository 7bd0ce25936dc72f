"""What learning together gave: each task's main metric, shared and alone, with what it cost, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from assistant.engine.base import Engine
from assistant.workshop.data import Example, fingerprint, versions
from assistant.workshop.evaluation import Metric
from assistant.workshop.multitask.recipe import MultitaskRecipe
from assistant.workshop.multitask.training import TaskData
from assistant.workshop.objectives import objective

Way = Literal["shared", "single"]


@dataclass(frozen=True)
class Result:
    """One task learnt one way: all metrics on its dev rows, the main one first, and the adapter's size. `seconds` are
    those of a training of its own, 0 where the task shared one."""

    metrics: Mapping[str, Metric]
    parameters: int
    bytes: int
    seconds: float

    @property
    def main(self) -> tuple[str, Metric]:
        """The main metric's name and value."""
        return next(iter(self.metrics.items()))


@dataclass
class Comparison:
    """The record of a run. `distances` are those of softly shared adapters; `seconds` the training of all tasks."""

    recipe: MultitaskRecipe
    distances: Mapping[str, float]
    seconds: float
    results: dict[str, dict[Way, Result]] = field(default_factory=dict)

    def add(
        self, task: str, way: Way, engine: Engine, adapter: Path, dev: Sequence[Example], seconds: float = 0
    ) -> None:
        """Measure a task's adapter, or head, on the engine that serves it."""
        measured = objective(self.recipe.alone(task).operation).measure(engine, adapter, dev)
        info = engine.adapter(adapter)
        result = Result(measured.metrics, info.parameters, info.bytes, seconds)
        self.results.setdefault(task, {})[way] = result

    def table(self) -> list[tuple[str, ...]]:
        """A header and a row for each task."""
        ways: tuple[Way, ...] = ("shared", "single")
        used = [way for way in ways if any(way in each for each in self.results.values())]
        rows = [("task", "metric", *(text for way in used for text in (way, "95 % interval")))]
        for task, found in self.results.items():
            cells = [task, found["shared"].main[0]]
            for way in used:
                metric = found[way].main[1]
                cells += [f"{metric.value:.4f}", f"{metric.low:.4f} to {metric.high:.4f}"]
            rows.append(tuple(cells))
        return rows

    def save(self, path: Path, data: Mapping[str, TaskData]) -> None:
        """Write the record as JSON, whole or not at all."""
        content = {
            "recipe": self.recipe.model_dump(mode="json"),
            "data": {
                task: {"train": fingerprint(rows.train), "dev": fingerprint(rows.dev)}
                for task, rows in data.items()
            },
            "results": {
                task: {way: asdict(result) for way, result in found.items()}
                for task, found in self.results.items()
            },
            "distances": dict(self.distances),
            "seconds": round(self.seconds, 1),
            "versions": versions(),
        }
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
