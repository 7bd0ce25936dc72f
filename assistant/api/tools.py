"""Each application as a tool of the Model Context Protocol (MCP), over streamable HTTP.

Made with the protocol's own library rather than with Gradio's server, which holds that library below version 2
and knows one fixed function, where here each installed application brings its own fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from assistant import __version__
from assistant.api.service import Service, request_for
from assistant.applications import Application, FieldValue
from assistant.errors import AssistantError, InputError
from assistant.formats import as_json, as_text

if TYPE_CHECKING:
    from mcp.server.lowlevel.server import Server

INSTRUCTIONS = (
    "Each tool is one small, fast skill on a local model. Give it the text itself, not a question about it. "
    "The structured result holds calibrated probabilities; with `unsure` the best label is only a guess."
)
# Of what may be several, and is a list in a tool's arguments: the options of a question.
CHOICES, MIN_CHOICES = "choices", 2


def check_installed() -> None:
    """Raise AssistantError when the library is missing."""
    if find_spec("mcp") is None:
        raise AssistantError(
            "The MCP server needs the package mcp; install it with pip install 'onebase[mcp]'."
        )


def tool_server(service: Service) -> Server[Any]:
    """An MCP server that offers the applications which are in service at the time."""
    from mcp import types
    from mcp.server import Server, ServerRequestContext

    async def list_tools(
        context: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        tools = [
            types.Tool(
                name=application.id,
                title=application.title,
                description=description(application),
                input_schema=input_schema(application),
                annotations=types.ToolAnnotations(
                    read_only_hint=True, idempotent_hint=True, open_world_hint=False
                ),
            )
            for application in service.assistant.applications.values()
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(
        context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            http = context.request
            service.admit(service.visitor(http.headers, http.client and http.client.host) if http else "")
            application = service.assistant.applications.get(params.name)
            if application is None:
                raise InputError(f"There is no tool {params.name[:60]!r}.")
            request = request_for(application.id, read_arguments(application, params.arguments or {}))
        except InputError as error:
            return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
        reply = await service.answer(request)
        return types.CallToolResult(
            content=[types.TextContent(text=as_text(reply))],
            structured_content=as_json(reply),
            is_error=reply.failed,
        )

    return Server(
        "onebase",
        title="OneBase",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def description(application: Application) -> str:
    """What a tool says of itself: what it does, on which texts, and what it can answer where that is fixed."""
    given = ", ".join(f"`{name}`" for name in application.fields)
    return f"{application.description} Works on {given}."


def input_schema(application: Application) -> dict[str, Any]:
    """The JSON schema of an application's fields: all of them texts but for the options of a question."""
    text = {"type": "string", "minLength": 1}
    several = {"type": "array", "items": text, "minItems": MIN_CHOICES}
    return {
        "type": "object",
        "properties": {
            name: {
                **(several if _several(application, name) else text),
                "description": f"The {name} that {application.title} works on.",
            }
            for name in application.fields
        },
        "required": list(application.fields),
        "additionalProperties": False,
    }


def read_arguments(application: Application, arguments: Mapping[str, Any]) -> dict[str, FieldValue]:
    """The arguments as an application's fields. Raises InputError for what `input_schema` does not allow."""
    if unknown := sorted(set(arguments) - set(application.fields)):
        raise InputError(
            f"{application.title} has no {unknown[0][:60]!r}; it takes {', '.join(application.fields)}."
        )
    fields: dict[str, FieldValue] = {}
    for name in application.fields:
        value = arguments.get(name)
        if _several(application, name):
            texts = value if isinstance(value, list) else []
            if len(texts) < MIN_CHOICES or not all(isinstance(t, str) and t.strip() for t in texts):
                raise InputError(f"{application.title} needs {name}: a list of at least {MIN_CHOICES} texts.")
            fields[name] = tuple(texts)
        elif isinstance(value, str) and value.strip():
            fields[name] = value
        else:
            raise InputError(f"{application.title} needs {name}: a text.")
    return fields


def _several(application: Application, name: str) -> bool:
    return application.task == "multiple-choice" and name == CHOICES
