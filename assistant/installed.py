"""Which plugins are installed, and which of them are switched off: all without importing one.

A plugin that breaks the start can therefore still be found and disabled. The list of disabled plugins is
`plugins.json` in the settings' home: `{"disabled": ["name", …]}`.
"""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeAlias

from assistant.errors import AssistantError, PluginError
from assistant.settings import Settings

# The entry-point group that plugins register under.
GROUP = "assistant"

# installed: found, not imported yet. blocked: by ONEBASE_PLUGINS. failed: could not be loaded, or hangs.
PluginState: TypeAlias = Literal["installed", "active", "disabled", "blocked", "failed"]


@dataclass(frozen=True)
class PluginRecord:
    """What is known of one plugin. `error` is a sentence on its latest failure; `applications` and `methods` are
    ids."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...] = ()
    state: PluginState = "installed"
    error: str = ""
    traceback: str = ""
    applications: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


def entry_points(given: Iterable[metadata.EntryPoint] | None = None) -> tuple[metadata.EntryPoint, ...]:
    """The given entry points (None: the installed ones), in the order in which they are loaded: by name."""
    found = metadata.entry_points(group=GROUP) if given is None else given
    return tuple(sorted(found, key=lambda point: (point.name, _distribution(point), point.value)))


def record(point: metadata.EntryPoint, settings: Settings, disabled: frozenset[str]) -> PluginRecord:
    """The record of a plugin that has not been imported: installed, disabled or blocked."""
    allowed = settings.allowed_plugins is None or point.name in settings.allowed_plugins
    state: PluginState = "installed"
    if not allowed or point.name in settings.blocked_plugins:
        state = "blocked"
    elif point.name in disabled:
        state = "disabled"
    version = point.dist.version if point.dist else ""
    return PluginRecord(point.name, _distribution(point), version, state=state)


def installed(
    settings: Settings, given: Iterable[metadata.EntryPoint] | None = None
) -> tuple[PluginRecord, ...]:
    """A record for each installed plugin. Raises AssistantError when the list of disabled ones is damaged."""
    disabled = DisabledPlugins(settings.home).names()
    return tuple(record(point, settings, disabled) for point in entry_points(given))


def changed(
    loaded: Iterable[PluginRecord], given: Iterable[metadata.EntryPoint] | None = None
) -> tuple[str, ...]:
    """The plugins that were installed, updated or removed since these were loaded, by name."""
    then = {(record.name, record.distribution, record.version) for record in loaded}
    now = {
        (point.name, _distribution(point), point.dist.version if point.dist else "")
        for point in entry_points(given)
    }
    return tuple(sorted({name for name, *_ in then ^ now}))


class DisabledPlugins:
    """The names in `plugins.json`. Every method raises AssistantError when the file cannot be used."""

    def __init__(self, home: Path) -> None:
        self.path = home / "plugins.json"

    def names(self) -> frozenset[str]:
        """The disabled plugins; none when there is no file."""
        try:
            names = json.loads(self.path.read_text(encoding="utf-8"))["disabled"]
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise TypeError("the names are no list of texts")
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise AssistantError(f"The plugin list {self.path} cannot be read: {error.strerror}.") from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise AssistantError(
                f'The plugin list {self.path} is damaged; expected {{"disabled": [names]}}. '
                "Mend or delete it; without it every plugin is enabled."
            ) from error
        return frozenset(names)

    def disable(self, name: str, known: Iterable[str]) -> None:
        """Load the plugin no more from the next start on. Raises PluginError for a name not in `known`."""
        if name not in (known := set(known)):
            raise unknown_plugin(name, known)
        self._write(self.names() | {name})

    def enable(self, name: str, known: Iterable[str]) -> None:
        """Undo `disable`. A name that is disabled but not installed any more may be enabled too."""
        disabled = self.names()
        if name not in (known := disabled.union(known)):
            raise unknown_plugin(name, known)
        self._write(disabled - {name})

    def _write(self, names: Iterable[str]) -> None:
        """Replace the file in one step, so that a crash leaves the old list or the new one."""
        text = json.dumps({"disabled": sorted(names)}, indent=2, ensure_ascii=False) + "\n"
        temporary: Path | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=self.path.parent, prefix="plugins-", delete=False
            ) as file:
                temporary = Path(file.name)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError as error:
            if temporary:
                temporary.unlink(missing_ok=True)
            raise AssistantError(
                f"The plugin list {self.path} cannot be written: {error.strerror}."
            ) from error


def disable(name: str, settings: Settings, given: Iterable[metadata.EntryPoint] | None = None) -> None:
    """Switch an installed plugin off, without importing it, from the next start on."""
    DisabledPlugins(settings.home).disable(name, (point.name for point in entry_points(given)))


def enable(name: str, settings: Settings, given: Iterable[metadata.EntryPoint] | None = None) -> None:
    """Switch a plugin on again from the next start on."""
    DisabledPlugins(settings.home).enable(name, (point.name for point in entry_points(given)))


def unknown_plugin(name: str, known: Iterable[str]) -> PluginError:
    """The error for a name that no plugin has, with the nearest one that there is."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}."
    return PluginError(f"No plugin is called {name!r}; {hint}")


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else ""
