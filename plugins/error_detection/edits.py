"""Edits of a text: stretches and what takes their place, applied at once or one round after another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

SPELLING, GRAMMAR, WORD_CHOICE, PUNCTUATION = "spelling", "grammar", "word choice", "punctuation"
# An edit that puts two things right goes by the first of these.
KINDS = (SPELLING, GRAMMAR, WORD_CHOICE, PUNCTUATION)


@dataclass(frozen=True)
class Edit:
    """`text[start:end]` (in characters) becomes `replacement`. `kind`, one of KINDS, says what was wrong, `probability`
    how surely."""

    start: int
    end: int
    kind: str
    replacement: str
    probability: float = 1.0


def apart(*groups: Iterable[Edit]) -> list[Edit]:
    """The edits in order, without those that touch one of an earlier group, or a more probable one of their own."""
    kept: list[Edit] = []
    ranked = (
        edit for group in groups for edit in sorted(group, key=lambda edit: (-edit.probability, edit.start))
    )
    for edit in ranked:
        if all(edit.end <= other.start or edit.start >= other.end for other in kept):
            kept.append(edit)
    return sorted(kept, key=lambda edit: edit.start)


def applied(text: str, edits: Sequence[Edit]) -> str:
    """The text after the edits, which are in order and apart."""
    pieces, done = [], 0
    for edit in edits:
        pieces += [text[done : edit.start], edit.replacement]
        done = edit.end
    return "".join([*pieces, text[done:]])


def combined(text: str, first: Sequence[Edit], second: Sequence[Edit]) -> list[Edit]:
    """One round of edits that does to `text` what two do: `first` to the text, `second` to the result.

    What the second round does to an edited place goes into that place's edit.
    """
    middle = applied(text, first)
    # Where each edit of the first round lies in the middle text, and how far what follows it has moved.
    placed, shift = [], 0
    for edit in first:
        start = edit.start + shift
        placed.append((start, start + len(edit.replacement), edit))
        shift += len(edit.replacement) - (edit.end - edit.start)
    # Edits of the second round that touch one place are one edit in the end.
    groups: list[tuple[list[Edit], list[tuple[int, int, Edit]]]] = []
    for edit in second:
        touched = [place for place in placed if place[0] < edit.end and place[1] > edit.start]
        if groups and any(place in groups[-1][1] for place in touched):
            groups[-1][0].append(edit)
            groups[-1][1].extend(touched)
        else:
            groups.append(([edit], touched))
    result: list[Edit] = []
    for edits, places in groups:
        start = min([edits[0].start, *(place[0] for place in places)])
        end = max([edits[-1].end, *(place[1] for place in places)])
        replacement = applied(middle[start:end], [shifted(edit, -start) for edit in edits])
        moved = _back(placed, start, start=True), _back(placed, end, start=False)
        merged = [*edits, *(place[2] for place in places)]
        kind = min((edit.kind for edit in merged), key=KINDS.index)
        result.append(Edit(*moved, kind, replacement, min(edit.probability for edit in merged)))
    used = {place[2] for _, places in groups for place in places}
    untouched = [edit for edit in first if edit not in used]
    whole = sorted([*untouched, *result], key=lambda edit: edit.start)
    # A round that takes back the one before has changed nothing.
    return [edit for edit in whole if edit.replacement != text[edit.start : edit.end]]


def shifted(edit: Edit, by: int) -> Edit:
    """The edit in a text that has `by` more characters in front."""
    return replace(edit, start=edit.start + by, end=edit.end + by)


def _back(placed: Sequence[tuple[int, int, Edit]], place: int, start: bool) -> int:
    """Where the start or end of an edit of the middle text lies in the text before; never within an edited place.

    At the place of a deletion a start lies behind what was deleted and an end before it.
    """
    shift = 0
    for first, last, edit in placed:
        if last <= place if start else first < place:
            shift = edit.end - last
    return place + shift
