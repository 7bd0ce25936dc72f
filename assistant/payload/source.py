"""A message as the finders read it: which stretches are set off by quotes, fences or `>`, and what is left.

Quoted stretches are masked by a private-use character of the same length, so that patterns over the rest keep
the message's positions.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from assistant.applications import FieldValue

# (start, end) in characters of the message.
Stretch = tuple[int, int]
# One value is the lines at these stretches; more than one only for a block of `>` lines.
Value = tuple[Stretch, ...]

MASK = "\ue000"
_FENCE_OPENS = re.compile(r"^[ \t]*(?P<f>`{3,}|~{3,})[^\n`]*\n", re.M)
_FENCE_CLOSES = re.compile(r"(?P<f>(?<!`)`{3,}|(?<!~)~{3,})[ \t]*$", re.M)
_INLINE_FENCE = re.compile(r"```(?P<x>[^`]+)```|(?P<q>\"{3}|'{3})(?P<y>.+?)(?P=q)", re.S)
_BLOCKQUOTE = re.compile(r"(?:^[ ]{0,3}>[^\n]*(?:\n|\Z))+", re.M)
_QUOTED_LINE = re.compile(r"^[ ]{0,3}>[ ]?(?P<x>[^\n]*)", re.M)
# Opening marks with the marks that close them: English, German low-high, French and nested guillemets, CJK,
# code.
_CLOSERS = {
    "“": "”",
    "‘": "’",
    "«": "»",
    "‹": "›",
    "„": "“”",
    "‚": "‘’",
    "「": "」",
    '"': '"',
    "'": "'",
    "`": "`",
}
# Quotes within quotes; more openings than this are no nesting but stray marks.
_DEEPEST = 6
# What was left out, with the marks that were around it.
_ELLIPSIS = re.compile(r"(?<![\"'“”‘’«»„`>])[\"'“”‘’«»„`>]*…[\"'“”‘’«»„`]*")
_BEFORE_OPENING = " \t\n([{:;,-–—/|=>*\"'“‘«"


@dataclass(frozen=True)
class Container:
    """A stretch that is set off, with its marks; `value` is what is inside them."""

    start: int
    end: int
    value: Value


@dataclass(frozen=True)
class Source:
    """A message with its outermost containers in order. `masked` has the same length as `text`."""

    text: str
    containers: tuple[Container, ...] = ()
    masked: str = field(default="")

    @classmethod
    def read(cls, text: str) -> Source:
        """Find the containers of a message."""
        containers = tuple(sorted(_containers(text), key=lambda found: found.start))
        masked, end = [], 0
        for found in containers:
            masked += [text[end : found.start], MASK * (found.end - found.start)]
            end = found.end
        return cls(text, containers, "".join([*masked, text[end:]]))

    def inside(self, start: int, end: int) -> list[Container]:
        """The containers that lie wholly within a stretch."""
        return [found for found in self.containers if start <= found.start and found.end <= end]

    def value(self, start: int, end: int, strip: str = "") -> Value | None:
        """The stretch without outer whitespace and the characters `strip`, or what is quoted when that is
        all."""
        quoted = self.inside(start, end)
        rest = self.masked[start:end].replace(MASK, "")
        if len(quoted) == 1 and not re.search(r"\w", rest):
            return quoted[0].value
        return trimmed(self.text, start, end, strip)

    def read_value(self, value: Value) -> str:
        """The text of a value."""
        return "\n".join(self.text[start:end] for start, end in value).strip()


@dataclass(frozen=True)
class Finding:
    """Where an application's fields stand in a message. A field has one value, or several (choices)."""

    source: Source
    fields: Mapping[str, tuple[Value, ...]]
    options: Mapping[str, str] = field(default_factory=dict)
    # Whether the shape of the message itself (labels, "does X follow from Y") speaks for these fields.
    explicit: bool = False
    # Whether the message names every field ("Premise: … Hypothesis: …").
    labelled: bool = False
    # Whether its choices stand in a list, by marks or by quotes.
    listed: bool = False
    # The field that is itself what the user asks for: a question.
    asks: str | None = None

    @property
    def stretches(self) -> list[Stretch]:
        """Where all of it stands."""
        return [stretch for values in self.fields.values() for value in values for stretch in value]

    def texts(self, several: frozenset[str] = frozenset()) -> dict[str, FieldValue]:
        """The fields' texts, a tuple for the names in `several`."""
        read = self.source.read_value
        return {
            name: tuple(map(read, values)) if name in several else "\n".join(map(read, values))
            for name, values in self.fields.items()
        }

    def moved(self, source: Source, offset: int) -> Finding:
        """The same in `source`, in which what was read here begins at `offset`."""
        fields = {
            name: tuple(tuple((a + offset, b + offset) for a, b in value) for value in values)
            for name, values in self.fields.items()
        }
        return replace(self, source=source, fields=fields)

    @property
    def instruction(self) -> str:
        """The message without the texts, each of which leaves an ellipsis; a question stays."""
        return self._without([name for name in self.fields if name != self.asks])

    @property
    def surroundings(self) -> str:
        """The message without any field."""
        return self._without(list(self.fields))

    def _without(self, names: Sequence[str]) -> str:
        stretches = sorted(stretch for name in names for value in self.fields[name] for stretch in value)
        rest = self.source.text
        for start, end in reversed(stretches):
            rest = f"{rest[:start]}…{rest[end:]}"
        return re.sub(r"\s+", " ", _ELLIPSIS.sub("…", rest)).strip()


def trimmed(text: str, start: int, end: int, strip: str = "") -> Value | None:
    """The stretch without whitespace and `strip` at its edges; None when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in strip):
        end -= 1
    return ((start, end),) if start < end else None


def _containers(text: str) -> Iterator[Container]:
    """Fences first, then `>` blocks, then quotes outside of both."""
    covered = bytearray(len(text))
    for block in _fences(text):
        yield block
        covered[block.start : block.end] = b"\1" * (block.end - block.start)
    for pattern in (_INLINE_FENCE, _BLOCKQUOTE):
        for match in pattern.finditer(text):
            inner = "y" if match.re is _INLINE_FENCE and match["q"] else "x"
            value = _lines(text, match) if pattern is _BLOCKQUOTE else trimmed(text, *match.span(inner))
            if value and not covered[match.start()]:
                yield Container(*match.span(), value)
                covered[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    position = 0
    # Up to where a mark is known not to close: each stretch is searched once, however many marks open in it.
    unclosed: dict[str, int] = {}
    while position < len(text):
        char, end = text[position], None
        if char in _CLOSERS and unclosed.get(char, 0) <= position and not covered[position]:
            end, searched = _closing(text, position)
            if end is None:
                unclosed[char] = searched
        if end is not None and re.search(r"\w", text[position:end]):
            value = trimmed(text, position + 1, end)
            if value:
                yield Container(position, end + 1, value)
                position = end
        position += 1


def _fences(text: str) -> Iterator[Container]:
    """Blocks that begin with a line of a mark and go on to the next line that ends with a mark as long."""
    closing = list(_FENCE_CLOSES.finditer(text))
    by_mark: dict[str, list[re.Match[str]]] = {}
    done = 0
    for opening in _FENCE_OPENS.finditer(text):
        mark = opening["f"]
        if mark not in by_mark:
            by_mark[mark] = [each for each in closing if each["f"].startswith(mark)]
        marks = by_mark[mark]
        following = bisect_left(marks, opening.end(), key=re.Match.start)
        if opening.start() >= done and following < len(marks):
            closes = marks[following]
            done = closes.end()
            if value := trimmed(text, opening.end(), closes.start()):
                yield Container(opening.start(), done, value)


def _lines(text: str, block: re.Match[str]) -> Value | None:
    """What stands behind the `>` of each line; None when nothing does."""
    lines = tuple(line.span("x") for line in _QUOTED_LINE.finditer(text, *block.span()))
    return lines if any(text[start:end].strip() for start, end in lines) else None


def _closing(text: str, opening: int) -> tuple[int | None, int]:
    """Where the quote that opens at `opening` closes, None when it opens nothing; and how far that was
    searched."""
    mark = text[opening]
    if mark in "\"'" and not _opens(text, opening):
        return None, opening
    return _single_closing(text, opening) if mark in "'‘‚`" else _nested_closing(text, opening)


def _opens(text: str, position: int) -> bool:
    before = text[position - 1] if position else " "
    after = text[position + 1 : position + 2]
    return before in _BEFORE_OPENING and bool(after.strip())


def _ends_word(text: str, position: int) -> bool:
    after = text[position + 1 : position + 2]
    return not (after.isalnum() or after == "_")


def _nested_closing(text: str, opening: int) -> tuple[int | None, int]:
    """The closing mark at the same depth: straight quotes nest as well ("He said "never" to me")."""
    mark = text[opening]
    closers = _CLOSERS[mark]
    depth, first, position = 1, None, opening
    for position in range(opening + 1, len(text)):
        char = text[position]
        if char == mark and (
            mark not in closers or (_opens(text, position) and not _ends_quote(text, position))
        ):
            depth += 1
            if depth > _DEEPEST:
                break
        elif char in closers and _ends_word(text, position):
            first = position if first is None else first
            depth -= 1
            if not depth:
                return position, position
    return first, position


def _ends_quote(text: str, position: int) -> bool:
    """Whether a straight quote follows a word or its punctuation, and so cannot open."""
    return not text[position - 1].isspace() and text[position - 1] not in "([{:-–—/|=>"


def _single_closing(text: str, opening: int) -> tuple[int | None, int]:
    """The closing single quote. One inside a word is an apostrophe; so is one at a word's end ("the dogs'
    bowl") when another closing one comes before the next opening one."""
    closers = _CLOSERS[text[opening]]
    found, position = None, opening
    for position in range(opening + 1, len(text)):
        char = text[position]
        if char == "\n" and text[position + 1 : position + 2] == "\n" and text[opening] == "'":
            break
        if found is not None and char in "'‘‚`" and text[position - 1].isspace() and char == text[opening]:
            break
        if char in closers and _ends_word(text, position) and not text[position - 1].isspace():
            found = position
            if char == "`" or not text[position - 1].isalnum():
                break
            if text[position - 1] != "s":
                break
    return found, position
