"""The example plugins pass their own tests, as their authors would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from assistant.conformance import problems_of_plugin
from assistant.engine.echo import EchoEngine
from assistant.plugin_source import read_source
from assistant.settings import Settings

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))
each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)


def test_there_is_one_of_each_kind() -> None:
    assert [path.name for path in EXAMPLES] == [
        "onebase-banking",
        "onebase-language",
        "onebase-privacy",
        "onebase-words",
    ]


@each
def test_its_own_tests_pass(example: Path) -> None:
    paths = os.pathsep.join((str(example / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")))
    command = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "assistant.testing",
        "-p",
        "no:cacheprovider",
    )
    done = subprocess.run(
        (*command, "-c", "pyproject.toml", "tests"),
        cwd=example,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@each
def test_it_keeps_the_contract(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = read_source(example)
    for path in source.paths:
        monkeypatch.syspath_prepend(path)
    (point,) = source.entry_points
    assert isinstance(point, EntryPoint)
    assert list(problems_of_plugin(point, EchoEngine(), {}, Settings(home=tmp_path))) == []
