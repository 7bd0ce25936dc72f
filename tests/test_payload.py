"""Which part of a message is the payload, for every shape of fields."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_applications import Answers, Choices, Mistakes, Nli, Sentiment, Summary

from assistant.applications import Application, Document, Request
from assistant.payload import find_payload
from assistant.payload.source import Source

PASSAGE = "The Amazon is a rainforest. It covers most of the Amazon basin of South America."
DOCUMENTS = (Document("report.txt", ("The long report.",)),)


def fields(application: Application, message: str, /, **request: object) -> dict[str, object] | None:
    payload = find_payload(message, application, Request(message, **request))  # type: ignore[arg-type]
    return dict(payload.fields) if payload else None


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Is this review positive? 'The plot dragged.'", "The plot dragged."),
        ("Is this positive? “Don't go.”", "Don't go."),
        ("Is this positive? ‘It wasn’t for me’", "It wasn’t for me"),
        ("Is 'I can't complain, it's fine' positive?", "I can't complain, it's fine"),
        ("sentiment of «très bien, non?»", "très bien, non?"),
        ("sentiment of „not bad at all“", "not bad at all"),
        ("the sentiment of `it just works`?", "it just works"),
        ('"He said "never again" and left." What is the sentiment?', 'He said "never again" and left.'),
        ('Is this positive? The "chef" was a terrible cook.', 'The "chef" was a terrible cook.'),
        ("```\nGood.\n\n  Very  good.\n```\npositive?", "Good.\n\n  Very  good."),
        ("> It broke.\n> Twice.\n\nnegative?", "It broke.\nTwice."),
        ("The plot dragged. - positive or negative?", "The plot dragged."),
        ("sentiment: great phone 🎉", "great phone 🎉"),
        (
            "Hi! Please tell me if this review is positive. Thanks!\n\nCold  soup.\n\nRude staff.",
            "Cold  soup.\n\nRude staff.",
        ),
        ("I got this from my sister: we hated it there. is that negative?", "we hated it there."),
        ('My boss wrote "let us talk on Monday" in a mail, is that positive?', "let us talk on Monday"),
        ("is the food was cold again positive or negative", "the food was cold again"),
        ("what is the sentiment of i will never fly with them again", "i will never fly with them again"),
        ("Esta avaliação é positiva? O hotel é lindo.", "O hotel é lindo."),
        ("O hotel é lindo. Isso é positivo ou negativo?", "O hotel é lindo."),
        ('Is this positive?\n"""\nGood.\n\nVery good.\n"""', "Good.\n\nVery good."),
        ("Great view <- is this positive or negative?", "Great view"),
        ("The plot dragged. (positive or negative?)", "The plot dragged."),
        (
            'He called it "a masterpiece" and I agree with him. Is this review positive?',
            'He called it "a masterpiece" and I agree with him.',
        ),
        (
            "Is this review positive? Why would anyone pay for this? I want my evening back.",
            "Why would anyone pay for this? I want my evening back.",
        ),
    ],
)
def test_one_text(message: str, text: str) -> None:
    assert fields(Sentiment(), message) == {"text": text}


@pytest.mark.parametrize(
    "message", ["Is this review positive?", "sentiment?", "Please check the tone of this", "", " \n"]
)
def test_an_instruction_alone_has_no_text(message: str) -> None:
    assert fields(Sentiment(), message) is None


@pytest.mark.parametrize(
    "text", ["Is this really the same band? They sound tired.", "a  b\n\n c", "Good morning: sun!"]
)
def test_a_pinned_application_takes_plain_text_verbatim(text: str) -> None:
    assert fields(Sentiment(), f"\n{text} ", application="sentiment") == {"text": text}


def test_a_pinned_application_still_sees_a_clear_instruction() -> None:
    message = "Is this review positive? The plot dragged."
    assert fields(Sentiment(), message, application="sentiment") == {"text": "The plot dragged."}


@pytest.mark.parametrize(
    "message",
    [
        "Premise: {p} Hypothesis: {h}",
        "Hypothesis: {h}\nPremise: {p}",
        "P: {p}\nH: {h}",
        "Text 1: {p}\nText 2: {h}\nDoes text 2 follow from text 1?",
        "A) {p} B) {h}",
        'Does "{h}" follow from "{p}"?',
        "Does '{p}' imply '{h}'?",
        "Is «{h}» entailed by «{p}»?",
        'The letter says "{p}". Does that mean "{h}"?',
        "entailment or contradiction?\n{p}\n{h}",
        "{p}\n{h}\n\nDo these contradict each other?",
        "{p} Hypothesis: {h}",
        "Premissa: {p}\nHipótese: {h}",
        "Check the entailment.\n\nText: {p}\nHypothesis: {h}",
        "```\nPremise: {p}\nHypothesis: {h}\n```\nentailed?",
        "{p} => {h} (entailment?)",
    ],
)
def test_two_texts(message: str) -> None:
    given, derived = "Two men sleep on a couch.", "Nobody is awake."
    message = message.format(p=given, h=derived)
    assert fields(Nli(), message) == {"premise": given, "hypothesis": derived}


@pytest.mark.parametrize(
    ("message", "premise", "hypothesis"),
    [
        ("If all birds fly, is it true that penguins fly?", "all birds fly", "penguins fly"),
        ("Two kids play. Does that mean children are outdoors?", "Two kids play.", "children are outdoors"),
        ("He lives in Paris, therefore he lives in France?", "He lives in Paris", "he lives in France"),
        ("It is raining, so the ground is wet?", "It is raining", "the ground is wet"),
        ("does it follow from my phone is old that it is broken?", "my phone is old", "it is broken"),
        ("Se hoje é feriado, é verdade que os bancos fecham?", "hoje é feriado", "os bancos fecham"),
    ],
)
def test_two_texts_in_one_sentence(message: str, premise: str, hypothesis: str) -> None:
    assert fields(Nli(), message) == {"premise": premise, "hypothesis": hypothesis}


@pytest.mark.parametrize(
    "message",
    [
        "Context: {c}\nQuestion: {q}",
        "{c}\n\n{q}",
        "{q}\n\n{c}",
        '{q} "{c}"',
        "Read this passage and answer: '{c}' {q}",
        "According to this text, {q} {c}",
        "{q} Text: {c}",
        "Here is an e-mail:\n\n{c}\n\n{q}",
        "Read this and answer the question.\n\n{c}\n\n{q}",
        "Hi, I have a question about this text.\n\n{c}\n\n{q}\n\nThanks!",
        "Can you find in this passage {q} {c}",
        "{q}\n---\n{c}",
        "{c}\n\nQ: {q}",
        "Could you tell me, from the text below, {q}\n\n{c}\n\nThank you",
        "```\nContext: {c}\nQuestion: {q}\n```\nanswer it please",
    ],
)
def test_question_and_context(message: str) -> None:
    question = "where is the basin?"
    assert fields(Answers(), message.format(c=PASSAGE, q=question)) == {
        "context": PASSAGE,
        "question": question,
    }


@pytest.mark.parametrize(
    "message",
    [
        "What is hot? A) ice B) open fire",
        "What is hot?\na. ice\nb. open fire",
        "What is hot?\n- ice\n- open fire",
        "What is hot? Options: ice, open fire",
        "Question: What is hot?\nChoices: ice / open fire",
        "What is hot? ice or open fire",
        'What is hot? "ice" or "open fire"',
    ],
)
def test_question_and_choices(message: str) -> None:
    assert fields(Choices(), message) == {"question": "What is hot?", "choices": ("ice", "open fire")}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("```py\nx = 1\n```\nWhat is this?\n```\nsecond", "x = 1"),
        ("~~~\n``` no end ~~\n~~~~  \nmood?", "``` no end ~~"),
        ("```\nsaid at the end ```\nmood?", "said at the end"),
    ],
)
def test_a_fence_ends_with_the_next_mark_of_its_kind(message: str, text: str) -> None:
    source = Source.read(message)
    assert source.read_value(source.containers[0].value) == text


@pytest.mark.parametrize("message", ["Summarize this document", "summary please", "make it short", "tl;dr"])
def test_the_attached_document_is_the_text(message: str) -> None:
    assert fields(Summary(), message, documents=DOCUMENTS) == {"text": "The long report."}


def test_a_quoted_text_goes_before_the_document() -> None:
    assert fields(Mistakes(), "Correct this: 'he go'", documents=DOCUMENTS) == {"text": "he go"}
    pinned = Request("", documents=DOCUMENTS, application="sentiment")
    payload = find_payload('Which mood is this? "Grilled sardines"', Sentiment(), pinned)
    assert payload is not None and payload.text("text") != "The long report."


def test_a_question_about_the_document() -> None:
    expected = {"context": "The long report.", "question": "Who signed it?"}
    assert fields(Answers(), "Who signed it?", documents=DOCUMENTS) == expected


def test_a_wished_length_is_an_option() -> None:
    payload = find_payload(f"Summarize this in one sentence: {PASSAGE}", Summary(), Request(""))
    assert payload is not None
    assert (payload.text("text"), payload.options) == (PASSAGE, {"length": "short"})


PIECES = st.sampled_from(
    [
        "'",
        '"',
        "“",
        "”",
        "«",
        "```",
        "\n",
        "> ",
        ": ",
        "A) ",
        "if ",
        "is it true that ",
        "? ",
        "premise:",
        " or ",
        "this ",
    ]
)
MESSAGES = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=20).map("".join)


@given(MESSAGES, st.booleans())
def test_a_payload_is_always_taken_from_the_message(message: str, pinned: bool) -> None:
    for application in (Sentiment(), Nli(), Answers(), Choices()):
        found = fields(application, message, application=application.id if pinned else None) or {}
        values = [
            value for each in found.values() for value in (each if isinstance(each, tuple) else (each,))
        ]
        # A block of `>` lines loses its marks; every line is still the message's.
        assert all(line in message for value in values for line in str(value).split("\n"))


@pytest.mark.parametrize(
    ("before", "piece", "after"),
    [
        *(
            ("", piece, "")
            for piece in ("'a ", '"a ', "> a\n", "a: ", "hey, hi! ", "- ", "if a, so b ", "```a", " ")
        ),
        *(("", piece, "") for piece in ("\n", '"""a', "(a b?) ", "```x\n", "~~~x\n```y\n")),
        *(("Is this positive: a", piece, "b") for piece in (" ", "<", " |", '"', "…")),
        *(("Premise: a. Hypothesis: b. ", piece, "?") for piece in ("a? ", "is it\n", ". ")),
        ("is ", "positive ", "a b c d e f"),
        ("is a", " ", "b positive"),
        ("", "sentiment a b ", ""),
    ],
)
def test_the_time_is_bounded(before: str, piece: str, after: str) -> None:
    message = before + piece * (100_000 // len(piece)) + after
    start = time.process_time()
    for application in (Sentiment(), Nli(), Answers(), Choices()):
        fields(application, message)
    assert time.process_time() - start < 10
