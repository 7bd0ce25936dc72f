"""What the Teach tab does without the page: pasted forms, a ladder that can be left, and skills of one visitor."""

from __future__ import annotations

import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.applications import Request
from assistant.core import Assistant
from assistant.engine.echo import EchoEngine
from assistant.errors import DataError
from assistant.plugin_source import read_source
from assistant.plugins import PluginManager
from assistant.routing import Router
from assistant.settings import Settings
from assistant.web.lesson import Lesson, Skill, Step, listed, read_pasted
from assistant.workshop.data import Example
from assistant.workshop.dataset import Dataset
from assistant.workshop.ladder import Rung
from assistant.workshop.methods import Fitted, LabelledTask, Method, Watch, tell
from assistant.workshop.methods.few_shot import FewShot

CSV = "text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(20))


def read(text: str, folder: Path, max_bytes: int = 10_000, max_rows: int = 100) -> Dataset:
    return read_pasted(text, folder, "mine", max_bytes, max_rows)


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        "\n" + CSV.replace(",", "\t"),
        "".join(f'{{"text": "text {n}", "label": "{"ab"[n % 2]}"}}\n' for n in range(20)),
        "# a\n"
        + "\n\n".join(f"text {n}" for n in range(0, 20, 2))
        + "\n\n ## b \n"
        + "\n".join(f" text {n}" for n in range(1, 20, 2)),
    ],
    ids=["csv", "spreadsheet", "jsonl", "list"],
)
def test_every_form_gives_the_same_rows(text: str, tmp_path: Path) -> None:
    data = read(text, tmp_path)
    rows = sorted((*data.train, *data.dev), key=lambda e: int(e.texts[0].split()[1]))
    assert [(e.texts, e.label) for e in rows] == [((f"text {n}",), "ab"[n % 2]) for n in range(20)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" \n", "no examples yet"),
        ("x" * 20_000, "10,000 bytes"),
        (CSV * 9, "more than 100 rows"),
        ("# a\nb", "same label"),
    ],
)
def test_what_cannot_be_taught_gets_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read(text, tmp_path)


def test_examples_above_the_first_label_have_none() -> None:
    assert listed("x\n#a\ny") == [{"text": "x", "label": ""}, {"text": "y", "label": "a"}]


class Endless(Method):
    """Works until it is stopped."""

    id, title, description = "endless", "Endless", "Never ends."

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        while True:
            tell(watch, 0.5)
            time.sleep(0.01)


@pytest.fixture
def lesson(tmp_path: Path) -> Callable[..., tuple[Lesson, threading.Event]]:
    def made(*methods: Method, seconds: float = 60.0) -> tuple[Lesson, threading.Event]:
        ended = threading.Event()
        data = read(CSV, tmp_path)
        return Lesson(data, methods, EchoEngine(), tmp_path, None, seconds, ended.set), ended

    return made


def test_a_lesson_tells_steps_and_rungs_and_stops_when_it_is_left(
    lesson: Callable[..., tuple[Lesson, threading.Event]],
) -> None:
    running, ended = lesson(FewShot(), Endless())
    with running:
        events = running.events()
        rung = next(events)
        assert isinstance(rung, Rung) and rung.record
        step = next(event for event in events if isinstance(event, Step) and event.fraction)
        assert step.method == Endless() and not ended.is_set()
    assert ended.wait(10)
    assert not running.overdue


def test_a_lesson_ends_when_its_time_is_over(lesson: Callable[..., tuple[Lesson, threading.Event]]) -> None:
    running, ended = lesson(FewShot(), Endless(), seconds=0.0)
    with running:
        assert not [event for event in running.events() if isinstance(event, Rung)]
    assert running.overdue and ended.is_set()


def test_a_defect_in_the_ladder_reaches_the_reader(
    lesson: Callable[..., tuple[Lesson, threading.Event]],
) -> None:
    running, ended = lesson(SimpleNamespace(id="x", options={"a": object()}, by_entailment=False))
    with running, pytest.raises(TypeError):
        list(running.events())
    assert ended.is_set()


# --- a visitor's own skill -----------------------------------------------------------------------------------


@pytest.fixture
def skill(adapters: Callable[[str], Path]) -> Skill:
    return Skill("my-mood", "My mood", ("text",), ("no", "perhaps", "yes"), adapters("classify"))


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    settings, engine = Settings(home=tmp_path), EchoEngine()
    plugins = PluginManager(settings, [])
    return Assistant(engine, plugins, Router(engine, plugins.applications), settings)


@pytest.mark.parametrize("message", ["/my-mood what a day", "what a day"])
def test_a_skill_answers_whoever_brings_it(message: str, skill: Skill, assistant: Assistant) -> None:
    pinned = None if message.startswith("/") else "my-mood"
    own = (skill.application(),)
    *_, reply = assistant.reply(Request(message, application=pinned, skills=own))
    assert not reply.failed, reply.text
    assert reply.route.application == "my-mood" and reply.adapter
    assert reply.title == "My mood"
    assert reply.payload and reply.payload.text("text") == "what a day"
    *_, other = assistant.reply(Request(message, application=pinned))
    assert other.failed and other.route.application is None


@pytest.mark.parametrize("rows", [0, 12])
def test_a_skill_can_be_taken_away_as_a_plugin(rows: int, skill: Skill, tmp_path: Path) -> None:
    adapter = Path(shutil.copytree(skill.adapter, tmp_path / "adapter"))
    (adapter / "README.md").write_text("# Mood\n")
    examples = tuple(Example((f"text {i}",), skill.labels[i % 3]) for i in range(rows))
    archive = replace(skill, adapter=adapter, examples=examples).archive()
    assert archive.name == "onebase-my-mood.zip"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "onebase-my-mood.zip"]
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path / "unpacked")
    source = read_source(tmp_path / "unpacked" / "onebase-my-mood")
    assert source.distribution == "onebase-my-mood"
