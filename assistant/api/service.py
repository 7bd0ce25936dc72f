"""The assistant as visitors have it: how much each may ask is bounded, and what happened is counted."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from dataclasses import replace

import anyio.to_thread
from anyio import CancelScope, CapacityLimiter
from starlette.datastructures import Headers

from assistant.api.metrics import Metrics
from assistant.api.visitors import SlidingWindow, visitor_of
from assistant.applications import FieldValue, Payload, Reply, Request, Route, Text
from assistant.core import Assistant
from assistant.errors import InputError, RateLimitError
from assistant.sentences import say

# Replies that programs wait for and that are made at a time; others wait for their turn.
CONCURRENT = 8


class Service:
    """One assistant for many visitors; on a `public` one each of them has only so many messages a minute.

    All methods may be called from any thread. `visitor` is what `visitor` made of a request; None for a
    caller who is nobody's visitor.
    """

    def __init__(self, assistant: Assistant, *, public: bool = False) -> None:
        self.assistant = assistant
        self.public = public
        self.metrics = Metrics(assistant)
        limit = assistant.settings.limits.messages_per_minute
        self._messages = SlidingWindow(limit, 60) if public else None
        self._threads = CapacityLimiter(CONCURRENT)

    def visitor(self, headers: Headers, peer: str | None) -> str:
        """Who sent a request with these headers over a connection from `peer`."""
        return visitor_of(headers.getlist("x-forwarded-for"), peer, self.assistant.settings.proxies)

    def admit(self, visitor: str, language: str = "en") -> None:
        """Count one message of a visitor. Raises RateLimitError when there were too many."""
        if self._messages is None:
            return
        if wait := self._messages.take(visitor):
            self.metrics.count(None, "limited")
            raise RateLimitError(say("too_often", language, seconds=math.ceil(wait)), wait)

    def reply(self, request: Request) -> Generator[Reply, None, None]:
        """What `Assistant.reply` gives, counted. In public a failure, whose words may name files, is told without
        detail."""
        latest: Reply | None = None
        try:
            with closing(self.assistant.reply(request)) as replies:
                for latest in replies:
                    if self.public and latest.failed and not latest.refused:
                        general = Text(say("defect", request.language))
                        latest = replace(latest, parts=(*latest.parts[:-1], general))
                    yield latest
        finally:
            self.metrics.count(latest)

    def admitted(self, request: Request, visitor: str) -> Generator[Reply, None, None]:
        """`reply`, or for a visitor who sent too many messages a reply that says so."""
        try:
            self.admit(visitor, request.language)
        except RateLimitError as error:
            yield refusal(error)
            return
        yield from self.reply(request)

    async def replies(self, request: Request) -> AsyncGenerator[Reply, None]:
        """`reply` for an event loop: made in threads of its own, so that the page's are not used up."""
        replies = self.reply(request)
        try:
            while (
                reply := await anyio.to_thread.run_sync(next, replies, None, limiter=self._threads)
            ) is not None:
                yield reply
        finally:
            with CancelScope(shield=True):
                await anyio.to_thread.run_sync(replies.close)

    async def answer(self, request: Request) -> Reply:
        """The finished reply."""
        async with aclosing(self.replies(request)) as replies:
            return [reply async for reply in replies][-1]


def refusal(error: InputError) -> Reply:
    """The reply to a request that is not even begun."""
    return Reply(Route(None, 0.0, ""), (Text(str(error)),), done=True, failed=True, refused=True)


def request_for(application: str, fields: Mapping[str, FieldValue], language: str = "en") -> Request:
    """The request to answer on these fields, with nothing left to find out."""
    texts = (value if isinstance(value, str) else "\n".join(value) for value in fields.values())
    return Request("\n".join(texts), application=application, language=language, payload=Payload(fields))
