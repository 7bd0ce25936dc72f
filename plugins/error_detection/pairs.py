"""Wrong sentences and their corrections as rows for the tagger: `python -m assistant_plugins.error_detection.pairs`.

This is the preprocessing of GECToR (Omelianchuk et al. 2020, arXiv 2005.12592, section 3): the two sentences are
aligned word by word, and each difference becomes the labels that would make it. A difference that no labels make is put
right in the row's text, so that the tagger is not taught that it is none.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from assistant_plugins.error_detection.corrections import change
from assistant_plugins.error_detection.spelling import dictionary

from assistant.engine.base import Tag
from assistant.errors import DataError
from assistant.workshop.corruption import row
from assistant.workshop.corruption_sentence import Word, split
from assistant.workshop.corruption_words import KEEP, LABELS
from assistant.workshop.data import read_rows, write_rows

# A longer difference is a sentence said anew, not one put right.
LONGEST = 3

Labels: TypeAlias = dict[int, str]


class Difference(NamedTuple):
    """The wrong words [start, stop), in whose place the right words [first, last) should stand."""

    start: int
    stop: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many words it has, wrong and right ones."""
        return self.stop - self.start + self.last - self.first


class Pair:
    """A sentence as it was written, and as it should be."""

    def __init__(self, text: str, corrected: str) -> None:
        self.wrong, self.right = split(text), split(corrected)
        self.low_wrong, self.low_right = _low(self.wrong), _low(self.right)
        self.text = text
        self.tags: list[Tag] = []
        self._known: dict[Difference, Labels] = {}
        for word in self.wrong:
            start = (self.tags[-1].end if self.tags else 0) + len(word.space)
            self.tags.append(Tag(start, start + len(word.text), KEEP, 1.0))

    def row(self) -> dict[str, Any]:
        """`text` and `tags`, as `assistant.workshop.corruption` makes them."""
        words = list(self.wrong)
        explained = list(self._explained())
        # What goes from one place and comes in at another has moved: all of it is put right, or none.
        moved = {
            word
            for (*_, first, last), labels in explained
            if not labels
            for word in self.low_right[first:last]
        }
        for (start, stop, first, last), labels in reversed(explained):
            if labels and not (first == last and moved.issuperset(self.low_wrong[start:stop])):
                for place, label in labels.items():
                    words[place] = words[place]._replace(label=label)
            else:
                words[start:stop] = self.right[first:last]
        return row(words)

    def _explained(self) -> Iterator[tuple[Difference, Labels]]:
        """The differences with their labels; none where no labels make it, or a word would need two."""
        matcher = SequenceMatcher(None, self.low_wrong, self.low_right, autojunk=False)
        differences = [
            self._last(Difference(*places)) for kind, *places in matcher.get_opcodes() if kind != "equal"
        ]
        taken: set[int] = set()
        while differences:
            difference = differences.pop(0)
            labels: Labels = {}
            if differences and differences[0].start == difference.stop + 1:
                # With one word between them they may be one change of order.
                whole = Difference(
                    difference.start, differences[0].stop, difference.first, differences[0].last
                )
                labels = self._one_label(whole)
                if labels:
                    difference = whole
                    del differences[0]
            labels = labels or self._labels(difference)
            if taken.isdisjoint(labels):
                taken.update(labels)
                yield difference, labels
            else:
                yield difference, {}

    def _last(self, difference: Difference) -> Difference:
        """Of a word written twice the second is too much, as where the error is made."""
        start, stop, first, last = difference
        while first == last and self.low_wrong[start : start + 1] == self.low_wrong[stop : stop + 1]:
            start, stop, first, last = start + 1, stop + 1, first + 1, last + 1
        return Difference(start, stop, first, last)

    def _labels(self, difference: Difference) -> Labels:
        """The labels, by their words, that make the difference together."""
        if difference not in self._known:
            self._known[difference] = self._found(difference)
        return self._known[difference]

    def _found(self, difference: Difference) -> Labels:
        start, stop, first, last = difference
        if max(stop - start, last - first) > LONGEST:
            return {}
        if first == last:
            return dict.fromkeys(range(start, stop), "DELETE")
        if found := self._one_label(difference):
            return found
        for place, other in product(range(start, stop + 1), range(first, last + 1)):
            parts = Difference(start, place, first, other), Difference(place, stop, other, last)
            if 0 < parts[0].size < difference.size:
                one, two = map(self._labels, parts)
                if one and two and one.keys().isdisjoint(two):
                    return one | two
        return {}

    def _one_label(self, difference: Difference) -> Labels:
        """The one label that makes the difference, tried as the application would carry it out."""
        start, stop, first, last = difference
        if stop - start == last - first == 1 and self._is_misspelt(start):
            return {start: "SPELL"}
        meant = (*self.low_wrong[:start], *self.low_right[first:last], *self.low_wrong[stop:])
        # A word that is missing is asked for by the one before it.
        places = range(max(0, start - 1), min(max(stop, start + 1), len(self.wrong)))
        for place, label in product(places, _labels_with(self.low_right[first:last])):
            made = change(self.text, replace(self.tags[place], label=label))
            if made and _low(split(self.text[: made[0]] + made[2] + self.text[made[1] :])) == meant:
                return {place: label}
        return {}

    def _is_misspelt(self, place: int) -> bool:
        word = self.low_wrong[place]
        return word.isalpha() and len(word) > 2 and not dictionary().knows(word)


def _labels_with(words: Sequence[str]) -> Iterator[str]:
    """The labels that bring in no other words than these."""
    for label in LABELS:
        action, _, argument = label.partition("_")
        if action not in ("REPLACE", "APPEND", "PREPEND") or argument.partition("'")[0] in words:
            yield label


def _low(words: Sequence[Word]) -> tuple[str, ...]:
    return tuple(word.text.lower() for word in words)


def main() -> None:
    """See the module. Rows without `text` or `corrected` stop it with a DataError."""
    parser = argparse.ArgumentParser(
        prog="python -m assistant_plugins.error_detection.pairs", description=__doc__
    )
    parser.add_argument("pairs", type=Path, help="rows of `text` and `corrected`")
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    with write_rows(options.out) as write:
        for number, line in enumerate(read_rows(options.pairs), 1):
            text, corrected = line.values.get("text"), line.values.get("corrected")
            if line.error or not (isinstance(text, str) and isinstance(corrected, str)):
                raise DataError(f"Row {number} of {options.pairs.name} has no `text` and `corrected`.")
            write(Pair(text, corrected).row())


if __name__ == "__main__":
    main()
