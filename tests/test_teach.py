"""The Teach tab without a browser: however a lesson ends, the tab can be used again."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import pytest
from served_applications import make_assistant

from assistant.web import teach
from assistant.web.language import strings_for
from assistant.web.lesson import Lesson, Skill
from assistant.web.teach import Session, Teach
from assistant.workshop.dataset import Dataset
from assistant.workshop.ladder import Rung
from assistant.workshop.methods.few_shot import FewShot
from assistant.workshop.plugin_folder import check_name

LISTED = (
    "# a\n" + "\n".join(f"one {n}" for n in range(10)) + "\n# b\n" + "\n".join(f"two {n}" for n in range(10))
)


@pytest.fixture
def tab(tmp_path: Path) -> Teach:
    with gr.Blocks():
        return Teach(make_assistant(tmp_path), gr.Radio(["en"]), gr.State(()), public=False)


def ended(tab: Teach, updates: Iterator[teach.Updates]) -> teach.Updates:
    """What the page shows in the end, where the tab can be used again."""
    shown: teach.Updates = {}
    for update in updates:
        shown |= update
    assert shown[tab.start]["interactive"] is True
    assert shown[tab.stop]["visible"] is False
    return shown


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError(errno.ENOSPC, "No space left on device"), "No space left"), (ValueError("x"), "went wrong")],
)
def test_a_lesson_that_breaks_off_says_why(
    error: Exception, said: str, tab: Teach, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Lesson) -> Iterator[Rung]:
        raise error
        yield

    monkeypatch.setattr(teach, "METHODS", ())
    monkeypatch.setattr(Lesson, "events", broken)
    shown = ended(tab, tab._teach(LISTED, "Mine", None, "en", ()))
    assert said in shown[tab.findings]


@pytest.mark.parametrize("title", ["x" * 38, "x" * 40, "x" * 34 + " yyy", "Topics"])
def test_a_skill_of_any_name_can_be_a_plugin(title: str, tab: Teach, tmp_path: Path) -> None:
    data = Dataset("mine", ("text",), ("a", "b"), (), ())
    session = tab._with(Session(tmp_path), Rung(FewShot(), adapter=tmp_path), data, title)
    assert session.skill
    check_name(session.skill.id)


@pytest.mark.parametrize("title", ["\u200b", "👩\u200d🌾"])
def test_a_skill_that_cannot_be_taken_away_can_still_be_tried(
    title: str, tab: Teach, adapters: Callable[[str], Path]
) -> None:
    skill = Skill("my-skill", title, ("text",), ("no", "perhaps", "yes"), adapters("classify"))
    shown = ended(tab, iter([tab._ready(Session(Path(), skill=skill), strings_for("en"))]))
    assert "The title is" in shown[tab.ladder]
    assert shown[tab.result]["visible"] is True
    assert shown[tab.download]["interactive"] is False
