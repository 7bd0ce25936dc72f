"""From token scores to stretches of text, and from long texts to windows that the model can read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from assistant.engine.base import Extraction
from assistant.engine.embedded import MAX_TOKENS

# An answer is at most this many tokens long, and this many are returned.
MAX_ANSWER_TOKENS = 30
BEST = 5
# Spans of a window that are looked at; what lies beyond is too unlikely to change a sum.
LIKELY = 100


def windows(
    tokenizer: Tokenizer, text: str, overlap: int = 0, room: int = MAX_TOKENS - 2
) -> list[tuple[int, int]]:
    """(start, end) in characters of pieces of at most `room` tokens, cut between words, each sharing `overlap` tokens
    or a few more with the one before. The tokenizer must not truncate."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    if len(encoding) <= room:
        return [(0, len(text))]
    offsets, words = encoding.offsets, encoding.word_ids

    def between_words(token: int, after: int) -> int:
        """The first token of this one's word; the token itself where the word begins at or before `after`."""
        first = token
        while first > after and words[first] == words[first - 1]:
            first -= 1
        return first if first > after else token

    first = 0
    cut = []
    while first + room < len(offsets):
        end = between_words(first + room, first)
        cut.append((offsets[first][0], offsets[end - 1][1]))
        # One token further at least, however little a long word has left of this piece.
        first = between_words(max(end - overlap, first + 1), first)
    return [*cut, (offsets[first][0], offsets[-1][1])]


def word_spans(encoding: Encoding) -> list[tuple[int, int, int]]:
    """(first token, start, end) of each word of an encoded single text."""
    spans: list[tuple[int, int, int]] = []
    previous = None
    for token, (word, (start, end)) in enumerate(zip(encoding.word_ids, encoding.offsets, strict=True)):
        if word is None:
            continue
        if word == previous:
            spans[-1] = (spans[-1][0], spans[-1][1], end)
        else:
            spans.append((token, start, end))
        previous = word
    return spans


def best_spans(
    windows: Sequence[tuple[Tensor, Encoding, int]], null_bias: float = 0.0, temperature: float = 1.0
) -> tuple[Extraction, ...]:
    """The best answers over all windows of one context, best first, with "not in the text" among them.

    Each window is (logits (tokens, 2), encoding of (question, piece), where the piece starts in the context). Spans
    that overlap are one answer with more or fewer words around it: the likeliest stands for them and has the
    probability of all. "Not in the text" scores as the lowest of the windows' first tokens, less `null_bias`: one
    window that holds the answer is enough. `temperature` divides the scores of the answers thus found.
    """
    nothing = min(float(logits[0, 0] + logits[0, 1]) for logits, _, _ in windows) - null_bias
    spans: dict[tuple[int, int], float] = {}
    for logits, encoding, first in windows:
        segments, offsets = encoding.sequence_ids, encoding.offsets  # each time a new list
        if 1 not in segments:  # white space alone
            continue
        begin = segments.index(1)
        own = logits[begin : begin + segments.count(1)]
        # A row for each start, a column for each length.
        ends = F.pad(own[:, 1], (0, MAX_ANSWER_TOKENS - 1), value=-torch.inf).unfold(0, MAX_ANSWER_TOKENS, 1)
        scores = (own[:, 0, None] + ends).flatten()
        likeliest = scores.topk(min(LIKELY, int(scores.isfinite().sum())))
        for score, place in zip(likeliest.values.tolist(), likeliest.indices.tolist(), strict=True):
            start, longer = divmod(place, MAX_ANSWER_TOKENS)
            start += begin
            span = first + offsets[start][0], first + offsets[start + longer][1]
            spans[span] = max(spans.get(span, -math.inf), score)
    answers = _answers(sorted(spans.items(), key=lambda pair: -pair[1]))
    found = [(0, 0), *(span for span, _ in answers)]
    scaled = torch.tensor([nothing, *(score for _, score in answers)]) / temperature
    extractions = map(Extraction, *zip(*found, strict=True), torch.softmax(scaled, 0).tolist())
    return tuple(sorted(extractions, key=lambda extraction: -extraction.probability))


def _answers(spans: Sequence[tuple[tuple[int, int], float]]) -> list[tuple[tuple[int, int], float]]:
    """The `BEST` answers among spans and their scores, best first: a span takes in all that overlap it."""
    places = np.array([span for span, _ in spans]).reshape(-1, 2)
    scores = np.array([score for _, score in spans])
    answers: list[tuple[tuple[int, int], float]] = []
    while len(places) and len(answers) < BEST:
        start, end = places[0].tolist()
        same = (places[:, 0] < end) & (places[:, 1] > start)
        answers.append(((start, end), float(np.logaddexp.reduce(scores[same]))))
        places, scores = places[~same], scores[~same]
    return answers
