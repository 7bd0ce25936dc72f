"""What was measured of an adapter, for people: an adapter's manifest has flat keys such as `sst2_accuracy_low`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias

# The names of the figures that are shares (or correlations), which people read in per cent.
TITLES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "accuracy_when_sure": "accuracy when sure",
    "average_precision": "average precision",
    "calibration_error": "calibration error",
    "clean_texts_marked": "clean texts marked",
    "coverage": "sure of",
    "detection_f0.5": "detection F0.5",
    "detection_precision": "detection precision",
    "detection_recall": "detection recall",
    "exact_match": "exact match",
    "f1": "F1",
    "f1_unanswerable": "F1 where there is no answer",
    "f1_unless_silent": "F1 when it may say that there is no answer",
    "label_f0.5": "label F0.5",
    "macro_f1": "macro-F1",
    "macro_recall": "macro recall",
    "matthews_correlation": "Matthews correlation",
    "precision_at_3": "precision at 3",
    "precision_of_first_3": "precision of the first 3",
}
_ROWS, _LOW, _HIGH = "_rows", "_low", "_high"


# Writes a number with so many digits.
Number: TypeAlias = "Callable[[float, int], str]"


@dataclass(frozen=True)
class Figure:
    """One figure, with its 95 % interval where there is one."""

    name: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Measurement:
    """All figures on one set of `rows` rows; without a source: figures over all sets together."""

    source: str
    rows: int
    figures: tuple[Figure, ...]


def measurements(metrics: Mapping[str, float]) -> tuple[Measurement, ...]:
    """The figures of a manifest by source, in its order, those over all sources last.

    A source is what counts its rows: with a key `sst2_rows` what begins with `sst2_` is of SST-2.
    """
    sources = [key.removesuffix(_ROWS) for key in metrics if key.endswith(_ROWS)]
    found: dict[str, list[Figure]] = {source: [] for source in (*sources, "")}
    for key, value in metrics.items():
        if key.endswith((_ROWS, _LOW, _HIGH)):
            continue
        source = max((each for each in sources if key.startswith(f"{each}_")), key=len, default="")
        low, high = metrics.get(key + _LOW), metrics.get(key + _HIGH)
        interval = None if low is None or high is None else (low, high)
        found[source].append(Figure(key.removeprefix(f"{source}_"), value, interval))
    return tuple(
        Measurement(plain(source), round(metrics.get(source + _ROWS, 0)), tuple(figures))
        for source, figures in found.items()
        if figures
    )


def main_figures(measured: Iterable[Measurement]) -> list[tuple[str, Figure]]:
    """The first figure of each source; where there is no source, the first of all."""
    told = [(each.source, each.figures[0]) for each in measured]
    return [(source, figure) for source, figure in told if source] or told


def told(
    source: str,
    figures: Sequence[Figure],
    number: Number = lambda value, digits: f"{value:,.{digits}f}",
    to: str = "to",
) -> str:
    """Such as "squad dev: F1 69.1 (67.0 to 71.3), exact match 59.9"."""
    said = ", ".join(_figure(figure, number, to) for figure in figures)
    return f"{source}: {said}" if source else said


def _figure(figure: Figure, number: Number, to: str) -> str:
    percent = figure.name in TITLES
    factor, digits = (100, 1) if percent else (1, 3)
    value, *bounds = (number(factor * each, digits) for each in (figure.value, *(figure.interval or ())))
    said = f"{TITLES.get(figure.name, plain(figure.name))} {value}"
    return f"{said} ({f' {to} '.join(bounds)})" if bounds else said


def data_sets(paths: Iterable[str]) -> str:
    """The sets that these files belong to, each once, by the folder above them: "nli: snli, mnli; gec"."""
    sets: dict[str, dict[str, None]] = {}
    for path in paths:
        *above, folder = PurePosixPath(path).parent.parts or (path,)
        name = sets.setdefault(plain("/".join(above)), {})
        name[plain(folder)] = None
    return "; ".join(
        f"{above}: {', '.join(names)}" if above else ", ".join(names) for above, names in sets.items()
    )


def plain(name: str) -> str:
    """A name for people: underscores are spaces."""
    return name.replace("_", " ")
