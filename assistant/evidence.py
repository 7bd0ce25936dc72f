"""Which words mattered: leave-one-out on the same model that answered.

Each word (or run of words, in a long text) is left out in turn; how much the label's probability falls is its
weight. Li, Monroe & Jurafsky 2016, "Understanding Neural Networks through Representation Erasure"
(arXiv 1612.08220). All variants run in one batch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from assistant.applications import Span

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]+")
# A longer text is left out by runs of words, so that the cost stays bounded.
MAX_PIECES = 32
# Below this change of probability a word is noise.
MIN_WEIGHT = 0.02


def pieces(text: str, at_most: int = MAX_PIECES) -> list[tuple[int, int]]:
    """Cut a text into at most `at_most` runs of whole words; (start, end) in characters."""
    words = [match.span() for match in _WORD.finditer(text) if match.group()[0].isalnum()]
    if not words:
        return []
    size = -(-len(words) // at_most)
    runs = [words[i : i + size] for i in range(0, len(words), size)]
    return [(run[0][0], run[-1][1]) for run in runs]


def leave_one_out(
    text: str,
    label: str,
    probability: float,
    probabilities_without: Callable[[Sequence[str]], Sequence[float]],
) -> tuple[Span, ...]:
    """Spans of `text` whose absence changes the probability of `label`.

    `probability` is the label's probability for the whole text; `probabilities_without` gives it for each of the
    shortened texts. Weights are in [-1, 1]; positive speaks for the label.
    """
    runs = pieces(text)
    if len(runs) < 2:
        return tuple(Span(start, end, label) for start, end in runs)
    shortened = [(text[:start] + text[end:]).strip() for start, end in runs]
    weights = [probability - p for p in probabilities_without(shortened)]
    return tuple(
        Span(start, end, label, weight)
        for (start, end), weight in zip(runs, weights, strict=True)
        if abs(weight) >= MIN_WEIGHT
    )
