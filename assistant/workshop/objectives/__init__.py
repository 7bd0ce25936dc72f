"""How each operation of an engine is learnt and measured, one a file.

classify   one label for a text or a pair
choose     the right one of several options
extract    a span of a context that answers a question, or none
rank       which sentences of a document matter
tag        a label for each word
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assistant.engine.base import Engine
from assistant.engine.manifest import Operation
from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.evaluation import Metric

if TYPE_CHECKING:
    from assistant.workshop.recipe import Recipe, Training

LabelNames: TypeAlias = "Mapping[str, str | None] | None"
NEVER = -1e9  # the score of a candidate that is not there
IGNORED = -100  # the target of a token that takes no part in the loss; what torch's cross entropy leaves out


@dataclass(frozen=True)
class Tokens:
    """One sequence for the model: token ids and segment ids."""

    ids: list[int]
    segments: list[int]


@dataclass(frozen=True)
class SoftTarget:
    """What is to be learnt of an example that a teacher has an opinion of: the label's number (`IGNORED`: unknown) and
    the teacher's probabilities."""

    label: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Encoded:
    """One example for the model: its sequences (one, except for choices) and what is to be learnt of them."""

    sequences: tuple[Tokens, ...]
    target: Any

    @property
    def width(self) -> int:
        """Tokens of the longest sequence."""
        return max(len(tokens.ids) for tokens in self.sequences)


@dataclass(frozen=True)
class Measurement:
    """Metrics on some rows, the main one first, and what calibration needs.

    `scores` are log-probabilities (rows, candidates), padded with `NEVER`; `truth` (rows,) is the index of the right
    candidate, or -1 where the best one is wrong and no other is known to be right. Both are empty for an operation
    whose answers are not one of several. `threshold` is set by an operation that chooses its own.
    """

    metrics: Mapping[str, Metric]
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 1)))
    truth: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    threshold: float | None = None


def log_probabilities(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """The logarithms of rows of probabilities, padded to (rows, most candidates)."""
    width = max(map(len, rows), default=1)
    result = np.full((len(rows), width), NEVER)
    for i, row in enumerate(rows):
        result[i, : len(row)] = np.log(np.array(row) + 1e-12)
    return result


class Objective(ABC):
    """Reads the rows of an operation, makes tokens and targets of them, and says how wrong and how good a model is."""

    # What `score` is called in progress and run records.
    metric: ClassVar[str]

    @abstractmethod
    def read(self, path: Path, fields: Sequence[str], labels: LabelNames = None) -> list[Example]:
        """All examples of a file. Raises DataError naming what is wrong and where."""

    def check(self, examples: Sequence[Example], labels: Sequence[str]) -> None:  # noqa: B027  (not every one has labels)
        """Raise DataError, naming it, for a label that is not among `labels`."""

    @abstractmethod
    def encode(self, examples: Sequence[Example], recipe: Recipe) -> list[Encoded]:
        """Tokens and targets; an example that is too long may become several, or be cut."""

    @abstractmethod
    def loss(self, logits: Tensor, batch: Sequence[Encoded], settings: Training, weights: Tensor) -> Tensor:
        """The loss (a scalar) of logits (sequences, outputs) or (sequences, tokens, outputs), float32. `weights` are
        those of the classes."""

    @abstractmethod
    def score(self, logits: Sequence[Tensor], data: Sequence[Encoded]) -> float:
        """How good the model is on dev while it is trained, in [0, 1]: `logits` are one tensor per example."""

    def null_bias(self, engine: Engine, adapter: Path, sources: Sequence[Sequence[Example]]) -> float:
        """What is best taken from the score of "no answer", by the rows of all dev sources; 0 where there is none. The
        adapter's temperature has to be 1."""
        return 0.0

    @abstractmethod
    def measure(self, engine: Engine, adapter: Path, examples: Sequence[Example]) -> Measurement:
        """How good an adapter folder is, as it is served."""

    def negatives(self, examples: Sequence[Example], elsewhere: float, altered: float) -> list[Example]:
        """Further examples whose right answer is that there is none: a share of these asked of another text, and a
        share of these changed. Raises DataError where an operation has no such answer."""
        raise DataError(f"Negatives are for questions about a text, not for: {type(self).__name__}.")

    def class_weights(self, data: Sequence[Encoded], classes: int, balance: float) -> Tensor:
        """Loss weights (classes,), see `balanced`; equal where targets are no classes."""
        return torch.ones(classes)


def balanced(targets: Tensor, classes: int, balance: float) -> Tensor:
    """Weights (classes,) of targets, those below 0 left out: 1 at balance 0, inversely proportional to frequency at 1;
    mean 1 over the data."""
    counts = torch.bincount(targets[targets >= 0], minlength=classes).clamp_min(1).float()
    weights = (counts.sum() / counts) ** balance
    return weights * counts.sum() / (weights * counts).sum()


def mean_metric(values: NDArray[np.float64], resamples: int = 1000, seed: int = 0) -> Metric:
    """The mean over rows with its 95 % percentile bootstrap interval."""
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Metric(float(values.mean()), float(low), float(high))


def objective(operation: Operation) -> Objective:
    """The objective of an engine's operation: the one class of the module that bears its name."""
    module = import_module(f"{__name__}.{operation}")
    made: Objective = module.OBJECTIVE
    return made
