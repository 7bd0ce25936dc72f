"""The group of commands: help, wrong usage, defects."""

import subprocess
import sys
from collections.abc import Iterator
from typing import get_args

import click
import pytest
from cli_site import refused
from click.testing import CliRunner

from assistant import __version__
from assistant.cli import main, shared
from assistant.create import EngineName
from assistant.engine.causal.quantization import QUANTIZATIONS
from assistant.workshop.prediction import MethodName


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_imports_nothing_heavy_for_help_and_version(option):
    program = (
        "import sys\nfrom assistant.cli import main\n"
        f"try: main([{option!r}])\nexcept SystemExit: pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "peft", "gradio", "pydantic", "sklearn", "scipy", "numpy", "yaml"}
    assert not heavy & set(done.stderr.split())
    assert (__version__ if option == "--version" else "predict") in done.stdout


def groups(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from groups(command, (*path, name))


@pytest.mark.parametrize("path", list(groups(main)), ids=" ".join)
def test_the_list_of_commands_ends_each_summary_with_its_sentence(path):
    listed = CliRunner().invoke(main, [*path, "--help"], terminal_width=80).stdout.partition("Commands:")[2]
    lines = listed.strip().splitlines()
    assert lines
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


def test_choices_are_those_of_the_library():
    assert get_args(EngineName) == shared.ENGINES
    assert get_args(MethodName) == shared.METHODS
    assert QUANTIZATIONS == shared.QUANTIZATIONS


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "x"], ["ask"], ["predict", "mood", "x.jsonl"]]
)
def test_wrong_usage_exits_with_2(arguments):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_a_defect_is_a_sentence_and_with_debug_a_traceback(assistant, monkeypatch):
    def broken(*_: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("assistant.installed.installed", broken)
    refused(assistant("plugins", "list", "--offline"), "RuntimeError: first line.", "--debug")
    with pytest.raises(RuntimeError, match="first line"):
        CliRunner().invoke(main, ["--debug", "plugins", "list", "--offline"], catch_exceptions=False)


def test_a_wrong_environment_is_a_sentence(assistant, monkeypatch):
    monkeypatch.setenv("ONEBASE_ADAPTER_BYTES", "much")
    refused(assistant("plugins"), "ONEBASE_ADAPTER_BYTES", "'much'")
    monkeypatch.delenv("ONEBASE_ADAPTER_BYTES")
    monkeypatch.setenv("ONEBASE_SELECTION", "best")
    refused(assistant("plugins"), "ONEBASE_SELECTION", "'best'", "fixed or similar")
