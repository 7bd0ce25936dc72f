"""The plugins in tests/plugins: one for each way to fail, and good ones."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

from assistant.plugins import PluginManager, PluginRecord

FOLDER = Path(__file__).parent / "plugins"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "skill")


def points(*names: str) -> list[EntryPoint]:
    return [EntryPoint(name, name, "assistant") for name in names]


def record(plugins: PluginManager, name: str) -> PluginRecord:
    return next(record for record in plugins.records if record.name == name)
