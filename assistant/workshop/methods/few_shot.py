"""Few-shot: nearest prototype of the shots.

What it does: embeds a few worked examples per label with the bare base; a label's prototype is their mean. An
input goes to the nearest prototype; the labels' shares are the softmax of the cosines over a temperature.

When to use it: with a handful of labelled rows per class, too few to train on, when the classes differ in
what the texts are about. Classes that differ in logic or in tone alone lie close together in the embedding.

Inputs: texts, or pairs; a prompt file with shots; `k` shots per label, or all.

Relation to the others: no training, like `zero_shot`, but it needs no entailment adapter and only one pass
per input; a trained adapter moves the embedding itself, which this method takes as it is.

Example:

    FewShot(engine, load_prompt(folder, "en"), k=4).predict(["A warm, funny film."])

Reference: Snell, Swersky & Zemel 2017, "Prototypical Networks for Few-shot Learning" (arXiv 1703.05175). The
features of a pair are those of Conneau et al. 2017, "Supervised Learning of Universal Sentence
Representations from Natural Language Inference Data" (arXiv 1705.02364), section 3.1, without the two
embeddings themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.engine.base import Classification, Engine, TextOrPair
from assistant.prompts import Prompt, Shot
from assistant.workshop.methods import sides

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# all-MiniLM-L6-v2 was trained on cosines times 20 (the default of sentence-transformers' ranking loss).
TEMPERATURE = 1 / 20


class FewShot:
    """Classifies by the nearest prototype. `shots` are those that the prototypes were made of.

    With fewer than `k` shots of a label in the prompt, all that there are take part.
    """

    def __init__(self, engine: Engine, prompt: Prompt, k: int | None = None) -> None:
        import numpy as np

        self.engine = engine
        self.labels = tuple(prompt.labels)
        self.shots = _at_most(prompt, k)
        vectors = self._features([_input(shot, prompt.fields) for shot in self.shots])
        of_label = np.array([self.labels.index(shot.label) for shot in self.shots])
        means = np.stack([vectors[of_label == label].mean(0) for label in range(len(self.labels))])
        self.prototypes = means / np.linalg.norm(means, axis=1, keepdims=True)

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier. The labels are the prompt's."""
        import numpy as np

        scores = self._features(inputs) @ self.prototypes.T / TEMPERATURE
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        return [Classification(self.labels, tuple(row)) for row in shares.tolist()]

    def _features(self, inputs: Sequence[TextOrPair]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(inputs), dimensions); of a pair the difference and the product, which is
        twice as many dimensions."""
        import numpy as np

        texts = [sides(each) for each in inputs]
        vectors = self.engine.embed([text for each in texts for text in each])
        if all(len(each) == 1 for each in texts):
            return vectors
        first, second = vectors[::2], vectors[1::2]
        pair = np.hstack([np.abs(first - second), first * second])
        return np.asarray(pair / np.linalg.norm(pair, axis=1, keepdims=True), np.float32)


def _at_most(prompt: Prompt, k: int | None) -> tuple[Shot, ...]:
    """The first `k` shots of each label, in the file's order."""
    seen = dict.fromkeys(prompt.labels, 0)
    kept = []
    for shot in prompt.shots:
        seen[shot.label] += 1
        if k is None or seen[shot.label] <= k:
            kept.append(shot)
    return tuple(kept)


def _input(shot: Shot, fields: Sequence[str]) -> TextOrPair:
    texts = [shot.input[field] for field in fields]
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])
