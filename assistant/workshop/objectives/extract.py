"""A span that answers a question, or "not in the text": start and end are two softmaxes over the tokens.

Devlin et al. 2019, arXiv 1810.04805, sections 4.2 and 4.3: the first token is the span of a question that the text does
not answer. Metrics are those of SQuAD (Rajpurkar et al. 2016, arXiv 1606.05250).
"""

from __future__ import annotations

import gzip
import json
import re
import string
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine import embedded
from assistant.engine.base import Engine, Extraction
from assistant.engine.spans import MAX_ANSWER_TOKENS, windows
from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.objectives import (
    Encoded,
    LabelNames,
    Measurement,
    Objective,
    Tokens,
    log_probabilities,
    mean_metric,
    unanswerable,
)

if TYPE_CHECKING:
    from assistant.workshop.recipe import Recipe, Training

OVERLAP = 64  # tokens that two windows of one context share
# What comes of a file that is cut off, packed or not, and of one whose parts are others than SQuAD's.
_WRONG = (
    OSError, EOFError, zlib.error, ValueError, RecursionError, KeyError, TypeError, AttributeError,
)  # fmt: skip


class Extract(Objective):
    """Files are SQuAD JSON. An example's texts are question and context; its label the (start, end) of each gold
    answer, in characters, none of an unanswerable question."""

    metric = "F1 of tokens"

    def read(self, path: Path, fields: Sequence[str], labels: LabelNames = None) -> list[Example]:
        """See Objective."""
        try:
            opened = gzip.open if path.suffix.lower() == ".gz" else open
            with opened(path, "rt", encoding="utf-8") as file:
                articles = json.load(file)["data"]
            return list(_questions(articles))
        except FileNotFoundError:
            raise DataError(f"There is no file {str(path)!r}.") from None
        except _WRONG as error:
            raise DataError(f"{path.name} is no SQuAD JSON ({type(error).__name__}: {error}).") from None

    def encode(self, examples: Sequence[Example], recipe: Recipe) -> list[Encoded]:
        """See Objective. A long context becomes windows; those without the answer learn "not in the text"."""
        room = recipe.training.max_tokens
        whole, cutting = embedded.tokenizer(None), embedded.tokenizer(room)
        result = []
        for example in examples:
            question, context = example.texts
            left = room - len(whole.encode(question).ids) - 1
            if left < room // 3:
                left = room // 3
            gold = Counter(example.label).most_common(1)[0][0] if example.label else None
            for first, last in windows(whole, context, overlap=min(OVERLAP, left // 2), room=left):
                encoding = cutting.encode(question, context[first:last])
                target = _tokens_of(encoding, gold, first)
                result.append(Encoded((Tokens(encoding.ids, encoding.type_ids),), target))
        return result

    def loss(self, logits: Tensor, batch: Sequence[Encoded], settings: Training, weights: Tensor) -> Tensor:
        """The mean of the two cross entropies. Padding takes no part."""
        lengths = torch.tensor([e.width for e in batch], device=logits.device)
        padding = torch.arange(logits.shape[1], device=logits.device)[None, :] >= lengths[:, None]
        scores = logits.masked_fill(padding[:, :, None], -1e4)
        targets = torch.tensor([e.target for e in batch], device=logits.device)
        starts, ends = (F.cross_entropy(scores[:, :, side], targets[:, side]) for side in (0, 1))
        return (starts + ends) / 2

    def score(self, logits: Sequence[Tensor], data: Sequence[Encoded]) -> float:
        """The mean overlap (F1) of the best span's tokens with the gold one's, window by window."""
        values = []
        for x, e in zip(logits, data, strict=True):
            pairs = x[0, : e.width, 0, None] + x[0, None, : e.width, 1]
            allowed = torch.ones_like(pairs).triu() - torch.ones_like(pairs).triu(MAX_ANSWER_TOKENS)
            # Only the second text's tokens, or the first token with itself.
            allowed[0, 1:] = 0
            question = e.sequences[0].segments.index(1)
            allowed[1:question] = 0
            best = int(pairs.masked_fill(allowed == 0, -1e9).argmax())
            values.append(_overlap(divmod(best, e.width), e.target))
        return float(np.mean(values))

    def negatives(self, examples: Sequence[Example], elsewhere: float, altered: float) -> list[Example]:
        """See `unanswerable`."""
        return unanswerable.elsewhere(examples, elsewhere) + unanswerable.altered(examples, altered)

    def null_bias(self, engine: Engine, adapter: Path, sources: Sequence[Sequence[Example]]) -> float:
        """See Objective. The threshold of Devlin et al. 2019, section 4.3, by the mean of the sources' F1."""
        gains: list[NDArray[np.float64]] = []
        for examples in sources:
            found = engine.extract([(e.texts[0], e.texts[1]) for e in examples], adapter)
            gains.append(np.array([_answered(e, spans) for e, spans in zip(examples, found, strict=True)]))
        odds = np.concatenate([each[:, 0] for each in gains])
        odds = odds[np.isfinite(odds)]
        if not len(odds):
            return 0.0
        # Only just beyond a row's odds does anything change; a few hundred places are fine enough.
        candidates: list[float] = [0.0, *(np.quantile(-odds, np.linspace(0, 1, 400)) + 0.01).tolist()]

        def f1(bias: float) -> float:
            chosen = [np.where(each[:, 0] + bias > 0, each[:, 1], each[:, 2]) for each in gains]
            return float(np.mean([each.mean() for each in chosen]))

        return round(float(max(candidates, key=f1)), 2)

    def measure(self, engine: Engine, adapter: Path, examples: Sequence[Example]) -> Measurement:
        """Exact match and F1 of SQuAD; where some questions have no answer, also how many of those were found.

        Where every question has one, it is known that there is a span to find, so the best one counts, as in SQuAD 1.1;
        `f1_unless_silent` is then the F1 of what is served, which may be that the text does not say.
        """
        candidates = engine.extract([(e.texts[0], e.texts[1]) for e in examples], adapter)
        served = _compared(examples, [spans[0] for spans in candidates])
        answerable = np.array([bool(e.label) for e in examples])
        if answerable.all():
            best = _compared(examples, [_span(spans) or spans[0] for spans in candidates])
            metrics = {"f1": best[:, 0], "exact_match": best[:, 1], "f1_unless_silent": served[:, 0]}
        else:
            metrics = {
                "f1": served[:, 0],
                "exact_match": served[:, 1],
                "f1_unanswerable": served[~answerable, 0],
            }
        # Half of the words right is right enough to be sure of.
        return Measurement(
            {name: mean_metric(values) for name, values in metrics.items()},
            log_probabilities([[span.probability for span in spans] for spans in candidates]),
            np.where(served[:, 0] >= 0.5, 0, -1),
        )


def _span(spans: Sequence[Extraction]) -> Extraction | None:
    """The best one that holds something."""
    return next((span for span in spans if span.start < span.end), None)


def _compared(examples: Sequence[Example], found: Sequence[Extraction]) -> NDArray[np.float64]:
    """F1 and exact match of each answer, shape (len(examples), 2)."""
    return np.array([_rightness(example, span) for example, span in zip(examples, found, strict=True)])


def _rightness(example: Example, span: Extraction) -> tuple[float, float]:
    """F1 and exact match of an answer, by the gold one that is closest."""
    context = example.texts[1]
    answer = context[span.start : span.end]
    golds = [context[start:end] for start, end in example.label] or [""]
    exact = max(float(_normal(answer) == _normal(gold)) for gold in golds)
    return max(answer_f1(answer, gold) for gold in golds), exact


def _answered(example: Example, spans: Sequence[Extraction]) -> tuple[float, float, float]:
    """How much likelier the best span is than "not in the text" (a logarithm), and the F1 of the one and the other."""
    best = _span(spans)
    silent = float(not example.label)
    if best is None:
        return -np.inf, 0.0, silent
    nothing = next((span.probability for span in spans if span.start == span.end), 0.0)
    odds = float(np.log(best.probability + 1e-12) - np.log(nothing + 1e-12))
    return odds, _rightness(example, best)[0], silent


def _questions(articles: Any) -> Iterator[Example]:
    for article in articles:
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for qa in paragraph["qas"]:
                spans = tuple((a["answer_start"], a["answer_start"] + len(a["text"])) for a in qa["answers"])
                if any(not 0 <= start < end <= len(context) for start, end in spans):
                    raise ValueError(f"the answer of question {qa.get('id')!r} lies outside its context")
                yield Example((qa["question"].strip(), context), () if qa.get("is_impossible") else spans)


def _tokens_of(encoding: Encoding, gold: tuple[int, int] | None, first: int) -> tuple[int, int]:
    """The first and last token of the gold span in a window that starts at `first`; (0, 0) when it is not inside."""
    if gold is None:
        return 0, 0
    inside = [
        i
        for i, (segment, (start, end)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True))
        if segment == 1 and start + first < gold[1] and end + first > gold[0]
    ]
    if not inside or encoding.offsets[inside[0]][0] + first > gold[0]:
        return 0, 0
    return (0, 0) if encoding.offsets[inside[-1]][1] + first < gold[1] else (inside[0], inside[-1])


def _overlap(found: tuple[int, int], gold: tuple[int, int]) -> float:
    shared = min(found[1], gold[1]) - max(found[0], gold[0]) + 1
    return max(0.0, 2 * shared / (found[1] - found[0] + gold[1] - gold[0] + 2))


def _normal(text: str) -> str:
    """SQuAD's normalisation: lower case, without punctuation, articles and extra space."""
    plain = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", plain).split())


def answer_f1(answer: str, gold: str) -> float:
    """The overlap of two answers' words; 1 when both are empty."""
    found, expected = _normal(answer).split(), _normal(gold).split()
    if not found or not expected:
        return float(found == expected)
    shared = sum((Counter(found) & Counter(expected)).values())
    return 2 * shared / (len(found) + len(expected))


OBJECTIVE = Extract()
