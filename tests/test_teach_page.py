"""The Teach tab in a real Chromium, on the real engine: from pasted examples to a skill of this visitor's own."""

import re
import socket
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint

import pytest
from visitors import BROWSER, Visitor, expect

from assistant.core import Assistant
from assistant.plugins import PluginManager
from assistant.routing import Router
from assistant.settings import Limits, Settings

pytestmark = BROWSER
TOPICS = {
    "money": (
        "the bank",
        "my salary",
        "a loan",
        "the invoice",
        "our taxes",
        "a refund",
        "the price",
        "my debts",
    ),
    "animals": ("the cat", "my dog", "a horse", "the sheep", "our goat", "a fox", "the wolf", "my parrot"),
    "weather": ("the rain", "a storm", "the snow", "more sun", "the fog", "a breeze", "the heat", "thunder"),
}
LISTED = "\n".join(
    line for topic, words in TOPICS.items() for line in (f"# {topic}", *(f"It was about {w}." for w in words))
)
# Milliseconds: a training on a machine that has other work too.
LONG = 120_000
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module", params=[False], ids=["private"])
def address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, encoder
) -> Iterator[str]:
    """The page, served."""
    yield from served(encoder, tmp_path_factory.mktemp("home"), public=request.param)


def served(engine, home, *, public: bool) -> Iterator[str]:
    from assistant.web.app import launch

    settings = Settings(home=home, limits=Limits(taught_rows=60, taught_bytes=20_000))
    plugins = PluginManager(settings, [EntryPoint("nli", "assistant_plugins.nli", "assistant")])
    assistant = Assistant(engine, plugins, Router(engine, plugins.applications), settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = launch(assistant, port=port, public=public, block=False)
    yield f"http://127.0.0.1:{port}"
    app.close(verbose=False)


def teach(visitor: Visitor, text: str, name: str = "") -> None:
    visitor.page.get_by_role("tab", name="Teach").click()
    visitor.find("#teach-examples textarea").fill(text)
    visitor.find("#teach-name textarea, #teach-name input").fill(name)
    visitor.find("#teach-start").click()


def test_examples_become_a_skill_of_this_visitor_only(visit: Visit) -> None:
    visitor, other = visit(), visit()
    teach(visitor, LISTED, "Topics <b>")
    expect(visitor.find("#teach-findings")).to_contain_text(
        "18 rows to learn from, 6 to measure on", timeout=LONG
    )
    rows = visitor.find("#teach-ladder tbody tr:not(.running)")
    expect(rows).to_have_count(4, timeout=LONG)
    expect(rows.first).to_contain_text("Zero-shot")
    expect(rows.last).to_contain_text("LoRA")
    expect(rows.last).to_contain_text("on 6 rows only")
    expect(visitor.find("#teach-result")).to_be_visible(timeout=LONG)
    expect(visitor.find("#teach-plot img")).to_be_visible()
    expect(visitor.find("#teach-plot img")).to_have_css("filter", "none")
    visitor.find("#theme").click()
    expect(visitor.find("#teach-plot img")).to_have_css("filter", re.compile("invert"))
    visitor.find("#teach-try textarea, #teach-try input").fill("It was about the cow.")
    visitor.find("#teach-try .submit-button").click()
    expect(visitor.find("#teach-answer .labels")).to_contain_text("animals", timeout=LONG)
    with visitor.page.expect_download() as download:
        visitor.find("#teach-download").click()
    assert download.value.suggested_filename.endswith(".zip")
    visitor.find("#teach-save").click()
    expect(visitor.find(".toast-body")).to_contain_text("“Topics <b>” is chosen", timeout=LONG)
    expect(visitor.find(".toast-body")).to_contain_text("/my-topics-b before a message")
    visitor.page.get_by_role("tab", name="Chat").click()
    expect(visitor.find("#picker input")).to_have_value("Topics <b> /my-topics-b")
    reply = visitor.say("It was about the donkey.")
    expect(reply.locator(".labels")).to_contain_text("animals")
    named = visitor.say("/my-topics-b It was about the donkey.")
    expect(named.locator(".labels")).to_contain_text("animals")
    other.find("#picker input").click()
    expect(other.page.get_by_role("option", name="Topics")).to_have_count(0)
    expect(other.say("/my-topics-b It was about the donkey.")).to_contain_text("/my-topics-b")
    assert other.page.locator(".labels").count() == 0


def test_what_cannot_be_taught_is_said_and_a_lesson_can_be_stopped(visit: Visit) -> None:
    visitor = visit()
    problem = visitor.find("#teach-findings .problem")
    for text, said in (
        ("", "no examples yet"),
        ("text,label\n<img src=x onerror=alert(1)>,a\nb,a", "the same label 'a'"),
        ("kind,text\nx,y", "no column 'label'"),
        (LISTED * 40, "20,000 bytes"),
    ):
        teach(visitor, text)
        expect(problem).to_contain_text(said, timeout=LONG)
    teach(visitor, LISTED.replace("It was", "It was " + "really " * 40))
    expect(visitor.find("#teach-ladder .running")).to_contain_text("LoRA", timeout=LONG)
    visitor.find("#teach-stop").click()
    expect(visitor.find("#teach-ladder .quiet")).to_have_text("Stopped.", timeout=LONG)
    expect(visitor.find("#teach-ladder tbody tr")).to_have_count(3)
    expect(visitor.find("#teach-start")).to_be_enabled()
    expect(visitor.find("#teach-result")).to_be_hidden()


@pytest.mark.parametrize("address", [True], indirect=True, ids=["public"])
def test_a_public_page_says_why_it_does_not_teach(visit: Visit) -> None:
    visitor = visit()
    visitor.page.get_by_role("tab", name="Teach").click()
    expect(visitor.find("#teach-intro")).to_contain_text("open to strangers")
    expect(visitor.find("#teach-start")).to_have_count(0)
