"""Common sense: the question in the adapter's words, the option that is said, the words that mattered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.applications import Labels, Payload, ReplyPart, Request, Spans, Text
from assistant.checks import checked_part
from assistant.engine.base import Choice
from assistant.engine.echo import EchoEngine
from assistant.errors import InputError
from assistant.payload import find_payload
from assistant.prompts import load_prompt
from assistant_plugins.commonsense import MAX_OPTIONS, CommonSense, register_applications
from assistant_plugins.commonsense.questions import CAUSE, EFFECT, SENSE, read_question

PREMISE = "The man broke his toe."
OPTIONS = ("He got a hole in his sock.", "He dropped a hammer on his foot.")


class Weighing(EchoEngine):
    """Gives an option a share by the words in it and in the question, and remembers what it was asked."""

    def __init__(self, **weights: float) -> None:
        super().__init__()
        self.weights = weights
        self.asked: list[Choice] = []

    def choose(self, inputs: Sequence[Choice], adapter: Path) -> list[tuple[float, ...]]:
        self.asked += inputs
        return [self._shares(choice) for choice in inputs]

    def _shares(self, choice: Choice) -> tuple[float, ...]:
        def weight(option: str) -> float:
            # A word of the question counts for the option that has the hammer in it.
            text = option + (choice.question if "hammer" in option else "")
            return 1.0 + sum(value for word, value in self.weights.items() if word in text)

        weights = [weight(option) for option in choice.options]
        return tuple(each / sum(weights) for each in weights)


@pytest.fixture
def application(tmp_path: Path) -> CommonSense:
    return _with_threshold(tmp_path, 0.0)


def _with_threshold(folder: Path, threshold: float) -> CommonSense:
    class Fake(CommonSense):
        adapter = folder

    (folder / "onebase.json").write_text(json.dumps({"task": "multiple-choice", "threshold": threshold}))
    return Fake()


def ask(
    application: CommonSense, engine: EchoEngine, question: str, options: Sequence[str], language: str = "en"
) -> list[ReplyPart]:
    payload = Payload({"question": question, "choices": tuple(options)})
    parts = list(application.answer(Request("", language=language, payload=payload), engine))
    return [checked_part(part) for part in parts]


# --- the question ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "fixed"),
    [
        *((ending, CAUSE) for ending in (
            " What was the cause of this?",
            " What was the cause?",
            " Why?",
            "\nwhy did this happen",
            " What's the most likely cause?",
            " Most likely cause?",
            " So what caused it?",
            " Which of these is the more plausible cause?",
            " Cause:",
            " What is the reason for this?",
            " Porque?",
            " Por quê?",
            " Qual foi a causa?",
            " Qual é a causa mais provável?",
            " O que causou isso?",
        )),
        *((ending, EFFECT) for ending in (
            " What happened as a result?",
            " What happened then?",
            " what happens next",
            " And then what happened?",
            " What is the most likely effect?",
            " Effect?",
            " What did this lead to?",
            " O que aconteceu depois?",
            " Qual foi a consequência?",
            " E então?",
        )),
    ],
)  # fmt: skip
def test_cause_and_effect_are_asked_in_the_trained_words(ending: str, fixed: str) -> None:
    assert read_question(PREMISE + ending).text == f"{PREMISE}\n{fixed}"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("The man broke his toe, why?", f"The man broke his toe\n{CAUSE}"),
        (f"What was the cause?\n{PREMISE}", f"{PREMISE}\n{CAUSE}"),
        (f"Why? {PREMISE}", f"{PREMISE}\n{CAUSE}"),
        ("She opened the umbrella because …", f"She opened the umbrella\n{CAUSE}"),
        ("Ela abriu o guarda-chuva porque ___", f"Ela abriu o guarda-chuva\n{CAUSE}"),
        ("He turned on the heater, so", f"He turned on the heater\n{EFFECT}"),
        ("It rained. We stayed in. What happened next?", f"It rained. We stayed in.\n{EFFECT}"),
    ],
)
def test_the_premise_may_stand_elsewhere(question: str, text: str) -> None:
    assert read_question(question).text == text


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "What was the cause?",
        "Why do people wear coats?",
        "What happened as a result of the storm?",
        "Where would you keep ice cream?",
        "Which planet is most likely to have life?",
        "Which drink makes sense at breakfast?",
        "What is the effect of heat on ice?",
        "Which is heavier",
        "The floor is wet. Which is more plausible?",
    ],
)
def test_any_other_question_stands_as_typed(question: str) -> None:
    asked = read_question(question)
    assert (asked.kind, asked.text) == ("question", question)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Which makes more sense", "sense"),
        ("Which statement makes sense?", "sense"),
        ("which one of these is more plausible?", "sense"),
        ("Choose the one that makes sense", "sense"),
        ("Does\nmake more sense?", "sense"),
        ("Qual faz mais sentido", "sense"),
        ("Which of the two statements is against common sense?", "against"),
        ("Which one doesn't make sense?", "against"),
        ("which sentence makes no sense", "against"),
        ("Which is weird?", "against"),
        ("Which is less likely?", "against"),
        ("Qual destas frases contraria o senso comum?", "against"),
        ("Qual não faz sentido?", "against"),
    ],
)
def test_of_statements_the_sensible_one_is_asked_for(question: str, kind: str) -> None:
    asked = read_question(question)
    assert (asked.kind, asked.text) == (kind, SENSE)


# --- the reply ------------------------------------------------------------------------------------------------


def test_the_likely_cause_is_said_and_shown(application: CommonSense) -> None:
    engine = Weighing(hammer=3.0, toe=4.0)
    said, labels, evidence = ask(application, engine, f"{PREMISE} Why?", OPTIONS)
    assert said == Text("The most plausible cause: “He dropped a hammer on his foot”.")
    assert isinstance(labels, Labels)
    assert [score.label for score in labels.scores] == [OPTIONS[1], OPTIONS[0]]
    assert sum(score.probability for score in labels.scores) == pytest.approx(1.0)
    assert engine.asked[0] == Choice(f"{PREMISE}\n{CAUSE}", OPTIONS)
    assert isinstance(evidence, Spans) and evidence.text == PREMISE
    assert [PREMISE[span.start : span.end] for span in evidence.spans] == ["toe"]
    assert evidence.spans[0].weight > 0


def test_portuguese(application: CommonSense) -> None:
    said, *_ = ask(application, Weighing(hammer=3.0), "Onde?", ("a hammer", "no mar"), "pt-BR")
    assert said == Text("The most plausible answer: “a hammer”.")
    said, *_ = ask(application, Weighing(hammer=3.0), "Onde?", ("a hammer", "no mar"), "pt")
    assert said == Text("A resposta mais plausível: “a hammer”.")


def test_against_common_sense_is_the_least_plausible(application: CommonSense) -> None:
    statements = ("He drank milk.", "He drank a brick.", "He drank tea.")
    engine = Weighing(milk=3.0, tea=3.0, brick=-0.5)
    said, labels, evidence = ask(application, engine, "Which is against common sense?", statements)
    assert said == Text("This one goes against common sense: “He drank a brick”.")
    assert isinstance(labels, Labels) and labels.scores[0].label == statements[1]
    assert sum(score.probability for score in labels.scores) == pytest.approx(1.0)
    assert isinstance(evidence, Spans) and evidence.text == statements[1]
    assert [evidence.text[span.start : span.end] for span in evidence.spans] == ["brick"]


def test_of_two_statements_the_probabilities_change_places(application: CommonSense) -> None:
    def shown(question: str) -> dict[str, float]:
        _, labels, _ = ask(application, Weighing(milk=3.0), question, ("milk", "brick"))
        assert isinstance(labels, Labels)
        return {score.label: score.probability for score in labels.scores}

    sensible, absurd = shown("Which makes sense?"), shown("Which makes no sense?")
    assert absurd == pytest.approx({"milk": sensible["brick"], "brick": sensible["milk"]})


def test_too_close_is_said_plainly(tmp_path: Path) -> None:
    said, labels, _ = ask(_with_threshold(tmp_path, 0.9), Weighing(hammer=0.1), f"{PREMISE} Why?", OPTIONS)
    assert isinstance(said, Text) and said.text.startswith("The options are too close for me to choose.")
    assert all(option.rstrip(".") in said.text for option in OPTIONS)
    assert isinstance(labels, Labels) and labels.unsure


def test_a_long_option_is_shown_whole(application: CommonSense) -> None:
    long = "He dropped " + "a very heavy hammer and " * 8 + "a nail."
    said, labels, _ = ask(application, Weighing(hammer=3.0), f"{PREMISE} Why?", (OPTIONS[0], long))
    assert isinstance(labels, Labels) and labels.scores[0].label == long
    assert isinstance(said, Text) and long.rstrip(".") in said.text


def test_the_evidence_costs_the_same_however_many_options_and_words(application: CommonSense) -> None:
    engine = Weighing()
    options = [f"place {n}" for n in range(MAX_OPTIONS)]
    ask(application, engine, "Where would you put a spoon " * 100 + "?", options)
    assert len(engine.asked) <= 2 + 32
    assert all(len(choice.options) == 2 for choice in engine.asked[1:])


def test_the_context_of_a_row_is_part_of_the_question(application: CommonSense) -> None:
    engine = Weighing()
    payload = Payload({"context": PREMISE, "question": CAUSE, "choices": OPTIONS})
    list(application.answer(Request("", payload=payload), engine))
    assert engine.asked[0].question == f"{PREMISE}\n{CAUSE}"


# --- what cannot be answered ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "options", "sentence"),
    [
        ("Where?", ("here",), "only one option, “here”"),
        ("Where?", ("here", " "), "only one option"),
        ("Where?", ("In the sea.", "on land", "in  the sea"), "“in  the sea” stands there twice"),
        (" ", ("here", "there"), "no question"),
        ("?", ("here", "there"), "no question"),
        ("Where?", (), "needs a question and at least two options"),
        ("", (), "needs a question and at least two options"),
        ("Where?", tuple(map(str, range(21))), "21 options; expected at most 20"),
    ],
)
def test_bad_input_is_one_clear_sentence(
    application: CommonSense, question: str, options: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        ask(application, EchoEngine(), question, options)


def test_no_payload(application: CommonSense) -> None:
    with pytest.raises(InputError, match="needs a question"):
        list(application.answer(Request("hello"), EchoEngine()))
    with pytest.raises(InputError, match="precisa de uma pergunta"):
        list(application.answer(Request("olá", language="pt"), EchoEngine()))


# --- the folder -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", CommonSense.examples)
def test_every_example_can_be_answered(application: CommonSense, message: str) -> None:
    request = Request(message, payload=find_payload(message, application, Request(message)))
    said, labels, evidence = application.answer(request, EchoEngine())
    assert isinstance(said, Text) and isinstance(labels, Labels) and isinstance(evidence, Spans)


def test_each_shot_is_answered_with_one_of_its_options() -> None:
    for language in ("en", "pt"):
        prompt = load_prompt(CommonSense.prompts, language)
        assert prompt.fields == CommonSense.fields
        places = []
        for shot in prompt.shots:
            options = [line.removeprefix("- ") for line in shot.input["choices"].splitlines()]
            places.append(options.index(shot.answer))
        # The right option stands at every place, so that none is to be guessed from where it stands.
        assert set(places) == set(range(5))


def test_it_is_registered() -> None:
    assert [application.id for application in register_applications()] == ["commonsense"]
