"""A plugin's folder as its author has it, not installed: its entry points, and where its code lies."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

from assistant.errors import PluginError
from assistant.installed import GROUP

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT_FILE = "pyproject.toml"


@dataclass(frozen=True)
class PluginSource:
    """What a plugin's `pyproject.toml` says. `paths` have to be on `sys.path` for its modules to be found."""

    distribution: str
    entry_points: tuple[EntryPoint, ...]
    paths: tuple[Path, ...]


def read_source(folder: Path) -> PluginSource:
    """Read a plugin's folder. Raises PluginError for one that is no plugin, or whose package is not there.

    The package is looked for in `src/` and beside `pyproject.toml`.
    """
    path = folder / PROJECT_FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PluginError(
            f"The folder {folder.name!r} has no {PROJECT_FILE}; expected a plugin's folder."
        ) from None
    except (OSError, ValueError) as error:
        raise PluginError(f"{folder.name}/{PROJECT_FILE} cannot be read: {error}.") from None
    project = content.get("project", {})
    points = project.get("entry-points", {}).get(GROUP, {}) if isinstance(project, dict) else {}
    if not isinstance(points, dict) or not points:
        raise PluginError(
            f"{folder.name}/{PROJECT_FILE} has no entry point in [project.entry-points.{GROUP}]; it is no plugin."
        )
    entry_points = tuple(EntryPoint(name, str(value), GROUP) for name, value in sorted(points.items()))
    paths = tuple(dict.fromkeys(_path(folder, point) for point in entry_points))
    return PluginSource(str(project.get("name", folder.name)), entry_points, paths)


def _path(folder: Path, point: EntryPoint) -> Path:
    """The folder from which the entry point's module is imported."""
    top = point.value.partition(":")[0].partition(".")[0].strip()
    for root in (folder / "src", folder):
        if (root / top).is_dir() or (root / f"{top}.py").is_file():
            return root.resolve()
    raise PluginError(
        f"The entry point {point.name!r} names the package {top!r}, which is neither in {folder.name}/src nor in "
        f"{folder.name}."
    )
