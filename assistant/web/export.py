"""A conversation to take away: as Markdown for reading, as JSON for going on. A file is its name, type and text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from assistant.applications import Citation, Labels, ReplyPart, Span, Spans, Table
from assistant.conversation import to_json
from assistant.web.language import Strings
from assistant.web.render import answered_by, is_weighted, readable, spans_heading
from assistant.web.storage import Conversation, Entry


def markdown_file(conversation: Conversation, titles: Mapping[str, str], strings: Strings) -> dict[str, str]:
    """The conversation as a Markdown file."""
    text = markdown(conversation, titles, strings)
    return {"name": "conversation.md", "type": "text/markdown", "text": text}


def json_file(conversation: Conversation) -> dict[str, str]:
    """The conversation as `assistant ask --history` reads it."""
    text = json.dumps(to_json(conversation.turns), ensure_ascii=False, indent=2)
    return {"name": "conversation.json", "type": "application/json", "text": text}


def markdown(conversation: Conversation, titles: Mapping[str, str], strings: Strings) -> str:
    """The conversation as Markdown. What was written stands in it literally, so that nothing in it acts."""
    blocks = ["# OneBase"]
    for entry in conversation.entries:
        blocks += _entry(entry, titles, strings)
    return "\n\n".join(blocks) + "\n"


def _entry(entry: Entry, titles: Mapping[str, str], strings: Strings) -> Iterator[str]:
    if entry.turn.role == "user":
        yield f"## {strings('you')}"
        yield _fenced(entry.turn.text)
        return
    application = entry.turn.application
    title = answered_by(entry.reply, titles) if entry.reply else titles.get(application or "", application)
    by = f" · {title}" if title else ""
    yield f"## {_literal(strings('assistant') + by)}"
    yield from _paragraphs(entry.turn.text)
    for part in entry.reply.parts if entry.reply else ():
        if block := _part(part, strings):
            yield block


def _part(part: ReplyPart, strings: Strings) -> str:
    if isinstance(part, Labels):
        return _table(
            ("", ""),
            [(readable(score.label), strings.percent(score.probability)) for score in part.scores],
        )
    if isinstance(part, Table):
        return _table(part.columns, part.rows)
    if isinstance(part, Citation):
        source = strings("source", document=part.document, page=part.page)
        return f"> {_literal(part.quote)}\n>\n> — {_literal(source)}"
    if isinstance(part, Spans) and part.spans:
        weighted = is_weighted(part.spans)
        words = (
            f"- {_literal(part.text[span.start : span.end])}: {_told(span, weighted=weighted)}"
            for span in part.spans
        )
        return "\n".join([f"{_literal(spans_heading(part, strings))}:", "", *words])
    return ""


def _told(span: Span, *, weighted: bool) -> str:
    if span.replacement is not None:
        return _literal(f"→ {span.replacement}")
    return f"{span.weight:+.2f}" if weighted else _literal(readable(span.label))


def _table(columns: tuple[str, ...], rows: object) -> str:
    lines = [columns, ("---",) * len(columns), *rows]  # type: ignore[misc]
    return "\n".join(
        f"| {' | '.join(cell if cell == '---' else _literal(cell) for cell in line)} |" for line in lines
    )


def _paragraphs(text: str) -> Iterator[str]:
    """A longer text, literally, with its lines kept by hard breaks (CommonMark 0.31, section 6.7)."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if lines := [line for line in map(_literal, paragraph.splitlines()) if line]:
            yield "\\\n".join(lines)


def _literal(text: str) -> str:
    """Text on one line in which no character acts as Markdown or HTML."""
    line = re.sub(r"([\\`*_\[\]<>#|!&~])", r"\\\1", " ".join(text.split()))
    # What makes a list, a rule or a heading at the beginning of a line.
    return re.sub(r"^(\d+(?=[.)](?: |$))|(?=[-+=]))", r"\1\\", line)


def _fenced(text: str) -> str:
    """Text in a code block whose fence is longer than any within (CommonMark 0.31, section 4.5)."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
