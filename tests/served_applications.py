"""Small applications behind an assistant, for tests of what is served: no page, no model."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from assistant import Application, InputError, Payload, Request, Route, Text, Vote, hookimpl
from assistant.applications import Labels, LabelScore
from assistant.core import Assistant
from assistant.engine.echo import EchoEngine
from assistant.plugins import PluginManager
from assistant.settings import Limits, Settings


class Length(Application):
    """Says how long a text is; of an empty label it is not sure."""

    id, title, description, task = "length", "Length", "Says how long a text is.", "text-classification"

    def answer(self, request, engine):
        text = request.payload.text("text")
        yield Text(f"It has {len(text)} characters.")
        yield Labels(
            (LabelScore("short", 0.7), LabelScore("long", 0.3)), threshold=0.9 if "?" in text else 0.5
        )
        yield Text(f"It begins with {text[:1]}.")


class Pick(Application):
    """Picks the last of the choices, and says how many there were."""

    id, title, description, task = "pick", "Pick", "Picks an option.", "multiple-choice"
    fields = ("question", "choices")

    def answer(self, request, engine):
        choices = request.payload.fields["choices"]
        yield Text(f"{choices[-1]}, of {len(choices)}.")


class Trouble(Application):
    """Refuses or fails, at once or in the middle, as the text says."""

    id, title, description, task = "trouble", "Trouble", "Goes wrong.", "text-generation"

    def answer(self, request, engine):
        text = request.payload.text("text")
        if "late" in text:
            yield Text("So far, so good.")
        if "refuse" in text:
            raise InputError("This text cannot be worked on.")
        raise RuntimeError("secret detail")


class Slow(Application):
    """Says a word at a time until it is stopped."""

    id, title, description, task = "slow", "Slow", "Takes its time.", "text-generation"
    stopped = threading.Event()

    def answer(self, request, engine):
        try:
            for number in range(400):
                yield Text(f"word {number}")
                time.sleep(0.02)
        finally:
            self.stopped.set()


class Plugin:
    """The applications above, as the plugin that brings them."""

    @staticmethod
    @hookimpl
    def register_applications():
        return [Length(), Pick(), Slow(), Trouble()]


class CommandRouter:
    """Follows the command or the pin, and asks back about anything else."""

    def route(self, request: Request, votes: Sequence[Vote]) -> tuple[Route, Payload | None]:
        if command := re.match(r"/(\w+)\s*(.*)", request.message, re.S):
            return Route(command[1], 1.0, "its command was used"), Payload({"text": command[2]})
        if request.application:
            turns = f"[{len(request.history)}]" if request.history else ""
            return Route(request.application, 1.0, "it was chosen"), Payload(
                {"text": turns + request.message}
            )
        return Route(None, 0.4, "two came close", (("length", 0.4), ("slow", 0.35))), None


def make_assistant(home: Path, proxies: int = 0, **limits: Any) -> Assistant:
    """An assistant with these applications and nothing else."""
    settings = Settings(home=home, limits=Limits(**limits), proxies=proxies)
    point = EntryPoint("served", f"{__name__}:Plugin", "assistant")
    return Assistant(EchoEngine(), PluginManager(settings, [point]), CommandRouter(), settings)


@contextmanager
def listening(application: Any) -> Iterator[str]:
    """The address of an ASGI application that is served on a free port meanwhile."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0)) as free:
        server = uvicorn.Server(uvicorn.Config(application, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{free.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
