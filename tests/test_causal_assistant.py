"""The causal base behind the assistant: conversation, prompts for adapters, corrections, and what is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest
from assistant_plugins.error_detection import ErrorDetection
from assistant_plugins.error_detection.writing import differences
from causal_folders import PROMPTS, write_base
from click.testing import CliRunner

from assistant import Notice, Payload, Request, Spans, Text, Turn
from assistant.cli import main
from assistant.core import Assistant, offered
from assistant.engine.base import BaseInfo, Engine, Message, Operation
from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.encoder import EncoderEngine
from assistant.errors import AdapterError
from assistant.installed import GROUP
from assistant.plugins import PluginManager
from assistant.prompts import load_prompt
from assistant.routing import Router
from assistant.settings import Settings

PLUGINS = (
    "sentiment",
    "question_answering",
    "error_detection",
    "summarization",
    "commonsense",
    "conversation",
)


def assistant_on(engine: Engine, home: Path, plugins: Sequence[str] = PLUGINS) -> Assistant:
    settings = Settings(home=home, strict=True)
    points = [EntryPoint(name, f"assistant_plugins.{name}", GROUP) for name in plugins]
    manager = PluginManager(settings, points)
    engine.prepare(manager.applications.values())
    return Assistant(engine, manager, Router(engine, offered(manager.applications, engine)), settings)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = write_base(tmp_path_factory.mktemp("bases") / "tiny")
    engine = CausalEngine(load_base(str(folder), "none"), EncoderEngine(), shots=1)
    yield assistant_on(engine, tmp_path_factory.mktemp("home"))
    engine.close()


@pytest.mark.parametrize(
    ("application", "message"),
    [
        ("sentiment", 'Is this review positive? "A warm, funny film."'),
        ("commonsense", "The man broke his toe. What was the cause?\na) He dropped a hammer.\nb) He sang."),
        ("question-answering", "When was it opened? The bridge was opened in 1893 by the mayor."),
        ("summarization", "Summarize: The council met. It voted for the bridge. Work starts in May."),
        ("error-detection", "Correct this: She don't like apples."),
    ],
)
def test_every_application_answers_on_a_causal_base(
    assistant: Assistant, application: str, message: str
) -> None:
    *_, reply = assistant.reply(Request(message, application=application))
    assert reply.done and not reply.failed, reply.text
    assert reply.route.application == application
    assert "tiny" in (reply.adapter or "") and "worked example" in (reply.adapter or "")


def test_a_summary_is_written_by_the_base_and_what_it_did_not_read_is_told(assistant: Assistant) -> None:
    text = "The council met on Monday. It voted for the bridge. Work starts in May. " * 200
    *replies, last = assistant.reply(Request(f"Summarize: {text}", application="summarization"))
    assert last.done and not last.failed, last.text
    growing = [p.text for r in replies for p in r.parts if isinstance(p, Text) and p.growing]
    assert len(set(growing)) > 3
    assert not any(isinstance(part, Text) and part.growing for part in last.parts)
    (notice,) = (part for part in last.parts if isinstance(part, Notice) and "I read" in part.text)
    read, whole = map(int, re.findall(r"\d+", notice.text))
    assert 0 < read < whole == len(text.strip())


def test_the_prompt_follows_the_language_of_the_request(assistant: Assistant) -> None:
    message = 'Esta avaliação é positiva? "A comida estava ótima."'
    *_, reply = assistant.reply(Request(message, application="sentiment", language="pt"))
    assert "exemplo" in (reply.adapter or "")


def test_a_message_for_no_application_is_answered_freely_and_grows(assistant: Assistant) -> None:
    replies = list(assistant.reply(Request("hi there, how was your weekend?")))
    last = replies[-1]
    assert last.route.application == "conversation"
    assert last.done and not last.failed
    growing = [reply for reply in replies if reply.parts and isinstance(reply.parts[-1], Text)]
    assert len(growing) > 3
    assert sum(isinstance(part, Text) for part in last.parts) == 1


def test_stopping_keeps_what_was_written(assistant: Assistant) -> None:
    replies = assistant.reply(Request("hello", application="conversation"))
    reply = next(reply for reply in replies if reply.text)
    replies.close()
    assert reply.text
    assert not reply.done


def test_a_long_history_is_cut_with_a_notice(assistant: Assistant) -> None:
    history = tuple(Turn("user" if i % 2 == 0 else "assistant", f"{i} " + "word " * 150) for i in range(20))
    *_, reply = assistant.reply(Request("and now?", history, application="conversation"))
    assert any(isinstance(part, Notice) and part.kind == "history" for part in reply.parts)


def test_conversation_is_not_offered_where_the_base_cannot_write(
    encoder: EncoderEngine, tmp_path: Path
) -> None:
    assistant = assistant_on(encoder, tmp_path, ("sentiment", "conversation"))
    assert list(assistant.applications) == ["sentiment"]
    *_, reply = assistant.reply(Request("hi there, how was your weekend?"))
    assert reply.route.application is None
    *_, refused = assistant.reply(Request("/conversation hi"))
    assert refused.failed
    assert "no application /conversation" in refused.text


class Typist(Engine):
    """Writes what it was told to."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"generate"})
    info = BaseInfo("typist", "0" * 64, 0, "none", 0)

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked: list[Any] = []

    def adapter(self, adapter: Path) -> Any:
        raise AdapterError("The typist has no adapters.")

    def generate(
        self, prompt: str | Sequence[Message], adapter: Path | None = None, max_tokens: int = 256
    ) -> Iterator[str]:
        self.asked.append(prompt)
        yield from self.text


def test_a_correction_is_shown_as_what_differs() -> None:
    text = "She don't like apples ."
    engine = Typist("She doesn't like apples.\n\nText:\n```\nnever asked for")
    parts = list(ErrorDetection().answer(Request("", payload=Payload({"text": text})), engine))
    (spans,) = (part for part in parts if isinstance(part, Spans))
    changes = [(text[span.start : span.end], span.replacement) for span in spans.spans]
    assert changes == [("don't", "doesn't"), (" ", "")]
    assert parts[-1] == Text("She doesn't like apples.", copyable=True)
    assert engine.asked[0].endswith("Text:\n```\nShe don't like apples .\n```\nCorrected:")


def test_an_answer_to_something_else_is_no_correction() -> None:
    assert not list(differences("She don't like apples.", "Sure! Here is a poem about the sea."))
    assert not list(differences("", ""))


class Mute(Typist):
    operations: ClassVar[frozenset[Operation]] = frozenset({"embed", "classify"})

    def adapter(self, adapter: Path) -> Any:
        from assistant.engine.echo import EchoEngine

        return EchoEngine().adapter(adapter)

    def embed(self, inputs: Sequence[str]) -> Any:
        from assistant.engine.echo import EchoEngine

        return EchoEngine().embed(inputs)


def test_a_missing_operation_is_a_sentence_and_no_failure_of_the_plugin(tmp_path: Path) -> None:
    assistant = assistant_on(Mute(""), tmp_path, ("error_detection", "summarization"))
    for application, message in (
        ("error-detection", "She don't."),
        ("summarization", "One. Two. Three. Four."),
    ):
        *_, reply = assistant.reply(Request(message, application=application))
        assert reply.failed
        assert "cannot" in reply.text and "it can: classify, embed" in reply.text
    assert all(not record.error for record in assistant.plugins.records)


# --- Portuguese on the embedded base -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def english(encoder: EncoderEngine, tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    return assistant_on(encoder, tmp_path_factory.mktemp("home"), ("sentiment", "summarization", "nli"))


def test_a_portuguese_message_is_answered_in_portuguese(english: Assistant) -> None:
    *_, reply = english.reply(Request('O cliente gostou? "It arrived quickly and works well."'))
    assert reply.route.application == "sentiment"
    assert reply.text.startswith("Isto soa")
    assert not any(isinstance(part, Notice) for part in reply.parts)


def test_a_text_that_the_base_does_not_understand_is_answered_with_a_warning(english: Assistant) -> None:
    *_, reply = english.reply(
        Request('Qual é o sentimento deste comentário: "A comida estava ótima, adorei."')
    )
    assert reply.route.application == "sentiment"
    (notice,) = (part for part in reply.parts if isinstance(part, Notice))
    assert "só conhece inglês" in notice.text
    *_, asked_in_english = english.reply(Request('Is this positive? "A comida estava ótima e não foi cara."'))
    (notice,) = (part for part in asked_in_english.parts if isinstance(part, Notice))
    assert "does not look like English" in notice.text


def test_what_cannot_be_done_is_said_in_portuguese(english: Assistant) -> None:
    *_, reply = english.reply(Request("oi, tudo bem?"))
    assert reply.route.application is None
    assert reply.text.startswith("Olá! Eis o que sei fazer")
    assert "textos em inglês" in reply.text


def test_an_english_message_stays_english(english: Assistant) -> None:
    *_, reply = english.reply(Request('Is this review positive? "A warm, funny film."'))
    assert reply.text.startswith("This sounds")
    assert not any(isinstance(part, Notice) for part in reply.parts)


# --- commands ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ONEBASE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def test_prompts_show_prints_what_the_model_gets(run: Any, base: Path) -> None:
    message = "Is this positive? “meh<|im_end|>”"
    result = run("prompts", "show", "sentiment", "--message", message, "--shots", "1", "--base", str(base))
    assert result.exit_code == 0, result.stderr
    prompt = load_prompt(PROMPTS / "sentiment", "en")
    expected = prompt.render({"text": "meh<|im_end|>"}, 1)
    assert result.stdout == expected + "\n"
    (count, window) = re.search(r"([\d,]+) of ([\d,]+) tokens", result.stderr).groups()  # type: ignore[union-attr]
    assert window == "1,024"
    assert 50 < int(count) < 1024
    portuguese = run("prompts", "show", "sentiment", "--message", message, "--shots", "0", "--language", "pt")
    assert (
        portuguese.stdout == load_prompt(PROMPTS / "sentiment", "pt").render({"text": "meh<|im_end|>"}) + "\n"
    )
    assert "Not counted" in portuguese.stderr
    nothing = run("prompts", "show", "sentimet", "--message", "x")
    assert nothing.exit_code == 1
    assert "Did you mean sentiment?" in nothing.stderr


def test_prompts_show_takes_the_examples_most_like_the_message(run: Any, base: Path) -> None:
    """Without a base and with one it is the same prompt, and the nearest example stands last."""
    prompt = load_prompt(PROMPTS / "sentiment", "en")
    for shot in prompt.shots[:3]:
        text = shot.input["text"]
        message = f"Is this positive? “{text}”"
        given = ("--message", message, "--shots", "2", "--selection", "similar")
        plain = run("prompts", "show", "sentiment", *given)
        assert plain.exit_code == 0, plain.stderr
        assert plain.stdout.count("```") == 6
        examples, _, own = plain.stdout.rpartition("\n\n")
        assert text in own
        assert examples.endswith(f"```\n{text}\n```\nSentiment: {prompt.labels[shot.label].name}")
        counted = run("prompts", "show", "sentiment", *given, "--base", str(base))
        assert counted.stdout == plain.stdout


def test_shots_may_be_set_by_the_environment(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEBASE_SHOTS", "1")
    message = ("--message", "Is this positive? “meh”")
    assert run("prompts", "show", "sentiment", *message).stdout.count("```") == 4
    assert run("prompts", "show", "sentiment", *message, "--shots", "0").stdout.count("```") == 2


def test_ask_and_predict_take_a_base(run: Any, base: Path, tmp_path: Path) -> None:
    result = run("ask", "Is this positive? “meh”", "--base", str(base), "--quantize", "none", "--json")
    assert result.exit_code == 0, result.stderr
    assert "Base: tiny, sha256" in result.stderr
    answer = json.loads(result.stdout)
    assert answer["application"] == "sentiment"
    assert answer["adapter"].startswith("no adapter for tiny")
    assert sum(label["probability"] for label in answer["labels"]) == pytest.approx(1)
    (tmp_path / "rows.jsonl").write_text('{"text": "meh", "label": "neutral"}\n{"text": "great"}\n')
    result = run("predict", "sentiment", "rows.jsonl", "--out", "out.jsonl", "--base", str(base))
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [sorted(row) for row in rows] == [
        ["input_label", "label", "probabilities", "text"],
        ["label", "probabilities", "text"],
    ]
