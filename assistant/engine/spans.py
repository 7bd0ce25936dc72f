"""From token scores to stretches of text, and from long texts to windows that the model can read."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from assistant.engine.base import Extraction
from assistant.engine.embedded import MAX_TOKENS

# An answer is at most this many tokens long, and this many are returned.
MAX_ANSWER_TOKENS = 30
BEST = 5


def windows(
    tokenizer: Tokenizer, text: str, overlap: int = 0, room: int = MAX_TOKENS - 2
) -> list[tuple[int, int]]:
    """(start, end) in characters of pieces of at most `room` tokens, cut between words, each sharing `overlap` tokens
    with the one before. The tokenizer must not truncate."""
    offsets = tokenizer.encode(text, add_special_tokens=False).offsets
    if len(offsets) <= room:
        return [(0, len(text))]
    cut = []
    for first in range(0, max(1, len(offsets) - overlap), room - overlap):
        last = min(first + room, len(offsets)) - 1
        cut.append((offsets[first][0], offsets[last][1]))
    return cut


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
    windows: Sequence[tuple[Tensor, Encoding, int]], null_bias: float = 0.0
) -> tuple[Extraction, ...]:
    """The best answers over all windows of one context, best first, with "not in the text" among them.

    Each window is (logits (tokens, 2), encoding of (question, piece), where the piece starts in the context). "Not in
    the text" scores as the lowest of the windows' first tokens, less `null_bias`: one window that holds the answer is
    enough.
    """
    candidates: dict[tuple[int, int], float] = {}
    nothing = min(float(logits[0, 0] + logits[0, 1]) for logits, _, _ in windows) - null_bias
    for logits, encoding, first in windows:
        inside = torch.tensor([segment == 1 for segment in encoding.sequence_ids])
        scores = logits[:, 0, None] + logits[None, :, 1]
        allowed = inside[:, None] & inside[None, :]
        allowed &= torch.ones_like(allowed).triu() & ~torch.ones_like(allowed).triu(MAX_ANSWER_TOKENS)
        flat = scores.masked_fill(~allowed, -torch.inf).flatten()
        for score, place in zip(*flat.topk(min(BEST, len(flat))), strict=True):
            if torch.isfinite(score):
                start, end = divmod(int(place), len(inside))
                span = (first + encoding.offsets[start][0], first + encoding.offsets[end][1])
                candidates[span] = max(candidates.get(span, -torch.inf), float(score))
    ranked = sorted(candidates.items(), key=lambda pair: -pair[1])[:BEST]
    spans = [(0, 0), *(span for span, _ in ranked)]
    probabilities = torch.softmax(torch.tensor([nothing, *(score for _, score in ranked)]), 0).tolist()
    found = [Extraction(*span, p) for span, p in zip(spans, probabilities, strict=True)]
    return tuple(sorted(found, key=lambda extraction: -extraction.probability))
