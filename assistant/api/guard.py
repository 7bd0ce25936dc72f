"""Bounds on what one visitor of a public page may send, before anything reads it."""

from __future__ import annotations

import math

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api.service import Service
from assistant.api.visitors import SlidingWindow

HOUR = 3600


class Guard:
    """ASGI middleware: requests a minute, uploaded bytes an hour, and bytes of any one request.

    A refusal is a status (429 with Retry-After, or 413) and a JSON object with one sentence as `detail`.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service
        self.limits = limits = service.assistant.settings.limits
        self.requests = SlidingWindow(limits.requests_per_minute, 60, entries=limits.requests_per_minute)
        self.uploads = SlidingWindow(limits.upload_bytes_per_hour, HOUR)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, as far as it keeps within the bounds. Reading costs nothing."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        peer = scope["client"][0] if scope.get("client") else None
        visitor = self.service.visitor(Headers(scope=scope), peer)
        if wait := self.requests.take(visitor):
            seconds = math.ceil(wait)
            detail = f"Too many requests in a short time. Please wait {seconds} s, then try again."
            await JSONResponse({"detail": detail}, 429, _retry(seconds))(scope, receive, send)
            return
        uploads = scope["path"].rstrip("/").endswith("/upload")
        read = self._uploading(visitor, receive) if uploads else self._bounded(receive)
        await self.app(scope, read, send)

    def _bounded(self, receive: Receive) -> Receive:
        """The request's body, up to the limit for one that uploads nothing."""
        limit, size = self.limits.request_bytes, 0

        async def read() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise HTTPException(413, f"The request is larger than {limit:,} bytes.")
            return message

        return read

    def _uploading(self, visitor: str, receive: Receive) -> Receive:
        """An upload's body, as far as the visitor's hour has room for it."""

        async def read() -> Message:
            message = await receive()
            if wait := self.uploads.take(visitor, len(message.get("body", b""))):
                minutes = math.ceil(wait / 60)
                detail = f"You have uploaded much in a short time. Please wait {minutes} min, then try again."
                raise HTTPException(429, detail, _retry(math.ceil(wait)))
            return message

        return read


def _retry(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
