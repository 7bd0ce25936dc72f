"""Every hook on one screen. An implementation may take any subset of the arguments, by name.

Each plugin is called alone: what it raises, or a result of the wrong type, costs that plugin only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

from assistant.applications import Application, Notice, Reply, Request, Vote

if TYPE_CHECKING:
    from assistant.workshop.methods import Method

PROJECT = "assistant"  # the pluggy project, and the entry-point group that plugins register under

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_applications() -> Iterable[Application]:  # type: ignore[empty-body]
    """The applications that this plugin brings. Combining: all together; a second one with the same id is
    refused and both plugins are named."""


@hookspec
def register_methods() -> Iterable[Method]:  # type: ignore[empty-body]
    """The ways to learn from labelled rows that this plugin brings (see docs/methods.md). Combining: all together, with
    the built-in ones; a second one with the same id is refused and both owners are named."""


@hookspec
def vote_route(request: Request) -> Iterable[Vote]:  # type: ignore[empty-body]
    """How well applications fit a message. Combining: the highest score per application counts, together with
    the router's own votes."""


@hookspec
def review_message(request: Request, reply: Reply, engine: object) -> Notice | None:
    """A notice to put under a finished reply, or None. Combining: all notices, in the order of plugin names."""
