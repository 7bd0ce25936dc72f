"""`plugins`."""

import json
import logging
import os
import re
import shutil
import subprocess
import sys

from adapter_folders import write_adapter
from cli_site import refused

from assistant.engine.adapters import load_adapter
from assistant.engine.base import BaseInfo
from assistant.engine.embedded import SHA256, Dimensions


def test_plugins_lists_state_and_hooks(assistant):
    for result in (assistant("plugins"), assistant("plugins", "list")):
        (line,) = [line for line in result.stdout.splitlines() if line.startswith("demo ")]
        assert line.split() == ["demo", "active", "onebase-demo", "1.2", "register_applications"]
    records = {record["name"]: record for record in json.loads(assistant("plugins", "list", "--json").stdout)}
    assert [told["id"] for told in records["demo"]["applications"]] == ["mood", "follows", "boom"]


MEASURED = {
    "my_mood_accuracy": 0.9,
    "my_mood_accuracy_low": 0.8,
    "my_mood_accuracy_high": 0.95,
    "my_mood_rows": 20.0,
}


def test_plugins_tells_in_json_what_is_known_of_each_adapter(assistant, site):
    folder = site / "demo_plugin" / "adapter"
    shutil.rmtree(folder)
    write_adapter(folder, labels=("bad", "good"), metrics=MEASURED)
    command = "import sys; from assistant.cli import main; main(['plugins', 'list', '--json'], standalone_mode=False)"
    late = "; assert not {'torch', 'gradio', 'transformers'} & set(sys.modules)"
    paths = os.pathsep.join([str(site), *filter(None, sys.path)])
    said = subprocess.run(
        [sys.executable, "-c", command + late],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    (demo,) = (record for record in json.loads(said.stdout) if record["name"] == "demo")
    mood, follows, boom = demo["applications"]
    adapter = mood["adapter"]
    loaded = load_adapter(folder, BaseInfo("base", SHA256, 0, "int8", 0), Dimensions()).info
    assert (adapter["method"], adapter["parameters"], adapter["bytes"]) == (
        "lora", loaded.parameters, loaded.bytes,
    )  # fmt: skip
    assert adapter["metrics"] == MEASURED
    assert adapter["labels"] == ["bad", "good"]
    assert adapter["licence"] == loaded.licence
    assert (mood["title"], mood["task"]) == ("Mood", "text-classification")
    assert str(site) not in json.dumps(demo)
    assert follows["adapter"] is None and "onebase.json" in follows["error"]
    assert boom == {"id": "boom", "title": "Boom", "task": "text-generation", "adapter": None}
    measured = "my mood: accuracy 90.0 (80.0 to 95.0)"
    assert re.search(rf"mood: lora, 0\.\d MB, {re.escape(measured)}\n", assistant("plugins").stdout)
    shown = assistant("plugins", "show", "demo").stdout
    assert f"    {measured}\n" in shown and "    licence: " in shown
    (folder / "head.safetensors").write_bytes(b"nothing")
    records = json.loads(assistant("plugins", "list", "--json").stdout)
    (demo,) = (record for record in records if record["name"] == "demo")
    assert "head.safetensors cannot be read" in demo["applications"][0]["error"]


def test_plugins_shows_the_error_of_a_broken_one(assistant, site, caplog):
    caplog.set_level(logging.CRITICAL)
    (site / "demo_plugin" / "__init__.py").write_text("import nonexistent_module")
    assert "nonexistent_module" in assistant("plugins").stdout
    shown = assistant("plugins", "show", "demo")
    assert shown.exit_code == 0
    assert "Traceback" in shown.stdout and "failed" in shown.stdout
    refused(assistant("plugins", "show", "dmo"), "'dmo'", "demo")
    told = assistant("ask", "/mood x")
    assert told.exit_code == 1
    assert "'demo' could not be loaded" in told.stderr


def test_plugins_are_switched_off_and_on_without_importing_them(assistant, site):
    (site / "demo_plugin" / "__init__.py").write_text("import os; os._exit(3)")
    assert "installed" in assistant("plugins", "list", "--offline").stdout
    assert assistant("plugins", "disable", "demo").exit_code == 0
    assert "disabled" in assistant("plugins", "list").stdout
    assert assistant("plugins", "enable", "demo").exit_code == 0
    assert "installed" in assistant("plugins", "show", "demo", "--offline").stdout
    refused(assistant("plugins", "disable", "dmo"), "'dmo'", "'demo'")
    assert "demo_plugin" not in sys.modules
