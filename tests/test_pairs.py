"""Sentences and their corrections as rows for the tagger: the labels lead from the one to the other."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from assistant_plugins.error_detection import pairs
from assistant_plugins.error_detection.corrections import corrections
from assistant_plugins.error_detection.edits import applied
from assistant_plugins.error_detection.pairs import Pair
from hypothesis import given
from hypothesis import strategies as st

from assistant.engine.base import Tag
from assistant.errors import DataError

SENTENCES = (
    ("He suggest to take a taxi to the station.", "He suggests taking a taxi to the station.", 3),
    ("In my opinion is very important.", "In my opinion it is very important.", 1),
    ("Is very usefull to know them.", "It is very useful to know them.", 2),
    ("Now I know what can I do.", "Now I know what I can do.", 1),
    ("I like to to read books.", "I like to read books.", 1),
    ("People which live here are kind.", "People who live here are kind.", 1),
    ("The weather was nice.", "The weather was nice.", 0),
)


def labelled(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["text"][tag["start"] : tag["end"]], tag["label"]) for tag in row["tags"]]


@pytest.mark.parametrize(("text", "corrected", "count"), SENTENCES)
def test_the_labels_make_the_correction(text: str, corrected: str, count: int) -> None:
    row = Pair(text, corrected).row()
    tags = [Tag(tag["start"], tag["end"], tag["label"], 1.0) for tag in row["tags"]]
    assert row["text"] == text
    assert len(tags) == count
    assert applied(text, corrections(text, tags, 0.5)) == corrected


def test_what_no_label_makes_is_put_right_in_the_text() -> None:
    row = Pair("She go there with no one of others.", "She goes there alone.").row()
    assert row["text"] == "She go there alone."
    assert labelled(row) == [("go", "TRANSFORM_VERB_S")]


def test_a_word_carries_one_label() -> None:
    row = Pair("Cities have much polution", "Cities have much pollution.").row()
    assert row == {"text": "Cities have much pollution.", "tags": []}


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_make_a_row(text: str, corrected: str) -> None:
    row = Pair(text, corrected).row()
    places = [(tag["start"], tag["end"]) for tag in row["tags"]]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(row["text"]) for start, end in places)


def test_the_command_writes_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "pairs.jsonl", tmp_path / "rows.jsonl.gz"
    source.write_text(
        json.dumps({"text": "He go home.", "corrected": "He goes home."}) + "\n", encoding="utf-8"
    )
    monkeypatch.setattr(sys, "argv", ["pairs", str(source), "--out", str(out)])
    pairs.main()
    with gzip.open(out, "rt", encoding="utf-8") as lines:
        assert [labelled(json.loads(line)) for line in lines] == [[("go", "TRANSFORM_VERB_S")]]


def test_a_row_without_its_correction_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "pairs.jsonl"
    source.write_text('{"text": "He go home."}\n', encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["pairs", str(source), "--out", str(tmp_path / "rows.jsonl")])
    with pytest.raises(DataError, match=r"Row 1 of pairs\.jsonl has no `text` and `corrected`"):
        pairs.main()
    assert not (tmp_path / "rows.jsonl").exists()
