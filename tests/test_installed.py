"""Plugins that are switched off, allowed or blocked, without being imported."""

import sys
from pathlib import Path

import pytest
from fake_plugins import points, record

from assistant import (
    PluginError,
)
from assistant.errors import AssistantError
from assistant.installed import DisabledPlugins, disable, enable, installed
from assistant.plugins import PluginManager
from assistant.settings import Settings

pytestmark = pytest.mark.usefixtures("fake_plugins")


def test_a_plugin_can_be_disabled_without_importing_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    given = points("fails_to_import", "well_behaved")
    disable("fails_to_import", settings, given)
    assert [(r.name, r.state) for r in installed(settings, given)] == [
        ("fails_to_import", "disabled"),
        ("well_behaved", "installed"),
    ]
    assert not {"fails_to_import", "well_behaved"} & set(sys.modules)
    assert record(PluginManager(settings, given), "fails_to_import").state == "disabled"
    enable("fails_to_import", settings, given)
    assert record(PluginManager(settings, given), "fails_to_import").state == "failed"
    assert [path.name for path in settings.home.iterdir()] == ["plugins.json"]  # no temporary file is left


def test_a_disabled_plugin_that_is_gone_can_still_be_enabled(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    disable("well_behaved", settings, points("well_behaved"))
    enable("well_behaved", settings, [])
    assert DisabledPlugins(tmp_path).names() == frozenset()


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(PluginError, match="'well_behavd'; did you mean 'well_behaved'"):
        disable("well_behavd", settings, points("well_behaved"))
    with pytest.raises(PluginError, match="there are: well_behaved"):
        enable("xyz", settings, points("well_behaved"))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"disabled": "all"}', '{"disabled": [1]}', "[" * 100_000, "\xff"]
)
def test_a_damaged_list_is_one_sentence_and_stops_nobody(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(home=tmp_path)
    (tmp_path / "plugins.json").write_text(content, encoding="latin-1")
    with pytest.raises(AssistantError, match=r"plugins\.json is damaged"):
        installed(settings, points("well_behaved"))
    with pytest.raises(AssistantError, match=r"plugins\.json is damaged"):
        disable("well_behaved", settings, points("well_behaved"))
    assert record(PluginManager(settings, points("well_behaved")), "well_behaved").state == "active"
    assert "plugins.json is damaged" in caplog.text


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(AssistantError, match="plugin list"):
        disable("well_behaved", Settings(home=tmp_path / "home"), points("well_behaved"))


@pytest.mark.parametrize(
    ("allowed", "blocked", "states"),
    [
        (None, set(), ("failed", "active")),
        (None, {"fails_to_import"}, ("blocked", "active")),
        ({"fails_to_import"}, set(), ("failed", "blocked")),
        (set(), set(), ("blocked", "blocked")),
    ],
)
def test_the_environment_allows_and_blocks(
    tmp_path: Path, allowed: set[str] | None, blocked: set[str], states: tuple[str, str]
) -> None:
    settings = Settings(
        home=tmp_path,
        allowed_plugins=None if allowed is None else frozenset(allowed),
        blocked_plugins=frozenset(blocked),
    )
    plugins = PluginManager(settings, points("fails_to_import", "well_behaved"))
    assert tuple(record.state for record in plugins.records) == states
