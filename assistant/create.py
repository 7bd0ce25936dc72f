"""An assistant from settings: the one place that knows engine, plugins and router together."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from assistant.core import Assistant
from assistant.engine import embedded
from assistant.engine.base import Engine
from assistant.errors import BaseModelError
from assistant.plugins import PluginManager
from assistant.routing import Router
from assistant.settings import Settings

# `echo` answers without a model: for plugin authors and tests.
EngineName: TypeAlias = Literal["encoder", "echo"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
EMBEDDED = "embedded"


def create_engine(settings: Settings, name: EngineName = "encoder", base: str = EMBEDDED) -> Engine:
    """The engine, loaded; who creates it closes it.

    Raises BaseModelError for another base than the embedded one, or when that is missing or not what it
    should be.
    """
    if base not in (EMBEDDED, embedded.NAME):
        raise BaseModelError(
            f"There is no base {base!r}; this version has the embedded one only ({embedded.NAME})."
        )
    if name == "echo":
        from assistant.engine.echo import EchoEngine

        return EchoEngine()
    from assistant.engine.encoder import EncoderEngine  # late: it imports torch

    return EncoderEngine(settings.adapter_bytes)


def create_assistant(settings: Settings, engine: Engine) -> Assistant:
    """An assistant on this engine with the installed plugins. What a broken plugin raises is kept in its
    record."""
    plugins = PluginManager(settings)
    return Assistant(engine, plugins, Router(engine, plugins.applications), settings)
