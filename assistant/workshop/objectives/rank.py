"""Which sentences of a document matter: a sentence's score is the mean over its tokens, learnt as yes or no.

Liu & Lapata 2019, arXiv 1908.08345 (BertSumExt), with the mean over a sentence's tokens where they have a [CLS] before
each sentence. The yes sentences are those of a greedy oracle (see `oracle`) or come with the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine import embedded
from assistant.engine.base import Engine
from assistant.engine.encoder import CLS, SEP
from assistant.errors import DataError
from assistant.workshop.data import Example, Row, good_rows
from assistant.workshop.objectives import (
    Encoded,
    LabelNames,
    Measurement,
    Objective,
    Tokens,
    mean_metric,
)
from assistant.workshop.oracle import greedy_oracle

if TYPE_CHECKING:
    from assistant.workshop.recipe import Recipe, Training


class Rank(Objective):
    """Rows hold `document`, a sentence a line, and `summary` (a text or several). An example's texts are the
    sentences; its label a 0 or 1 for each."""

    metric = "average precision"

    def read(self, path: Path, fields: Sequence[str], labels: LabelNames = None) -> list[Example]:
        """See Objective. Documents of one sentence, and those of which the summary takes nothing, are left out."""
        examples = [_example(row, path.name) for row in good_rows(path)]
        return [example for example in examples if len(example.texts) > 1 and any(example.label)]

    def encode(self, examples: Sequence[Example], recipe: Recipe) -> list[Encoded]:
        """See Objective. The target is (first token, last token + 1, 0 or 1) of each sentence; what does not fit makes
        further sequences, of segment 1, as the engine reads it."""
        room = recipe.training.max_tokens - 2
        tokenizer = embedded.tokenizer(None)
        result = []
        for example in examples:
            pieces = [
                e.ids[:room] for e in tokenizer.encode_batch([*example.texts], add_special_tokens=False)
            ]
            ids: list[int] = [CLS]
            target: list[tuple[int, int, int]] = []
            later = 0
            for piece, label in zip(pieces, example.label, strict=True):
                if len(ids) + len(piece) > room + 1:
                    result.append(_encoded(ids, target, later))
                    ids, target, later = [CLS], [], 1
                if piece:
                    target.append((len(ids), len(ids) + len(piece), label))
                    ids += piece
            if target:
                result.append(_encoded(ids, target, later))
        return result

    def loss(self, logits: Tensor, batch: Sequence[Encoded], settings: Training, weights: Tensor) -> Tensor:
        """Binary cross entropy per sentence."""
        scores, labels = [], []
        for row, e in zip(logits[:, :, 0], batch, strict=True):
            scores += [row[start:end].mean() for start, end, _ in e.target]
            labels += [float(label) for _, _, label in e.target]
        return F.binary_cross_entropy_with_logits(
            torch.stack(scores), torch.tensor(labels, device=logits.device)
        )

    def score(self, logits: Sequence[Tensor], data: Sequence[Encoded]) -> float:
        """Average precision of the yes sentences, the mean over the sequences that have some."""
        values = []
        for x, e in zip(logits, data, strict=True):
            labels = [label for _, _, label in e.target]
            if any(labels):
                scores = [float(x[0, start:end, 0].mean()) for start, end, _ in e.target]
                values.append(average_precision_score(labels, scores))
        return float(np.mean(values))

    def measure(self, engine: Engine, adapter: Path, examples: Sequence[Example]) -> Measurement:
        """Average precision, and precision of the three best sentences beside that of the first three."""
        found = engine.rank([e.texts for e in examples], adapter)
        precision, best, lead = [], [], []
        for scores, example in zip(found, examples, strict=True):
            gold = np.array(example.label)
            precision.append(average_precision_score(gold, scores))
            best.append(gold[np.argsort(scores)[::-1][:3]].mean())
            lead.append(gold[:3].mean())
        metrics = {
            "average_precision": mean_metric(np.array(precision)),
            "precision_at_3": mean_metric(np.array(best)),
            "precision_of_first_3": mean_metric(np.array(lead)),
        }
        return Measurement(metrics)


def _encoded(ids: list[int], target: list[tuple[int, int, int]], segment: int) -> Encoded:
    return Encoded((Tokens([*ids, SEP], [segment] * (len(ids) + 1)),), tuple(target))


def _example(row: Row, name: str) -> Example:
    values: Any = row.values
    document, summary = values.get("document"), values.get("summary")
    if not isinstance(document, str) or not document.strip():
        raise DataError(f"Row {row.number} of {name}: 'document' is {document!r:.60}; expected a text.")
    sentences = [line.strip() for line in document.splitlines() if line.strip()]
    given = values.get("extract_labels")
    if isinstance(given, list) and len(given) == len(sentences):
        return Example(tuple(sentences), tuple(int(bool(label)) for label in given))
    reference = "\n".join(summary) if isinstance(summary, list) else summary
    if not isinstance(reference, str) or not reference.strip():
        raise DataError(f"Row {row.number} of {name}: 'summary' is {summary!r:.60}; expected a text.")
    return Example(tuple(sentences), tuple(greedy_oracle(sentences, reference)))


OBJECTIVE = Rank()
