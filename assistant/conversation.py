"""A conversation: how a reply makes it longer, and how it travels as JSON (export, `ask --history`)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pydantic

from assistant.applications import FieldValue, Payload, Reply, Request, Turn, to_jsonable
from assistant.errors import InputError
from assistant.sentences import say
from assistant.settings import Limits

_LINE_END = re.compile("\r\n?|[\v\f\x85]")
# Control characters but for tab and newline, and halves of surrogate pairs, which no encoder takes. Marks of
# writing direction stay: right-to-left text needs them.
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with newlines as line ends and without the characters that are no text."""
    return _UNREADABLE.sub("", _LINE_END.sub("\n", text))


def clean_turn(turn: Turn) -> Turn:
    """The turn with clean texts."""
    return replace(turn, text=clean(turn.text), payload=turn.payload and clean_payload(turn.payload))


def clean_payload(payload: Payload) -> Payload:
    """The payload with clean texts."""
    fields = {name: _clean_value(value) for name, value in payload.fields.items()}
    return Payload(fields, {name: clean(value) for name, value in payload.options.items()})


def history_after(request: Request, reply: Reply) -> tuple[Turn, ...]:
    """The request's history with its message and the reply to it; the reply's turn says who answered what."""
    return (
        *request.history,
        Turn("user", clean(request.message)),
        Turn("assistant", reply.text, reply.route.application, reply.payload),
    )


def to_json(turns: tuple[Turn, ...]) -> list[dict[str, Any]]:
    """The turns as lists, dicts and texts."""
    return [to_jsonable(turn) for turn in turns]


def from_json(data: object, limits: Limits | None = None, language: str = "en") -> tuple[Turn, ...]:
    """The turns back: of a long conversation the last `limits.history_turns`.

    Raises InputError, in one sentence, for anything that `to_json` does not write.
    """
    if not isinstance(data, list):
        reason = f"it is of type {type(data).__name__}"
        raise InputError(say("foreign_history", language, reason=reason))
    try:
        turns = _turns().validate_python(data[-(limits or Limits()).history_turns :])
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        reason = f"{where}: {first['msg']}"
        raise InputError(say("foreign_history", language, reason=reason)) from None
    return tuple(clean_turn(turn) for turn in turns)


def _clean_value(value: FieldValue) -> FieldValue:
    return clean(value) if isinstance(value, str) else tuple(clean(item) for item in value)


@cache
def _turns() -> pydantic.TypeAdapter[tuple[Turn, ...]]:
    return pydantic.TypeAdapter(tuple[Turn, ...], config=pydantic.ConfigDict(extra="forbid"))
