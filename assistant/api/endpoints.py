"""Everything that is served beside the page, as arguments for the Starlette application that serves it."""

from __future__ import annotations

from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from assistant import __version__
from assistant.api import metrics, tools
from assistant.api.chat_completions import chat_completions
from assistant.api.guard import Guard
from assistant.api.service import Service


def endpoints(service: Service, *, host: str = "127.0.0.1", mcp: bool = False) -> dict[str, Any]:
    """`routes`, `middleware` and `lifespan` for a Starlette or FastAPI application that listens on `host`.

    Raises AssistantError when `mcp` is asked for and its library is missing.
    """

    async def health(_: Request) -> Response:
        """Whether the server answers, and with which applications."""
        applications = list(service.assistant.applications)
        return JSONResponse({"status": "ok", "version": __version__, "applications": applications})

    async def counts(_: Request) -> Response:
        """What was counted, for Prometheus."""
        return Response(service.metrics.page(), headers={"Content-Type": metrics.CONTENT_TYPE})

    routes: list[BaseRoute] = [
        Route("/health", health),
        Route("/metrics", counts),
        Mount("/v1", chat_completions(service)),
    ]
    arguments: dict[str, Any] = {"routes": routes}
    if service.public:
        arguments["middleware"] = [Middleware(Guard, service=service)]
    if mcp:
        tools.check_installed()
        server = tools.tool_server(service)
        # On the machine's own address only its own pages may call: no page from elsewhere under a borrowed name.
        routes += server.streamable_http_app(host=host, stateless_http=True, json_response=True).routes
        arguments["lifespan"] = lambda app: server.session_manager.run()
    return arguments
