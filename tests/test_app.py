"""The page as it is built, before a browser asks for anything."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from served_applications import Length, Trouble, make_assistant

from assistant.api.service import Service
from assistant.settings import Limits
from assistant.web import storage
from assistant.web.attachments import Attachments
from assistant.web.language import strings_for
from assistant.web.plugins import Plugins
from assistant.web.storage import Conversation


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    from assistant.web.app import create_app

    return create_app(Service(make_assistant(tmp_path_factory.mktemp("home"))))


@pytest.fixture(scope="module")
def built(app: gr.Blocks) -> dict[str, dict[str, Any]]:
    """What the browser is given of each component first, by its id in the page."""
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


def test_what_a_page_holds_goes_when_it_is_closed_and_not_before(
    app: gr.Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradio import state_holder

    page = state_holder.SessionState(app)
    states = [id_ for id_, block in app.blocks.items() if isinstance(block, gr.State)]
    for id_ in states:
        page[id_] = None
    later = SimpleNamespace(now=lambda: datetime.now() + timedelta(days=1))
    monkeypatch.setattr(state_holder, "datetime", SimpleNamespace(datetime=later))
    assert len(states) == 3  # documents, the lesson, the skills
    assert [expired for *_, expired in page.state_components] == [False] * 3
    page.is_closed = True
    assert [expired for *_, expired in page.state_components] == [True] * 3


def test_an_application_without_an_adapter_is_measured_and_one_that_fails_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for application in (Length, Trouble):
        monkeypatch.setattr(application, "examples", ("abc",))
    with gr.Blocks():
        plugins = Plugins(make_assistant(tmp_path), gr.Radio(["en"]), public=False)
    plugins._measure("en")
    assert plugins.measured is not None and list(plugins.measured) == ["length"]


# --- documents ----------------------------------------------------------------------------------------------


@pytest.fixture
def attachments() -> Attachments:
    with gr.Blocks():
        return Attachments(Limits(), gr.BrowserState(None), gr.Radio(["en"]))


def test_a_document_hangs_on_a_new_conversation_and_changes_none(
    attachments: Attachments, tmp_path: Path
) -> None:
    (path := tmp_path / "a.txt").write_text("Thirty days of notice.")
    begun = attachments._begun(None)
    conversation = storage.from_json(json.loads(json.dumps(begun)))
    later = storage.to_json(conversation.said("Meanwhile."))
    assert attachments._begun(later) == gr.skip()
    # What comes back are the documents and their chips: the conversation may have gone on while they were read.
    documents, _ = attachments._attach([str(path)], {}, later, "en")
    assert [document.name for document in documents[conversation.id]] == ["a.txt"]
    assert storage.is_current(begun, conversation) and not storage.is_current(None, Conversation())
