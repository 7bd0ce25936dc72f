"""An assistant from settings: the one place that knows engine, plugins and router together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from assistant.core import Assistant, offered
from assistant.engine import embedded
from assistant.engine.base import Engine
from assistant.payload import MessageReader
from assistant.plugins import PluginManager
from assistant.routing import Router
from assistant.settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from assistant.engine.causal.quantization import Quantization

# `echo` answers without a model: for plugin authors and tests. `openai` is a server elsewhere.
EngineName: TypeAlias = Literal["encoder", "echo", "openai"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


def create_engine(
    settings: Settings,
    name: EngineName = "encoder",
    base: str = EMBEDDED,
    quantize: Quantization = "auto",
    url: str = "",
    model: str = "",
) -> Engine:
    """The engine, loaded; who creates it closes it.

    `base` is "embedded", or a folder or hub id of a causal language model, which is then quantized as said. `url` and
    `model` are those of a server. Raises BaseModelError when the base is missing, cannot be fetched, or is not what it
    should be, and EngineError when the server cannot be used.
    """
    if name == "echo":
        from assistant.engine.echo import EchoEngine

        return EchoEngine()
    from assistant.engine.encoder import EncoderEngine  # late: it imports torch

    if name == "openai":
        from assistant.engine.remote import RemoteEngine

        encoder = EncoderEngine(settings.adapter_bytes)
        key, shots, selection = settings.api_key, settings.shots, settings.selection
        return RemoteEngine(url, model, encoder, key, shots=shots, selection=selection)
    if embedded.is_embedded(base):
        return EncoderEngine(settings.adapter_bytes)
    from assistant.engine.causal.engine import CausalEngine
    from assistant.engine.causal.loading import load_base

    loaded = load_base(base, quantize)
    return CausalEngine(loaded, EncoderEngine(settings.adapter_bytes), settings.shots, settings.selection)


def create_assistant(
    settings: Settings, engine: Engine, entry_points: Iterable[EntryPoint] | None = None
) -> Assistant:
    """An assistant on this engine with the installed plugins, or those of the entry points. What a broken plugin
    raises is kept in its record."""
    plugins = PluginManager(settings, entry_points)
    engine.prepare(plugins.applications.values())
    encoder = engine.encoder
    reader = MessageReader(encoder) if encoder and "multitask" in encoder.operations else None
    router = Router(engine, offered(plugins.applications, engine), reader, settings.home / "routing")
    return Assistant(engine, plugins, router, settings)
