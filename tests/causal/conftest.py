"""A small causal base for each module of tests, and the adapters of its skills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from causal_folders import PROMPTS, TASKS, skill, write_base, write_lora
from engine_conformance import AdapterFor

from assistant.engine.base import Operation
from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.echo import EchoEngine
from assistant.prompts import load_prompt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


@pytest.fixture(scope="module")
def engine(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CausalEngine]:
    engine = CausalEngine(load_base(str(folder), "none"), EchoEngine(), shots=1)
    root = tmp_path_factory.getbasetemp()
    engine.prepare([skill(name, task, root / name / "adapter") for name, task in TASKS.values()])
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def adapter_for(tmp_path_factory: pytest.TempPathFactory) -> AdapterFor:
    root = tmp_path_factory.getbasetemp()

    def of(operation: Operation) -> Path | None:
        return root / TASKS[operation][0] / "adapter" if operation in TASKS else None

    return of


@pytest.fixture(scope="module")
def lora(engine: CausalEngine, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter to classify sentiment with."""
    labels = tuple(load_prompt(PROMPTS / "sentiment", "en").labels)
    path = tmp_path_factory.mktemp("lora") / "one"
    return write_lora(path, folder, engine.info.sha256, PROMPTS / "sentiment", labels, 1)
