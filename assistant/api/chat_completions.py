"""What OpenAI's clients speak: `/v1/chat/completions` and `/v1/models`, so that such a client can call a skill.

The model is an application's id, or "auto" for the router's choice. What a skill cannot follow (system
messages, tools, temperature) is left aside; pictures are refused. A choice's message carries the whole reply
by name as `reply`. There is no `usage`: tokens are not what an encoder's answer costs.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi import Request as HTTPRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from assistant.api.service import Service
from assistant.applications import Reply, Request, Turn
from assistant.errors import InputError, RateLimitError
from assistant.formats import as_json, as_text
from assistant.sentences import check_language

AUTO = "auto"
OWNER = "onebase"


class TextPart(BaseModel):
    """A piece of a message."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """Its text, whatever form it came in."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class Completion(BaseModel):
    """The body of a request. `language` is an addition of ours: that of the answer."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool = False
    n: Annotated[int, Field(ge=1, le=1)] | None = None
    language: Annotated[str, Field(max_length=20)] = "en"


def chat_completions(service: Service) -> FastAPI:
    """The endpoints below `/v1`; errors have OpenAI's form."""
    app = FastAPI(title="OneBase", docs_url=None, redoc_url=None)
    started = int(time.time())

    def model(id_: str) -> dict[str, Any]:
        return {"id": id_, "object": "model", "created": started, "owned_by": OWNER}

    @app.get("/models")
    async def models() -> dict[str, Any]:
        """The installed applications, and "auto"."""
        return {"object": "list", "data": [model(id_) for id_ in (AUTO, *service.assistant.applications)]}

    @app.get("/models/{id_}")
    async def one_model(id_: str) -> dict[str, Any]:
        """One of them."""
        _known(service, id_)
        return model(id_)

    @app.post("/chat/completions")
    async def completions(body: Completion, http: HTTPRequest) -> Response:
        """Answer the last message of a conversation."""
        _known(service, body.model)
        request = _request(body)
        service.admit(service.visitor(http.headers, http.client and http.client.host), body.language)
        head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
        if not body.stream:
            return JSONResponse(_completed(head, await service.answer(request)))
        replies = service.replies(request)
        # What is refused at once gets its status, which a stream that has begun cannot give.
        async for first in replies:
            if first.parts or first.done:
                break
        if first.failed:
            await replies.aclose()
            _raise(first)
        events = _events({**head, "object": "chat.completion.chunk"}, first, replies)
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: HTTPRequest, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        # For what is no JSON the place is a position in the text.
        place = first["loc"] if first["type"] != "json_invalid" else ()
        where = [str(step) for step in place if step != "body"]
        return _error(
            400, f"{'.'.join(where) or 'The request'}: {first['msg']}.", param=where[0] if where else None
        )

    @app.exception_handler(RateLimitError)
    async def too_often(_: HTTPRequest, error: RateLimitError) -> Response:
        return _error(429, str(error), "rate_limit_error", "rate_limit_exceeded", retry=error.seconds)

    @app.exception_handler(InputError)
    async def refused(_: HTTPRequest, error: InputError) -> Response:
        return _error(400, str(error))

    @app.exception_handler(HTTPException)
    async def other(_: HTTPRequest, error: HTTPException) -> Response:
        code = "model_not_found" if isinstance(error, _ModelNotFound) else None
        return _error(error.status_code, error.detail, _kind(error.status_code), code)

    return app


class _ModelNotFound(HTTPException):
    """The request names a model that there is not."""


def _known(service: Service, model: str) -> None:
    known = (AUTO, *service.assistant.applications)
    if model not in known:
        detail = f"There is no model {model[:60]!r}; there are: {', '.join(known)}."
        raise _ModelNotFound(404, detail)


def _request(body: Completion) -> Request:
    """The conversation as a request. Raises InputError when it does not end with the user, and for a language that is
    not ours."""
    check_language(body.language)
    said = [message for message in body.messages if message.role in ("user", "assistant")]
    if not said or said[-1].role != "user":
        raise InputError("The last message is not the user's; expected one to answer.")
    history = tuple(Turn("user" if m.role == "user" else "assistant", m.text) for m in said[:-1])
    pinned = None if body.model == AUTO else body.model
    return Request(said[-1].text, history, application=pinned, language=body.language)


def _completed(head: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """The whole answer. Raises HTTPException for one that says what went wrong."""
    if reply.failed:
        _raise(reply)
    message = {"role": "assistant", "content": as_text(reply), "refusal": None, "reply": as_json(reply)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**head, "object": "chat.completion", "choices": [choice]}


async def _events(
    head: dict[str, Any], first: Reply, replies: AsyncGenerator[Reply, None]
) -> AsyncGenerator[str, None]:
    """Server-sent events: what each state of the reply adds to the text."""

    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return f"data: {json.dumps({**head, 'choices': [choice]}, ensure_ascii=False)}\n\n"

    async with aclosing(replies):
        yield event({"role": "assistant", "content": ""})
        sent = ""
        async for reply in _continued(first, replies):
            if reply.failed:
                body = _body(_last(reply), _kind(_status(reply)))
                yield f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
                return
            text = as_text(reply).strip()
            if added := text[len(sent) :]:
                yield event({"content": added})
            sent = text
        yield event({"reply": as_json(reply)}, "stop")
        yield "data: [DONE]\n\n"


async def _continued(first: Reply, rest: AsyncGenerator[Reply, None]) -> AsyncGenerator[Reply, None]:
    yield first
    async for reply in rest:
        yield reply


def _last(reply: Reply) -> str:
    """The sentence on what went wrong."""
    return reply.text.rpartition("\n\n")[2]


def _status(reply: Reply) -> int:
    return 400 if reply.refused else 500


def _raise(reply: Reply) -> None:
    raise HTTPException(_status(reply), _last(reply))


def _kind(status: int) -> str:
    return "server_error" if status >= 500 else "invalid_request_error"


def _body(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _error(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    retry: float | None = None,
) -> Response:
    headers = {} if retry is None else {"Retry-After": str(max(1, round(retry)))}
    return JSONResponse(_body(message, kind, code, param), status, headers)
