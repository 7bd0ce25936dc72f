"""A question with its passage, or with its choices."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.payload import words
from assistant.payload.clauses import cut
from assistant.payload.labels import labelled
from assistant.payload.source import Finding, Source, Stretch, Value, trimmed

_CHOICES = re.compile(
    r"(?:^|(?<=[\n.?!;,\s]))(?:choices|options|answers|candidates|opções|alternativas|escolhas)\s*:\s*", re.I
)
_LETTERED = re.compile(r"(?:(?<=\s)|^)\(?(?P<mark>[A-Ha-h]|[1-9])[).:\]](?=\s|\S)\s*", re.M)
_BULLETED = re.compile(r"^[ \t]*[-*•][ \t]+", re.M)
_PASSAGE_LABEL = re.compile(rf"\s*(?:{words.NOUN}|context|contexto)\s*:\s*", re.I)
_OR = re.compile(r",?\s+(?:or|ou)\s+|\s*[,;/|]\s*|\n+", re.I)
_LEADING_OR = re.compile(r"^\s*(?:or|ou)\s+", re.I)
_ABOUT_PASSAGE = re.compile(
    rf"^\W*(?:(?:hi|hello|please|so)\W+)*(?:according to|based on|given|from|in|using|read|answer|"
    rf"segundo|de acordo com|com base em|"
    rf"leia|responda)\b[^,:?]*?\b(?:{words.NOUN}|this|isto)\b[^,:?]*[,:]?\s*",
    re.I,
)


def find_question_and_context(source: Source, question: str, context: str) -> Finding | None:
    """A passage and a question about it, by labels, quotes, or as the sentence that asks."""
    found = labelled(source, (context, question))
    if found:
        return found
    asked = _question(source)
    if asked is None:
        return None
    passage = _rest(source, asked)
    fields: dict[str, tuple[Value, ...]] = {question: (_core(source, asked),)}
    if passage:
        fields[context] = (passage,)
    return Finding(source, fields, explicit=passage is not None)


def find_question_and_choices(
    source: Source, question: str, choices: str, context: str | None = None
) -> Finding | None:
    """A question and at least two choices: lettered, bulleted, listed after "options:", or "X or Y"."""
    begin, options = _options(source)
    if len(options) < 2:
        return None
    head = trimmed(source.text, 0, begin, ":,-–— \t")
    if head is None:
        return None
    label = re.compile(r"\s*(?:question|pergunta|q)\s*:\s*", re.I).match(source.text, *head[0])
    start, end = (label.end() if label else head[0][0]), head[0][1]
    fields: dict[str, tuple[Value, ...]] = {choices: tuple(options)}
    inner = Source.read(source.text[:end])
    asked = _question(inner)
    if context and asked and (passage := _rest(inner, asked)):
        fields |= {context: (passage,), question: (_core(inner, asked),)}
    else:
        value = source.value(start, end)
        if value is None:
            return None
        fields[question] = (value,)
    return Finding(source, fields, explicit=True)


def _question(source: Source) -> Stretch | None:
    """The clause that asks: the last one with a question mark outside of quotes, else the one that opens as
    one."""
    asking: list[Stretch] = []
    for (start, end), ends in cut(source):
        clause = source.masked[start:end]
        if "?" in ends or clause.rstrip().endswith("?"):
            stop = end
            while stop < len(source.text) and source.text[stop] in "?!":
                stop += 1
            asking.append((start, stop))
    at_edge = [
        s for s in asking if not source.masked[: s[0]].strip() or not source.masked[s[1] :].strip(' \n"”»')
    ]
    if asking:
        return (at_edge or asking)[-1]
    for (start, end), _ in cut(source):
        if words.opens_request(source.masked[start:end]) and end - start < 300:
            return (start, end)
    return None


def _core(source: Source, asked: Stretch) -> Value:
    """The question without "according to this text,"."""
    about = _ABOUT_PASSAGE.match(source.masked, *asked)
    start = about.end() if about and about.end() < asked[1] else asked[0]
    return trimmed(source.text, start, asked[1]) or (asked,)


def _rest(source: Source, asked: Stretch) -> Value | None:
    """The passage: the longer side of the question, without a heading such as "Read this text:"."""
    sides = [
        _without_heading(source, 0, asked[0]),
        _without_heading(source, asked[1], len(source.text)),
    ]
    start, end = max(sides, key=lambda side: len(source.text[slice(*side)].strip()))
    quoted = source.inside(start, end)
    if len(quoted) == 1 and len(words.WORD.findall(source.masked[start:end])) <= 12:
        return quoted[0].value
    value = source.value(start, end)
    if value is None or len(words.WORD.findall(source.read_value(value))) < 4:
        return None
    return value


def _without_heading(source: Source, start: int, end: int) -> Stretch:
    label = _PASSAGE_LABEL.match(source.masked, start, end)
    if label:
        return (label.end(), end)
    first = next(iter(cut(source, start, end)), None)
    asks_to_read = first and ":" in first[1] and words.opens_request(source.masked[slice(*first[0])])
    if first and asks_to_read and len(words.WORD.findall(source.masked[slice(*first[0])])) <= 14:
        return (first[0][1] + 1, end)
    return (start, end)


def _options(source: Source) -> tuple[int, list[Value]]:
    """Where the choices begin, and each of them."""
    named = _CHOICES.search(source.masked)
    for pattern in (_LETTERED, _BULLETED):
        marks = list(pattern.finditer(source.masked))
        marks = _in_sequence(marks) if pattern is _LETTERED else marks
        if len(marks) >= 2:
            ends = [mark.start() for mark in marks[1:]] + [_line_end(source, marks[-1].end())]
            values = [source.value(mark.end(), end, ",;") for mark, end in zip(marks, ends, strict=True)]
            begin = min(marks[0].start(), named.start() if named else marks[0].start())
            return begin, [value for value in values if value]
    if named:
        return named.start(), _separated(source, named.end(), _block_end(source, named.end()))
    quoted = source.containers
    if len(quoted) >= 2 and not re.search(
        r"\w{3,}", source.masked[quoted[0].end : quoted[-1].start].replace("\ue000", "")
    ):
        return quoted[0].start, [block.value for block in quoted]
    asked = re.compile(r"(?<=[?:])\s+(?=\S)").finditer(source.masked)
    last = max((match.end() for match in asked), default=None)
    if last is not None and re.search(r"\s(?:or|ou)\s|/|\n", source.masked[last:]):
        return last, _separated(source, last, len(source.text))
    return len(source.text), []


def _in_sequence(marks: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """The marks that count up from the first: a, b, c or 1, 2, 3."""
    kept: list[re.Match[str]] = []
    for mark in marks:
        letter = mark["mark"].lower()
        if letter == (chr(ord(kept[-1]["mark"].lower()) + 1) if kept else letter) and (
            kept or letter in "a1"
        ):
            kept.append(mark)
    return kept


def _separated(source: Source, start: int, end: int) -> list[Value]:
    found: list[Value] = []
    position = start
    for mark in [*_OR.finditer(source.masked, start, end), None]:
        stop = mark.start() if mark else end
        lead = _LEADING_OR.match(source.masked, position, stop)
        value = source.value(lead.end() if lead else position, stop, "?.")
        if value:
            found.append(value)
        position = mark.end() if mark else end
    return found


def _line_end(source: Source, start: int) -> int:
    end = source.masked.find("\n", start)
    return len(source.text) if end < 0 else end


def _block_end(source: Source, start: int) -> int:
    blank = re.compile(r"\n\s*\n").search(source.masked, start)
    return blank.start() if blank else len(source.text)
