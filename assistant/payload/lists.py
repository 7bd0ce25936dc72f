"""Choices that stand in a list: by letters, numbers or bullets, or quoted or bracketed side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.payload import words
from assistant.payload.source import Source, Stretch, Value, trimmed

CHOICES = re.compile(
    r"(?:^|(?<=[\n.?!;,\s]))(?:(?:possible|the|my|as) )?(?:choices|options|answers|candidates|"
    r"opções|alternativas|escolhas)\s*:\s*",
    re.I,
)
_GAPS = re.compile(r"(?<!\s)\s+[-–—]+\s|(?<=[.!?;:\ue000])\s+|\n+")
_LETTERED = re.compile(
    r"(?:(?<=\s)|^)(?:(?:option|choice|statement|sentence|opção|alternativa|frase|afirmação)\s+)?"
    r"[(\[]?(?P<mark>(?-i:[a-zA-Z])|[1-9]\d?|i{2,3}|i?v)(?:\.?[):\]]|\.{2,3}|\.(?![a-zà-ú]\.)|/(?=\s)|\s?[-–—](?=\s))(?!\d)\s*",
    re.M | re.I,
)
_ALPHABETS = [
    [*"abcdefghijklmnopqrstuvwxyz"],
    [str(number) for number in range(1, 100)],
    ["i", "ii", "iii", "iv", "v"],
]
# One word or two before a mark, read to the mark.
_LABELS = [re.compile(rf"(?:[^\W\d]+\.?[ \t]+){{{count}}}(?=[(\[]?\Z)") for count in (2, 1)]
_SENTENCE_END = re.compile(
    r"(?<=[.!?…])(?<!\b(?:Mr|Dr|St)\.)(?<!\bMrs\.)\s+(?=\S)|(?<=\ue000)\s+(?=[A-ZÀ-Ú])"
)
_BULLETED = re.compile(r"(?:^|(?<=[?:] ))[ \t]*[-*•][ \t]+", re.M)
_BRACKETED = re.compile(r"\[[^\[\]\n]{1,200}\]|\{[^{}\n]{1,200}\}|\([^()\n]{4,200}\)")
_BETWEEN_QUOTES = re.compile(r"\W*(?:(?:or|ou|and|e|vs|versus)\W*)?", re.I)
_LEADING_OR = re.compile(r"\s*(?:(?:or|ou)\s+)?(?:(?:that|que)\s+(?=\S+\s+\S+\s+\S))?", re.I)
_TRAILING_OR = re.compile(r"(?<![\s,;])[\s,;]+(?:or|ou)\s*$", re.I)


@dataclass(frozen=True)
class Listing:
    """Choices that stand in `[begin, end)`; the question is before them, after them, or both."""

    begin: int
    end: int
    values: Sequence[Value]
    explicit: bool = True
    # Whether the choices stand apart from the question, or are a part of it ("Is it X or Y?").
    set_apart: bool = True
    # Whether each bears a mark of a list, or is quoted beside the others.
    listed: bool = False


def marked(source: Source) -> Listing | None:
    """A) … B) …, 1. … 2. …, or a list of bullets."""
    named = CHOICES.search(source.masked)
    for pattern in (_LETTERED, _BULLETED):
        marks = list(pattern.finditer(source.masked))
        marks = _in_sequence(marks) if pattern is _LETTERED else marks
        if len(marks) < 2:
            continue
        starts = _labels(source.masked, [mark.start() for mark in marks])
        end = without_question(source, marks[-1].end(), _line_end(source, marks[-1].end()))
        ends = [*starts[1:], end]
        values = [option(source, mark.end(), stop) for mark, stop in zip(marks, ends, strict=True)]
        kept = [value for value in values if value]
        if len(kept) > 1 and not any(_SENTENCE_END.search(source.masked, *value[0]) for value in kept[:-1]):
            # Where each is one sentence, or a piece of one, what follows the last one's is no part of it.
            stop = _SENTENCE_END.search(source.masked, *kept[-1][0])
            last = stop and option(source, kept[-1][0][0], stop.start())
            kept, end = ([*kept[:-1], last], last[-1][1]) if last else (kept, end)
        begin = min(starts[0], named.start() if named else starts[0])
        return Listing(begin, end, kept, listed=True)
    return None


def _labels(text: str, starts: Sequence[int]) -> list[int]:
    """Where the marks begin with the words that stand before all of them alike ("Ending 1", "Solution no. 1")."""
    for label in _LABELS:
        before = [label.search(text[max(0, at - 40) : at]) for at in starts]
        if all(before) and len({found.group().lower() for found in before if found}) == 1:
            return [at - len(found.group()) for at, found in zip(starts, before, strict=True) if found]
    return list(starts)


def quoted(source: Source) -> Listing | None:
    """The last quotes, or brackets, that stand side by side, with no more than an "or" between them."""
    brackets = [
        (match.span(), trimmed(source.text, match.start() + 1, match.end() - 1))
        for match in _BRACKETED.finditer(source.masked)
    ]
    quotes: list[tuple[Stretch, Value | None]]
    quotes = [((block.start, block.end), block.value) for block in source.containers]
    for blocks in (quotes, brackets):
        run = blocks[-1:]
        for block in reversed(blocks[:-1]):
            if not _BETWEEN_QUOTES.fullmatch(source.masked, block[0][1], run[0][0][0]):
                break
            run.insert(0, block)
        values = [value for _, value in run if value]
        if len(values) > 1:
            return Listing(run[0][0][0], run[-1][0][1], values, listed=True)
    return None


def _in_sequence(marks: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """The marks that count up from the first: a, b, c or 1, 2, 3 or i, ii, iii."""
    longest: list[re.Match[str]] = []
    for alphabet in _ALPHABETS:
        kept: list[re.Match[str]] = []
        for mark in marks:
            if len(kept) < len(alphabet) and mark["mark"].lower() == alphabet[len(kept)]:
                kept.append(mark)
        longest = max(longest, kept, key=len)
    return longest


def option(source: Source, start: int, end: int) -> Value | None:
    """A choice without the "or" before or after it."""
    lead = _LEADING_OR.match(source.masked, start, end)
    trail = _TRAILING_OR.search(source.masked, start, end)
    return source.value(lead.end() if lead else start, trail.start() if trail else end, "?,;:")


def without_question(source: Source, start: int, end: int) -> int:
    """The end of the choices before a question that follows them: "b) He slept. Which is right?"."""
    gaps = list(_GAPS.finditer(source.masked, start, end))
    for gap in reversed(gaps[-3:]):
        rest = source.masked[gap.end() : end].strip()
        if rest and not words.is_courtesy(rest[:200]):
            asks = rest.endswith("?") and (words.ASKS.match(rest) or words.ASKS_WHICH.match(rest))
            return gap.start() if asks and not words.OR.search(rest) else end
    return end


def _line_end(source: Source, start: int) -> int:
    end = source.masked.find("\n", start)
    return len(source.text) if end < 0 else end
