"""What the voter has learnt, in a form that a file can keep: one linear classifier for each shape of fields.

Learning takes seconds, and its outcome depends on nothing but the applications and the base; so it is kept from one
start to the next, under a name that holds a digest of all that it was learnt from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT = 4  # files: as many sets of applications
BETWEEN = "\x1f"  # between the names of a shape's fields


@dataclass(frozen=True)
class Linear:
    """A softmax over `labels`: weights (labels, features) and bias (labels,)."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def learnt(cls, features: NDArray[np.float32], labels: Sequence[str]) -> Linear:
        """By logistic regression on rows of features and their labels."""
        import numpy as np

        if len(set(labels)) == 1:
            return cls((labels[0],), np.zeros((1, features.shape[1]), np.float32), np.zeros(1, np.float32))
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1_000)
        # The matrices are small: on a busy machine, threads wait for each other many times longer than they work.
        with threadpool_limits(1, user_api="blas"):
            model.fit(features, labels)
        weights, bias = model.coef_, model.intercept_
        if len(weights) == 1:  # of two labels scikit-learn keeps the second one's odds
            weights, bias = np.concatenate([0 * weights, weights]), np.concatenate([0 * bias, bias])
        # In C's order, the only one that a file of safetensors keeps.
        weights, bias = (np.ascontiguousarray(each, dtype=np.float32) for each in (weights, bias))
        return cls(tuple(map(str, model.classes_)), weights, bias)

    def probabilities(self, values: NDArray[np.float32]) -> dict[str, float]:
        """Of one row of features, by label."""
        import numpy as np

        logits = self.weights @ values + self.bias
        shares = np.exp(logits - logits.max())
        return dict(zip(self.labels, map(float, shares / shares.sum()), strict=True))


@dataclass(frozen=True)
class Classifiers:
    """A classifier by shape of fields, and sentence vectors (examples, dimensions) of the applications' examples."""

    by_fields: Mapping[tuple[str, ...], Linear]
    examples: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write a file, whole or not at all, and remove the oldest ones beside it. Where nothing may be written,
        nothing is."""
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        tensors: dict[str, Any] = {"examples": self.examples}
        labels = {}
        for fields, linear in self.by_fields.items():
            name = BETWEEN.join(fields)
            tensors |= {f"weights {name}": linear.weights, f"bias {name}": linear.bias}
            labels[name] = linear.labels
        temporary = path.with_suffix(".tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, temporary, metadata={"labels": json.dumps(labels)})
            temporary.replace(path)
            kept = sorted(path.parent.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
            for old in kept[:-KEPT]:
                old.unlink(missing_ok=True)
        except (OSError, SafetensorError):  # of a file that it cannot write safetensors says the latter
            with suppress(OSError):
                temporary.unlink()

    @classmethod
    def load(cls, path: Path) -> Classifiers | None:
        """What a file holds; None where there is none that can be read."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                labels = json.loads((file.metadata() or {})["labels"])
                by_fields = {
                    tuple(name.split(BETWEEN)): Linear(
                        tuple(own), file.get_tensor(f"weights {name}"), file.get_tensor(f"bias {name}")
                    )
                    for name, own in labels.items()
                }
                return cls(by_fields, file.get_tensor("examples"))
        except (OSError, SafetensorError, ValueError, KeyError):
            return None


def digest(*learnt_from: Any) -> str:
    """A name for what was learnt from these values, which JSON can hold."""
    return hashlib.sha256(json.dumps(learnt_from, sort_keys=True).encode()).hexdigest()[:32]
