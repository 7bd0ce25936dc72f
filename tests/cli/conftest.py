"""Commands as they are typed, on a plugin installed in a folder of its own and mostly on the echo engine."""

import json
import sys
from pathlib import Path

import pytest
from cli_site import PLUGIN, PROMPT, RECIPE, TEXTS, Assistant, write_jsonl
from click.testing import CliRunner, Result

from assistant.cli import main


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path in which the plugin `demo` is installed, and no other one is allowed."""
    folder = tmp_path / "site"
    package, metadata = folder / "demo_plugin", folder / "onebase_demo-1.2.dist-info"
    for made in (package / "prompts", package / "adapter", package / "entailment", metadata):
        made.mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN)
    (package / "recipe.yaml").write_text(RECIPE)
    (package / "prompts" / "en.yaml").write_text(json.dumps(PROMPT))
    (package / "adapter" / "onebase.json").write_text(
        json.dumps({"name": "mood-echo", "labels": ["bad", "good"], "threshold": 0.55})
    )
    labels = ["entailment", "neutral", "contradiction"]
    (package / "entailment" / "onebase.json").write_text(json.dumps({"labels": labels}))
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: onebase-demo\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[assistant]\ndemo = demo_plugin\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("ONEBASE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEBASE_PLUGINS", "demo")
    monkeypatch.delitem(sys.modules, "demo_plugin", raising=False)
    return folder


@pytest.fixture
def assistant(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assistant:
    """Run a command in `tmp_path`; commands with an engine take the echo engine."""
    monkeypatch.chdir(tmp_path)
    with_engine = {"ask", "route", "predict", "evaluate"}

    def run(*arguments: str, stdin: bytes | None = None) -> Result:
        engine = ("--engine", "echo") if arguments[0] in with_engine else ()
        return CliRunner().invoke(main, [*arguments[:1], *engine, *arguments[1:]], input=stdin)

    return run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "mood"
    folder.mkdir(parents=True)
    rows = [
        {"text": f"{text} {n}", "label": label} for n in range(4) for label in TEXTS for text in TEXTS[label]
    ]
    write_jsonl(folder / "train.jsonl", *rows)
    write_jsonl(folder / "dev.jsonl", *rows[:12])
    return folder
