"""`assistant serve` and `assistant ask`: one message at a time."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.shared import (
    FILE,
    base_options,
    engine_option,
    example_options,
    find_application,
    language_option,
    opened_engine,
    remote_options,
    tell_failures,
    with_examples,
)
from assistant.errors import AssistantError, InputError
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.applications import Reply, Turn


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(1, 65535), default=7860, show_default=True)
@base_options
@example_options
@click.option(
    "--public",
    is_flag=True,
    help="For strangers: bounds what each may send, tells nothing of this machine.",
)
@click.option("--mcp", is_flag=True, help="Offer each application as a tool, under /mcp.")
@remote_options
@engine_option
def serve(
    host: str,
    port: int,
    base: str,
    quantize: str,
    shots: int | None,
    selection: str | None,
    public: bool,
    mcp: bool,
    url: str,
    model: str,
    engine: str,
) -> None:
    """Open the page in which one talks to the assistant.

    Beside it: /v1 for OpenAI's clients, /health, and /metrics for Prometheus (see docs/api.md).
    """
    _check_free(host, port)
    if mcp:
        from assistant.api.tools import check_installed

        check_installed()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = with_examples(Settings.from_environment(), shots, selection)
    with opened_engine(settings, engine, base, quantize, url, model) as loaded:
        from assistant.applications import Request
        from assistant.create import create_assistant

        assistant = create_assistant(settings, loaded)
        # The router learns at its first message; here it does so while Gradio is imported. Its route is enough: a base
        # that writes would write an answer.
        threading.Thread(target=lambda: next(assistant.reply(Request("Hello"))), daemon=True).start()
        from assistant.web.app import launch

        launch(assistant, host, port, public, mcp=mcp)


def _check_free(host: str, port: int) -> None:
    """Raise AssistantError when the page could not listen there: before anything is loaded."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise AssistantError(
            f"The page cannot listen on {host}, port {port}: {error.strerror}. Try another --port or --host."
        ) from error


@click.command()
@click.argument("message")
@click.option("--application", metavar="ID", help="Who has to answer. [default: the router decides]")
@click.option("--document", "documents", type=FILE, multiple=True, help="A file to answer from; repeatable.")
@click.option(
    "--history",
    type=FILE,
    help="The conversation so far: the page's JSON export, or what an earlier call gave with --json.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")
@language_option
@base_options
@example_options
@remote_options
@engine_option
def ask(
    message: str,
    application: str | None,
    documents: tuple[Path, ...],
    history: Path | None,
    as_json: bool,
    language: str,
    base: str,
    quantize: str,
    shots: int | None,
    selection: str | None,
    url: str,
    model: str,
    engine: str,
) -> None:
    """Answer one MESSAGE (- reads it from stdin)."""
    from assistant import formats
    from assistant.applications import Request
    from assistant.conversation import to_json
    from assistant.documents import read_document

    settings = with_examples(Settings.from_environment(), shots, selection)
    if message == "-":
        message = sys.stdin.buffer.read().decode("utf-8", "replace")
    attached = tuple(read_document(path, settings.limits) for path in documents)
    turns = _read_history(history, language) if history else ()
    with opened_engine(settings, engine, base, quantize, url, model) as loaded:
        from assistant.core import history_after
        from assistant.create import create_assistant

        assistant = create_assistant(settings, loaded)
        tell_failures(assistant.plugins)
        if application is not None:
            find_application(assistant.applications, application)
        request = Request(message, turns, attached, application, language)
        *_, reply = assistant.reply(request)
    if as_json:
        answer = {"history": to_json(history_after(request, reply)), **formats.as_json(reply)}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        _print(reply)
    if reply.failed:
        click.get_current_context().exit(1)


def _read_history(path: Path, language: str) -> tuple[Turn, ...]:
    from assistant.conversation import from_json

    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"The conversation {path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"The conversation {path.name} is no JSON: {error}.") from error
    if isinstance(content, dict) and "history" in content:
        content = content["history"]
    return from_json(content, language=language)


def _print(reply: Reply) -> None:
    """The reply as a person reads it; on stderr when it says what went wrong."""
    from assistant.applications import Citation, Labels, Suggestions, Table

    click.echo(reply.text, err=reply.failed)
    for part in reply.parts:
        match part:
            case Labels():
                width = max((len(score.label) for score in part.scores), default=0)
                for score in part.scores:
                    click.echo(f"  {score.label:{width}}  {score.probability:6.1%}")
            case Suggestions():
                for option in part.options:
                    named = "" if option.label == option.message else f"{option.label}: "
                    click.echo(f"  {named}{option.message}")
            case Citation():
                click.echo(f"  “{part.quote}” ({part.document}, page {part.page})")
            case Table():
                for row in (part.columns, *part.rows):
                    click.echo("  " + " | ".join(row))
    if reply.route.application:
        answered = [reply.route.application, reply.adapter or "no adapter", f"{reply.milliseconds:.0f} ms"]
        click.echo(f"[{' · '.join(answered)}] {reply.route.reason}")
