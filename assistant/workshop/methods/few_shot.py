"""Few-shot: nearest worked examples.

What it does: embeds a few worked examples (shots) per label with the bare base. An input's score for a label is its
cosine with the label's prototype, which is the mean of its shots, or with the nearest of them; the labels' shares are
the softmax of the scores over a temperature.

When to use it: with a handful of labelled rows per class, too few to train on, when the classes differ in what the
texts are about. Classes that differ in logic or in tone alone lie close together in the embedding.

Inputs: texts, or pairs; examples of each label, of which `shots` per label are taken (None: all). `selection` says
which: the first, random ones, diverse ones (each the farthest from those taken before), or for every input anew
those that are most similar to it. `start` is an installed application whose adapter reads instead of the bare base.

Relation to the others: no training, like `zero_shot`, but it needs no entailment adapter and only one pass per input;
a trained adapter moves the embedding itself, which this method takes as it is, or as the adapter of a related
application has moved it already (`start`).

Example:

    FewShot(shots=4).fit(task, watch).classifier.predict(["A warm, funny film."])

Reference: Snell, Swersky & Zemel 2017, "Prototypical Networks for Few-shot Learning" (arXiv 1703.05175). Similar shots:
Liu et al. 2022, "What Makes Good In-Context Examples for GPT-3?" (arXiv 2101.06804); diverse ones: Sener & Savarese
2018 (arXiv 1708.00489). The features of a pair are those of Conneau et al. 2017 (arXiv 1705.02364), section 3.1,
without the two embeddings themselves.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from assistant.engine.base import Classification, TextOrPair
from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.methods import Fitted, LabelledTask, Method, Watch, inputs_of
from assistant.workshop.methods.vectors import CHUNK, Reader, distributions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Selection: TypeAlias = Literal["first", "random", "diverse", "similar"]
Vote: TypeAlias = Literal["prototypes", "neighbours"]
# all-MiniLM-L6-v2 was trained on cosines times 20 (the default of sentence-transformers' ranking loss).
TEMPERATURE = 1 / 20


@dataclass(frozen=True)
class FewShot(Method):
    """Classifies by the nearest shots. A label with fewer than `shots` examples takes part with all of them."""

    id: ClassVar[str] = "few-shot"
    title: ClassVar[str] = "Few-shot"
    description: ClassVar[str] = "Compares with a few examples of each label; nothing is trained."

    shots: int | None = 8
    selection: Selection = "random"
    vote: Vote = "prototypes"
    start: str | None = None

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        """See Method. Raises DataError for a label without examples, or where none is asked for."""
        import numpy as np

        if self.shots is not None and self.shots < 1:
            raise DataError(f"The number of shots is {self.shots}; expected none (all) or 1 or more.")
        started = time.perf_counter()
        reader = Reader(task.engine, adapter=task.started_from(self.start))
        rng = np.random.default_rng(task.seed)
        shots: list[Example] = []
        vectors: list[NDArray[np.float32]] = []
        for label in task.labels:
            own = [example for example in task.train if example.label == label]
            if not own:
                raise DataError(
                    f"There is no example of the label {label!r:.60}; few-shot needs one or more."
                )
            if self.selection == "random":
                own = [own[i] for i in rng.permutation(len(own))]
            if self.selection in ("first", "random"):
                own = own[: self.shots]
            features = _features(reader, inputs_of(own), watch)
            if self.selection == "diverse":
                kept = diverse(features, len(own) if self.shots is None else self.shots)
                own, features = [own[i] for i in kept], features[kept]
            shots += own
            vectors.append(features)
        nearest = self.shots if self.selection == "similar" else None
        classifier = NearestShots(reader, task.labels, shots, vectors, self.vote, nearest)
        return Fitted(classifier, 0, classifier.nbytes, time.perf_counter() - started)


class NearestShots:
    """The shots, and the vectors (shots, dimensions) of each label's; with `nearest` only so many of each
    label's count, those nearest to the input."""

    def __init__(
        self,
        reader: Reader,
        labels: Sequence[str],
        shots: Sequence[Example],
        vectors: Sequence[NDArray[np.float32]],
        vote: Vote,
        nearest: int | None,
    ) -> None:
        self.reader = reader
        self.labels = tuple(labels)
        self.shots = tuple(shots)
        self.nearest = nearest
        self.vote = vote
        # Without a choice per input a label's prototype is all that has to be kept.
        fixed = vote == "prototypes" and nearest is None
        self.vectors = [_unit(each.mean(0, keepdims=True)) if fixed else each for each in vectors]

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors that are kept."""
        return sum(each.nbytes for each in self.vectors)

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier."""
        import numpy as np

        results: list[Classification] = []
        for start in range(0, len(inputs), CHUNK):
            features = _features(self.reader, inputs[start : start + CHUNK])
            scores = np.stack([self._scores(features, each) for each in self.vectors], axis=1)
            results += distributions(scores / TEMPERATURE, self.labels)
        return results

    def _scores(self, features: NDArray[np.float32], shots: NDArray[np.float32]) -> NDArray[np.float32]:
        """How near each input (inputs, dimensions) is to one label's shots (shots, dimensions)."""
        import numpy as np

        cosines = features @ shots.T
        if self.vote == "neighbours":
            return np.asarray(cosines.max(axis=1))
        if self.nearest is None or self.nearest >= len(shots):
            return np.asarray(features @ _unit(shots.mean(0)))
        best = np.argpartition(-cosines, self.nearest - 1, axis=1)[:, : self.nearest]
        return np.asarray((features * _unit(shots[best].mean(axis=1))).sum(axis=1))


def diverse(vectors: NDArray[np.float32], k: int) -> list[int]:
    """Which `k` of the unit vectors (rows, dimensions) cover them best: the most central one, then always the one that
    is farthest from all that were taken (greedy k-center)."""
    chosen = [int((vectors @ vectors.mean(0)).argmax())]
    nearest = vectors @ vectors[chosen[0]]
    while len(chosen) < min(k, len(vectors)):
        nearest[chosen] = float("inf")
        chosen.append(int(nearest.argmin()))
        nearest = (vectors @ vectors[chosen[-1]]).clip(min=nearest)
    return chosen


def _features(
    reader: Reader, inputs: Sequence[TextOrPair], watch: Watch = lambda fraction, note: True
) -> NDArray[np.float32]:
    """Unit vectors (len(inputs), dimensions); of a pair the difference and the product, twice as many dimensions."""
    import numpy as np

    vectors = reader(inputs, watch)
    if vectors.shape[1] == 1:
        return vectors[:, 0]
    first, second = vectors[:, 0], vectors[:, 1]
    return _unit(np.hstack([np.abs(first - second), first * second]))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True).clip(min=1e-12), np.float32)
