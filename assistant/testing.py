"""For the tests of plugins; pytest finds these fixtures when OneBase is installed.

    echo_assistant   makes an assistant on the echo engine, which needs no model, of the named plugin modules
    real_assistant   the same on the real engine
    real_engine      the engine that answers in earnest, loaded once
    echo_engine      the one without a model

Both assistants are strict: what a plugin raises is raised.

    def test_banking(real_engine, echo_assistant):
        check_application(Banking(), real_engine)
        *_, reply = echo_assistant("onebase_banking").reply(Request("/banking I lost my card"))
        assert reply.route.application == "banking"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, TypeAlias

import pytest

from assistant.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from assistant.core import Assistant
    from assistant.engine.base import Engine

__all__ = ["check_application", "echo_assistant", "echo_engine", "real_assistant", "real_engine"]

AssistantOf: TypeAlias = "Callable[..., Assistant]"


def check_application(application: object, engine: Engine) -> None:
    """Fail, with a sentence for each thing that is wrong, when an application does not keep the contract.

    Looked at are its attributes, its adapter, its prompt files, and what it answers its own examples with. On the
    echo engine the adapter's weights are not looked at.
    """
    from assistant.conformance import problems_of_application

    if problems := list(problems_of_application(application, engine)):
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture(scope="session")
def echo_engine() -> Engine:
    """An engine that answers at once, without a model and without sense."""
    from assistant.engine.echo import EchoEngine

    return EchoEngine()


@pytest.fixture(scope="session")
def real_engine() -> Iterator[Engine]:
    """The embedded engine."""
    from assistant.engine.encoder import EncoderEngine

    engine = EncoderEngine()
    yield engine
    engine.close()


@pytest.fixture
def echo_assistant(echo_engine: Engine, tmp_path: Path) -> AssistantOf:
    """Makes an assistant on the echo engine from the names of plugin modules."""
    return lambda *modules: _assistant(echo_engine, tmp_path, modules)


@pytest.fixture
def real_assistant(real_engine: Engine, tmp_path: Path) -> AssistantOf:
    """Makes an assistant on the real engine from the names of plugin modules."""
    return lambda *modules: _assistant(real_engine, tmp_path, modules)


def _assistant(engine: Engine, home: Path, modules: tuple[str, ...]) -> Assistant:
    from assistant.create import create_assistant
    from assistant.installed import GROUP

    points = [EntryPoint(module, module, GROUP) for module in modules]
    return create_assistant(Settings(home=home, strict=True), engine, points)
