"""What a plugin hands over, checked before anyone relies on it.

Each function returns the value, or raises PluginError with a sentence that says what came and what is
expected; of a value made for a visitor it never quotes the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pydantic

from assistant.applications import Application, Notice, ReplyPart, Task, Vote
from assistant.errors import PluginError
from assistant.workshop.methods import Method

_ID = re.compile(r"[a-z0-9-]+")


def checked_application(application: object) -> Application:
    """An application that can be listed, routed to and asked. Its adapter need not exist yet."""
    if not isinstance(application, Application):
        raise PluginError(f"{_kind(application)} was given where an Application is expected.")
    identifier = _named(application)
    if (task := getattr(application, "task", None)) not in get_args(Task):
        raise PluginError(
            f"The task of {identifier!r} is {task!r}; expected one of {', '.join(get_args(Task))}."
        )
    for attribute, least in (("fields", 1), ("examples", 0), ("cues", 0)):
        texts = getattr(application, attribute)
        if not _are_texts(texts) or len(texts) < least:
            raise PluginError(
                f"{attribute} of {identifier!r} is {texts!r}; expected a sequence of at least {least} texts."
            )
    for attribute in ("adapter", "prompts"):
        folder = getattr(application, attribute)
        if not isinstance(folder, Path | None):
            raise PluginError(f"{attribute} of {identifier!r} is {_kind(folder)}; expected a Path or None.")
    return application


def checked_method(method: object) -> Method:
    """A method that can be listed and chosen."""
    if not isinstance(method, Method):
        raise PluginError(f"{_kind(method)} was given where a Method is expected.")
    _named(method)
    return method


def checked_part(part: object) -> ReplyPart:
    """A reply part whose fields have the right types all the way down (a list is taken for a tuple)."""
    checked: ReplyPart = _checked(part, get_args(ReplyPart), "a reply part such as Text or Labels")
    return checked


def checked_vote(vote: object) -> Vote:
    """A vote with a score in [0, 1]."""
    checked: Vote = _checked(vote, (Vote,), "a Vote")
    if not 0.0 <= checked.score <= 1.0:
        raise PluginError(
            f"a vote for {checked.application!r} has the score {checked.score}; expected 0 to 1."
        )
    return checked


def checked_notice(notice: object) -> Notice:
    """A notice for the foot of a reply."""
    checked: Notice = _checked(notice, (Notice,), "a Notice or None")
    return checked


def _named(contribution: object) -> str:
    """The id of an application or a method. Raises PluginError for an id, a title or a description that is none."""
    identifier = getattr(contribution, "id", None)
    if not (isinstance(identifier, str) and _ID.fullmatch(identifier)):
        raise PluginError(
            f"The id of {type(contribution).__name__} is {identifier!r}; expected lower-case letters, digits and "
            "hyphens."
        )
    for attribute in ("title", "description"):
        text = getattr(contribution, attribute, None)
        if not (isinstance(text, str) and text.strip()):
            raise PluginError(
                f"The {attribute} of {identifier!r} is {text!r}; expected a text that is not empty."
            )
    return identifier


def _checked(value: object, types: tuple[type, ...], expected: str) -> Any:
    kind = next((kind for kind in types if isinstance(value, kind)), None)
    if kind is None:
        raise PluginError(f"{_kind(value)} was given where {expected} is expected.")
    try:
        (checked,) = _adapter(kind).validate_python((value,))
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in (kind.__name__, *first["loc"][1:]))
        raise PluginError(f"{where} does not hold what it should: {first['msg']}.") from None
    return checked


@cache
def _adapter(kind: type) -> pydantic.TypeAdapter[Any]:
    # A dataclass takes no configuration from outside, a tuple around it does and hands it down.
    config = pydantic.ConfigDict(revalidate_instances="always", allow_inf_nan=False)
    return pydantic.TypeAdapter(tuple[kind], config=config)  # type: ignore[valid-type]


def _are_texts(values: object) -> bool:
    """A sequence of texts that are not empty. A lone text is a sequence of letters, which nobody means."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        return False
    return all(isinstance(value, str) and value.strip() for value in values)


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
