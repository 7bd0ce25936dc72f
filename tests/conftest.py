"""Fixtures that many tests share; what takes a second to make is made once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from visitors import Visitor

    from assistant.engine.encoder import EncoderEngine


if "PYTEST_XDIST_WORKER" in os.environ:
    # The cores are shared by processes already; threads of each would only wait for those of others.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
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
    from adapter_folders import BOTTLENECK, write_adapter, write_multitask_adapter

    root = tmp_path_factory.mktemp("adapters")

    def folder(operation: str) -> Path:
        path = root / operation
        if not path.exists():
            if operation == "bottleneck":
                write_adapter(path, "classify", BOTTLENECK, ("a", "b"), seed=1, scale=0.1)
            elif operation == "multitask":
                write_multitask_adapter(path)
            elif operation.startswith("student "):
                write_adapter(path, operation.removeprefix("student "), layers=2)  # type: ignore[arg-type]
            else:
                write_adapter(path, operation)  # type: ignore[arg-type]
        return path

    return folder


@pytest.fixture
def fake_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fake plugins are imported anew for each test; those that hang are let go at its end."""
    from fake_plugins import FOLDER, NAMES

    monkeypatch.syspath_prepend(FOLDER)
    yield
    for name in (*NAMES, "skill"):
        module = sys.modules.pop(name, None)
        if release := getattr(module, "release", None):
            release.set()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from visitors import CHROMIUM, FLAGS, sync_api

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Callable[..., Visitor]]:
    """Open the page as a new visitor; afterwards nothing may have gone wrong in any visitor's browser."""
    from visitors import Visitor

    visitors: list[Visitor] = []

    def opened(width: int = 1200, height: int = 900, **context: Any) -> Visitor:
        made = chromium.new_context(viewport={"width": width, "height": height}, **context)
        visitors.append(Visitor(made, address))
        return visitors[-1]

    yield opened
    for visitor in visitors:
        visitor.context.close()
        assert visitor.complaints == []
