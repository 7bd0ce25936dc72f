"""Logistic regression on frozen features: it learns, it survives its file, and bad data get a sentence."""

from __future__ import annotations

from pathlib import Path

import assistant_plugins.sentiment
import numpy as np
import pytest

from assistant.engine.echo import EchoEngine
from assistant.engine.encoder import EncoderEngine
from assistant.errors import DataError, InputError, UnsupportedTask
from assistant.workshop.data import Example
from assistant.workshop.methods import Classifier, LabelledTask, Stopped
from assistant.workshop.methods.feature_based import FeatureBased, LogisticClassifier, features
from assistant.workshop.methods.vectors import Reader

COLOURS = ["red", "blue", "green", "yellow", "white", "black"]
ANIMALS = ["cat", "dog", "horse", "sheep", "mouse", "goat"]
CITIES = ["Paris", "Rome", "Oslo", "Madrid", "Vienna", "Prague"]


def rows(**words: list[str]) -> list[Example]:
    return [Example((f"{word} is a word",), label) for label, group in words.items() for word in group]


SENTIMENT = Path(assistant_plugins.sentiment.__file__).parent / "adapter"


def fitted(
    engine: EncoderEngine, examples: list[Example], folder: Path, method: FeatureBased | None = None
) -> Classifier:
    labels = tuple(sorted({example.label for example in examples}))
    task = LabelledTask(engine, labels, tuple(examples), folder)
    return (method or FeatureBased()).fit(task, lambda fraction, note: True).classifier


@pytest.mark.parametrize(
    "words", [{"colour": COLOURS, "animal": ANIMALS}, {"c": COLOURS, "a": ANIMALS, "p": CITIES}]
)
def test_it_learns_from_some_rows_and_knows_others(
    words: dict[str, list[str]], encoder: EncoderEngine, tmp_path: Path
) -> None:
    train = rows(**{label: group[:4] for label, group in words.items()})
    held_out = rows(**{label: group[4:] for label, group in words.items()})
    model = fitted(encoder, train, tmp_path)
    assert model.labels == tuple(sorted(words))
    found = model.predict([e.texts[0] for e in held_out])
    assert [c.label for c in found] == [e.label for e in held_out]
    assert all(sum(c.probabilities) == pytest.approx(1, abs=1e-5) for c in found)
    assert model.predict([]) == []


@pytest.mark.parametrize("method", [FeatureBased(), FeatureBased("cls", 4)])
def test_it_comes_back_from_its_file_as_it_was(
    method: FeatureBased, encoder: EncoderEngine, tmp_path: Path
) -> None:
    model = fitted(encoder, rows(colour=COLOURS, animal=ANIMALS), tmp_path, method)
    again = LogisticClassifier.load(encoder, tmp_path / "features.safetensors")
    assert again.predict(["a purple thing"]) == model.predict(["a purple thing"])
    assert [path.name for path in tmp_path.iterdir()] == ["features.safetensors"]
    with pytest.raises(DataError, match="through the adapter None, not sentiment"):
        LogisticClassifier.load(encoder, tmp_path / "features.safetensors", SENTIMENT)
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(DataError, match="holds no logistic regression"):
        LogisticClassifier.load(encoder, tmp_path / "bad.safetensors")


def test_a_pair_is_both_sides_and_how_they_differ(encoder: EncoderEngine) -> None:
    (pair,) = features(Reader(encoder), [("A dog.", "A cat.")])
    dog, cat = encoder.embed(["A dog.", "A cat."])
    assert pair == pytest.approx(np.hstack([dog, cat, abs(dog - cat), dog * cat]), abs=1e-6)


def test_pooling_and_layer_choose_the_states(encoder: EncoderEngine) -> None:
    texts = ["A dog.", "Two cats sleep in the sun."]
    last = encoder.states(texts, "mean", 6)
    assert last == pytest.approx(encoder.embed(texts), abs=1e-5)
    for pooling, layer in (("cls", 6), ("mean", 5)):
        other = encoder.states(texts, pooling, layer)  # type: ignore[arg-type]
        assert np.linalg.norm(other, axis=1) == pytest.approx([1, 1], abs=1e-5)
        assert not np.allclose(other, last, atol=0.01)
    with pytest.raises(InputError, match="1 to 6"):
        encoder.states(texts, "mean", 7)
    with pytest.raises(UnsupportedTask, match="echo"):
        features(Reader(EchoEngine(), "cls"), texts)


def test_one_label_is_refused(encoder: EncoderEngine, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two or more labels"):
        fitted(encoder, rows(colour=COLOURS), tmp_path)


def test_it_stops_when_it_is_told_to(encoder: EncoderEngine, tmp_path: Path) -> None:
    task = LabelledTask(encoder, ("animal", "colour"), tuple(rows(colour=COLOURS, animal=ANIMALS)), tmp_path)
    with pytest.raises(Stopped):
        FeatureBased().fit(task, lambda fraction, note: False)
