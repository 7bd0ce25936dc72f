"""The wheel and the example plugins in a new environment, outside the tree, by command line and by page.

The environment is bare but for a path to the libraries of this one, so nothing is fetched.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from gradio_client import Client

pytestmark = pytest.mark.installation

ROOT = Path(__file__).parents[1]
# What the wheel is made of.
SOURCES = ("assistant", "plugins", "prompts", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
NOT_SOURCES = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".*")
NO_PLUGIN = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "no-plugin-at-all"
version = "1"
[tool.setuptools]
packages = []
"""


class Environment:
    """A new Python environment in a folder, with commands to run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        hidden = {"PYTHONPATH", "ONEBASE_PLUGINS", "ONEBASE_STRICT"}
        self.variables = {name: value for name, value in os.environ.items() if name not in hidden} | {
            "ONEBASE_HOME": str(folder / "home"),
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_NO_CACHE_DIR": "1",
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        (site,) = (folder / "venv").rglob("site-packages")
        (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")

    def run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in its folder."""
        return subprocess.run(
            [self.bin / program, *map(str, arguments)],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def assistant(self, *arguments: object) -> str:
        """What the command prints; it has to succeed."""
        done = self.run("assistant", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel, built from a copy of the tree, and the three example plugins."""
    folder = tmp_path_factory.mktemp("installation")
    environment = Environment(folder)
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        options = {"ignore": NOT_SOURCES} if (ROOT / name).is_dir() else {}
        (folder / "source").mkdir(exist_ok=True)
        copy(ROOT / name, folder / "source" / name, **options)
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    built = environment.run("python", *pip, "wheel", "--no-deps", "--wheel-dir", folder, folder / "source")
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("onebase-*.whl")
    done = environment.run("python", *pip, "install", "--no-deps", "--force-reinstall", wheel)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder / "source")
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=NOT_SOURCES)
    archive = shutil.make_archive(str(folder / "language"), "zip", folder / "examples", "onebase-language")
    examples = folder / "examples"
    for target in (examples / "onebase-banking", archive, examples / "onebase-privacy"):
        said = environment.assistant("install", target)
        assert "is installed. A page that is being served has to be restarted" in said
    return environment


def test_everything_comes_from_the_new_environment(environment: Environment) -> None:
    program = (
        "import assistant, assistant_plugins, onebase_banking\n"
        "print(*(module.__path__[0] for module in (assistant, assistant_plugins, onebase_banking)))"
    )
    paths = environment.run("python", "-c", program).stdout.split()
    assert len(paths) == 3 and all(path.startswith(str(environment.folder / "venv")) for path in paths), paths


def test_the_plugins_are_listed(environment: Environment) -> None:
    records = {
        record["name"]: record for record in json.loads(environment.assistant("plugins", "list", "--json"))
    }
    states = {name: (records[name]["state"], records[name]["distribution"]) for name in records}
    assert {name: states[name] for name in ("banking", "language", "privacy", "nli")} == {
        "banking": ("active", "onebase-banking"),
        "language": ("active", "onebase-language"),
        "privacy": ("active", "onebase-privacy"),
        "nli": ("active", "onebase"),
    }
    assert records["privacy"]["hooks"] == ["review_message"]
    assert re.search(r"banking: lora, [\d.]+ MB, clinc150: accuracy \d", environment.assistant("plugins"))


def test_the_page_answers_with_them(environment: Environment) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with page(environment, port) as client:
        banking = client.predict("/banking I lost my card", api_name="/ask")
        assert banking["application"] == "banking" and banking["text"].startswith("This is about a card")
        language = client.predict(
            "Which language is this? “Guten Morgen, wie geht es Ihnen?”", api_name="/ask"
        )
        assert language["text"] == "This is German."
        private = client.predict("/sentiment I loved it, write to jane@example.org", api_name="/ask")
        assert "your message holds an e-mail address" in private["text"]


class page:  # noqa: N801  (reads as what it is: `with page(…) as client`)
    """A served page and a client of it; the server ends with the block."""

    def __init__(self, environment: Environment, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.server = subprocess.Popen(
            [environment.bin / "assistant", "serve", "--port", str(port)],
            cwd=environment.folder,
            env=environment.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Client:
        assert self.server.stdout
        for line in self.server.stdout:
            if line.startswith("OneBase is at"):
                return Client(self.url, verbose=False)
        raise AssertionError("The page did not start.")

    def __exit__(self, *_: object) -> None:
        self.server.terminate()
        self.server.wait(30)
        if self.server.stdout:
            self.server.stdout.close()


def test_a_new_plugin_passes_its_own_tests_and_can_be_installed(environment: Environment) -> None:
    environment.assistant("new-plugin", "first-line")
    folder = environment.folder / "onebase-first-line"
    assert "all is well" in environment.assistant("check", folder, "--engine", "echo")
    assert "first-line is installed" in environment.assistant("install", folder)
    tests = environment.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", folder / "pyproject.toml", folder
    )
    assert tests.returncode == 0 and "2 passed" in tests.stdout, tests.stdout + tests.stderr
    answer = environment.assistant("ask", "--engine", "echo", "/first-line It rained. We stayed.")
    assert answer.startswith("It rained.\n")


def test_what_is_no_plugin_is_removed_again(environment: Environment) -> None:
    folder = environment.folder / "other"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(NO_PLUGIN)
    done = environment.run("assistant", "install", folder)
    assert done.returncode == 1 and done.stderr.endswith(
        "Error: no-plugin-at-all is no plugin: it has no entry point in the group 'assistant'. It was removed again.\n"
    )
    assert environment.run("python", "-m", "pip", "show", "--quiet", "no-plugin-at-all").returncode == 1


def test_uninstalling(environment: Environment) -> None:
    kept = environment.run("assistant", "uninstall", "language")  # nobody says yes
    assert kept.returncode == 1 and "Remove onebase-language (plugins: language)?" in kept.stderr
    assert environment.assistant("uninstall", "language", "--yes").startswith(
        "onebase-language is uninstalled."
    )
    listed = environment.assistant("plugins", "list", "--offline")
    assert "onebase-language" not in listed and "onebase-banking" in listed
