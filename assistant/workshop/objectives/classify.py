"""One label for a text or a pair: cross entropy, selected by macro-F1; with a teacher, also its probabilities."""

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
from assistant.workshop.data import Example, Soft, read_examples
from assistant.workshop.evaluation import check_labels, confusion, macro_f1, report
from assistant.workshop.objectives import (
    IGNORED,
    Encoded,
    LabelNames,
    Measurement,
    Objective,
    SoftTarget,
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
            Encoded((Tokens(t.ids, t.type_ids),), _target(e.label, recipe.labels))
            for t, e in zip(encodings, examples, strict=True)
        ]

    def loss(self, logits: Tensor, batch: Sequence[Encoded], settings: Training, weights: Tensor) -> Tensor:
        """See Objective. With `settings.distillation` every target has to be a SoftTarget."""
        numbers = torch.tensor([_number(e) for e in batch], device=logits.device)
        known = numbers != IGNORED
        hard = logits.new_zeros(())
        if known.any():
            hard = F.cross_entropy(
                logits[known], numbers[known], weight=weights, label_smoothing=settings.label_smoothing
            )
        if settings.distillation is None:
            return hard
        temperature, alpha = settings.distillation.temperature, settings.distillation.alpha
        opinions = torch.tensor([e.target.probabilities for e in batch], device=logits.device)
        # Probabilities are a softmax, so their logarithms are logits but for a constant.
        teacher = F.log_softmax(opinions.clamp_min(1e-8).log() / temperature, -1)
        student = F.log_softmax(logits / temperature, -1)
        soft = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
        # Gradients of softened logits shrink with the square of the temperature (Hinton et al. 2015, section 2).
        return alpha * temperature**2 * soft + (1 - alpha) * hard

    def class_weights(self, data: Sequence[Encoded], classes: int, balance: float) -> Tensor:
        """See Objective."""
        return balanced(torch.tensor([_number(e) for e in data]), classes, balance)

    def score(self, logits: Sequence[Tensor], data: Sequence[Encoded]) -> float:
        """Macro-F1."""
        scores = torch.cat(list(logits))
        gold = np.array([_number(e) for e in data])
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


def _target(label: str | Soft, labels: Sequence[str]) -> int | SoftTarget:
    if not isinstance(label, Soft):
        return labels.index(label)
    return SoftTarget(IGNORED if label.label is None else labels.index(label.label), label.probabilities)


def _number(example: Encoded) -> int:
    """The right label's number, or IGNORED."""
    target: int | SoftTarget = example.target
    return target.label if isinstance(target, SoftTarget) else target


OBJECTIVE = Classify()
