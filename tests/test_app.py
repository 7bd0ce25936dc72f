"""The page as it is built, before a browser asks for anything."""

from __future__ import annotations

from typing import Any

import pytest
from served_applications import make_assistant

from assistant.api.service import Service
from assistant.web.language import strings_for


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the browser is given of each component first, by its id in the page."""
    from assistant.web.app import create_app

    app = create_app(Service(make_assistant(tmp_path_factory.mktemp("home"))))
    components = app.get_config_file()["components"]
    return {props["elem_id"]: props for each in components if (props := each["props"]).get("elem_id")}


def test_a_page_that_has_just_come_reads_in_the_default_language(built):
    strings = strings_for("en")
    assert built["title"]["value"] == f"<h1>OneBase</h1><p>{strings('tagline')}</p>"
    assert built["message"]["placeholder"] == strings("placeholder")
    assert strings("welcome") in built["chatbot"]["placeholder"]
    assert built["attach"]["label"] == strings("attach")
    assert built["teach-examples"]["label"] == strings("teach_examples")
    assert "OneBase" not in built["plugins"]["value"] and "<table>" in built["plugins"]["value"]
    for id_ in ("new", "delete", "theme", "notices", "teach-start", "measure"):
        assert built[id_]["value"] not in ("", "Run"), id_
