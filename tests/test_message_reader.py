"""Messages as the shipped adapter reads them: what no rule of quotes, colons and labels shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from assistant_plugins.cyberbullying import Cyberbullying
from assistant_plugins.question_answering import QuestionAnswering
from assistant_plugins.sentiment import Sentiment
from assistant_plugins.summarization import Summarization

from assistant.applications import Application, Request
from assistant.engine.base import Classification, Engine, HeadAnswer, Operation, Tag
from assistant.engine.echo import EchoEngine
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import read_manifest
from assistant.payload import MessageReader, find, find_payload
from assistant.payload.reader import ADAPTER, EDGE
from assistant.payload.source import Finding, Source
from assistant.routing import Router


@pytest.fixture(scope="module")
def reader(encoder: EncoderEngine) -> MessageReader:
    return MessageReader(encoder)


@pytest.mark.parametrize(
    ("application", "message", "expected"),
    [
        (
            Sentiment(),
            "my landlord answered at last. happy or cross? I will send somebody when I find the time.",
            {"text": "I will send somebody when I find the time."},
        ),
        (
            Cyberbullying(),
            "T: you run like a duck, quit the team. C: ?",
            {"text": "you run like a duck, quit the team."},
        ),
        (
            Summarization(),
            "No time to read it all, what matters here? The pool closes in June. The roof leaks. Repairs take a year.",
            {"text": "The pool closes in June. The roof leaks. Repairs take a year."},
        ),
        (
            QuestionAnswering(),
            "Our bus leaves at six from the old market. From where does the bus leave?",
            {
                "question": "From where does the bus leave?",
                "context": "Our bus leaves at six from the old market.",
            },
        ),
    ],
)
def test_the_payload_without_marks(
    reader: MessageReader, application: Application, message: str, expected: dict[str, str]
) -> None:
    payload = find_payload(message, application, Request(message), reader)
    assert payload is not None
    assert payload.fields == expected


def test_what_is_quoted_is_the_text_as_it_stands_there(reader: MessageReader) -> None:
    finding = find(Source.read("Is “Well, well, well!” a friendly answer?"), ("text",), reader=reader)
    assert finding is not None
    assert finding.texts() == {"text": "Well, well, well!"}


def test_it_says_what_a_message_is_for(reader: MessageReader) -> None:
    letter = "Shorten this letter for me: The pool closes in June. Repairs take a year."
    assert reader.meant(letter)["summarization"] > 0.5
    assert reader.meant("what time is it in Lagos")["none"] > 0.5
    assert sum(reader.meant("hello").values()) == pytest.approx(1, abs=1e-3)


def test_an_instruction_without_a_mark_is_obeyed(encoder: EncoderEngine, reader: MessageReader) -> None:
    router = Router(encoder, {each.id: each for each in (Sentiment(), Summarization())}, reader)
    text = "The council met on Monday. It voted for the new bridge after four hours of debate. Work starts in May."
    assert router.route(Request(f"tl;dr {text}"))[0].application == "summarization"
    assert router.route(Request(text))[0].application is None


def test_the_adapter_is_small_and_has_its_card(encoder: EncoderEngine) -> None:
    manifest = read_manifest(ADAPTER)
    assert manifest.labels == ("application", "text", "pair", "passage", "choices")
    assert encoder.adapter(ADAPTER).parameters <= 0.03 * encoder.info.parameters
    assert "make_rows.py" in (ADAPTER.parent / "recipe.yaml").read_text()
    assert "assistant multitask" in (ADAPTER / "README.md").read_text()


def test_fields_of_a_shape_that_it_has_not_learnt_are_found_by_rules(reader: MessageReader) -> None:
    source = Source.read("one two three")
    ruled = Finding(source, {"first": (((0, 3),),)})
    assert reader.find(source, ("first", "second", "third"), ruled) is ruled
    assert reader.find(source, ("question",)) is None


@pytest.mark.parametrize("message", ["…", "?", "x" * 3_000, "- " * 900, "\u200b", "[" * 50, "\n\n>\n"])
def test_strange_messages_are_read_without_harm(reader: MessageReader, message: str) -> None:
    for fields in (("text",), ("premise", "hypothesis"), ("question", "context"), ("question", "choices")):
        finding = find(Source.read(message), fields, reader=reader)
        assert finding is None or all(start < end for start, end in finding.stretches)


class Middle(EchoEngine):
    """Takes what stands before "END" for the text, and remembers what it was asked."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"multitask"})

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def multitask(self, inputs: Sequence[str], adapter: Path) -> list[dict[str, HeadAnswer]]:
        self.asked += inputs
        (text,) = inputs
        end = text.index("END")
        tags = tuple(
            Tag(*word.span(), "TEXT" if word.end() < end else "O", 0.9) for word in re.finditer(r"\S+", text)
        )
        return [{"text": tags, "application": Classification(("none",), (1.0,))}]


def test_of_a_long_message_both_ends_are_read() -> None:
    engine = Middle()
    message = "word " * 1_000 + "END please shorten"
    finding = MessageReader(engine).find(Source.read(message), ("text",))
    assert len(engine.asked[0]) < 2 * EDGE + 20
    assert finding is not None
    assert finding.texts()["text"] == ("word " * 1_000).strip()


def test_a_message_is_read_once() -> None:
    engine = Middle()
    reader: MessageReader = MessageReader(engine)
    for _ in range(3):
        reader.find(Source.read("a text END"), ("text",))
        reader.meant("a text END")
    assert engine.asked == ["a text END"]


def test_an_engine_says_whether_it_reads_messages(encoder: EncoderEngine) -> None:
    assert encoder.encoder is encoder
    without: Engine = EchoEngine()
    assert without.encoder is None
