"""The method learns from words, and takes its place among the others."""

import pytest

from assistant import InputError, LabelledTask
from assistant.workshop.data import Example
from onebase_words import BagOfWords, register_methods

ROWS = tuple(
    Example((f"the {thing} is {word}",), label)
    for thing in ("soup", "room", "film", "staff")
    for word, label in (("lovely", "good"), ("great", "good"), ("awful", "bad"), ("dreadful", "bad"))
)


def task(echo_engine, tmp_path, rows=ROWS):
    return LabelledTask(echo_engine, ("bad", "good", "never seen"), rows, tmp_path)


def test_it_learns_from_words(echo_engine, tmp_path):
    told = []
    fitted = BagOfWords().fit(
        task(echo_engine, tmp_path), lambda share, note: told.append((share, note)) or True
    )
    good, bad = fitted.classifier.predict(["A lovely evening", ("What an", "awful noise")])
    assert (good.label, bad.label) == ("good", "bad")
    assert sum(good.probabilities) == pytest.approx(1) and good.probabilities[2] == 0
    assert fitted.parameters and fitted.bytes > fitted.parameters and told


def test_one_label_is_not_enough(echo_engine, tmp_path):
    with pytest.raises(InputError, match="two labels"):
        BagOfWords().fit(
            task(echo_engine, tmp_path, rows=(Example(("a",), "good"),)), lambda share, note: True
        )


def test_it_brings_one_method():
    assert [method.id for method in register_methods()] == ["bag-of-words"]
