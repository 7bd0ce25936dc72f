"""A text's sentences, by rule, for English and Portuguese.

A full stop, question or exclamation mark ends a sentence when what follows does not go on in lower case, and when the
word before it is no abbreviation. The hard cases, abbreviations that may also end a sentence ("p.m.", "Inc."), are
decided by the next word, as in Kiss & Strunk 2006 ("Unsupervised Multilingual Sentence Boundary Detection",
Computational Linguistics 32): frequent openers of sentences start a new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

# A sentence's [start, end) in characters of its text.
Stretch: TypeAlias = tuple[int, int]

WORD = re.compile(r"\w+(?:['’.,-]\w+)*")
# Anchored, and looked for only where a run of marks begins: linear in the text whatever it holds.
_LINE = re.compile(r"^[^\n]*\S[^\n]*$", re.M)
_MARK = re.compile(r"(?<![.!?…])[.!?…]+[\"'”’»)\]]*(?=\s)")
_BULLET = re.compile(r"\s*(?:[-–—*•‣▪]\s|\(?\d{1,3}[.)]\s)")
_LETTER = re.compile(r"[^\W\d_]")
_OPENING = "\"'“‘«([¿¡"
_CLOSING = "\"'”’»)]"
# Of the longest line; a line nearly as long was broken to fit a page, a much shorter one ends where it should.
_FULL_LINE = 0.6
# Characters before a mark in which the word is looked for.
_LONGEST_WORD = 24

# Always followed by what they belong to.
_BEFORE_NAMES = frozenset(
    "mr mrs ms dr drs prof st sgt gen col capt lt sen rep gov rev hon messrs vs v cf approx ca "  # noqa: SIM905
    "sr sra srs dra profa exmo exma eng arq av r".split()
)
# Abbreviations before a figure, else words like any other.
_BEFORE_FIGURES = frozenset(
    "no nos nº fig figs eq ch cap sec vol p pp pág págs art arts ed ex obs tel "  # noqa: SIM905
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# These may end a sentence.
_EITHER = frozenset(("inc", "ltd", "corp", "jr", "dept", "etc", "al", "ltda", "cia"))
_OPENERS = frozenset(
    "the a an this that these those it he she we they you i his her its their our "  # noqa: SIM905
    "in on at by for from after before "
    "but and however when while if as there what who why how o os as um uma este esta isso ele ela eles elas nós no "
    "na nos nas em de por para mas e porém quando se como há depois antes segundo".split()
)


def split_sentences(text: str) -> list[Stretch]:
    """The sentences that hold a word, in order, without outer whitespace. A heading or list item is one, too."""
    # Where nothing is in upper case, lower case says nothing.
    cased = any(character.isupper() for character in text)
    return [
        sentence
        for block in _blocks(text, cased)
        for sentence in _sentences(text, *block, cased)
        if WORD.search(text, *sentence)
    ]


def _blocks(text: str, cased: bool) -> Iterator[Stretch]:
    """Runs of lines within which sentences may go on from line to line."""
    lines = [match.span() for match in _LINE.finditer(text)]
    full = _FULL_LINE * max((end - start for start, end in lines), default=0)
    block: Stretch | None = None
    previous: Stretch = (0, 0)
    for line in lines:
        if block and _goes_on(text, previous, line, full, cased):
            block = (block[0], line[1])
        else:
            if block:
                yield block
            block = line
        previous = line
    if block:
        yield block


def _goes_on(text: str, previous: Stretch, line: Stretch, full: float, cased: bool) -> bool:
    """Whether a sentence may stretch from one line to the next."""
    if _BULLET.match(text, *line):
        return False
    before, after = text[slice(*previous)].rstrip(), text[slice(*line)].lstrip()
    if not _LETTER.search(before) or not _LETTER.search(after):
        return False  # a page number, a ruler
    closed = before.rstrip(_CLOSING).endswith((".", "!", "?", "…", ":"))
    if cased and not closed and after[0].islower():
        return True  # even over a blank line, as at the end of a page
    if "\n\n" in re.sub(r"[ \t]+", "", text[previous[1] : line[0]]):
        return False
    return closed or previous[1] - previous[0] >= full


def _sentences(text: str, start: int, end: int, cased: bool) -> Iterator[Stretch]:
    bullet = _BULLET.match(text, start, end)
    begin = bullet.end() if bullet else start
    for mark in _MARK.finditer(text, begin, end):
        if _ends(text, begin, mark, end, cased):
            yield _trimmed(text, begin, mark.end())
            begin = mark.end()
    yield _trimmed(text, begin, end)


def _ends(text: str, begin: int, mark: re.Match[str], end: int, cased: bool) -> bool:
    """Whether the sentence that begins at `begin` ends with this mark."""
    following = text[mark.end() : min(end, mark.end() + 2 * _LONGEST_WORD)].split()
    if not following:
        return True
    after = following[0].lstrip(_OPENING)
    if cased and after[:1].islower():
        return False
    if mark[0].rstrip(_CLOSING) != ".":
        return True
    before = text[max(begin, mark.start() - _LONGEST_WORD) : mark.start()]
    if not before or before[-1].isspace():
        return True  # tokenized text has a space before the mark
    word = before.split()[-1].lstrip(_OPENING)
    if before.strip().isdigit():
        return False  # "1. First, …"
    if word.casefold() in _BEFORE_FIGURES:
        return not after[:1].isdigit()
    if word.casefold() in _BEFORE_NAMES or (len(word) == 1 and word.isupper() and word != "I"):
        return False
    dotted = "." in word and all(len(letter) == 1 for letter in word.split("."))
    if dotted or word.casefold() in _EITHER:
        return after.rstrip(",").casefold() in _OPENERS
    return True


def _trimmed(text: str, start: int, end: int) -> Stretch:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, start + len(piece.strip())
