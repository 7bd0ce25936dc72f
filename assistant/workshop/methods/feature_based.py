"""Feature-based transfer: logistic regression on the frozen base's embeddings.

What it does: embeds every text once with the bare base and fits a multinomial logistic regression (L2, chosen
strength) on the unit vectors. The base is only read.

When to use it: with tens to thousands of labelled rows, when seconds count: nothing is propagated through the base
backwards, and the embeddings of the rows are computed once.

Inputs: texts, or pairs; labelled examples with at least two labels.

Relation to the others: `few_shot` takes the class means where this fits a boundary; an adapter changes the features
themselves, which takes minutes and gains most where the classes differ in tone or logic.

Example:

    FeatureBased.fit(engine, examples).predict(["A warm, funny film."])

Reference: Devlin et al. 2019 (arXiv 1810.04805), section 5.3, and Peters, Ruder & Smith 2019, "To Tune or Not to
Tune?" (arXiv 1903.05987). The features of a pair are those of Conneau et al. 2017 (arXiv 1705.02364), section 3.1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.engine.base import Classification, Engine, TextOrPair, text_or_pair
from assistant.errors import DataError
from assistant.workshop.methods import sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.workshop.data import Example

# Inverse of the L2 strength; unit vectors are short, so the boundary needs large weights.
STRENGTH = 30.0
CHUNK = 256


class FeatureBased:
    """Logistic regression: `weight` (labels, features) and `bias` (labels,)."""

    def __init__(
        self,
        engine: Engine,
        labels: Sequence[str],
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> None:
        self.engine = engine
        self.labels = tuple(labels)
        self.weight, self.bias = weight, bias

    @classmethod
    def fit(cls, engine: Engine, examples: Sequence[Example], strength: float = STRENGTH) -> FeatureBased:
        """Fit on labelled examples. Raises DataError when there are fewer than two labels."""
        from sklearn.linear_model import LogisticRegression

        labels = sorted({example.label for example in examples})
        if len(labels) < 2:
            raise DataError(f"All rows have the label {labels[0]!r:.60}; expected two or more labels.")
        vectors = features(engine, [text_or_pair(example.texts) for example in examples])
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(vectors, [example.label for example in examples])
        weight, bias = model.coef_, model.intercept_
        if len(labels) == 2:  # scikit-learn keeps one row for two classes
            weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        return cls(engine, labels, weight.astype(np.float32), bias.astype(np.float32))

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier."""
        scores = features(self.engine, inputs) @ self.weight.T + self.bias
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        return [Classification(self.labels, tuple(row)) for row in shares.tolist()]

    def save(self, path: Path) -> None:
        """Write one safetensors file, whole or not at all."""
        from safetensors.numpy import save_file

        temporary = path.with_suffix(".tmp")
        save_file(
            {"weight": self.weight, "bias": self.bias}, temporary, {"labels": json.dumps(list(self.labels))}
        )
        temporary.replace(path)

    @classmethod
    def load(cls, engine: Engine, path: Path) -> FeatureBased:
        """Read what `save` wrote. Raises DataError for anything else."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                labels = json.loads((file.metadata() or {})["labels"])
                return cls(engine, labels, file.get_tensor("weight"), file.get_tensor("bias"))
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise DataError(f"{path.name} holds no logistic regression ({error}).") from None


def features(engine: Engine, inputs: Sequence[TextOrPair]) -> NDArray[np.float32]:
    """(inputs, dimensions): a text's embedding; of a pair both, their difference and their product."""
    texts = [sides(each) for each in inputs]
    flat = [text for each in texts for text in each]
    vectors = np.concatenate(
        [engine.embed(flat[start : start + CHUNK]) for start in range(0, len(flat), CHUNK)]
    )
    if all(len(each) == 1 for each in texts):
        return vectors
    first, second = vectors[::2], vectors[1::2]
    return np.hstack([first, second, np.abs(first - second), first * second])
