"""Probabilities that mean what they say, and when to say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = 15
) -> float:
    """The mean gap between confidence and accuracy over bins of equal width (Guo et al. 2017, arXiv 1706.04599)."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        np.mean(bin_of == b) * abs(np.mean(confidence[bin_of == b]) - np.mean(correct[bin_of == b]))
        for b in range(bins)
        if np.any(bin_of == b)
    ]
    return float(np.sum(gaps))


def softmax(logits: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Row-wise softmax."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True))


def fit_temperature(logits: NDArray[np.float64], truth: NDArray[np.int_]) -> float:
    """The temperature that minimises the negative log-likelihood on dev (Guo et al. 2017). A truth of -1 says that
    the best candidate is wrong and no other is known to be right."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        p = softmax(logits / np.exp(log_temperature))
        right = np.where(truth >= 0, p[np.arange(len(truth)), truth], 1 - p.max(-1))
        return float(-np.mean(np.log(right + 1e-12)))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


@dataclass(frozen=True)
class Abstention:
    """A threshold on the best probability, the share of rows at or above it and the accuracy on those."""

    threshold: float
    coverage: float
    accuracy: float


def fit_abstention(
    confidence: NDArray[np.float64],
    correct: NDArray[np.bool_],
    share_of_errors: float = 0.6,
    least_coverage: float = 0.8,
) -> Abstention:
    """The lowest threshold at which what is still answered has at most `share_of_errors` of the error rate of all
    rows; but at least `least_coverage` of the rows stay answered (selective classification, Geifman & El-Yaniv 2017,
    arXiv 1705.08500)."""
    order = np.argsort(-confidence)
    answered = np.arange(1, len(order) + 1)
    error_rate = np.cumsum(~correct[order]) / answered
    goal = share_of_errors * float(np.mean(~correct))
    least = int(np.ceil(least_coverage * len(order)))
    good = np.flatnonzero((error_rate <= goal) & (answered >= least))
    last = int(good[-1]) if len(good) else least - 1
    threshold = float(confidence[order[last]])
    kept = confidence >= threshold
    return Abstention(threshold, float(np.mean(kept)), float(np.mean(correct[kept])))
