"""A conversation to take away: as Markdown for reading, as JSON for going on. A file is its name, type and text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from assistant.applications import Citation, Labels, ReplyPart, Spans, Table
from assistant.conversation import to_json
from assistant.web.language import Strings
from assistant.web.render import answered_by, readable
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
    yield _literal(entry.turn.text)
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
        words = (
            f"- {_literal(part.text[span.start : span.end])}: "
            + (_literal(f"→ {span.replacement}") if span.replacement is not None else f"{span.weight:+.2f}")
            for span in part.spans
        )
        return "\n".join([f"{strings('evidence')}:", "", *words])
    return ""


def _table(columns: tuple[str, ...], rows: object) -> str:
    lines = [columns, ("---",) * len(columns), *rows]  # type: ignore[misc]
    return "\n".join(
        f"| {' | '.join(cell if cell == '---' else _literal(cell) for cell in line)} |" for line in lines
    )


def _literal(text: str) -> str:
    """Text on one line in which no character acts as Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]<>#|!&~])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    """Text in a code block whose fence is longer than any within (CommonMark 0.31, section 4.5)."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"
