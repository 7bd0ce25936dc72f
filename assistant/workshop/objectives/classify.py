"""One label for a text or a pair: cross entropy, selected by macro-F1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine import embedded
from assistant.engine.base import Engine, text_or_pair
from assistant.workshop.data import Example, read_examples
from assistant.workshop.evaluation import check_labels, confusion, macro_f1, report
from assistant.workshop.objectives import (
    Encoded,
    LabelNames,
    Measurement,
    Objective,
    Tokens,
    balanced,
    log_probabilities,
)

if TYPE_CHECKING:
    from assistant.workshop.recipe import Recipe, Training


class Classify(Objective):
    """Rows hold the application's fields and `label`."""

    metric = "macro-F1"

    def read(self, path: Path, fields: Sequence[str], labels: LabelNames = None) -> list[Example]:
        """See Objective."""
        return read_examples(path, fields, labels)

    def check(self, examples: Sequence[Example], labels: Sequence[str]) -> None:
        """See Objective."""
        check_labels([example.label for example in examples], labels)

    def encode(self, examples: Sequence[Example], recipe: Recipe) -> list[Encoded]:
        """See Objective."""
        tokenizer = embedded.tokenizer(recipe.training.max_tokens)
        encodings = tokenizer.encode_batch([text_or_pair(example.texts) for example in examples])
        return [
            Encoded((Tokens(t.ids, t.type_ids),), recipe.labels.index(e.label))
            for t, e in zip(encodings, examples, strict=True)
        ]

    def loss(self, logits: Tensor, batch: Sequence[Encoded], settings: Training, weights: Tensor) -> Tensor:
        """See Objective."""
        targets = torch.tensor([e.target for e in batch], device=logits.device)
        return F.cross_entropy(logits, targets, weight=weights, label_smoothing=settings.label_smoothing)

    def class_weights(self, data: Sequence[Encoded], classes: int, balance: float) -> Tensor:
        """See Objective."""
        return balanced(torch.tensor([e.target for e in data]), classes, balance)

    def score(self, logits: Sequence[Tensor], data: Sequence[Encoded]) -> float:
        """Macro-F1."""
        scores = torch.cat(list(logits))
        gold = np.array([e.target for e in data])
        return macro_f1(confusion(gold, scores.argmax(-1).numpy(), scores.shape[-1]))

    def measure(self, engine: Engine, adapter: Path, examples: Sequence[Example]) -> Measurement:
        """See Objective."""
        found = engine.classify([text_or_pair(e.texts) for e in examples], adapter)
        measured = report([e.label for e in examples], found).metrics
        labels = found[0].labels
        return Measurement(
            {name: measured[name] for name in ("accuracy", "macro_f1", "matthews_correlation")},
            log_probabilities([c.probabilities for c in found]),
            np.array([labels.index(e.label) for e in examples]),
        )


OBJECTIVE = Classify()
