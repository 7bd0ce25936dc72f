"""Fixtures that many tests share; what takes a second to make is made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from assistant.engine.encoder import EncoderEngine


pytest.register_assert_rewrite("engine_conformance")
# A deadline would make a busy machine fail what is right.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def encoder() -> Iterator[EncoderEngine]:
    """The embedded engine."""
    from assistant.engine.encoder import EncoderEngine

    engine = EncoderEngine()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """An adapter folder per operation, made when it is first asked for; "bottleneck" is one to classify with, "student
    …" one on the two lowest layers."""
    from adapter_folders import BOTTLENECK, write_adapter

    root = tmp_path_factory.mktemp("adapters")

    def folder(operation: str) -> Path:
        path = root / operation
        if not path.exists():
            if operation == "bottleneck":
                write_adapter(path, "classify", BOTTLENECK, ("a", "b"), seed=1, scale=0.1)
            elif operation.startswith("student "):
                write_adapter(path, operation.removeprefix("student "), layers=2)  # type: ignore[arg-type]
            else:
                write_adapter(path, operation)  # type: ignore[arg-type]
        return path

    return folder
