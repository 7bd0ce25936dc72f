"""From what the model found in each passage to answers over all passages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant_plugins.question_answering.passages import Passage

if TYPE_CHECKING:
    from assistant.engine.base import Extraction

# A probability that a model gave as 0.
TINY = 1e-9
# What an answer neither begins nor ends with.
EDGES = " \t\n,;:"
# Two spans that share this much are one answer with more or fewer words around it.
SAME = 0.5


@dataclass(frozen=True)
class Answer:
    """An answer `pages[passage.page][start:end]` with its probability; `text` is the same on one line."""

    passage: Passage
    start: int
    end: int
    text: str
    probability: float


def combined(
    found: Iterable[tuple[Passage, Sequence[Extraction]]], pages: Sequence[str]
) -> tuple[tuple[Answer, ...], float]:
    """The different answers, best first, and the probability that the text has none.

    A passage's probabilities are a softmax over its spans and "not here". What compares between passages is how much
    more likely than "not here" a span is; so "not here" gets the weight 1 in all of them, and everything together is
    normalized. One passage that has the answer thus outweighs any number that have not, and of a single passage the
    probabilities stay what they were.
    """
    spans = [
        Answer(passage, start, end, _one_line(pages[passage.page][start:end]), odds)
        for passage, extractions in found
        for start, end, odds in _odds(passage, extractions, pages)
    ]
    answers: list[Answer] = []
    for span in sorted(spans, key=lambda span: -span.probability):
        position = next((i for i, answer in enumerate(answers) if _same_place(answer, span)), None)
        if position is None:
            if not any(_plain(answer.text) == _plain(span.text) for answer in answers):
                answers.append(span)
        elif span.passage == answers[position].passage:
            # From another passage it would be the same evidence, counted twice.
            both = answers[position].probability + span.probability
            answers[position] = replace(answers[position], probability=both)
    total = 1.0 + sum(answer.probability for answer in answers)
    ranked = sorted(answers, key=lambda answer: -answer.probability)
    return tuple(replace(answer, probability=answer.probability / total) for answer in ranked), 1.0 / total


def _odds(
    passage: Passage, extractions: Sequence[Extraction], pages: Sequence[str]
) -> Iterable[tuple[int, int, float]]:
    """(start, end) on the page of each span that holds something, and how many times as likely as "not here" it is."""
    nothing = sum(e.probability for e in extractions if e.start == e.end)
    # An engine that does not say "not here" leaves to it what it gives to no span.
    if not any(e.start == e.end for e in extractions):
        nothing = 1.0 - sum(e.probability for e in extractions)
    for each in extractions:
        stretch = pages[passage.page][passage.start + each.start : passage.start + each.end]
        start = passage.start + each.start + len(stretch) - len(stretch.lstrip(EDGES))
        end = start + len(stretch.strip(EDGES))
        if start < end:
            yield start, end, each.probability / max(nothing, TINY)


def _same_place(answer: Answer, span: Answer) -> bool:
    shared = min(answer.end, span.end) - max(answer.start, span.start)
    lengths = answer.end - answer.start + span.end - span.start
    return answer.passage.page == span.passage.page and 2 * shared >= SAME * lengths


def _plain(text: str) -> str:
    """What two answers have in common that differ in nothing but case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text


def _one_line(text: str) -> str:
    return " ".join(text.split())
