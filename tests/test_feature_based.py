"""Logistic regression on frozen features: it learns, it survives its file, and bad data get a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.engine.encoder import EncoderEngine
from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.methods.feature_based import FeatureBased, features

COLOURS = ["red", "blue", "green", "yellow", "white", "black"]
ANIMALS = ["cat", "dog", "horse", "sheep", "mouse", "goat"]
CITIES = ["Paris", "Rome", "Oslo", "Madrid", "Vienna", "Prague"]


def rows(**words: list[str]) -> list[Example]:
    return [Example((f"{word} is a word",), label) for label, group in words.items() for word in group]


@pytest.mark.parametrize(
    "words", [{"colour": COLOURS, "animal": ANIMALS}, {"c": COLOURS, "a": ANIMALS, "p": CITIES}]
)
def test_it_learns_from_some_rows_and_knows_others(
    words: dict[str, list[str]], encoder: EncoderEngine
) -> None:
    train = rows(**{label: group[:4] for label, group in words.items()})
    held_out = rows(**{label: group[4:] for label, group in words.items()})
    model = FeatureBased.fit(encoder, train)
    assert model.labels == tuple(sorted(words))
    found = model.predict([e.texts[0] for e in held_out])
    assert [c.label for c in found] == [e.label for e in held_out]
    assert all(sum(c.probabilities) == pytest.approx(1, abs=1e-5) for c in found)


def test_it_comes_back_from_its_file_as_it_was(encoder: EncoderEngine, tmp_path: Path) -> None:
    model = FeatureBased.fit(encoder, rows(colour=COLOURS, animal=ANIMALS))
    model.save(tmp_path / "model.safetensors")
    again = FeatureBased.load(encoder, tmp_path / "model.safetensors")
    assert again.predict(["a purple thing"]) == model.predict(["a purple thing"])
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(DataError, match="holds no logistic regression"):
        FeatureBased.load(encoder, tmp_path / "bad.safetensors")


def test_a_pair_is_both_sides_and_how_they_differ(encoder: EncoderEngine) -> None:
    (pair,) = features(encoder, [("A dog.", "A cat.")])
    dog, cat = encoder.embed(["A dog.", "A cat."])
    assert pair == pytest.approx(np.hstack([dog, cat, abs(dog - cat), dog * cat]), abs=1e-6)


def test_one_label_is_refused(encoder: EncoderEngine) -> None:
    with pytest.raises(DataError, match="two or more labels"):
        FeatureBased.fit(encoder, rows(colour=COLOURS))
