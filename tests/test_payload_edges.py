"""What stands around a text and belongs to the message, not to the text."""

from __future__ import annotations

import pytest

from assistant.engine.encoder import EncoderEngine
from assistant.payload import MessageReader, find
from assistant.payload.edges import settled
from assistant.payload.source import Finding, Source, Value


def at(message: str, *texts: str) -> tuple[Value, ...]:
    """Where texts stand in a message, one after another."""
    values, begin = [], 0
    for text in texts:
        begin = message.index(text, begin)
        values.append(((begin, begin + len(text)),))
        begin += len(text)
    return tuple(values)


@pytest.mark.parametrize(
    ("message", "found", "kept"),
    [
        ("Spot the errors |He go home.|", "He go home.|", "He go home."),
        ("Is [He go home.] right?", "He go home.]", "He go home."),
        ("rate this ★ best pizza in town", "★ best pizza in town", "best pizza in town"),
        ("tldr >> The pool closes.", ">> The pool closes.", "The pool closes."),
        ("Q: When did it rain?\nA:", "When did it rain?\nA:", "When did it rain?"),
        ("Correct: He go.\nCorrection =", "He go.\nCorrection =", "He go."),
        ("rate: he got a result: none", "he got a result: none", "he got a result: none"),
        ("rate: great :)", "great :)", "great :)"),
        ("rate (the soup was cold", "(the soup was cold", "the soup was cold"),
        ("rate: a list (of two) and [x]", "a list (of two) and [x]", "a list (of two) and [x]"),
        (
            'Rate: "Worth it?" they ask. No.',
            'Worth it?" they ask. No.',
            '"Worth it?" they ask. No.',
        ),
        ('Rate: He said "never', 'He said "never', 'He said "never'),
        ("]", "]", "]"),
    ],
)
def test_a_text_loses_what_sets_it_off(message: str, found: str, kept: str) -> None:
    source = Source.read(message)
    assert settled(Finding(source, {"text": at(message, found)})).texts() == {"text": kept}


@pytest.mark.parametrize(
    ("message", "found", "kept"),
    [
        ("grew a) it grew b) it melted", ("it grew b", "it melted"), ("it grew", "it melted")),
        ("so\n1 wait\n2 run", ("1 wait", "2 run"), ("wait", "run")),
        ("Either he ran or he slept.", ("Either he ran", "he slept."), ("he ran", "he slept")),
        ("Between a saw or a fork", ("Between a saw", "a fork"), ("a saw", "a fork")),
        ("is he between jobs or at work", ("between jobs", "at work"), ("between jobs", "at work")),
        ("a saw and a fork?", ("a saw and", "a fork?"), ("a saw", "a fork")),
        ("He ran. He slept.", ("He ran.", "He slept."), ("He ran.", "He slept.")),
        ("he ran or he waited ...", ("he ran", "he waited ..."), ("he ran", "he waited ...")),
        ("Did he run or did he sleep?", ("Did he run", "did he sleep?"), ("Did he run", "did he sleep?")),
    ],
)
def test_choices_lose_their_signs_and_the_end_of_the_sentence_around_them(
    message: str, found: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    finding = settled(Finding(Source.read(message), {"choices": at(message, *found)}))
    assert finding.texts(frozenset({"choices"})) == {"choices": kept}


def test_a_statement_loses_the_mark_of_the_question_about_it() -> None:
    message = "The soup has no egg in it. Can I conclude that it's vegan ?"
    premise, hypothesis = at(message, "The soup has no egg in it.", "it's vegan ?")
    found = Finding(Source.read(message), {"premise": (premise,), "hypothesis": (hypothesis,)})
    assert settled(found).texts() == {
        "premise": "The soup has no egg in it.",
        "hypothesis": "it's vegan",
    }


@pytest.mark.parametrize(
    ("message", "choices"),
    [
        ("The ice melted. Ending 1: It grew. Ending 2: It shrank. Pick one.", ("It grew.", "It shrank.")),
        ("He is late. Solution no. 1: run\nSolution no. 2: sleep", ("run", "sleep")),
        ("He ran (1) home (2) away. I say the first.", ("home", "away")),
        (
            "By nine (i) the ice had melted, (ii) the step had doubled.",
            ("the ice had melted", "the step had doubled"),
        ),
        ("Why? A - it fell; B - it rose; C - it sang.", ("it fell", "it rose", "it sang")),
        ("He is wet 1/ it rained 2/ he sang", ("it rained", "he sang")),
        (
            "The fox got in, so [A: hens were missing] [B: hens flew]. Which?",
            ("hens were missing", "hens flew"),
        ),
        ("Who sells bread? A...a baker\nB...a diver", ("a baker", "a diver")),
        ("It is cold. He needs a [coat] [fan]", ("coat", "fan")),
        ("How to get home {take the bus} or {take a nap}", ("take the bus", "take a nap")),
        ("She paid because (she was hungry) (the bill came)", ("she was hungry", "the bill came")),
        (
            "Who is right? 1) Mr. Fox ran. Then he slept. 2) He sat. Then he ate.",
            ("Mr. Fox ran. Then he slept.", "He sat. Then he ate."),
        ),
    ],
)
def test_choices_in_a_list(message: str, choices: tuple[str, ...]) -> None:
    finding = find(Source.read(message), ("question", "choices"))
    assert finding is not None and finding.listed
    assert finding.texts(frozenset({"choices"}))["choices"] == choices


def test_the_reader_finds_only_the_question_of_a_list(encoder: EncoderEngine) -> None:
    message = (
        "ok here it goes. The street was wet. Why?\na) it had rained b) the shop was shut\nwhat do you say"
    )
    finding = find(Source.read(message), ("question", "choices"), reader=MessageReader(encoder))
    assert finding is not None
    texts = finding.texts(frozenset({"choices"}))
    assert texts["choices"] == ("it had rained", "the shop was shut")
    assert "The street was wet. Why?" in texts["question"]
