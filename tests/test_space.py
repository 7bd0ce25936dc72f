"""Spaces: what one installs agrees with what this project asks for, and the page runs where one runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import httpx
import pytest
import yaml
from click.testing import CliRunner
from gradio_client import Client
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from served_applications import free_port

from assistant.cli import main
from assistant.errors import AssistantError, PluginError
from assistant.settings import Settings
from assistant.space import pins, write_space

tomllib = pytest.importorskip("tomllib", reason="a Space has Python 3.12")
ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def front_matter(readme: Path) -> dict[str, str]:
    return yaml.safe_load(readme.read_text(encoding="utf-8").split("---\n")[1])


def pinned() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


# --- this repository as a Space -----------------------------------------------------------------------------


def test_each_dependency_is_pinned_within_its_range():
    versions = pinned()
    for requirement in map(Requirement, PROJECT["dependencies"]):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} does not allow the pinned {version}"


def test_the_readmes_head_says_what_to_run():
    head = front_matter(ROOT / "README.md")
    assert head["sdk"] == "gradio"
    assert head["sdk_version"] == pinned()["gradio"]
    assert (ROOT / head["app_file"]).is_file()
    assert head["license"] == PROJECT["license"].lower()
    assert isinstance(head["python_version"], str)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("space")


@pytest.fixture(scope="module")
def environment(folder: Path) -> Path:
    """The Python of an environment that holds what requirements.txt names, and nothing else."""
    asked = front_matter(ROOT / "README.md")["python_version"]
    if sys.version_info[:2] > tuple(map(int, asked.split("."))):
        pytest.skip(f"requirements.txt is for a Space, which has Python {asked}; a newer one may need more")
    venv.create(folder / "venv", symlinks=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    for distribution in map(metadata.distribution, pinned()):
        for top in {file.parts[0] for file in distribution.files or ()}:
            if top not in ("..", "__pycache__") and not top.endswith(".pth") and not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))).resolve())
    return folder / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def space(folder: Path, environment: Path) -> Iterator[str]:
    """The address of app.py in a copy of the tree: no install, no hub, no root, and home and tree read-only."""
    tree = folder / "app"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (
            name.startswith(("assistant/", "plugins/", "prompts/", "app.py", "pyproject.toml"))
            and (ROOT / name).exists()
        ):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    for inner in (tree, *filter(Path.is_dir, tree.rglob("*"))):
        inner.chmod(0o555)
    (folder / "cache").mkdir()
    (folder / "home").mkdir(mode=0o555)
    # Root without its capabilities can write no more than anybody can.
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "cache"),
        "HF_HOME": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "GRADIO_SERVER_PORT": str(port := free_port()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*drop, environment, "app.py"], cwd=tree, env=variables, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            while process.poll() is None and not _answers(address):
                time.sleep(0.2)
            assert process.poll() is None, (folder / "log").read_text()
            yield address
        finally:
            process.terminate()
            process.wait()
        assert not list((folder / "home").iterdir())


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.TransportError:
        return False


def test_the_page_runs_as_a_space_runs_it(space: str):
    assert "sentiment" in httpx.get(f"{space}/health").json()["applications"]
    client = Client(space, verbose=False)
    answer = client.predict("/sentiment I loved every minute of it", api_name="/ask")
    client.close()
    assert answer["labels"][0]["label"] == "positive"


def test_the_documented_programs_run(space: str, capsys: pytest.CaptureFixture[str]):
    examples = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.S
    )
    assert len(examples) == 2
    for example in examples:
        exec(example.replace("http://127.0.0.1:7860", space))
    said = capsys.readouterr().out
    assert "sentiment {'label': " in said
    assert len(said.splitlines()) > 1


# --- a Space with plugins -----------------------------------------------------------------------------------

SPAM = """
from assistant import Application, Text, hookimpl

class Spam(Application):
    id, title, description, task = "spam", "Spam", "Finds spam.", "text-classification"
    def answer(self, request, engine):
        yield Text("Spam it is.")

@hookimpl
def register_applications():
    return [Spam()]
"""


@pytest.fixture
def spam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third-party plugin, installed: its folder in site-packages."""
    site = tmp_path / "site"
    files = {
        "onebase_spam/__init__.py": SPAM,
        "onebase_spam/words.txt": "win\n",
        "onebase_spam-1.5.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: onebase-spam\nVersion: 1.5\nSummary: Finds spam.\n"
            "Requires-Dist: onebase>=0.1\nRequires-Dist: sortedcontainers\n"
        ),
        "onebase_spam-1.5.dist-info/entry_points.txt": "[assistant]\nspam = onebase_spam\n",
    }
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    (site / "onebase_spam-1.5.dist-info" / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("ONEBASE_HOME", str(tmp_path / "home"))
    return site


def test_a_space_with_a_plugin_holds_it_whole_and_answers_with_it(tmp_path: Path, spam: Path):
    folder = tmp_path / "my space"
    result = CliRunner().invoke(main, ["space", str(folder), "--plugins", "spam"])
    assert result.exit_code == 0, result.output
    assert "hf upload" in result.output
    assert (folder / "onebase_spam" / "words.txt").read_text() == "win\n"
    assert not list(folder.rglob("__pycache__"))
    requirements = (folder / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("sortedcontainers==") for line in requirements)
    assert not any(line.startswith("onebase") for line in requirements)
    assert "onebase-spam 1.5: Finds spam." in (folder / "README.md").read_text()
    assert front_matter(folder / "README.md")["sdk"] == "gradio"

    shutil.rmtree(spam)
    ask = "from assistant.cli import main; main(['ask', '/spam win', '--engine', 'echo'])"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    said = subprocess.run(
        [sys.executable, "-c", ask], cwd=folder, env=variables, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("Spam it is.")


def test_another_base_is_fetched_when_the_space_is_built(tmp_path: Path):
    write_space(tmp_path / "space", base="some/model")
    assert front_matter(tmp_path / "space" / "README.md")["preload_from_hub"] == ["some/model"]
    assert "'some/model'" in (tmp_path / "space" / "app.py").read_text()
    (asked,) = (
        requirement
        for requirement in map(
            Requirement, (tmp_path / "space" / "requirements.txt").read_text().splitlines()
        )
        if requirement.name == "spaces"
    )
    assert asked.specifier.contains("0.51.3")


def test_the_embedded_base_needs_no_graphics_processor(tmp_path: Path):
    write_space(tmp_path / "space", base="all-MiniLM-L6-v2")
    assert "spaces" not in (tmp_path / "space" / "requirements.txt").read_text()
    assert "preload_from_hub" not in front_matter(tmp_path / "space" / "README.md")


def test_a_plugin_comes_whole_or_not_at_all(tmp_path: Path, spam: Path):
    folder = tmp_path / "space"
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(PluginError, match="did you mean 'spam'"):
        write_space(folder, ["spm"], settings=settings)
    with pytest.raises(
        PluginError, match=r"assistant install \./my-plugin first\. Installed are: .*\bspam\b"
    ):
        write_space(folder, ["./my-plugin"], settings=settings)
    (spam / "onebase_spam" / "words.txt").unlink()
    with pytest.raises(PluginError, match=r"words\.txt"):
        write_space(folder, ["onebase-spam"], settings=settings)
    info = spam / "onebase_spam-1.5.dist-info"
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    with pytest.raises(PluginError, match="editable"):
        write_space(folder, ["spam"], settings=settings)
    assert [path.name for path in tmp_path.iterdir() if "space" in path.name] == []


def test_nothing_that_is_there_is_written_over(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(AssistantError, match="is there already"):
            write_space(folder)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_pins_follow_extras_and_leave_out_what_is_not_wanted_here():
    names = {pin.split("==")[0] for pin in pins(["httpx", "click; python_version < '3'"], without=["h11"])}
    assert "httpcore" in names
    assert not names & {"click", "h11", "socksio"}
    with pytest.raises(AssistantError, match="socksio"):
        pins(["httpx[socks]"])
