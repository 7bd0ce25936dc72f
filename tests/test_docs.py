"""The documents for authors say what is true: code is cut from files that run, hooks are all there."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click
import pytest

from assistant import hookspecs
from assistant.cli import main

ROOT = Path(__file__).parents[1]
CUT = ("docs/plugin-tutorial.md", "docs/hooks.md")
BLOCK = re.compile(r"(?:^<!-- (?P<file>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"(?:^    |`)assistant (?P<words>[a-z-]+[^`\n]*)", re.M)
HOOKS = sorted(name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec"))
HOOKS_PAGE = (ROOT / "docs/hooks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", CUT)
def test_code_is_cut_from_files(page: str) -> None:
    blocks = list(BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")))
    assert blocks
    for block in blocks:
        assert block["file"], f"A block in {page} names no file: {block['code'][:60]}"
        assert "\n" + block["code"] in "\n" + (ROOT / block["file"]).read_text(encoding="utf-8"), block[
            "code"
        ]


@pytest.mark.parametrize("page", CUT)
def test_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []


def test_commands_exist_with_these_options() -> None:
    commands = [
        m["words"] for page in CUT for m in COMMAND.finditer((ROOT / page).read_text(encoding="utf-8"))
    ]
    assert len(commands) >= 6
    for words in commands:
        name, *rest = words.split()
        assert name in main.commands, words
        command = main.commands[name]
        options = {
            name for option in command.params if isinstance(option, click.Option) for name in option.opts
        }
        assert {word for word in rest if word.startswith("--")} <= options, words


def test_every_hook_has_its_section() -> None:
    assert sorted(re.findall(r"^## (\w+)$", HOOKS_PAGE, re.M)) == HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_signature_combining_rule_and_example(hook: str) -> None:
    section = HOOKS_PAGE.split(f"\n## {hook}\n")[1].split("\n## ")[0]
    signature = inspect.signature(getattr(hookspecs, hook))
    assert f"    {hook}{signature}\n".replace("'", "") in section
    said = section.split("**Combining:**")[1].split("\n\n")[0]
    rule = getattr(hookspecs, hook).__doc__.split("Combining:")[1]
    # The first clause of the rule in hookspecs.py, word for word.
    clause = re.split(r"[;.,]", " ".join(rule.split()))[0]
    assert clause in " ".join(said.split())
    assert any(f"def {hook}(" in block["code"] for block in BLOCK.finditer(section))


@pytest.mark.parametrize("hook", HOOKS)
def test_an_example_implements_the_hook(hook: str) -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*/src/*/__init__.py")
    )
    assert f"@hookimpl\ndef {hook}(" in code
