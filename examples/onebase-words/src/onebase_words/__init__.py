"""Bag of words: a method that learns from the words alone, without the base."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assistant import Fitted, InputError, LabelledTask, Method, hookimpl
from assistant.engine.base import Classification, TextOrPair


@dataclass(frozen=True)
class BagOfWords(Method):
    """TF-IDF of words and of runs of words up to `longest`, and logistic regression."""

    id: ClassVar[str] = "bag-of-words"
    title: ClassVar[str] = "Bag of words"
    description: ClassVar[str] = "Logistic regression on the words of a text, without the base."

    longest: int = 2

    def fit(self, task: LabelledTask, watch: Any) -> Fitted:
        """Count the words of the examples and weigh them."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        if len({example.label for example in task.train}) < 2:
            raise InputError("Bag of words needs examples of two labels or more.")
        watch(0.0, "counting words")
        started = time.perf_counter()
        words = TfidfVectorizer(ngram_range=(1, self.longest), sublinear_tf=True)
        model = make_pipeline(words, LogisticRegression(C=10, max_iter=1000))
        model.fit(
            ["\n".join(example.texts) for example in task.train], [example.label for example in task.train]
        )
        weights = model[-1].coef_.size + model[-1].intercept_.size
        stored = 8 * weights + sum(len(word.encode()) for word in words.vocabulary_)
        return Fitted(_Words(task.labels, model), weights, stored, time.perf_counter() - started)


class _Words:
    """A fitted model as the classifier that every method gives."""

    def __init__(self, labels: tuple[str, ...], model: Any) -> None:
        self.labels = labels
        self.model = model

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """The model's probabilities; 0 for a label that it was shown no example of."""
        texts = [text if isinstance(text, str) else "\n".join(text) for text in inputs]
        known = list(self.model.classes_)
        return [
            Classification(
                self.labels,
                tuple(float(row[known.index(label)]) if label in known else 0.0 for label in self.labels),
            )
            for row in self.model.predict_proba(texts)
        ]


@hookimpl
def register_methods() -> list[Method]:
    """The one method."""
    return [BagOfWords()]
