"""A Hugging Face Space: this repository is one, and `assistant space` writes one with chosen plugins.

A Space installs requirements.txt before any other file is there, so it cannot install this project or a plugin
that needs it. Both therefore lie in the Space as they lie in site-packages, with their `.dist-info` beside them:
what Python finds there counts as installed.
"""

from __future__ import annotations

import atexit
import csv
import difflib
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module, metadata
from pathlib import Path, PurePosixPath
from string import Template

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from assistant.engine.causal import zero_gpu
from assistant.engine.embedded import is_embedded
from assistant.errors import AssistantError, PluginError
from assistant.installed import unknown_plugin
from assistant.plugins import PluginManager
from assistant.settings import EMBEDDED, Settings

DISTRIBUTION = "onebase"
PACKAGES = ("assistant", "assistant_plugins", "assistant_prompts")
# What free Spaces run (ZeroGPU has this one and 3.10).
PYTHON = "3.12"
# The versions of `spaces` whose decorator was read.
SPACES = ">=0.51,<1"
APP = Template('''"""The page for strangers, on the port that the Space names."""

import os

from assistant.cli import main

# One proxy stands before a Space and says who the visitor is.
os.environ.setdefault("ONEBASE_PROXIES", "1")
port = os.environ.get("GRADIO_SERVER_PORT", "7860")
main(["serve", "--public", "--host", "0.0.0.0", "--port", port, "--base", $base])
''')


def write_space(
    folder: Path, plugins: Sequence[str] = (), base: str = EMBEDDED, settings: Settings | None = None
) -> None:
    """Write a Space that runs `base` with the built-in applications and these installed plugins: all of it or
    nothing.

    `plugins` are names as `assistant plugins` lists them, or distributions. Raises AssistantError when the
    folder holds something, and PluginError for a plugin that is not installed, does not work or has no files
    of its own to copy.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AssistantError(f"{folder} is there already; expected a new or an empty folder.")
    chosen = _chosen(plugins, settings or Settings.from_environment())
    own = metadata.distribution(DISTRIBUTION)
    needed = [*(own.requires or ()), *(each for dist in chosen for each in dist.requires or ())]
    pinned = pins(needed, without={DISTRIBUTION, *(dist.name for dist in chosen)})
    if not is_embedded(base):
        pinned.append(_zero_gpu())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        new = Path(name) / "space"
        new.mkdir()
        _copy_own(own, new)
        for dist in chosen:
            _copy(dist, new)
        (new / "requirements.txt").write_text("\n".join(pinned) + "\n", encoding="utf-8")
        (new / "app.py").write_text(APP.substitute(base=repr(base)), encoding="utf-8")
        (new / "README.md").write_text(_readme(chosen, base, pinned), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        new.rename(folder)


def pins(requirements: Iterable[str], without: Iterable[str] = ()) -> list[str]:
    """`name==version` of everything that these requirements need, as it is installed here, sorted by name.

    A local version such as 2.13.0+cpu is pinned as 2.13.0. Raises AssistantError when something is missing.
    """
    found: dict[str, str] = {}
    left_out = {canonicalize_name(name) for name in without}
    waiting = [(Requirement(each), frozenset[str]()) for each in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, extras = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen or name in left_out or not _wanted(requirement, extras):
            continue
        seen.add(key)
        try:
            dist = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            raise AssistantError(
                f"{requirement} is needed but not installed here, so it cannot be pinned."
            ) from error
        found[name] = f"{name}=={Version(dist.version).public}"
        waiting += [(Requirement(each), key[1]) for each in dist.requires or ()]
    return [found[name] for name in sorted(found)]


def use_source_tree(root: Path) -> None:
    """Make an uninstalled copy of this repository count as installed for this process. Needs Python 3.11.

    That is what an editable install does too: the packages under their names, and the metadata that name the
    plugins, in a folder that Python looks into.
    """
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    name, version = project["project"]["name"], project["project"]["version"]
    folder = Path(tempfile.mkdtemp(prefix="onebase-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for package, path in project["tool"]["setuptools"]["package-dir"].items():
        (folder / package).symlink_to((root / path).resolve(), target_is_directory=True)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
    )
    groups = project["project"]["entry-points"]
    (info / "entry_points.txt").write_text("".join(map(_section, groups, groups.values())), encoding="utf-8")
    sys.path.insert(0, str(folder))


def _section(group: str, points: Mapping[str, str]) -> str:
    return f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())


def _zero_gpu() -> str:
    """The requirement by which a causal base gets its graphics processor from ZeroGPU; without it the package is of no
    use, so it is seldom installed where a Space is written."""
    try:
        return f"{zero_gpu.PACKAGE}=={metadata.version(zero_gpu.PACKAGE)}"
    except metadata.PackageNotFoundError:
        return f"{zero_gpu.PACKAGE}{SPACES}"


def _wanted(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether a requirement holds here, for a distribution that was asked for with these extras."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _chosen(names: Sequence[str], settings: Settings) -> list[metadata.Distribution]:
    """The distributions of third-party plugins by plugin or distribution name, each once."""
    if not names:
        return []
    records = [r for r in PluginManager(settings).records if r.distribution not in ("", DISTRIBUTION)]
    chosen: dict[str, metadata.Distribution] = {}
    for name in names:
        found = [record for record in records if name in (record.name, record.distribution)]
        if not found:
            raise _not_installed(name, sorted({record.name for record in records}))
        for record in found:
            if record.state != "active":
                raise PluginError(
                    record.error or f"The plugin {record.name!r} is {record.state}; enable it first."
                )
            chosen[record.distribution] = metadata.distribution(record.distribution)
    return list(chosen.values())


def _not_installed(name: str, known: Sequence[str]) -> PluginError:
    """The error for a name, or for a path, that no installed plugin of others has."""
    if difflib.get_close_matches(name, known, n=1):
        return unknown_plugin(name, known)
    others = f"Installed are: {', '.join(known)}." if known else "So far none but the built-in ones is."
    return PluginError(
        f"A Space takes plugins along that are installed here, and {name!r} is not: assistant install {name} first. "
        f"{others}"
    )


def _copy_own(own: metadata.Distribution, folder: Path) -> None:
    """This project, installed or in editable form: its packages, and what of its metadata Python reads."""
    for name in PACKAGES:
        source = Path(next(iter(import_module(name).__path__)))
        shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    info = folder / f"{DISTRIBUTION}-{own.version}.dist-info"
    info.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (info / name).write_text(own.read_text(name) or "", encoding="utf-8")


def _copy(dist: metadata.Distribution, folder: Path) -> None:
    """A plugin's files as its installation lists them. `dist.files` would leave out those that are missing, from Python
    3.12 on."""
    record = csv.reader((dist.read_text("RECORD") or "").splitlines())
    files = [PurePosixPath(row[0]) for row in record if row]
    listed = [file for file in files if ".." not in file.parts and "__pycache__" not in file.parts]
    if '"editable": true' in (dist.read_text("direct_url.json") or "") or not listed:
        raise PluginError(
            f"{dist.name} is installed in editable form; install it with pip install PATH first."
        )
    for file in listed:
        source, target = Path(str(dist.locate_file(str(file)))), folder / file
        if not source.is_file():
            raise PluginError(f"The file {file} of {dist.name} is missing; install it anew.")
        if target.exists():
            raise PluginError(f"{dist.name} brings the file {file}, which is there already.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _summary(dist: metadata.Distribution) -> str:
    return str(dist.metadata.json.get("summary", ""))


def _readme(plugins: Sequence[metadata.Distribution], base: str, pinned: Sequence[str]) -> str:
    """The card of the Space; its head is what Spaces reads."""
    gradio = next(pin.partition("==")[2] for pin in pinned if pin.startswith("gradio=="))
    head: dict[str, object] = {
        "title": "OneBase",
        "emoji": "🧩",
        "colorFrom": "green",
        "colorTo": "gray",
        "sdk": "gradio",
        "sdk_version": gradio,
        "python_version": PYTHON,
        "app_file": "app.py",
        "license": "apache-2.0",
    }
    if not is_embedded(base):
        head["preload_from_hub"] = [base]
    lines = [f"- {dist.name} {dist.version}: {_summary(dist)}" for dist in plugins]
    body = ["A chat assistant whose skills are plugins, each a tiny adapter on one shared base model.", ""]
    if lines:
        body += ["With these plugins:", "", *lines, ""]
    return (
        f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n\n# OneBase\n\n"
        + "\n".join(body)
    )
