"""The shipped applications: complete folders, adapters that do their task, evidence that points at words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from assistant_plugins.acceptability import Acceptability
from assistant_plugins.commonsense import CommonSense
from assistant_plugins.cyberbullying import Cyberbullying, review_message
from assistant_plugins.error_detection import ErrorDetection
from assistant_plugins.nli import NaturalLanguageInference
from assistant_plugins.question_answering import QuestionAnswering
from assistant_plugins.sentiment import Sentiment
from assistant_plugins.summarization import Summarization

from assistant.applications import (
    Application,
    Labels,
    Notice,
    Payload,
    Reply,
    Request,
    Route,
    Spans,
    Table,
    Text,
)
from assistant.classification import TextClassification
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import read_manifest
from assistant.errors import InputError
from assistant.prompts import load_prompt
from assistant.workshop.prediction import TASKS
from assistant.workshop.recipe import load_recipe

APPLICATIONS = (Sentiment(), NaturalLanguageInference(), Cyberbullying(), Acceptability())
OTHERS = (QuestionAnswering(), Summarization(), ErrorDetection(), CommonSense())
by_id = pytest.mark.parametrize("application", APPLICATIONS, ids=lambda application: application.id)


@pytest.mark.parametrize("application", [*APPLICATIONS, *OTHERS], ids=lambda application: application.id)
def test_the_folder_is_complete(application: Application, encoder: EncoderEngine) -> None:
    assert application.adapter and application.prompts
    manifest, info = read_manifest(application.adapter), encoder.adapter(application.adapter)
    assert info.parameters <= 0.03 * encoder.info.parameters
    assert manifest.name == application.id
    assert manifest.operation == TASKS[application.task].operation
    assert manifest.fields == application.fields
    assert manifest.metrics and manifest.data
    assert all(source.licence and source.rows for source in manifest.data)
    for language in ("en", "pt"):
        assert len(load_prompt(application.prompts, language).shots) >= 8
    card = (application.adapter / "README.md").read_text()
    for expected in ("## Measured", "## Data", "assistant train", *(source.path for source in manifest.data)):
        assert expected in card
    recipe = load_recipe(application.adapter.parent / "recipe.yaml")
    assert (recipe.application, recipe.labels) == (application.id, manifest.labels)
    assert recipe.method == type(recipe.method).model_validate(manifest.training["method"])


@by_id
def test_every_label_has_its_words(application: TextClassification) -> None:
    assert application.adapter and application.prompts
    manifest = read_manifest(application.adapter)
    assert 0 < manifest.threshold < 1
    for language in ("en", "pt"):
        assert set(load_prompt(application.prompts, language).labels) == set(manifest.labels)
        assert set(application.sentences[language]) == set(manifest.labels)


def test_one_of_them_is_a_bottleneck(encoder: EncoderEngine) -> None:
    kinds = {encoder.adapter(a.adapter).method for a in APPLICATIONS if a.adapter}
    assert kinds == {"lora", "bottleneck"}


@pytest.mark.parametrize(
    ("application", "texts", "label"),
    [
        (Sentiment(), ["I loved every minute of it."], "positive"),
        (Sentiment(), ["What a waste of money, it broke after a day."], "negative"),
        (
            NaturalLanguageInference(),
            ["A man is playing a guitar on stage.", "A man is playing music."],
            "entailment",
        ),
        (
            NaturalLanguageInference(),
            ["A man is playing a guitar on stage.", "The man is asleep."],
            "contradiction",
        ),
        (Cyberbullying(), ["What time does the museum open tomorrow?"], "not_cyberbullying"),
        (
            Cyberbullying(),
            ["sexist jokes are all she deserves, women like that bitch should shut up"],
            "gender",
        ),
    ],
)
def test_plain_cases(
    application: TextClassification, texts: Sequence[str], label: str, encoder: EncoderEngine
) -> None:
    payload = Payload(dict(zip(application.fields, texts, strict=True)))
    said, labels, *evidence = application.answer(Request("", payload=payload), encoder)
    assert isinstance(said, Text) and isinstance(labels, Labels)
    assert labels.scores[0].label == label
    assert said.text == (application.unsure if labels.unsure else application.sentences)["en"].get(
        label, said.text
    )
    assert [part.text for part in evidence if isinstance(part, Spans)] == texts


def test_a_review_of_several_sentences_is_also_read_one_by_one(encoder: EncoderEngine) -> None:
    text = "The room was lovely. The staff were rude to us, though. Breakfast was delicious."
    *_, table = Sentiment().answer(Request("", payload=Payload({"text": text})), encoder)
    assert isinstance(table, Table)
    assert [row[:2] for row in table.rows] == [
        ("The room was lovely.", "positive"),
        ("The staff were rude to us, though.", "negative"),
        ("Breakfast was delicious.", "positive"),
    ]
    short = Sentiment().answer(Request("", payload=Payload({"text": text[:20]})), encoder)
    assert not any(isinstance(part, Table) for part in short)


def test_evidence_points_at_the_word_that_decides(encoder: EncoderEngine) -> None:
    text = "The food we had there was disgusting."
    parts = Sentiment().answer(Request("", payload=Payload({"text": text})), encoder)
    spans = next(part for part in parts if isinstance(part, Spans)).spans
    decisive = max(spans, key=lambda span: span.weight)
    assert text[decisive.start : decisive.end] == "disgusting"


@by_id
def test_a_missing_text_is_asked_for(application: TextClassification, encoder: EncoderEngine) -> None:
    with pytest.raises(InputError, match="needs a"):
        list(application.answer(Request("", payload=Payload({})), encoder))


def test_an_abusive_text_gets_a_notice_under_another_applications_reply(encoder: EncoderEngine) -> None:
    def reviewed(text: str, application: str, language: str = "en") -> Notice | None:
        request = Request(f"/{application} {text}", language=language)
        reply = Reply(Route(application, 1.0, "named"), payload=Payload({"text": text}), done=True)
        return review_message(request, reply, encoder)

    abusive = "All muslims are terrorists and islam is a disease, idiots who support it should be wiped out"
    notice = reviewed(abusive, "sentiment")
    assert notice and notice.kind == "cyberbullying" and "religion" in notice.text
    notice = reviewed(abusive, "sentiment", "pt")
    assert notice and "religião" in notice.text
    assert reviewed(abusive, "cyberbullying") is None  # its own reply says it
    for harmless in ("The staff were friendly and the room was spotless.", "My school starts at eight."):
        assert reviewed(harmless, "sentiment") is None
