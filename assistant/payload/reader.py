"""A message as an adapter on the shared base reads it: what it is for and where its payload stands, in one pass.

One head gives the probability of each built-in application and of none. One for each shape of payload gives every word
a label, O for the words of the instruction. A part of the payload is the run of words that is likeliest to be it (a
maximum-sum segment: Bentley 1984, "Programming Pearls"), or what is quoted there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from assistant.payload.source import Finding, Source, Stretch, Value

if TYPE_CHECKING:
    from assistant.engine.base import Engine, Tag

ADAPTER: Final = Path(__file__).parent / "adapter"
# An option's first word, and its others.
NEXT, OPTION = "NEXT", "OPTION"
# An instruction stands at an edge: of a long message both ends are read, so many characters each.
EDGE = 500
GAP = "\n…\n"
# How much a run and a quote have to share to be the same.
SAME = 0.6
# Characters: so near to the edge of a clause a run begins or ends there.
NEAR = 14
# How clear a word between the two has to be to keep it there: odds, a logarithm.
SURE = 2.0
# How clear one word can be, and how much clearer than what rules found a whole payload has to be: odds, logarithms.
CLEAR = 2.0
TOLERANCE, TOLERANCE_SET_OFF, TOLERANCE_NOTHING = 10.0, 4.0, 20.0
_BEGINS = re.compile(
    r"\A|\n\s*(?:>\s*)?|[.!?:…]+[\"'”’»)]*\s+|\s[-–—|]+>?\s+|(?<=\s)[\"“‘«`'(]|=>?\s+|→\s*|[\])]\s+|<<\s*"
)
_ENDS = re.compile(r"[.!?…]+(?=\s|\Z|[\"'”’»)])|(?=\n)|\Z|(?=\s+[-–—|]+>?\s)|(?=[\"”’»`)](?:\W|\Z))")
REMEMBERED = 64  # messages


class MessageReader:
    """Reads messages with the adapter of this folder on an engine that has `multitask`; safe to share by threads."""

    def __init__(self, engine: Engine, adapter: Path = ADAPTER) -> None:
        self._engine, self._adapter = engine, adapter
        self._answers = lru_cache(REMEMBERED)(self._read)

    def find(self, source: Source, fields: Sequence[str], ruled: Finding | None = None) -> Finding | None:
        """Where the message holds these fields; None when it does not. `ruled` is what rules found: it stays where the
        adapter finds hardly less in it than in what it would choose itself, and so do choices that stand in a list."""
        head = _shape_of(fields)
        if head is None:
            return ruled
        tags = self._answers(source.text)[head]
        labels = _labels(head, fields)
        if ruled is not None and ruled.listed:
            return _asked(ruled, tags)
        own = _chosen(source, tags, labels)
        if ruled is None:
            return own
        clearer = (_odds(tags, labels, own) if own else 0.0) - _odds(tags, labels, ruled)
        # To the adapter a text for another plugin's work is none.
        if own is None:
            return None if clearer > TOLERANCE_NOTHING else ruled
        apart = _set_off(own, tags, labels)
        return own if clearer > (TOLERANCE_SET_OFF if apart else TOLERANCE) else ruled

    def meant(self, message: str) -> Mapping[str, float]:
        """The probability of each built-in application, and of "none"."""
        answer = self._answers(message)["application"]
        return dict(zip(answer.labels, answer.probabilities, strict=True))

    def _read(self, message: str) -> Mapping[str, Any]:
        long = len(message) > 2 * EDGE + len(GAP)
        text = message[:EDGE] + GAP + message[-EDGE:] if long else message
        moved = len(message) - len(text)
        (answers,) = self._engine.multitask([text], self._adapter)

        def placed(tag: Tag) -> Tag:
            behind = tag.start >= EDGE + len(GAP)
            return replace(tag, start=tag.start + moved, end=tag.end + moved) if long and behind else tag

        return {
            head: tuple(map(placed, answer)) if isinstance(answer, tuple) else answer
            for head, answer in answers.items()
        }


def _shape_of(fields: Sequence[str]) -> str | None:
    """The head that reads payloads with these fields."""
    if "question" in fields:
        return "choices" if "choices" in fields else "passage" if "context" in fields else None
    return {1: "text", 2: "pair"}.get(len(fields))


def _labels(head: str, fields: Sequence[str]) -> dict[str, str]:
    """The label of each field, by its name."""
    if head == "passage":
        return {"question": "QUESTION", "context": "CONTEXT"}
    if head == "choices":
        return {"question": "QUESTION", "choices": OPTION}
    return dict(zip(fields, ("TEXT",) if head == "text" else ("GIVEN", "DERIVED"), strict=True))


def _chosen(source: Source, tags: Sequence[Tag], labels: Mapping[str, str]) -> Finding | None:
    """What the tags alone say; None where a part is missing (of choices, fewer than two)."""
    found: dict[str, tuple[Value, ...]] = {}
    for name, label in labels.items():
        runs = _options(tags) if label == OPTION else [_run(tags, label)]
        values = [value for run in runs if run and (value := _value(source, run, tags, label))]
        if len(values) < (2 if label == OPTION else label != "QUESTION" or OPTION not in labels.values()):
            return None
        if values:
            found[name] = tuple(values)
    return Finding(source, found, explicit=len(labels) > 1, asks="question" if "question" in found else None)


def _asked(ruled: Finding, tags: Sequence[Tag]) -> Finding:
    """Listed choices with the question that the tags find before the list or behind it."""
    stretches = [stretch for value in ruled.fields["choices"] for stretch in value]
    begin, end = min(start for start, _ in stretches), max(stop for _, stop in stretches)
    sides = [tag for tag in tags if tag.end <= begin], [tag for tag in tags if tag.start >= end]
    runs = [run for side in sides if (run := _run(side, "QUESTION"))]
    values = [value for run in runs if (value := _value(ruled.source, run, tags, "QUESTION"))]
    if not values:
        return ruled
    return replace(ruled, fields={**ruled.fields, "question": tuple(values)})


def _odds(tags: Sequence[Tag], labels: Mapping[str, str], finding: Finding) -> float:
    """How likely the words are to be where a finding has them, a logarithm beside that of no payload at all."""
    total = 0.0
    for name, values in finding.fields.items():
        label = labels.get(name)
        stretches = [stretch for value in values for stretch in value]
        for tag in tags:
            if label and any(start <= tag.start and tag.end <= end for start, end in stretches):
                total += max(-CLEAR, min(CLEAR, _score(tag, label)))
    return total


def _score(tag: Tag, label: str) -> float:
    """The odds that a word has the label, a logarithm; what is not the best label counts as the rest."""
    p = min(max(tag.probability, 1e-4), 1 - 1e-4)
    odds = math.log(p / (1 - p))
    return odds if tag.label in (label, NEXT if label == OPTION else label) else -max(odds, 0.1)


def _run(tags: Sequence[Tag], label: str) -> Stretch | None:
    """The run of words with the highest sum, if that speaks for the label."""
    best, best_sum, begin, total = None, 0.0, 0, 0.0
    for position, tag in enumerate(tags):
        total += _score(tag, label)
        if total > best_sum:
            best, best_sum = (tags[begin].start, tag.end), total
        if total <= 0:
            begin, total = position + 1, 0.0
    return best


def _options(tags: Sequence[Tag]) -> list[Stretch]:
    """From each first word of an option to the end of the run that it begins."""
    begins = [position for position, tag in enumerate(tags) if tag.label == NEXT]
    found = []
    for begin, end in pairwise([*begins, len(tags)]):
        best, best_sum, total = tags[begin].end, 0.0, 0.0
        for tag in tags[begin + 1 : end]:
            total += _score(tag, OPTION)
            if total > best_sum:
                best, best_sum = tag.end, total
        found.append((tags[begin].start, best))
    return found


def _value(source: Source, run: Stretch, tags: Sequence[Tag], label: str) -> Value | None:
    """The run, or the quote that it is, from where a clause begins to where one ends if that is near and no word in
    between is clearly something else."""
    for container in source.containers:
        start, end = container.value[0][0], container.value[-1][1]
        shared = min(end, run[1]) - max(start, run[0])
        if shared >= SAME * max(end - start, run[1] - run[0]):
            return container.value

    def moved(place: int, edges: Collection[int], grows: bool) -> int:
        edge = _near(source.text, place, edges)
        between = [tag for tag in tags if min(edge, place) <= tag.start and tag.end <= max(edge, place)]
        scores = [_score(tag, label) for tag in between]
        against = [-score for score in scores] if (edge < place) == grows else scores
        return place if any(score > SURE for score in against) else edge

    begins, ends = _edges(source.text)
    return source.value(moved(run[0], begins, grows=True), moved(run[1], ends, grows=False))


@lru_cache(REMEMBERED)
def _edges(text: str) -> tuple[frozenset[int], frozenset[int]]:
    """Where clauses begin, and where they end."""
    begins, ends = (frozenset(edge.end() for edge in edges.finditer(text)) for edges in (_BEGINS, _ENDS))
    return begins, ends


def _set_off(finding: Finding, tags: Sequence[Tag], labels: Mapping[str, str]) -> bool:
    """Whether each part begins where a clause begins, or behind a word that clearly is not of it; and ends likewise."""
    begins, ends = _edges(finding.source.text)

    def apart(stretch: Stretch, label: str) -> bool:
        before = next((tag for tag in reversed(tags) if tag.end <= stretch[0]), None)
        behind = next((tag for tag in tags if tag.start >= stretch[1]), None)
        return all(
            place in edges or (word is not None and _score(word, label) < -SURE)
            for place, edges, word in ((stretch[0], begins, before), (stretch[1], ends, behind))
        )

    return all(
        apart(stretch, labels[name])
        for name, values in finding.fields.items()
        for value in values
        for stretch in value
    )


def _near(text: str, place: int, edges: Collection[int]) -> int:
    """The nearest edge of a clause within a word or two, else the place itself."""
    near = min(edges, key=lambda edge: abs(edge - place), default=place)
    between = text[min(near, place) : max(near, place)]
    return near if abs(near - place) <= NEAR and len(between.split()) <= 2 else place
