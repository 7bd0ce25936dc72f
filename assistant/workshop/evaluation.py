"""How good a classifier is on labelled rows: standard metrics with bootstrap intervals, calibration,
abstention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assistant.engine.base import Classification
from assistant.errors import DataError
from assistant.workshop.calibration import expected_calibration_error

RESAMPLES = 1000
# Entry [i, j] counts the rows of class i that were taken for class j.
Confusion: TypeAlias = "NDArray[np.int64]"


@dataclass(frozen=True)
class Metric:
    """A figure in [0, 1] (or [-1, 1] for correlations) with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Report:
    """Metrics by their scikit-learn names, with 95 % intervals; the F1 of each class that occurs; and, with
    an abstention threshold, the share of rows at or above it and the accuracy on those (None where there are
    none)."""

    rows: int
    metrics: Mapping[str, Metric]
    f1_by_class: Mapping[str, float]
    expected_calibration_error: float
    threshold: float | None = None
    coverage: float | None = None
    accuracy_when_sure: float | None = None


def report(
    truth: Sequence[str], predicted: Sequence[Classification], threshold: float | None = None
) -> Report:
    """Compare gold labels with what was predicted.

    Raises DataError, naming it, for a gold label that the predictions do not know, and when there are no
    rows.
    """
    if not truth:
        raise DataError("There are no rows to evaluate.")
    labels = predicted[0].labels
    check_labels(truth, labels)
    gold = np.array([labels.index(label) for label in truth])
    probabilities = np.array([result.probabilities for result in predicted])
    best, confidence = probabilities.argmax(-1), probabilities.max(-1)
    correct = best == gold
    counts = confusion(gold, best, len(labels))
    kept = confidence >= (0.0 if threshold is None else threshold)
    occurring = np.flatnonzero(counts.sum(0) + counts.sum(1))
    return Report(
        rows=len(truth),
        metrics=_with_intervals(counts),
        f1_by_class={labels[i]: float(_f1(counts)[i]) for i in occurring},
        expected_calibration_error=expected_calibration_error(confidence, correct),
        threshold=threshold,
        coverage=None if threshold is None else float(kept.mean()),
        accuracy_when_sure=None if threshold is None or not kept.any() else float(correct[kept].mean()),
    )


def check_labels(truth: Sequence[str], labels: Sequence[str]) -> None:
    """Raise DataError, naming it, for the first gold label that is not among `labels`."""
    for label in truth:
        if label not in labels:
            raise DataError(f"The gold label {label!r:.60} is unknown; expected one of: {', '.join(labels)}.")


def restricted(result: Classification, labels: Sequence[str]) -> Classification:
    """The distribution given that it is one of `labels`: for data with fewer classes than the classifier
    has."""
    kept = [result.probabilities[result.labels.index(label)] for label in labels]
    total = sum(kept)
    shares = (p / total if total else 1 / len(kept) for p in kept)
    return Classification(tuple(labels), tuple(shares))


def accuracy(counts: Confusion) -> float:
    """The share of rows whose class was found."""
    return float(np.trace(counts) / counts.sum())


def macro_f1(counts: Confusion) -> float:
    """F1 averaged over the classes that rows belong to, each counting the same."""
    return float(_f1(counts)[counts.sum(1) > 0].mean())


def macro_recall(counts: Confusion) -> float:
    """Recall averaged over the classes that rows belong to: balanced accuracy."""
    rows = counts.sum(1)
    return float((np.diag(counts)[rows > 0] / rows[rows > 0]).mean())


def matthews_correlation(counts: Confusion) -> float:
    """Matthews correlation of several classes (Gorodkin 2004), in [-1, 1]; 0 where only one class was
    found."""
    true, found, total = counts.sum(1).astype(float), counts.sum(0).astype(float), float(counts.sum())
    covariance = float(np.trace(counts)) * total - true @ found
    spread = np.sqrt((total**2 - found @ found) * (total**2 - true @ true))
    return float(covariance / spread) if spread else 0.0


METRICS: Mapping[str, Callable[[Confusion], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "macro_recall": macro_recall,
    "matthews_correlation": matthews_correlation,
}


def confusion(gold: NDArray[np.int64], found: NDArray[np.int64], classes: int) -> Confusion:
    """Count the pairs of true and found class."""
    return np.bincount(gold * classes + found, minlength=classes**2).reshape(classes, classes)


def _f1(counts: Confusion) -> NDArray[np.float64]:
    """F1 of each class, 0 for one that neither occurs nor was found."""
    return np.asarray(2 * np.diag(counts) / np.maximum(counts.sum(0) + counts.sum(1), 1))


def _with_intervals(counts: Confusion, seed: int = 0) -> dict[str, Metric]:
    """Percentile intervals over resampled rows (Efron & Tibshirani 1993).

    Drawing rows with replacement draws the cells of the confusion matrix from a multinomial distribution, so
    the rows themselves are not needed again and a thousand resamples take a blink.
    """
    rng, total = np.random.default_rng(seed), counts.sum()
    values: dict[str, list[float]] = {name: [] for name in METRICS}
    for _ in range(RESAMPLES):
        drawn = rng.multinomial(total, counts.ravel() / total).reshape(counts.shape)
        for name, metric in METRICS.items():
            values[name].append(metric(drawn))
    bounds = {name: np.percentile(drawn, [2.5, 97.5]) for name, drawn in values.items()}
    return {
        name: Metric(metric(counts), float(bounds[name][0]), float(bounds[name][1]))
        for name, metric in METRICS.items()
    }
