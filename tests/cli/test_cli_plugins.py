"""`plugins`."""

import json
import logging
import sys

from cli_site import refused


def test_plugins_lists_state_and_hooks(assistant):
    for result in (assistant("plugins"), assistant("plugins", "list")):
        (line,) = [line for line in result.stdout.splitlines() if line.startswith("demo ")]
        assert line.split() == ["demo", "active", "onebase-demo", "1.2", "register_applications"]
    records = {record["name"]: record for record in json.loads(assistant("plugins", "list", "--json").stdout)}
    assert records["demo"]["applications"] == ["mood", "follows", "boom"]


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
