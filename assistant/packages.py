"""Installing and removing plugins: pip underneath, in the environment that this program runs in.

What is installed already stands as a constraint, so a plugin comes with versions that the assistant runs with, or not
at all. Nothing here imports a plugin; a running assistant loads what was installed at its next start.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from assistant import installed
from assistant.errors import PluginError

HOST = "onebase"  # the distribution that brings the assistant itself and the plugins shipped with it
ARCHIVES = (".zip", ".whl", ".tar.gz")

_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--no-color")
_CONFLICT = re.compile(r"^    (?P<line>\S.*)$", re.MULTILINE)
_MISSING = re.compile(r"No matching distribution found for (?P<what>.+)")


def install(target: str, tell: Callable[[str], object] = lambda line: None) -> tuple[str, ...]:
    """Install or update a plugin from a package index, a folder or an archive; the names of its plugins.

    `tell` gets pip's lines as they come. Raises PluginError for what cannot be installed, for what does not fit the
    versions that are installed, and for a package that is no plugin; the last one is removed again.
    """
    requirement = _requirement(target)
    before = _versions()
    with TemporaryDirectory() as folder:
        constraints, report = Path(folder) / "constraints.txt", Path(folder) / "report.json"
        constraints.write_text("".join(f"{line}\n" for line in _constraints(before)), encoding="utf-8")
        options = ("--upgrade", "--progress-bar", "off", "--constraint", constraints, "--report", report)
        status, output, errors = _pip("install", *map(str, options), "--", requirement, tell=tell)
        if status:
            raise PluginError(f"{target} was not installed. {_reason(errors, output)}")
        changes = json.loads(report.read_text(encoding="utf-8"))["install"]
    names = [item["metadata"]["name"] for item in changes if item["requested"]]
    name = names[0] if names else Requirement(requirement).name
    if plugins := plugins_of(name):
        return plugins
    removed = ""
    if canonicalize_name(name) not in before:
        _pip("uninstall", "--yes", "--", name)
        removed = " It was removed again."
    raise PluginError(
        f"{name} is no plugin: it has no entry point in the group {installed.GROUP!r}.{removed}"
    )


def uninstall(name: str, tell: Callable[[str], object] = lambda line: None) -> None:
    """Remove the distribution with this name. Raises PluginError when pip cannot; see `plugin_distribution`."""
    status, output, errors = _pip("uninstall", "--yes", "--", name, tell=tell)
    if status:
        raise PluginError(f"{name} was not uninstalled. {_reason(errors, output)}")


def plugin_distribution(name: str) -> str:
    """The distribution that brings a plugin, by the plugin's name or its own.

    Raises PluginError for what is no plugin, and for one that is part of the assistant.
    """
    owners = {point.name: point.dist.name for point in installed.entry_points() if point.dist}
    by_distribution = {canonicalize_name(owner): owner for owner in owners.values()}
    found = owners.get(name) or by_distribution.get(canonicalize_name(name))
    if found is None:
        if canonicalize_name(name) in _versions():
            raise PluginError(f"{name} is a package but no plugin; it stays.")
        raise installed.unknown_plugin(name, owners)
    if canonicalize_name(found) == HOST:
        raise PluginError(f"{name} is part of {HOST}; `assistant plugins disable` switches a plugin off.")
    return found


def plugins_of(distribution: str) -> tuple[str, ...]:
    """The names of the plugins that an installed distribution brings; none when it is not installed."""
    importlib.invalidate_caches()
    try:
        points = metadata.distribution(distribution).entry_points
    except metadata.PackageNotFoundError:
        return ()
    return tuple(sorted(point.name for point in points.select(group=installed.GROUP)))


def _requirement(target: str) -> str:
    """What pip is asked for: an absolute path, or a requirement. Raises PluginError for anything else."""
    path = Path(target).expanduser()
    if path.is_dir():
        if not any((path / name).is_file() for name in ("pyproject.toml", "setup.py")):
            raise PluginError(f"The folder {target!r} has no pyproject.toml; expected a plugin's folder.")
        return str(path.resolve())
    if path.is_file():
        if not path.name.lower().endswith(ARCHIVES):
            raise PluginError(f"{path.name} is no archive of a plugin; expected {', '.join(ARCHIVES)}.")
        return str(path.resolve())
    if "/" in target or "\\" in target or target.lower().endswith(ARCHIVES):
        raise PluginError(f"There is no file or folder {target!r}.")
    try:
        return str(Requirement(target))
    except InvalidRequirement:
        raise PluginError(
            f"{target!r} is no package; expected a name such as onebase-x, a folder or an archive."
        ) from None


def _versions() -> dict[str, str]:
    """The version of each installed distribution by its normalized name; of two, the one that is imported."""
    importlib.invalidate_caches()
    versions: dict[str, str] = {}
    for distribution in metadata.distributions():
        # A damaged installation has metadata without a name.
        if name := distribution.metadata["Name"]:
            versions.setdefault(canonicalize_name(name), distribution.version)
    return versions


def _constraints(versions: Mapping[str, str]) -> Iterator[str]:
    """`name==version` for everything installed but plugins from elsewhere, which may be updated."""
    plugins = {canonicalize_name(point.dist.name) for point in installed.entry_points() if point.dist}
    for name, version in sorted(versions.items()):
        if name != HOST and name in plugins:
            continue
        try:
            yield str(Requirement(f"{name}=={version}"))
        except InvalidRequirement:
            continue  # pip could not read it either, and would refuse every installation


def _pip(
    command: str, *arguments: str, tell: Callable[[str], object] = lambda line: None
) -> tuple[int, str, str]:
    """Run pip; its exit status, and what it wrote to stdout and stderr."""
    with (
        TemporaryFile("w+", encoding="utf-8", errors="replace") as errors,
        subprocess.Popen(  # noqa: S603  (this Python's pip, and what `_requirement` has read)
            (*_PIP, command, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            tell(line.rstrip())
        process.wait()
        errors.seek(0)
        return process.returncode, "".join(lines), errors.read()


def _reason(errors: str, output: str) -> str:
    """What went wrong, as one sentence, from what pip wrote to stderr and stdout."""
    if "No module named pip" in errors:
        return "This Python environment has no pip."
    if "ResolutionImpossible" in errors:
        return f"It needs other versions than this assistant runs with: {_conflict(output)}."
    if missing := _MISSING.search(errors):
        what = missing["what"].strip()
        if "connection" in errors.lower():
            return f"No package index could be reached to look for {what}."
        return f"There is no package {what} for this Python where pip looks for packages."
    lines = [line.partition(":")[2].strip() for line in errors.splitlines() if re.match("(?i)error:", line)]
    return f"pip says: {lines[-1].rstrip('.')}." if lines else "pip gave no reason."


def _conflict(output: str) -> str:
    """The requirements that contradict each other, as pip lists them."""
    return "; ".join(dict.fromkeys(match["line"].strip() for match in _CONFLICT.finditer(output)))[:300]
