"""Analysis: three answers from one pass, each with its own threshold, and mistakes sentence by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from assistant_plugins.analysis import SPEAKERS, Analysis

from assistant.applications import Labels, Payload, Progress, Request, Spans, Text, is_passing
from assistant.conformance import problems_of_application
from assistant.engine.base import AdapterInfo, Classification, Engine, HeadAnswer, Operation, Tag
from assistant.engine.echo import EchoEngine
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import read_manifest
from assistant.errors import InputError
from assistant.workshop.multitask.recipe import load_multitask_recipe
from assistant.workshop.prediction import one_head

THRESHOLDS = {"sentiment": 0.6, "cyberbullying": 0.9, "error-detection": 0.5}


class Heads(EchoEngine):
    """Knows what each head says: pleased, bullying to 0.8, and that "recieve" is misspelt wherever it stands."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"multitask"})

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []

    def adapter(self, adapter: Path) -> AdapterInfo:
        threshold = THRESHOLDS[adapter.name]
        return AdapterInfo(adapter, adapter.name, "lora", "classify", ("a", "b"), threshold, 0, 0, {}, (), "")

    def multitask(self, inputs: Sequence[str], adapter: Path) -> list[dict[str, HeadAnswer]]:
        self.asked.append(list(inputs))
        return [
            {
                "sentiment": Classification(("negative", "positive"), (0.2, 0.8)),
                "cyberbullying": Classification(("not_cyberbullying", "gender"), (0.2, 0.8)),
                "error-detection": tuple(
                    Tag(start, start + 7, "SPELL", 0.9)
                    for start in range(len(text))
                    if text.startswith("recieve", start)
                ),
            }
            for text in inputs
        ]


def answered(text: str, engine: Engine, language: str = "en") -> list[object]:
    request = Request(text, payload=Payload({"text": text}), language=language)
    return [part for part in Analysis().answer(request, engine) if not is_passing(part)]


def test_a_sentence_is_read_once_and_answered_three_times() -> None:
    engine = Heads()
    text = "Did you recieve the letter?"
    sentiment, moods, bullying, kinds, mistakes, spans, corrected = answered(text, engine)
    assert engine.asked == [[text]]
    assert sentiment == Text("This sounds positive.")
    assert isinstance(moods, Labels)
    assert (moods.scores[0].label, moods.threshold, moods.unsure) == ("positive", 0.6, False)
    # The same probability is not enough for a head with a higher threshold.
    assert isinstance(kinds, Labels)
    assert kinds.unsure
    assert isinstance(bullying, Text)
    assert bullying.text.startswith("I am not sure")
    assert mistakes == Text("1 mistake found. The corrected text is below.")
    assert isinstance(spans, Spans)
    assert [(s.start, s.end, s.replacement) for s in spans.spans] == [(8, 15, "receive")]
    assert corrected == Text("Did you receive the letter?", copyable=True)


def test_a_longer_text_is_judged_as_a_whole_and_corrected_by_sentence() -> None:
    engine = Heads()
    text = "We recieve letters. They recieve parcels."
    parts = answered(text, engine, "pt")
    assert engine.asked == [[text, "We recieve letters.", "They recieve parcels."]]
    assert parts[0] == Text("Isto soa positivo.")
    assert parts[-1] == Text("We receive letters. They receive parcels.", copyable=True)


def test_a_very_long_text_shows_how_far_it_is() -> None:
    engine = Heads()
    text = "We recieve letters. " * 40
    request = Request(text, payload=Payload({"text": text}))
    parts = list(Analysis().answer(request, engine))
    assert [part.done for part in parts if isinstance(part, Progress)] == [0, 32]
    assert [len(asked) for asked in engine.asked] == [33, 8]
    assert sum(isinstance(part, Labels) for part in parts) == 2
    (spans,) = [part for part in parts if isinstance(part, Spans)]
    assert len(spans.spans) == 40


def test_a_text_without_words_is_answered_and_none_is_refused() -> None:
    assert len(answered("…", Heads())) == 5
    with pytest.raises(InputError, match="needs a text"):
        answered(" ", Heads())


def test_it_keeps_the_contract() -> None:
    assert list(problems_of_application(Analysis(), EchoEngine())) == []


def test_the_folder_is_what_the_recipe_makes(encoder: EncoderEngine) -> None:
    folder = Analysis.adapter
    recipe = load_multitask_recipe(folder.parent / "recipe.yaml")
    manifest, info = read_manifest(folder), encoder.adapter(folder)
    assert (manifest.name, manifest.labels) == (recipe.application, recipe.names)
    assert info.parameters <= 0.03 * encoder.info.parameters
    assert recipe.method == type(recipe.method).model_validate(manifest.training["method"])
    assert {(s.path, s.licence) for t in recipe.tasks for s in t.train} == {
        (d.path, d.licence) for d in manifest.data
    }
    card = (folder / "README.md").read_text()
    for task in recipe.tasks:
        head = read_manifest(folder / task.name)
        assert (head.operation, head.labels, head.fields) == (task.operation, task.labels, ("text",))
        assert 0 < head.threshold < 1
        assert f"- {task.name}: to {task.operation}" in card
    for name, speaker in SPEAKERS.items():
        assert set(read_manifest(folder / name).labels) == set(speaker.sentences["en"])


def test_rows_go_through_one_head(encoder: EncoderEngine) -> None:
    head = one_head(Analysis(), "sentiment")
    assert (head.id, head.task, head.adapter) == (
        "analyze sentiment",
        "text-classification",
        Analysis.adapter / "sentiment",
    )
    (alone,) = encoder.classify(["What a film!"], head.adapter)
    (together,) = encoder.multitask(["What a film!"], Analysis.adapter)
    assert together["sentiment"].label == alone.label
    assert one_head(Analysis(), "error-detection").task == "token-classification"
    with pytest.raises(InputError, match="analyze has several heads; --head takes: sentiment, cyber"):
        one_head(Analysis(), None)
    with pytest.raises(InputError, match="'mood' is no head of sentiment; --head takes: nothing"):
        one_head(SPEAKERS["sentiment"], "mood")
    assert one_head(SPEAKERS["sentiment"], None) is SPEAKERS["sentiment"]


@pytest.mark.parametrize(
    ("text", "sentiment", "bullying", "corrected"),
    [
        (
            "I have loved every minutes of it.",
            "positive",
            "not_cyberbullying",
            "I have loved every minute of it.",
        ),
        ("What a waste of money, it broke after a day.", "negative", "not_cyberbullying", None),
        (
            "Sexist jokes are all she deserves, women like that bitch should shut up.",
            "negative",
            "gender",
            None,
        ),
    ],
)
def test_plain_cases(
    text: str, sentiment: str, bullying: str, corrected: str | None, encoder: EncoderEngine
) -> None:
    parts = answered(text, encoder)
    found = [part.scores[0].label for part in parts if isinstance(part, Labels)]
    assert found == [sentiment, bullying]
    assert [part.text for part in parts if isinstance(part, Text) and part.copyable] == (
        [corrected] if corrected else []
    )
