"""The page in a real Chromium, as a visitor uses it: the real assistant behind it, with the echo engine."""

import json
import re
import socket
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest
from page_applications import CommandRouter, Mood, Slow
from visitors import BROWSER, expect

from assistant.conversation import from_json
from assistant.core import Assistant
from assistant.engine.echo import EchoEngine
from assistant.plugins import PluginManager
from assistant.settings import Limits, Settings

pytestmark = BROWSER
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> ![a](http://evil.example/a.png) **b** &lt;i&gt; "
    "${alert(3)} {{value}} $$x$$ <3\n\n    R&D &copy; שלום\n<a href='javascript:alert(4)'>x</a>"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, served."""
    from assistant.web.app import launch

    home = tmp_path_factory.mktemp("home")
    Mood.adapter = home / "mood-adapter"
    Mood.adapter.mkdir()
    manifest = {
        "labels": ["good", "bad"],
        "parameters": 1234,
        "metrics": {"accuracy": 0.875},
        "licence": "CC0-1.0",
    }
    (Mood.adapter / "onebase.json").write_text(json.dumps(manifest))
    settings = Settings(home=home, limits=Limits(message_characters=5_000, documents=2))
    points = [
        EntryPoint("demo", "page_applications:Plugin", "assistant"),
        EntryPoint("broken", "no_such_module_at_all", "assistant"),
    ]
    assistant = Assistant(EchoEngine(), PluginManager(settings, points), CommandRouter(), settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = launch(assistant, port=port, block=False)
    yield f"http://127.0.0.1:{port}"
    app.close(verbose=False)


def test_a_message_is_answered_with_evidence_and_reason(visit):
    visitor = visit()
    reply = visitor.say("/mood what an idiot of a day")
    expect(reply.locator(".sentence")).to_have_text(re.compile(r"(Good|Bad)\."))
    assert set(reply.locator(".labels .label").all_inner_texts()) == {"good", "bad"}
    assert re.fullmatch(r"\d+ %\n?\d+ %", "\n".join(reply.locator(".labels .value").all_inner_texts()))
    assert reply.locator(".evidence mark").count() > 1
    expect(reply.locator(".evidence > p")).to_have_text("what an idiot of a day")
    expect(reply.locator(".notice")).to_have_text("Mind your words.")
    expect(reply.locator("dl")).to_be_hidden()
    reply.locator("summary").click()
    for said in ("Mood", "its command was used", "mood-adapter", "Slow (20 %)", "ms"):
        expect(reply.locator("dl")).to_contain_text(said)
    expect(visitor.box).to_have_value("")


def test_a_shortcut_sends_the_message_to_its_application(visit):
    visitor = visit()
    visitor.find("#picker input").click()
    visitor.page.get_by_role("option", name="Slow").click()  # whatever is pinned
    visitor.find("#to-mood").click()
    expect(visitor.page.get_by_text("Write something first.")).to_be_visible()
    expect(visitor.find(".toast-title")).to_be_hidden()
    assert visitor.find("[id^=to-]").count() == 1
    visitor.box.fill("what a day")
    visitor.find("#to-mood").click()
    expect(visitor.replies.first.locator(".labels .label")).to_have_count(2)
    expect(visitor.bubbles.first).to_contain_text("/mood what a day")
    expect(visitor.box).to_have_value("")


def test_a_reply_streams_and_can_be_stopped(visit):
    visitor = visit()
    visitor.box.fill("/slow")
    visitor.box.press("Enter")
    expect(visitor.replies.first).to_contain_text("word 2")
    visitor.find("#message .stop-button").click()
    expect(visitor.replies.first).to_contain_text("Stopped.")
    assert Slow.stopped.wait(10)
    assert visitor.say("/mood after all").locator(".labels").count() == 1
    visitor.page.reload()
    expect(visitor.replies.first).to_contain_text("word 2")


def test_leaving_a_conversation_ends_the_reply_that_is_still_coming(visit):
    visitor = visit()
    visitor.box.fill("/slow")
    visitor.box.press("Enter")
    expect(visitor.replies.first).to_contain_text("word 1")
    expect(visitor.box).to_be_disabled()
    visitor.find("#new").click()
    expect(visitor.box).to_be_enabled()
    assert Slow.stopped.wait(10)
    visitor.say("/mood instead")
    expect(visitor.bubbles).to_have_text(["/mood instead"])
    visitor.conversations.nth(1).click()
    expect(visitor.bubbles).to_have_text(["/slow"])
    expect(visitor.replies.first).to_contain_text("Stopped.")


def test_retry_edit_undo_and_like(visit):
    visitor = visit()
    visitor.say("/mood first")
    visitor.say("/mood second")
    visitor.press("Like")
    # The old reply has to be gone before what stands there can be the new one.
    visitor.replies.nth(1).evaluate("reply => { reply.dataset.old = true }")
    visitor.press("Retry")
    expect(visitor.find("article.reply[data-old]")).to_have_count(0)
    visitor.reply(1)
    expect(visitor.replies).to_have_count(2)
    visitor.press("Edit")
    visitor.find("#chatbot textarea").fill("/mood <b>third</b>")
    visitor.press("Submit")
    expect(visitor.bubbles.last).to_have_text("/mood <b>third</b>")
    expect(visitor.reply(1).locator(".evidence > p")).to_have_text("<b>third</b>")
    visitor.press("Dislike")
    visitor.page.wait_for_timeout(500)
    visitor.page.reload()
    expect(visitor.find("#chatbot").get_by_role("button", name="Disliked")).to_have_count(1)
    visitor.press("Undo")
    expect(visitor.bubbles).to_have_text(["/mood first"])
    expect(visitor.box).to_have_value("/mood <b>third</b>")


def test_an_application_can_be_pinned_and_brings_its_examples(visit):
    visitor = visit()
    examples = visitor.find("#chatbot .example")
    expect(examples).to_have_count(1)
    visitor.find("#picker input").click()
    visitor.page.get_by_role("option", name="Mood").click()
    expect(examples).to_have_count(2)
    expect(visitor.box).to_have_attribute("placeholder", re.compile("For Mood, for example"))
    expect(visitor.say("no command here").locator(".why dl")).to_contain_text("it was chosen")
    visitor.find("#new").click()
    examples.nth(1).click()
    visitor.reply(0)
    expect(visitor.bubbles).to_have_text(["/mood so it goes"])


def test_when_it_asks_back_the_buttons_send(visit):
    visitor = visit()
    reply = visitor.say("what about this")
    expect(reply).to_contain_text("Did you mean")
    option = visitor.find("#chatbot .option").first
    # A round end would cut into a message of several lines.
    expect(option).to_have_css("border-radius", "14px")
    option.click()
    visitor.reply(1)
    expect(visitor.bubbles.nth(1)).to_have_text("/mood what about this")


def test_documents_are_attached_cited_and_removed(visit, tmp_path):
    visitor = visit()
    name = "note <img src=x onerror=alert(1)>.txt"
    (tmp_path / name).write_text("Thirty days of notice.")
    other = "<img src=x onerror=alert(2)> ![a](http:evil.example).exe"
    (tmp_path / other).write_bytes(b"MZ")
    visitor.attach(tmp_path / name)
    chips = visitor.find("#chips li")
    expect(chips).to_have_count(1)
    expect(visitor.say("/everything about it").locator("blockquote")).to_contain_text(
        "Thirty days of notice."
    )
    visitor.attach(tmp_path / other)
    expect(visitor.find(".toast-body")).to_contain_text("of a type that cannot be read")
    assert visitor.find(".toast-body img").count() == 0
    expect(chips).to_have_count(1)
    chips.get_by_role("button").click()
    expect(visitor.find("#chips")).to_be_hidden()
    expect(visitor.say("/everything without").locator("blockquote")).to_have_count(0)


def test_conversations_stay_in_their_browser(visit):
    one, other = visit(), visit()
    one.say("/mood the first")
    one.find("#new").click()
    expect(one.replies).to_have_count(0)
    one.say("/mood the second")
    expect(one.conversations).to_have_text(["/mood the second", "/mood the first"])
    one.page.reload()
    expect(one.bubbles).to_have_text(["/mood the second"])
    one.conversations.nth(1).click()
    expect(one.bubbles).to_have_text(["/mood the first"])
    one.find("#delete").click()
    expect(one.conversations).to_have_text(["/mood the second"])
    expect(one.replies).to_have_count(0)
    other.page.reload()
    other.ready()
    expect(other.conversations).to_have_count(0)
    expect(other.replies).to_have_count(0)


def test_a_conversation_is_exported(visit):
    visitor = visit()
    visitor.say("/mood “what” a day")
    with visitor.page.expect_download() as download:
        visitor.find("#export-json").click()
    turns = from_json(json.loads(download.value.path().read_text(encoding="utf-8")))
    assert [(turn.role, turn.application) for turn in turns] == [("user", None), ("assistant", "mood")]
    assert turns[1].payload.text("text") == "“what” a day"
    with visitor.page.expect_download() as download:
        visitor.find("#export-markdown").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert "/mood “what” a day" in text
    assert "| good |" in text


def test_a_result_is_copied(visit):
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    visitor.say("/everything <b>so</b>\n\nit goes")
    visitor.find(".copy").click()
    visitor.find(".copy").get_by_text("Copied").wait_for()
    assert visitor.page.evaluate("navigator.clipboard.readText()") == "Copy: <b>so</b>\n\nit goes"


def test_light_and_dark(visit):
    def dark(visitor):
        return visitor.page.evaluate("document.body.classList.contains('dark')")

    assert dark(visit(color_scheme="dark"))
    visitor = visit(color_scheme="light")
    assert not dark(visitor)
    visitor.find("#theme").click()
    assert dark(visitor)
    visitor.page.reload()
    visitor.ready()
    assert dark(visitor)


def test_notices_can_be_switched_off(visit):
    visitor = visit()
    visitor.say("/everything hello, idiot")
    notice = visitor.page.locator(".reply .review").first
    expect(notice).to_be_visible()
    visitor.find("#notices").click()
    expect(notice).to_be_hidden()
    visitor.page.reload()
    visitor.ready()
    expect(visitor.replies.first).to_contain_text("Suggested changes")
    expect(notice).to_be_hidden()
    visitor.find("#notices").click()
    expect(notice).to_be_visible()


def test_the_language_is_the_browsers_until_one_is_chosen(visit):
    visitor = visit(locale="pt-BR")
    expect(visitor.find("#new")).to_have_text("Nova conversa")
    assert visitor.say("/everything olá").get_attribute("lang") == "pt"
    visitor.find("#language label").first.click()
    expect(visitor.find("#new")).to_have_text("New conversation")
    expect(visitor.replies.first).to_contain_text("Suggested changes")
    visitor.page.reload()
    expect(visitor.find("#new")).to_have_text("New conversation")


def test_a_phone_shows_everything_within_its_width(visit):
    visitor = visit(390, 844)
    visitor.say("/everything " + "a long text with averyveryverylongword" * 5)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    for selector in ("#new", "#picker", "#attach", "#message .submit-button", "#export-json", "#theme"):
        box = visitor.find(selector).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390, selector
        assert box["y"] + box["height"] <= 844, selector


def test_what_a_visitor_writes_is_shown_and_never_acts(visit):
    visitor = visit()
    reply = visitor.say("/everything " + HOSTILE)
    assert visitor.bubbles.first.inner_text() == "/everything " + HOSTILE
    assert reply.locator(".evidence > p").first.inner_text() == HOSTILE
    assert "".join(reply.locator(".sentence").all_inner_texts()) == f"{HOSTILE}Copy: {HOSTILE}".replace(
        "\n\n", ""
    )
    assert visitor.find("#chatbot article img, #chatbot article a, #chatbot article script").count() == 0
    visitor.page.reload()
    expect(visitor.conversations.first).to_contain_text("<script>alert(1)</script>")
    assert visitor.bubbles.first.inner_text() == "/everything " + HOSTILE


def test_the_page_can_reach_no_other_host(visit):
    visitor = visit()
    blocked = visitor.page.evaluate(
        """() => new Promise((resolve) => {
            document.addEventListener("securitypolicyviolation", (event) => resolve(event.blockedURI));
            new Image().src = "http://evil.example/a.png";
        })"""
    )
    assert blocked == "http://evil.example/a.png"
    visitor.complaints.clear()  # the attempt itself


def test_what_cannot_be_answered_is_said_and_the_conversation_stays(visit):
    visitor = visit()
    visitor.say("/mood before")
    toast = visitor.find(".toast-body")
    for message, sentence in (
        (" \n ", "Write something first."),
        ("x" * 6_000, "6,000 characters; at most 5,000"),
    ):
        visitor.box.fill(message)
        visitor.find("#message .submit-button").click()
        expect(toast.last).to_contain_text(sentence)
    expect(visitor.say("/mode is unknown")).to_contain_text("Did you mean /mood?")
    expect(visitor.say("🙂🙂")).to_contain_text("no words")
    expect(visitor.replies).to_have_count(3)


def test_the_plugins_tab(visit):
    visitor = visit()
    visitor.page.get_by_role("tab", name="Plugins").click()
    card = visitor.find(
        ".card",
    ).first
    for said in (
        "Mood",
        "/mood",
        "good, bad",
        "accuracy 87.5",
        "not measured yet",
    ):
        expect(card).to_contain_text(said)
    expect(card.locator("details dl")).to_be_hidden()
    card.locator("summary").click()
    for said in ("1,234 parameters", "CC0-1.0"):
        expect(card.locator("details dl")).to_contain_text(said)
    visitor.find("#measure").click()
    expect(card).to_contain_text("ms on this machine")
    rows = visitor.find("#plugins tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("active")
    expect(rows.nth(0)).to_contain_text("failed")
    expect(rows.nth(0).locator("details p")).to_be_hidden()
    rows.nth(0).locator("summary").click()
    expect(rows.nth(0).locator("details p")).to_contain_text("no_such_module_at_all")
