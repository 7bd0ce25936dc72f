"""Which sentences make the summary: the best that do not repeat each other.

A sentence that shares three words in a row with one already chosen waits until the others are used up (trigram
blocking: Paulus et al. 2017, arXiv 1705.04304, section 2.5; for extracts Liu & Lapata 2019, arXiv 1908.08345). Maximal
marginal relevance (Carbonell & Goldstein 1998) would need a second pass of the model for the similarities and a weight
between a logit and a cosine, two scales that have nothing to do with each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lengths import Length

# What is shorter is a heading, a page number or an "Indeed.": no sentence to stand alone.
MIN_WORDS = 4
# A length in words counts as reached from this share on; else the least of sentences would fill the last gap.
REACHED = 0.8
_WORD = re.compile(r"\w+")


def choose(sentences: Sequence[str], scores: Sequence[float], length: Length) -> list[int]:
    """The positions of the chosen sentences, ascending; at least one, of a text that has any.

    `scores` has one number per sentence, higher for more important. Repetitions and fragments are taken only to reach
    a number of sentences, and no sentence twice. A length in words is exceeded only where no sentence fits in it.
    """
    words = [tuple(_WORD.findall(sentence.casefold())) for sentence in sentences]
    order = sorted(range(len(sentences)), key=lambda position: -scores[position])
    by_words = length.unit == "words"
    left, enough = length.amount, int(length.amount * (1 - REACHED)) if by_words else 0
    chosen: list[int] = []
    postponed: list[int] = []
    covered: set[tuple[str, ...]] = set()
    for position in order:
        cost = len(words[position]) if by_words else 1
        trigrams = _trigrams(words[position])
        if left <= enough:
            break
        if len(words[position]) < MIN_WORDS or not covered.isdisjoint(trigrams):
            postponed.append(position)
        elif cost <= left:
            chosen.append(position)
            covered |= trigrams
            left -= cost
    if not by_words:
        said = {words[position] for position in chosen}
        for position in postponed:
            if left > 0 and words[position] not in said:
                chosen.append(position)
                said.add(words[position])
                left -= 1
    return sorted(chosen or order[:1])


def count_words(text: str) -> int:
    """Runs of letters and figures."""
    return len(_WORD.findall(text))


def _trigrams(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return set(zip(words, words[1:], words[2:], strict=False))
