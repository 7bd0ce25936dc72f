"""The right one of several options: each is read beside the question, the softmax is over the options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine import embedded
from assistant.engine.base import Choice, Engine
from assistant.errors import DataError
from assistant.workshop.data import Example, Row, good_rows
from assistant.workshop.objectives import (
    Encoded,
    LabelNames,
    Measurement,
    Objective,
    Tokens,
    log_probabilities,
    mean_metric,
)

if TYPE_CHECKING:
    from assistant.workshop.recipe import Recipe, Training


class Choose(Objective):
    """Rows hold `question` (and perhaps `context`), `choices` and `answer`, the index of the right one.

    An example's texts are the question and the options; its label is the index. Of a source whose `labels` say
    `{answer: against}` the answer is the wrong one of two (ComVE asks which statement is against common sense), and
    the question becomes the one that asks for the right one.
    """

    metric = "accuracy"

    def read(self, path: Path, fields: Sequence[str], labels: LabelNames = None) -> list[Example]:
        """See Objective."""
        against = (labels or {}).get("answer") == "against"
        return [_example(row, path.name, against) for row in good_rows(path)]

    def encode(self, examples: Sequence[Example], recipe: Recipe) -> list[Encoded]:
        """See Objective."""
        tokenizer = embedded.tokenizer(recipe.training.max_tokens)
        return [
            Encoded(
                tuple(
                    Tokens(t.ids, t.type_ids)
                    for t in tokenizer.encode_batch([(e.texts[0], option) for option in e.texts[1:]])
                ),
                e.label,
            )
            for e in examples
        ]

    def loss(self, logits: Tensor, batch: Sequence[Encoded], settings: Training, weights: Tensor) -> Tensor:
        """Cross entropy over each example's options."""
        parts = torch.split(logits[:, 0], [len(e.sequences) for e in batch])
        rows = torch.nn.utils.rnn.pad_sequence(list(parts), batch_first=True, padding_value=-1e4)
        targets = torch.tensor([e.target for e in batch], device=logits.device)
        return F.cross_entropy(rows, targets)

    def score(self, logits: Sequence[Tensor], data: Sequence[Encoded]) -> float:
        """Accuracy."""
        return float(np.mean([int(x[:, 0].argmax()) == e.target for x, e in zip(logits, data, strict=True)]))

    def measure(self, engine: Engine, adapter: Path, examples: Sequence[Example]) -> Measurement:
        """See Objective."""
        found = engine.choose([Choice(e.texts[0], e.texts[1:]) for e in examples], adapter)
        correct = np.array(
            [int(np.argmax(p)) == e.label for p, e in zip(found, examples, strict=True)], dtype=bool
        )
        return Measurement(
            {"accuracy": mean_metric(correct.astype(float))},
            log_probabilities(found),
            np.array([e.label for e in examples]),
        )


def _example(row: Row, name: str, against: bool) -> Example:
    def wrong(what: str) -> DataError:
        return DataError(f"Row {row.number} of {name}: {what}.")

    values: Any = row.values
    options, answer = values.get("choices"), values.get("answer")
    if not isinstance(options, list) or len(options) < 2 or not all(isinstance(o, str) for o in options):
        raise wrong(f"'choices' is {options!r:.60}; expected a list of two or more texts")
    if not isinstance(answer, int) or not 0 <= answer < len(options):
        raise wrong(f"'answer' is {answer!r:.60}; expected an index into the {len(options)} choices")
    question = "\n".join(part for part in (values.get("context"), values.get("question")) if part)
    if against:
        if len(options) != 2:
            raise wrong(f"{len(options)} choices; of an answer that is against, expected two")
        question, answer = "Which statement makes sense?", 1 - answer
    if not question:
        raise wrong("there is neither 'context' nor 'question'")
    return Example((question, *options), answer)


OBJECTIVE = Choose()
