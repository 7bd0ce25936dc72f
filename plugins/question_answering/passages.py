"""Pages cut into sentences, and into overlapping passages that the model reads in one piece."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

# Lengths in characters. A passage is at most about 150 words long, which is what the adapter was trained to read; the
# last sentence of the passage before stands at its beginning, so that "he" and "it" have something to refer to.
PASSAGE = 900
OVERLAP = 250
# What has no full stop for so long (a table, a list) is cut at its lines, or else between two words.
SENTENCE = 400

_BREAK = re.compile(
    r"(?<![.!?…])[.!?…]+[\"'”’»)\]]*(?=\s+[^\sa-zà-ÿ])"  # a full stop, unless it goes on in lower case
    r"|\n[ \t]*(?=\n)"  # a blank line
    r"|\n(?=[ \t]*(?:[-–*•]|\d+[.)])[ \t])"  # an item of a list
)
_ABBREVIATION = re.compile(
    r"(?:(?<!\w)(?:mr|mrs|ms|dr|dra|prof|profa|sr|sra|st|sto|sta|jr|no|nos|nr|vs|cf|ca|fig|vol|art|av|pp?|pág|ed|"
    r"al|approx|inc|corp|ltd|ltda|cia|gen|col|capt|sgt|rev|hon|gov|sen|rep|jan|feb|fev|mar|apr|abr|aug|ago|sept?|"
    r"set|oct|out|nov|dec|dez)|(?<!\w)\w|\w\.\w)$",
    re.I,
)
_PIECE = re.compile(rf"\S(?:.{{0,{SENTENCE - 2}}}\S)?(?!\S)|\S{{1,{SENTENCE}}}", re.S)
_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True)
class Passage:
    """The stretch `pages[page][start:end]`, in characters; `page` counts from 0."""

    page: int
    start: int
    end: int

    def text(self, pages: Sequence[str]) -> str:
        """What stands there."""
        return pages[self.page][self.start : self.end]


def passages(pages: Sequence[str]) -> list[Passage]:
    """All pages in passages of whole sentences, in order. None goes over a page's end, so each has one page."""
    return [passage for number, text in enumerate(pages) for passage in _of_page(number, text)]


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) in characters of each sentence, without the space around it."""
    ends = [match.end() for match in _BREAK.finditer(text) if not _is_abbreviation(text, match)]
    return [piece for stretch in pairwise([0, *ends, len(text)]) for piece in _pieces(text, *stretch)]


def sentence_around(text: str, start: int, end: int) -> tuple[int, int]:
    """(start, end) of the sentence, or of the sentences, in which `text[start:end]` stands."""
    touched = [(first, last) for first, last in sentences(text) if first < end and start < last]
    return (touched[0][0], touched[-1][1]) if touched else (start, end)


def _of_page(number: int, text: str) -> Iterator[Passage]:
    """Parts of about the same length: a page's last passage is no mere remnant."""
    cut = sentences(text)
    parts = max(1, -(-len(text) // PASSAGE))
    before: tuple[int, int] | None = None
    for _, group in groupby(cut, key=lambda sentence: sum(sentence) * parts // (2 * len(text) + 1)):
        own = list(group)
        start = before[0] if before and before[1] - before[0] <= OVERLAP else own[0][0]
        yield Passage(number, start, own[-1][1])
        before = own[-1]


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    return match[0] == "." and bool(_ABBREVIATION.search(text, max(0, match.start() - 12), match.start()))


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretch without the space around it, or what it is cut into when it is too long; nothing if it is empty."""
    stretch = text[start:end]
    start, end = start + len(stretch) - len(stretch.lstrip()), start + len(stretch.rstrip())
    if start < end <= start + SENTENCE:
        yield start, end
    elif start < end:
        for line in _LINE.finditer(text, start, end):
            yield from (match.span() for match in _PIECE.finditer(text, *line.span()))
