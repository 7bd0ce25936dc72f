"""The edges of what was found: bullets, brackets and marks that set a value off are no part of it, nor are the words
and the punctuation of the sentence that it stands in ("Is it because A or because B?").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.payload import words
from assistant.payload.source import Finding, Stretch, Value, trimmed

_BRACKETS = {"[": "]", "{": "}", "(": ")", "<": ">", "|": "|"}
_SMILEY = re.compile(r"[:;=8]['-]?\)$")
_BEFORE = re.compile(r"(?:(?:[|/=~_*•·★☆✓✔▪●○◆■▶➤→–—-]+>*|>+|<<+|:{2,}|[:;,.])\s+)+|>>+|<<+|[★☆✓✔▪●○◆■▶➤]\s*")
# With the sign of the next choice: "… (b".
# Of the text read from its end, so that a long run of signs is tried once.
_AFTER = re.compile(r"\s*(?:(?:>*[|/=~_*•·★☆✓✔▪●○◆■▶➤→–—-]+|<+|\w{0,3}[(\[])\s+)+|<<+|>>+")
_SIGN = re.compile(r"(?<!\s)\s+[(\[]?(?:[a-zA-Z]|\d{1,2})$")
_COUNTED = re.compile(r"[(\[]?(?P<sign>[a-zA-Z]|\d{1,2})[).:\]]*\s+(?=\S)")
# "Between" opens a message; elsewhere it may be the choice's own ("between jobs").
_LEADING = re.compile(r"(?:either|\A(?:between|entre)|or|vs\.?|ou)\s+(?=\S)", re.I)
_ASKED = re.compile(r"(?<![\s?])\s*\?+$")
# Before the next choice.
_AND = re.compile(r"[,;]?(?<!\s)\s+(?:and|or|e|ou)$|[,;]$", re.I)
# Where a prompt ends that waits for its answer.
_CUE = re.compile(
    r"(?<!\s)\s+(?:a|answer|label|output|result|summary|correction|sentiment|r|resposta)\s*[:=]+$", re.I
)
_STOP = re.compile(r"(?<![.…])\.$")


def settled(finding: Finding) -> Finding:
    """The finding with the edges of its values where the texts themselves begin and end."""
    text = finding.source.text
    pair = "question" not in finding.fields and "choices" not in finding.fields and len(finding.fields) == 2
    last = len(text.rstrip())
    fields = {
        name: tuple(
            _bare(text, _cut(text, value, _CUE) if value[-1][1] == last else value) for value in values
        )
        for name, values in finding.fields.items()
    }
    if "choices" in fields:
        fields["choices"] = _choices(text, fields["choices"])
        if "question" in fields:
            first = fields["choices"][0][0][0]
            fields["question"] = tuple(_without_sign(text, value, first) for value in fields["question"])
    elif pair:
        fields = {name: tuple(_stated(text, value) for value in values) for name, values in fields.items()}
    return replace(finding, fields=fields)


def _bare(text: str, value: Value) -> Value:
    """A value of one line without what only sets it off; the value itself where nothing else would be left."""
    if len(value) != 1 or "\n" in text[slice(*value[0])]:
        return value
    start, end = value[0]
    before = _BEFORE.match(text, start, end)
    start = before.end() if before else start
    after = _AFTER.match(text[start:end][::-1])
    end -= after.end() if after else 0
    return trimmed(text, *_paired(text, start, end)) or value


def _paired(text: str, start: int, end: int) -> Stretch:
    """Without brackets that hold all of it, or of which it has one alone; half a quotation is made whole."""
    opener = text[start : start + 1]
    closer = _BRACKETS.get(opener)
    if closer and text.find(closer, start + 1, end) in (-1, end - 1):
        start, end = start + 1, end - (text[end - 1] == closer)
    for opener, closer in _BRACKETS.items():
        alone = text.count(closer, start, end) > text.count(opener, start, end) - (opener == closer)
        if text[end - 1 : end] == closer and alone and not _SMILEY.search(text, start, end):
            end -= 1
    if text.count('"', start, end) % 2:
        if text[start - 1 : start] == '"':
            start -= 1
        elif text[end : end + 1] == '"':
            end += 1
        else:
            start, end = start + (text[start] == '"'), end - (text[end - 1] == '"')
    return start, end


def _choices(text: str, values: Sequence[Value]) -> tuple[Value, ...]:
    """Choices without their signs, "either" and "or", and the end of the question that they stand in."""
    following = [*(value[0][0] for value in values[1:]), -1]
    values = [_without_sign(text, value, begin) for value, begin in zip(values, following, strict=True)]
    counted = [_COUNTED.match(text, *value[0]) for value in values]
    if all(mark and _number(mark["sign"]) == n for n, mark in enumerate(counted, 1)):
        values = [
            _cut(text, value, begin=mark.end()) for value, mark in zip(values, counted, strict=True) if mark
        ]
    values = [_cut(text, value, _AND) for value in values]
    leads = [_LEADING.match(text, *value[0]) for value in values]
    values = [_cut(text, v, begin=lead.end()) if lead else v for v, lead in zip(values, leads, strict=True)]
    values = [_stated(text, value) for value in values]
    *others, last = values
    if not any(text[value[-1][1] - 1] in ".!" for value in others):
        # The full stop ends the sentence around the list, not the last choice alone.
        last = _bare(text, _cut(text, last, _STOP))
    return (*others, last)


def _number(sign: str) -> int:
    return int(sign) if sign.isdigit() else ord(sign.lower()) - ord("a") + 1


def _without_sign(text: str, value: Value, following: int) -> Value:
    """Without the sign of the choice that follows at once: "it grew b" before ") it melted"."""
    end = value[-1][1]
    return _cut(text, value, _SIGN) if 0 < following - end <= 3 and text[end] in ").:]" else value


def _stated(text: str, value: Value) -> Value:
    """A statement without the mark of the question that holds it ("Does it follow that A?"); a question keeps it."""
    return value if words.ASKS.match(text, *value[0]) else _cut(text, value, _ASKED)


def _cut(text: str, value: Value, tail: re.Pattern[str] | None = None, begin: int | None = None) -> Value:
    """A value without its beginning, or what `tail` finds at its end; the value itself where nothing would be left."""
    start = value[0][0] if begin is None else begin
    found = tail.search(text, *value[-1]) if tail else None
    end = found.start() if found else value[-1][1]
    if len(value) == 1:
        return trimmed(text, start, end) or value
    return (*value[:-1], (value[-1][0], end)) if end > value[-1][0] else value
