"""Token by token, pulled by whoever reads: nothing is computed that was not asked for.

So closing the iterator, or asking no more, stops the model. Decoding is greedy: the same prompt gives the same text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch

from assistant.engine.causal.model import BARE, CausalModel, stacked
from assistant.engine.causal.tokens import Tokens


def generate(
    model: CausalModel,
    tokens: Tokens,
    ids: Sequence[int],
    max_tokens: int,
    adapter: str = BARE,
    prefix: Sequence[int] = (),
) -> Iterator[tuple[str, float]]:
    """(text, log-probability) of each token after `prefix` and `ids`; the text may be empty. Ends at the base's end
    of text or after `max_tokens`."""
    if max_tokens < 1:
        return
    cache = stacked([model.prefix(prefix, adapter)], [len(prefix)])[0] if prefix else None
    logits, cache = model.forward(torch.tensor([list(ids)]), None, [adapter], cache, keep=1)
    stream = tokens.stream()
    for number in range(max_tokens):
        scores = torch.log_softmax(logits[0, -1], -1)
        token = int(scores.argmax())
        if token in tokens.ends:
            return
        yield stream.feed(token), float(scores[token])
        if number + 1 < max_tokens:
            logits, cache = model.forward(torch.tensor([[token]]), None, [adapter], cache, keep=1)


def first_line(
    pieces: Iterator[tuple[str, float]],
) -> tuple[str, float]:
    """The generated text up to its first line's end, and the geometric mean of its tokens' probabilities."""
    text, total, count = "", 0.0, 0
    for piece, log_probability in pieces:
        text, total, count = text + piece, total + log_probability, count + 1
        if "\n" in text.lstrip():
            break
    line = text.strip().partition("\n")[0].strip()
    return line, math.exp(total / count) if count else 0.0
