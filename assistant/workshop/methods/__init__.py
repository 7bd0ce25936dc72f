"""Ways to classify with the shared base, one a file, each described under the same headings.

adapter        a trained adapter: the most accurate; takes thousands of labelled rows and training
feature_based  logistic regression on frozen embeddings: takes tens of rows per class and seconds
few_shot       nearest prototype of a few worked examples: takes a handful of rows per class, no training
zero_shot      entailment of a hypothesis per label: takes nothing but the labels in words
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from assistant.engine.base import Classification, TextOrPair


class Classifier(Protocol):
    """What every method gives: a distribution over its `labels`."""

    labels: tuple[str, ...]

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """A distribution over the labels for each input, in order."""


def sides(texts: TextOrPair) -> tuple[str, ...]:
    """The input's texts, one or two."""
    return (texts,) if isinstance(texts, str) else texts
