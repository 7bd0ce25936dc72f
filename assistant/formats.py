"""A reply for a machine: by name as JSON, or as one plain text."""

from __future__ import annotations

from typing import Any

from assistant.applications import (
    Citation,
    Labels,
    Notice,
    Reply,
    ReplyPart,
    Spans,
    Suggestion,
    Suggestions,
    Table,
    Text,
    to_jsonable,
)


def as_json(reply: Reply) -> dict[str, Any]:
    """The reply by name, as `json.dumps` takes it. `failed` says that the text tells what went wrong."""

    def kind(*types: type[ReplyPart]) -> list[Any]:
        return [part for part in reply.parts if isinstance(part, types)]

    route = reply.route
    return {
        "application": route.application,
        "route": {
            "score": route.score,
            "reason": route.reason,
            "alternatives": [{"application": id_, "score": score} for id_, score in route.alternatives],
        },
        "payload": dict(to_jsonable(reply.payload.fields)) if reply.payload else None,
        "text": reply.text,
        "failed": reply.failed,
        "labels": [to_jsonable(each) for part in kind(Labels) for each in part.scores],
        "unsure": any(part.unsure for part in kind(Labels)),
        "spans": [
            {**to_jsonable(span), "text": part.text[span.start : span.end], "field": part.title}
            for part in kind(Spans)
            for span in part.spans
        ],
        "citations": to_jsonable(kind(Citation)),
        "tables": to_jsonable(kind(Table)),
        "suggestions": [to_jsonable(each) for part in kind(Suggestions) for each in part.options],
        "adapter": reply.adapter,
        "milliseconds": round(reply.milliseconds, 1),
    }


def as_text(reply: Reply) -> str:
    """What the reply says, with what it suggests a line each. A longer reply's text begins with this one's, but for
    white space around a text that is growing."""
    said = []
    for part in reply.parts:
        if isinstance(part, Text | Notice):
            said.append(part.text)
        elif isinstance(part, Suggestions):
            said.append("\n".join(f"- {_offered(option)}" for option in part.options))
    return "\n\n".join(said)


def _offered(option: Suggestion) -> str:
    return option.message if option.label == option.message else f"{option.label}: {option.message}"
