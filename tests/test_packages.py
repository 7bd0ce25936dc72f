"""Installing and removing plugins: what is refused, and what pip's complaints become.

Nothing is installed into the environment of the tests; `test_installation.py` does that in one of its own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assistant import packages
from assistant.cli import main
from assistant.installed import changed
from assistant.plugins import PluginManager
from assistant.settings import Settings
from assistant.web.language import strings_for
from assistant.web.plugins import plugins_html

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "onebase-test-of-pip"
version = "1"
dependencies = [{dependency!r}]
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    for name, value in {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 1
    error = result.stderr.splitlines()[-1]
    assert error.startswith("Error: ") and all(word in error for word in words), result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("./nowhere", "There is no file or folder './nowhere'."),
        ("nowhere.zip", "There is no file or folder 'nowhere.zip'."),
        ("empty", "The folder 'empty' has no pyproject.toml"),
        ("notes.txt", "notes.txt is no archive of a plugin; expected .zip, .whl, .tar.gz."),
        ("two words", "'two words' is no package"),
        (".", "The folder '.' has no pyproject.toml"),
    ],
)
def test_what_cannot_be_installed_is_refused_before_pip_is_asked(run, tmp_path, target, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    refused(run("install", target), said)


def test_an_option_of_pip_is_no_package(run):
    refused(run("install", "--", "--index-url=http://example.org"), "There is no file or folder")
    refused(run("install", "--", "-rrequirements.txt"), "is no package")


@pytest.mark.parametrize(
    ("dependency", "words"),
    [
        (
            "numpy<1.20",
            ("needs other versions than this assistant runs with", "numpy<1.20", "(constraint) numpy=="),
        ),
        ("a-package-that-nobody-has", ("There is no package a-package-that-nobody-has",)),
    ],
)
def test_what_does_not_fit_is_not_installed(run, tmp_path, dependency, words):
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin/pyproject.toml").write_text(PROJECT.format(dependency=dependency))
    refused(run("install", "plugin"), "plugin was not installed.", *words)
    assert packages.plugins_of("onebase-test-of-pip") == ()


def test_an_archive_that_is_none(run, tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no archive")
    refused(run("install", "x.zip"), "x.zip was not installed. pip says:")


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ("/bin/python: No module named pip\n", "This Python environment has no pip."),
        ("WARNING: x\nERROR: No space left on device.\n", "pip says: No space left on device."),
        ("", "pip gave no reason."),
        (
            "WARNING: Retrying after connection broken by …\nERROR: No matching distribution found for onebase-x\n",
            "No package index could be reached to look for onebase-x.",
        ),
    ],
)
def test_reasons(errors, reason):
    assert packages._reason(errors, "") == reason


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("numpy", "numpy is a package but no plugin; it stays."),
        ("sentiment", "sentiment is part of onebase; `assistant plugins disable`"),
        ("onebase", "onebase is part of onebase"),
        ("sentimnet", "No plugin is called 'sentimnet'; did you mean 'sentiment'?"),
    ],
)
def test_what_is_no_plugin_from_elsewhere_stays(run, name, said):
    refused(run("uninstall", name), said)


# --- the running page ---------------------------------------------------------------------------------------


def test_a_running_assistant_knows_what_changed_since_its_start(tmp_path, monkeypatch):
    assert PluginManager(Settings(home=tmp_path), [EntryPoint("x", "nowhere", "assistant")]).changed == ()
    plugins = PluginManager(Settings(home=tmp_path, allowed_plugins=frozenset()))
    assert plugins.changed == ()
    metadata = tmp_path / "site/onebase_shout-1.2.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: onebase-shout\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[assistant]\nshout = nowhere\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert plugins.changed == ("shout",)
    later = PluginManager(Settings(home=tmp_path, allowed_plugins=frozenset()))
    shutil.move(metadata, tmp_path / "site/onebase_shout-1.3.dist-info")
    (tmp_path / "site/onebase_shout-1.3.dist-info/METADATA").write_text("Name: onebase-shout\nVersion: 1.3\n")
    assert changed(later.records) == ("shout",)


@pytest.mark.parametrize("language", ["en", "pt"])
def test_the_page_says_so(language):
    strings = strings_for(language)
    html = plugins_html((), strings, errors=True, changed=("<shout>",))
    assert "&lt;shout&gt;" in html and 'role="status"' in html
    assert 'role="status"' not in plugins_html((), strings, errors=True)


def test_no_command_line_imports_pip_or_packaging():
    program = (
        "import sys\nfrom assistant.cli import main\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'pip', 'packaging', 'pytest'})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
