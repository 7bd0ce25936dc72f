"""The documentation: complete, built without a complaint, and what scripts write is as they write it."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from assistant.settings import Settings

ROOT = Path(__file__).parent.parent


def pages(navigation: object) -> set[str]:
    if isinstance(navigation, str):
        return {navigation}
    values = navigation.values() if isinstance(navigation, dict) else navigation
    return set().union(*map(pages, values))


def test_each_page_stands_in_the_navigation():
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert pages(navigation) == {path.name for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.skipif(shutil.which("zensical") is None, reason="the extra docs is not installed")
def test_the_pages_are_built_without_a_complaint(tmp_path: Path):
    for name in ("assistant", "docs", "mkdocs.yml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, tmp_path / name)
    built = subprocess.run(["zensical", "build", "--strict"], cwd=tmp_path, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "TextClassification" in (tmp_path / "site" / "reference" / "index.html").read_text(
        encoding="utf-8"
    )


def test_each_dependency_has_its_reason():
    tomllib = pytest.importorskip("tomllib")
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [each for listed in project["optional-dependencies"].values() for each in listed]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    names = {Requirement(each).name.lower() for each in (*project["dependencies"], *extras)}
    names.remove("onebase")  # an extra that takes another one in
    assert [name for name in sorted(names) if name not in text and name.replace("-", "_") not in text] == []


def test_the_table_of_the_environment_is_what_the_settings_read():
    class Asked(dict[str, str]):
        def get(self, name: str, default: object = None) -> object:
            self[name] = ""
            return default

    Settings.from_environment(asked := Asked())
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8").partition("## Environment")[2]
    rows = re.findall(r"^\| `(\w+)` \| .* \| `?(.*?)`? \|$", text, re.M)
    (port, number) = rows.pop()
    assert f'os.environ.get("{port}", "{number}")' in (ROOT / "app.py").read_text(encoding="utf-8")
    assert [name for name, _ in rows] == list(dict.fromkeys(name for name, _ in rows))
    assert {name for name, _ in rows} == asked.keys()
    given = {name: default for name, default in rows if default not in ("all", "none")}
    assert Settings.from_environment(given) == Settings()


def test_the_notice_names_the_data_of_each_adapter():
    script = runpy.run_path(str(ROOT / "scripts" / "notice.py"))
    text = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert text == script["notice"](text), "run python scripts/notice.py"
    assert "plugins/sentiment" in text


def test_the_check_of_the_newest_versions_is_a_shell_script():
    subprocess.run(["sh", "-n", ROOT / "scripts" / "newest.sh"], check=True)
