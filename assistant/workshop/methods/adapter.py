"""Trained adapter.

What it does: reads the input with the application's own adapter on the base and returns the calibrated
distribution of its head.

When to use it: whenever there is an adapter. It is the most accurate method; what the others reach without
training is the measure of what the training was worth.

Inputs: texts or pairs of texts; an adapter folder.

Relation to the others: the base is the same. `few_shot` compares its bare embeddings, `zero_shot` borrows the
adapter of another application.

Example:

    TrainedAdapter(engine, Path("plugins/sentiment/adapter")).predict(["A warm, funny film."])

Reference: Houlsby et al. 2019, "Parameter-Efficient Transfer Learning for NLP" (arXiv 1902.00751); Hu et al.
2021, "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assistant.engine.base import Classification, Engine, TextOrPair


class TrainedAdapter:
    """Classifies with an adapter folder. Raises AdapterError when the engine cannot use it."""

    def __init__(self, engine: Engine, adapter: Path) -> None:
        self.engine = engine
        self.adapter = adapter
        self.labels = engine.adapter(adapter).labels

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier."""
        return self.engine.classify(inputs, self.adapter)
