"""Feature-based transfer: logistic regression on the frozen base's states.

What it does: embeds every text once with the bare base and fits a multinomial logistic regression (L2, chosen strength)
on the unit vectors. The base is only read.

When to use it: with tens to thousands of labelled rows, when seconds count: nothing is propagated through the base
backwards, and the embeddings of the rows are computed once.

Inputs: texts, or pairs; labelled examples with at least two labels. `pooling` takes the mean of the token states, as
the base was trained to be read, or the first token's; `layer` counts from 1 (None: the last). `start` is an installed
application whose adapter reads instead of the bare base: worth trying where its task is related.

Relation to the others: `few_shot` takes the class means where this fits a boundary; an adapter changes the features
themselves, which takes minutes and gains most where the classes differ in tone or logic.

Example:

    FeatureBased(layer=5).fit(task, watch).classifier.predict(["A warm, funny film."])

Reference: Devlin et al. 2019 (arXiv 1810.04805), section 5.3, and Peters, Ruder & Smith 2019, "To Tune or Not to
Tune?" (arXiv 1903.05987). The features of a pair are those of Conneau et al. 2017 (arXiv 1705.02364), section 3.1.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from assistant.engine.base import Classification, Engine, Pooling, TextOrPair
from assistant.errors import DataError
from assistant.workshop.methods import Fitted, LabelledTask, Method, Watch, inputs_of
from assistant.workshop.methods.vectors import Reader, distributions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureBased(Method):
    """Fits a logistic regression. `strength` is the inverse of the L2 strength; unit vectors are short, so the boundary
    needs large weights."""

    id: ClassVar[str] = "feature-based"
    title: ClassVar[str] = "Feature-based"
    description: ClassVar[str] = "Fits a logistic regression on the frozen base's embeddings, in seconds."

    pooling: Pooling = "mean"
    layer: int | None = None
    strength: float = 30.0
    start: str | None = None

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        """See Method. Raises DataError when the examples have fewer than two labels."""
        import numpy as np
        from sklearn.linear_model import LogisticRegression

        started = time.perf_counter()
        truth = [example.label for example in task.train]
        present = sorted(set(truth))
        if len(present) < 2:
            raise DataError(f"All rows have the label {present[0]!r:.60}; expected two or more labels.")
        reader = Reader(task.engine, self.pooling, self.layer, task.started_from(self.start))
        vectors = features(reader, inputs_of(task.train), watch)
        model = LogisticRegression(C=self.strength, max_iter=1000)
        model.fit(vectors, truth)
        weight, bias = model.coef_, model.intercept_
        if len(present) == 2:  # scikit-learn keeps one row for two classes
            weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        classifier = LogisticClassifier(reader, present, weight.astype(np.float32), bias.astype(np.float32))
        classifier.save(task.folder / "features.safetensors")
        stored = (task.folder / "features.safetensors").stat().st_size
        return Fitted(classifier, weight.size + bias.size, stored, time.perf_counter() - started)


class LogisticClassifier:
    """Logistic regression on embeddings: `weight` (labels, features) and `bias` (labels,)."""

    def __init__(
        self,
        reader: Reader,
        labels: Sequence[str],
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> None:
        self.reader = reader
        self.labels = tuple(labels)
        self.weight, self.bias = weight, bias

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier."""
        if not inputs:
            return []
        vectors = features(self.reader, inputs)
        return distributions(vectors @ self.weight.T + self.bias, self.labels)

    def save(self, path: Path) -> None:
        """Write one safetensors file, whole or not at all."""
        from safetensors.numpy import save_file

        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        form = {
            "labels": list(self.labels),
            "pooling": self.reader.pooling,
            "layer": self.reader.layer,
            "adapter": self.reader.name,
        }
        save_file({"weight": self.weight, "bias": self.bias}, temporary, {"form": json.dumps(form)})
        temporary.replace(path)

    @classmethod
    def load(cls, engine: Engine, path: Path, adapter: Path | None = None) -> LogisticClassifier:
        """Read what `save` wrote; `adapter` has to be the one that read then. Raises DataError for anything else."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                form = json.loads((file.metadata() or {})["form"])
                weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
                reader = Reader(engine, form["pooling"], form["layer"], adapter)
                if form["adapter"] != reader.name:
                    raise ValueError(
                        f"it was fitted through the adapter {form['adapter']}, not {reader.name}"
                    )
                return cls(reader, form["labels"], weight, bias)
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise DataError(f"{path.name} holds no logistic regression ({error}).") from None


def features(
    reader: Reader, inputs: Sequence[TextOrPair], watch: Watch = lambda fraction, note: True
) -> NDArray[np.float32]:
    """(inputs, features): an input's vector; of a pair that is read apart both, their difference and their product."""
    import numpy as np

    vectors = reader(inputs, watch)
    if vectors.shape[1] == 1:
        return vectors[:, 0]
    first, second = vectors[:, 0], vectors[:, 1]
    return np.hstack([first, second, np.abs(first - second), first * second])
