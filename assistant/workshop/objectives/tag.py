"""A label for each word: cross entropy on the first token of each, selected by F0.5 of the words that are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine import embedded
from assistant.engine.base import Engine, Tag
from assistant.engine.spans import word_spans
from assistant.errors import DataError
from assistant.workshop.data import Example, Row, good_rows
from assistant.workshop.evaluation import Metric, check_labels
from assistant.workshop.objectives import (
    IGNORED,
    Encoded,
    LabelNames,
    Measurement,
    Objective,
    Tokens,
    balanced,
    mean_metric,
)

if TYPE_CHECKING:
    from assistant.workshop.recipe import Recipe, Training

# Of clean texts so many may get a mark from the tagger. What error detection shows of its marks is about half.
MOST_ALARMS = 0.04
# Values of F0.5 so near to each other are the same: the interval of 3,000 rows is over twice as wide on either side.
SAME = 0.003


class TagWords(Objective):
    """Rows hold `text` and `tags`, a list of {start, end, label}, in characters; other words have the first label.

    An example's label is a tuple of (start, end, label).
    """

    metric = "F0.5 of marked words"

    def read(self, path: Path, fields: Sequence[str], labels: LabelNames = None) -> list[Example]:
        """See Objective."""
        return [_example(row, path.name) for row in good_rows(path)]

    def check(self, examples: Sequence[Example], labels: Sequence[str]) -> None:
        """See Objective."""
        check_labels([label for example in examples for _, _, label in example.label], labels)

    def encode(self, examples: Sequence[Example], recipe: Recipe) -> list[Encoded]:
        """See Objective. The target is a label per token: that of its word on a first token, else none."""
        number = {label: i for i, label in enumerate(recipe.labels)}
        tokenizer = embedded.tokenizer(recipe.training.max_tokens)
        result = []
        for example, encoding in zip(
            examples, tokenizer.encode_batch([e.texts[0] for e in examples]), strict=True
        ):
            at = {start: label for start, _, label in example.label}
            target = [IGNORED] * len(encoding.ids)
            for token, start, _ in word_spans(encoding):
                target[token] = number[at.get(start, recipe.labels[0])]
            result.append(Encoded((Tokens(encoding.ids, encoding.type_ids),), tuple(target)))
        return result

    def loss(self, logits: Tensor, batch: Sequence[Encoded], settings: Training, weights: Tensor) -> Tensor:
        """See Objective."""
        width = logits.shape[1]
        targets = torch.tensor([[*e.target, *[IGNORED] * (width - e.width)] for e in batch])
        return F.cross_entropy(
            logits.flatten(0, 1),
            targets.flatten().to(logits.device),
            weight=weights,
            label_smoothing=settings.label_smoothing,
            ignore_index=IGNORED,
        )

    def class_weights(self, data: Sequence[Encoded], classes: int, balance: float) -> Tensor:
        """See Objective."""
        return balanced(torch.tensor([label for e in data for label in e.target]), classes, balance)

    def score(self, logits: Sequence[Tensor], data: Sequence[Encoded]) -> float:
        """F0.5 of the words that are not of the first label, label and all."""
        hits = found = gold = 0
        for x, e in zip(logits, data, strict=True):
            truth, best = np.array(e.target), x[0, : e.width].argmax(-1).numpy()
            words = truth != IGNORED
            hits += int(((best == truth) & (truth > 0))[words].sum())
            found += int((best > 0)[words].sum())
            gold += int((truth > 0)[words].sum())
        return f_half(hits, found, gold)

    def measure(self, engine: Engine, adapter: Path, examples: Sequence[Example]) -> Measurement:
        """F0.5, precision and recall of finding the words that are wrong, whatever the label; F0.5 with the label; the
        share of clean texts that got a mark. Marks count from the adapter's threshold on; without one it is fitted."""
        info = engine.adapter(adapter)
        marks = [
            [tag for tag in tags if tag.label != info.labels[0]]
            for tags in engine.tag([e.texts[0] for e in examples], adapter)
        ]
        golds = [{start: label for start, _, label in e.label} for e in examples]
        threshold = info.threshold or _threshold(marks, golds)
        counts = _counts(marks, golds, threshold)
        metrics = _with_intervals(counts)
        clean = counts[:, 3] == 0
        if clean.any():
            metrics["clean_texts_marked"] = mean_metric((counts[clean, 2] > 0).astype(float))
        return Measurement(metrics, threshold=threshold)


Gold: TypeAlias = Mapping[int, str]  # the label of the word that starts there


def _counts(marks: Sequence[Sequence[Tag]], golds: Sequence[Gold], threshold: float) -> NDArray[np.int64]:
    """(texts, 4): hits, hits with the right label, marked words, words that are wrong."""
    counts = []
    for tags, gold in zip(marks, golds, strict=True):
        kept = [tag for tag in tags if tag.probability >= threshold]
        hits = [tag for tag in kept if tag.start in gold]
        counts.append((len(hits), sum(gold[t.start] == t.label for t in hits), len(kept), len(gold)))
    return np.array(counts)


def _threshold(marks: Sequence[Sequence[Tag]], golds: Sequence[Gold]) -> float:
    """The lowest threshold that is as good as the best by F0.5, among those at which at most `MOST_ALARMS` of the clean
    texts get a mark. The lowest, since errors that were made by rule are surer to be found than those of people."""
    values: dict[float, float] = {}
    for threshold in np.arange(0.2, 0.96, 0.025):
        counts = _counts(marks, golds, threshold)
        clean = counts[:, 3] == 0
        alarms = float((counts[clean, 2] > 0).mean()) if clean.any() else 0.0
        if alarms <= MOST_ALARMS:
            hits, _, found, gold = counts.sum(0)
            values[round(float(threshold), 3)] = f_half(hits, found, gold)
    best = max(values.values(), default=0.0)
    return min((threshold for threshold, value in values.items() if value >= best - SAME), default=0.95)


def f_half(hits: float, found: float, gold: float) -> float:
    """F0.5: precision counts twice as much as recall (van Rijsbergen 1979)."""
    return 1.25 * hits / (0.25 * gold + found) if hits else 0.0


def _with_intervals(counts: NDArray[np.int64], resamples: int = 500) -> dict[str, Metric]:
    """Metrics of counts (texts, 4): hits, exact hits, marked and gold words; intervals over resampled texts."""

    def metrics(total: NDArray[np.int64]) -> list[float]:
        hits, exact, found, gold = (float(x) for x in total)
        return [
            f_half(hits, found, gold),
            hits / found if found else 0.0,
            hits / gold if gold else 0.0,
            f_half(exact, found, gold),
        ]

    rng = np.random.default_rng(0)
    drawn = [metrics(counts[rng.integers(0, len(counts), len(counts))].sum(0)) for _ in range(resamples)]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    names = ("detection_f0.5", "detection_precision", "detection_recall", "label_f0.5")
    return {
        name: Metric(value, float(lo), float(hi))
        for name, value, lo, hi in zip(names, metrics(counts.sum(0)), low, high, strict=True)
    }


def _example(row: Row, name: str) -> Example:
    values: Any = row.values
    text, tags = values.get("text"), values.get("tags")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"Row {row.number} of {name}: 'text' is {text!r:.60}; expected a text.")
    try:
        return Example((text,), tuple((int(t["start"]), int(t["end"]), str(t["label"])) for t in tags))
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"Row {row.number} of {name}: 'tags' is {tags!r:.60}; expected a list of start, end and label."
        ) from None


OBJECTIVE = TagWords()
