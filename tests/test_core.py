"""One message from its arrival to the finished reply, with the echo engine and a router that follows pins."""

import json
import re
import string
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import (
    Application,
    Document,
    InputError,
    Labels,
    LabelScore,
    Notice,
    Payload,
    Progress,
    Reply,
    Request,
    Route,
    Suggestion,
    Suggestions,
    Text,
    TextClassification,
    Turn,
    Vote,
    hookimpl,
)
from assistant.core import Assistant, history_after
from assistant.engine.echo import EchoEngine
from assistant.installed import DisabledPlugins
from assistant.plugins import PluginManager
from assistant.sentences import SENTENCES, say
from assistant.settings import Limits, Settings


class Mood(TextClassification):
    id, title, description = "mood", "Mood", "Tells the mood of a text."
    examples = ("Is this a happy text: “what a day”?",)


class Moody(Application):
    """Does what the text says."""

    id, title, description, task = "moody", "Moody", "Has moods itself.", "text-generation"

    def answer(self, request, engine):
        text = request.payload.text("text")
        if text == "say nothing":
            return
        if text == "work long":
            for done in range(3):
                yield Progress(done, 3, "Reading")
                time.sleep(0.15)
        yield Text("at first")
        if text == "refuse":
            raise InputError("This is no text for me.")
        if text == "raise":
            raise KeyError("a secret")
        try:
            yield Labels((LabelScore("fine", 1.0),))
        except GeneratorExit:
            self.stopped = True
            raise


class Plugin:
    """The applications above, as the plugin that brings them."""

    @staticmethod
    @hookimpl
    def register_applications():
        return [Mood(), Moody()]

    @staticmethod
    @hookimpl
    def review_message(request, reply):
        return Notice(f"Reviewed {len(reply.parts)} parts.") if "review" in request.message else None

    @staticmethod
    @hookimpl
    def vote_route(request):
        return [Vote("mood", 0.9, "it votes")] if "vote" in request.message else []


class PinRouter:
    """Follows the command, the pin or a vote; the word "unsure" makes it ask back, "break" breaks it."""

    def route(self, request: Request, votes: Sequence[Vote]) -> tuple[Route, Payload | None]:
        if command := re.match(r"\s*/(\w+)\s*(.*)", request.message):
            return Route(command[1], 1.0, "command"), Payload({"text": command[2]})
        if request.application:
            return Route(request.application, 1.0, "pinned"), Payload({"text": request.message})
        if votes:
            return Route(votes[0].application, votes[0].score, votes[0].reason), Payload(
                {"text": request.message}
            )
        if "break" in request.message:
            raise ZeroDivisionError("a secret")
        likely = (("moody", 0.4), ("mood", 0.3)) if "unsure" in request.message else ()
        return Route(None, 0.0, "nothing is clear", likely), None


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    home = tmp_path_factory.mktemp("home")
    Mood.adapter = home / "happy-adapter"
    Mood.adapter.mkdir()
    return make(home)


def make(
    home: Path,
    *,
    strict: bool = False,
    names: Sequence[str] = ("moods",),
    limits: Limits = Limits(message_characters=2_000, documents=2, history_turns=4),  # noqa: B008  (frozen)
) -> Assistant:
    settings = Settings(home=home, strict=strict, limits=limits)
    points = [EntryPoint(name, f"{__name__}:Plugin", "assistant") for name in names]
    return Assistant(EchoEngine(), PluginManager(settings, points), PinRouter(), settings)


def last(assistant: Assistant, message: str, **request: object) -> Reply:
    *_, reply = assistant.reply(Request(message, **request))  # type: ignore[arg-type]
    return reply


def test_a_reply_grows_part_by_part(assistant: Assistant) -> None:
    replies = list(assistant.reply(Request("/mood what a fine day to review")))
    assert [reply.done for reply in replies] == [False] * (len(replies) - 1) + [True]
    for shorter, longer in pairwise(replies):
        assert longer.parts[: len(shorter.parts)] == shorter.parts
        assert longer.milliseconds >= shorter.milliseconds
    assert replies[0].parts == ()
    assert replies[0].route == Route("mood", 1.0, "command")
    kinds = [type(part).__name__ for part in replies[-1].parts]
    assert kinds == ["Text", "Labels", "Spans", "Notice"]
    assert replies[-1].text.endswith("Reviewed 3 parts.")
    assert replies[-1].adapter == "happy-adapter"
    assert replies[-1].payload == Payload({"text": "what a fine day to review"})


def test_progress_is_shown_until_something_comes_and_renews_the_deadline(tmp_path: Path) -> None:
    quick = make(tmp_path, limits=Limits(deadline=0.3))
    replies = [reply.parts for reply in quick.reply(Request("work long", application="moody"))]
    shown = [parts for parts in replies if any(isinstance(part, Progress) for part in parts)]
    assert shown == [(Progress(done, 3, "Reading"),) for done in range(3)]
    assert replies[-1][0] == Text("at first")
    assert not any(isinstance(part, Progress) for part in replies[-1])


def test_pins_and_votes_reach_the_router(assistant: Assistant) -> None:
    assert last(assistant, "hello", application="moody").route.application == "moody"
    assert last(assistant, "a vote").route == Route("mood", 0.9, "it votes")


def test_an_application_without_adapter_names_none(assistant: Assistant) -> None:
    assert last(assistant, "hello", application="moody").adapter is None


def test_asks_back_with_buttons_that_keep_the_message(assistant: Assistant) -> None:
    text, buttons = last(assistant, "an unsure message").parts
    assert text == Text(say("not_sure", "en"))
    assert buttons == Suggestions(
        (Suggestion("Moody", "/moody an unsure message"), Suggestion("Mood", "/mood an unsure message"))
    )
    assert last(assistant, buttons.options[0].message).route.application == "moody"


def test_says_what_it_can_do(assistant: Assistant) -> None:
    text, buttons, notice = last(assistant, "hello, please review", language="pt").parts
    assert text.text.splitlines() == [
        say("hello", "pt"),
        "Mood: Tells the mood of a text.",
        "Moody: Has moods itself.",
    ]
    assert buttons == Suggestions((Suggestion(Mood.examples[0], Mood.examples[0]),))
    assert notice == Notice("Reviewed 2 parts.")  # a review comes under any reply


@pytest.mark.parametrize(
    ("message", "key"),
    [
        ("Good morning, dear assistant!", "hello"),
        ("hey, how are you today?", "hello"),
        ("oi, tudo bem?", "hello"),
        ("What can you do for me?", "what_i_can_do"),
        ("o que você sabe fazer?", "what_i_can_do"),
        ("What's the weather?", "for_none"),
        ("hi, what is the weather in Lisbon?", "for_none"),
        ("Hiring is hard.", "for_none"),
        ("What could you have for lunch that is cheap and warm?", "for_none"),
    ],
)
def test_it_greets_who_greets_and_lists_its_skills_to_who_asks(
    assistant: Assistant, message: str, key: str
) -> None:
    language = "pt" if message.startswith("o") else "en"
    text, *_ = last(assistant, message, language=language).parts
    assert text.text.splitlines()[0] == say(key, language, titles="Mood, Moody")
    assert ("Mood: Tells the mood of a text." in text.text) == (key != "for_none")


def test_an_application_whose_plugin_is_switched_off_is_told_how_to_come_back(tmp_path: Path) -> None:
    DisabledPlugins(tmp_path).disable("gloom", ["gloom"])
    points = [EntryPoint(name, f"{__name__}:Plugin", "assistant") for name in ("moods", "gloom")]
    settings = Settings(home=tmp_path)
    some = Assistant(EchoEngine(), PluginManager(settings, points), PinRouter(), settings)
    for language in ("en", "pt"):
        reply = last(some, "/gloom it rains", language=language)
        assert reply.failed and reply.refused
        assert reply.text == say("disabled", language, name="/gloom", plugin="gloom")
    assert "assistant plugins enable gloom" in last(some, "it rains", application="gloom").text
    assert last(some, "/mod it rains").text == say("unknown_near", "en", name="/mod", near="/mood")


def test_without_applications_it_says_so(tmp_path: Path) -> None:
    empty = make(tmp_path, names=())
    for request in (Request("hello"), Request("/mood hello"), Request("hello", application="mood")):
        *_, reply = empty.reply(request)
        assert (reply.text, reply.done) == (say("no_applications", "en"), True)


@pytest.mark.parametrize(("asked", "given"), [("pt-BR", "pt"), ("PT", "pt"), ("en", "en")])
def test_an_application_is_given_a_language_without_its_region(
    assistant: Assistant, asked: str, given: str
) -> None:
    class Linguist(Application):
        id, title, description, examples = "linguist", "Linguist", "Tells the language.", ("Which?",)
        task = "text-classification"

        def answer(self, request, engine):
            yield Text(request.language)

    request = Request("hello", application="linguist", skills=(Linguist(),), language=asked)
    assert (
        last(assistant, request.message, application="linguist", skills=request.skills, language=asked).text
        == given
    )


@pytest.mark.parametrize("language", ["en", "pt", "pt-BR", "xx"])
@pytest.mark.parametrize(
    ("request_", "key", "values"),
    [
        (Request(""), "no_words", {}),
        (Request(" \n\t "), "no_words", {}),
        (Request("😀👩‍👩‍👧 ❤️"), "no_words", {}),
        (Request("\x00\x07\x1b"), "no_words", {}),
        (Request("?!"), "no_words", {}),
        (Request("x" * 1_000_000), "too_long", {"length": 1_000_000, "limit": 2_000}),
        (
            Request("hi", documents=(Document("a", ("a",)),) * 3),
            "too_many_documents",
            {"count": 3, "limit": 2},
        ),
        (Request("/modd hello"), "unknown_near", {"name": "/modd", "near": "/mood"}),
        (Request("  /xyz\nhello"), "unknown", {"name": "/xyz", "names": "/mood, /moody"}),
        (Request("/" + "x" * 1_000), "unknown", {"name": "/" + "x" * 40, "names": "/mood, /moody"}),
        (Request("hello", application="Mod"), "unknown_near", {"name": "Mod", "near": "mood"}),
        (Request("hello", application="<b>\x00"), "unknown", {"name": "<b>", "names": "mood, moody"}),
    ],
)
def test_a_message_that_cannot_be_read_gets_one_sentence(
    assistant: Assistant, request_: Request, key: str, values: dict[str, object], language: str
) -> None:
    (reply,) = assistant.reply(replace(request_, language=language))
    assert reply.parts == (Text(say(key, language, **values)),)
    assert reply.done


def test_control_characters_are_taken_out_and_other_scripts_stay(assistant: Assistant) -> None:
    reply = last(assistant, "a\x00b\r\nc\td\ud800 \u202eمرحبا", application="moody")
    assert reply.payload == Payload({"text": "ab\nc\td \u202eمرحبا"})


def test_what_is_no_command_is_no_command(assistant: Assistant) -> None:
    for message in ("either/or", "1 / 2 is a half", "see /mood"):
        assert last(assistant, message).text == say("for_none", "en", titles="Mood, Moody")


def test_a_refused_text_gets_the_sentence_of_the_application(assistant: Assistant) -> None:
    reply = last(assistant, "/moody refuse")
    assert reply.parts == (Text("at first"), Text("This is no text for me."))
    assert reply.done


def test_a_failing_application_is_named_without_detail(assistant: Assistant) -> None:
    reply = last(assistant, "/moody raise")
    assert reply.done
    assert re.search(r"The plugin 'moods' failed in answer: KeyError", reply.text)
    assert "secret" not in reply.text


def test_a_missing_adapter_is_one_sentence(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mood, "adapter", Path("not/there"))
    assert "There is no adapter folder not/there" in last(assistant, "/mood fine").text


def test_an_application_that_says_nothing_is_spoken_for(assistant: Assistant) -> None:
    assert last(assistant, "/moody say nothing").text == say("no_answer", "en", title="Moody")


def test_a_defect_is_logged_and_told_without_detail(
    assistant: Assistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reply = last(assistant, "break")
    assert (reply.text, reply.done) == (say("defect", "en"), True)
    assert "ZeroDivisionError: a secret" in caplog.text
    with pytest.raises(ZeroDivisionError):
        last(make(tmp_path, strict=True), "break")


def test_stopping_stops_the_application(assistant: Assistant) -> None:
    moody = assistant.applications["moody"]
    replies = assistant.reply(Request("/moody go on"))
    while len(next(replies).parts) < 2:
        pass
    replies.close()
    until = time.monotonic() + 5
    while not getattr(moody, "stopped", False):
        assert time.monotonic() < until
        time.sleep(0.005)
    assert last(assistant, "/moody hello").done


def test_the_conversation_goes_on(assistant: Assistant) -> None:
    request = Request("/moody hello\x00", history=(Turn("user", "before"),))
    *_, reply = assistant.reply(request)
    assert history_after(request, reply) == (
        Turn("user", "before"),
        Turn("user", "/moody hello"),
        Turn("assistant", "at first", "moody", Payload({"text": "hello"})),
    )


def test_the_router_sees_a_clean_and_bounded_history(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Turn, ...]] = []

    class Listening(PinRouter):
        def route(self, request: Request, votes: Sequence[Vote]) -> tuple[Route, Payload | None]:
            seen.append(request.history)
            return super().route(request, votes)

    monkeypatch.setattr(assistant, "router", Listening())
    turns = (
        *(Turn("user", str(i)) for i in range(9)),
        Turn("assistant", "\x00a", "mood", Payload({"t": ("\ud800b",)})),
    )
    last(assistant, "hello", history=turns)
    assert seen == [(*turns[6:9], Turn("assistant", "a", "mood", Payload({"t": ("b",)})))]


ANY_TEXT = st.text(st.characters(), max_size=60)  # surrogates and control characters too
MESSAGES = st.one_of(
    ANY_TEXT,
    st.builds("/{} {}".format, st.sampled_from(["mood", "moody", "moo", "MOOD", ""]), ANY_TEXT),
    st.builds(
        "{}{}".format, ANY_TEXT, st.sampled_from(["unsure", "break", "vote", "review", "<script>", "\x00"])
    ),
)


@given(
    message=MESSAGES,
    application=st.none() | ANY_TEXT | st.sampled_from(["mood", "moody"]),
    language=ANY_TEXT | st.sampled_from(["en", "pt"]),
    history=st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), ANY_TEXT), max_size=3),
)
def test_any_message_gets_a_finished_reply(
    assistant: Assistant, message: str, application: str | None, language: str, history: list[Turn]
) -> None:
    *growing, reply = assistant.reply(Request(message, tuple(history), (), application, language))
    assert reply.done
    assert not any(r.done for r in growing)
    assert reply.text.strip()
    json.dumps(reply.text).encode()
    reply.text.encode()


def test_every_sentence_is_in_every_language_with_the_same_values() -> None:
    def placeholders(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    english = {key: placeholders(sentence) for key, sentence in SENTENCES["en"].items()}
    for sentences in SENTENCES.values():
        assert {key: placeholders(sentence) for key, sentence in sentences.items()} == english
