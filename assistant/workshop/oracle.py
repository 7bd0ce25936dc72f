"""Which sentences of a document make the best extract, found from a summary that somebody wrote.

Extractive models learn from yes and no per sentence, but people write summaries in their own words. The greedy
oracle of Nallapati et al. 2017 (SummaRuNNer, arXiv 1611.04230, section 2.4) takes, again and again, the sentence
that brings the extract closest to the summary. What is measured is ROUGE-1 plus ROUGE-2 over sets of words and of
word pairs, as in PreSumm (Liu & Lapata 2019, arXiv 1908.08345).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import TypeAlias

_WORD = re.compile(r"\w+")

# The distinct words and the distinct pairs of neighbouring words of a text.
_Grams: TypeAlias = tuple[frozenset[str], frozenset[tuple[str, str]]]


def greedy_oracle(sentences: Sequence[str], summary: str, limit: int = 3) -> list[int]:
    """1 for each sentence of the oracle's extract and 0 for the others, shape (len(sentences),).

    At most `limit` sentences are chosen, fewer when no further one brings the extract closer to the summary, and none
    when they share no word with it. Of equally good sentences the first is taken. `summary` may have a sentence a
    line; word pairs do not reach across lines. Case and punctuation do not count; words are not stemmed.
    """
    wanted = _together([_grams(line) for line in summary.splitlines()])
    candidates = [_grams(sentence) for sentence in sentences]
    labels = [0] * len(sentences)
    extract, reached = _together([]), 0.0
    for _ in range(limit):
        closeness = [
            0.0 if taken else _closeness(extract, grams, wanted)
            for taken, grams in zip(labels, candidates, strict=True)
        ]
        best = max(closeness, default=0.0)
        if best <= reached:
            break
        chosen = closeness.index(best)
        labels[chosen], reached = 1, best
        extract = _together([extract, candidates[chosen]])
    return labels


def _grams(text: str) -> _Grams:
    words = _WORD.findall(text.casefold())
    return frozenset(words), frozenset(pairwise(words))


def _together(parts: Sequence[_Grams]) -> _Grams:
    return (
        frozenset(chain.from_iterable(words for words, _ in parts)),
        frozenset(chain.from_iterable(pairs for _, pairs in parts)),
    )


def _closeness(extract: _Grams, more: _Grams, wanted: _Grams) -> float:
    """ROUGE-1 F plus ROUGE-2 F of the extract with one more sentence, in [0, 2]."""
    return sum(
        _f_measure(len(e | m), len((e | m) & w), len(w))
        for e, m, w in zip(extract, more, wanted, strict=True)
    )


def _f_measure(found: int, right: int, wanted: int) -> float:
    """The harmonic mean of precision (right / found) and recall (right / wanted): 2 right / (found + wanted)."""
    return 2 * right / (found + wanted) if right else 0.0
