"""Sentences made wrong: labels on words, the same for the same seed, and edits that lead back."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from assistant_plugins.error_detection.articles import articles
from assistant_plugins.error_detection.corrections import corrections
from assistant_plugins.error_detection.edits import applied
from assistant_plugins.error_detection.phrases import phrases
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assistant.engine import embedded
from assistant.engine.base import Tag
from assistant.engine.spans import word_spans
from assistant.errors import DataError
from assistant.workshop.corruption import (
    MAKERS,
    SHARES,
    Corruption,
    draw,
    main,
    read_misspellings,
    read_sentences,
)
from assistant.workshop.corruption_form import mistyped
from assistant.workshop.corruption_sentence import Sentence, split
from assistant.workshop.corruption_words import CONFUSED, LABELS

CLEAN = (
    "She doesn't know where he is, but they are looking for him.",
    "There are many reasons to learn a new language.",
    "What are you doing with my brother's car?",
    "When we arrived at the station, the train had already gone.",
    "The cats sleep under the old table in the kitchen.",
    "I have never seen such a well-known painting in these museums.",
    "Everyone says that it's too late to buy two tickets for the concert.",
    "If you want to go home, you should ask your teacher for advice.",
    "However, the weather was quite good, and nobody wanted to lose the game.",
    "He writes to his parents once a week and they're always happy.",
    "Do you know whether this is the best way to the airport?",
    "Sometimes I think about the people who live in the big houses.",
    "Other scientists, I agree, look forward to seeing a smaller one.",
)
sentences, seeds = st.sampled_from(CLEAN), st.integers(0, 10_000)


def corrupted(text: str, seed: int, clean: float = 0.0) -> dict[str, Any]:
    return Corruption({"reasons": ["raesons"]}, (), seed, clean).corrupt(text)


def tags(row: dict[str, Any]) -> list[Tag]:
    return [Tag(tag["start"], tag["end"], tag["label"], 1.0) for tag in row["tags"]]


@given(sentences, seeds)
def test_a_tag_stands_on_one_word_of_the_base(text: str, seed: int) -> None:
    row = corrupted(text, seed)
    words = {(start, end) for _, start, end in word_spans(embedded.tokenizer(None).encode(row["text"]))}
    assert row["tags"] and row["text"] != text
    assert all((tag["start"], tag["end"]) in words for tag in row["tags"])
    assert {tag["label"] for tag in row["tags"]} <= set(LABELS[1:])


@given(sentences, seeds)
@settings(max_examples=300)
def test_the_right_tags_restore_the_sentence(text: str, seed: int) -> None:
    row = corrupted(text, seed)
    assume(all(tag["label"] != "SPELL" for tag in row["tags"]))
    # A rule may mend the same mistake in another way.
    assume(not [*phrases(row["text"]), *articles(row["text"])])
    restored = applied(row["text"], corrections(row["text"], tags(row), 0.5))
    assert restored.lower() == text.lower()


@given(sentences, seeds)
def test_misspelt_words_are_the_only_ones_that_may_stay_wrong(text: str, seed: int) -> None:
    row = corrupted(text, seed)
    misspelt = [tag for tag in row["tags"] if tag["label"] == "SPELL"]
    restored = applied(row["text"], corrections(row["text"], tags(row), 0.5)).lower().split()
    wrong = [word for word, right in zip(restored, text.lower().split(), strict=False) if word != right]
    # A contraction or two words written as one may shift what follows.
    assert len(wrong) <= len(misspelt) or len(restored) != len(text.split())


@given(st.lists(sentences, min_size=1, max_size=4), seeds)
def test_the_same_seed_makes_the_same_errors(texts: list[str], seed: int) -> None:
    one, other = Corruption({}, (), seed), Corruption({}, (), seed)
    assert [one.corrupt(text) for text in texts] == [other.corrupt(text) for text in texts]


@given(sentences, seeds)
def test_a_clean_sentence_comes_back_as_it_was(text: str, seed: int) -> None:
    assert corrupted(text, seed, clean=1.0) == {"text": text, "tags": []}


@given(st.text(max_size=60), seeds)
def test_any_text_can_be_read(text: str, seed: int) -> None:
    row = corrupted(text, seed)
    assert all(0 <= tag["start"] < tag["end"] <= len(row["text"]) for tag in row["tags"])


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12), seeds)
def test_a_slip_keeps_the_first_letter(word: str, seed: int) -> None:
    wrong = mistyped(word, Corruption({}, (), seed).rng)
    assert wrong[0] == word[0] and abs(len(wrong) - len(word)) <= 1


@pytest.mark.parametrize(
    ("kind", "text", "wrong", "label"),
    [
        ("article", "I bought a car.", "I bought car.", "APPEND_a"),
        ("article", "The house is big.", "House is big.", "PREPEND_the"),
        ("article_form", "It was an apple.", "It was a apple.", "REPLACE_an"),
        ("verb", "He goes home.", "He go home.", "TRANSFORM_VERB_S"),
        ("verb", "They have gone home.", "They have went home.", "TRANSFORM_VERB_PARTICIPLE"),
        ("verb", "You can swim.", "You can swam.", "TRANSFORM_VERB_BASE"),
        ("agreement", "She doesn't care.", "She don't care.", "REPLACE_doesn't"),
        ("noun", "I have two dogs.", "I have two dog.", "TRANSFORM_PLURAL"),
        ("noun", "Every child, big or small.", "Every children, big or small.", "TRANSFORM_SINGULAR"),
        ("preposition", "We met in Rome.", "We met on Rome.", "REPLACE_in"),
        ("preposition_missing", "I listen to music.", "I listen music.", "APPEND_to"),
        ("preposition_missing", "We discussed the plan.", "We discussed about the plan.", "DELETE"),
        ("confusion", "It's late.", "Its late.", "REPLACE_it's"),
        ("confusion", "They saw their dog.", "They saw they're dog.", "REPLACE_their"),
        ("pronoun", "Come with me.", "Come with i.", "REPLACE_me"),
        ("pronoun_missing", "It is raining.", "Is raining.", "PREPEND_it"),
        ("auxiliary", "He is reading.", "He reading.", "APPEND_is"),
        ("verb", "I look forward to meeting him.", "I look forward to meet him.", "TRANSFORM_VERB_ING"),
        ("noun", "Scientists can try.", "Scientist can try.", "TRANSFORM_PLURAL"),
        ("auxiliary_added", "I agree.", "I am agree.", "DELETE"),
        ("comparative", "He is taller.", "He is more taller.", "DELETE"),
        ("comma", "In summary, it works.", "In summary it works.", "APPEND_,"),
        ("order", "What are you doing?", "What you are doing?", "SWAP_NEXT"),
        ("doubled", "I like tea.", "I like like tea.", "DELETE"),
        ("apart", "I know someone.", "I know some one.", "MERGE_NEXT"),
        ("apart", "A well-known man.", "A well known man.", "HYPHEN"),
        ("apostrophe", "My brother's car.", "My brothers car.", "APOSTROPHE"),
        ("apostrophe", "I don't care.", "I dont care.", "SPELL"),
        ("punctuation", "We went home.", "We went home", "APPEND_."),
        ("punctuation", "However, it rained.", "However it rained.", "APPEND_,"),
        ("punctuation", "Where are you?", "Where are you.", "REPLACE_?"),
    ],
)
def test_each_kind(kind: str, text: str, wrong: str, label: str) -> None:
    words = split(text)
    made = {}
    for edit in MAKERS[kind](Sentence(words)):
        if edit:
            changed = (*words[: edit.start], *edit.words, *words[edit.stop :])
            made["".join(word.space + word.text for word in changed)] = edit.label
    assert made.get(wrong) == label


def test_what_would_stay_right_is_left_alone() -> None:
    def made(kind: str, text: str) -> list[str]:
        words = split(text)
        return [
            "".join(w.space + w.text for w in (*words[: e.start], *e.words, *words[e.stop :]))
            for e in MAKERS[kind](Sentence(words))
            if e
        ]

    assert "Birds sing." not in made("article", "The birds sing.")
    assert "The bird sang." not in made("noun", "The birds sang.")
    assert "I finished it." not in made("auxiliary", "I have finished it.")


def test_labels_are_a_closed_list() -> None:
    assert LABELS[0] == "KEEP" and len(set(LABELS)) == len(LABELS)
    assert {f"REPLACE_{right}" for table in CONFUSED.values() for right in table} <= set(LABELS)
    assert set(SHARES) == {"spelling", *MAKERS}


def written(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = written(
        tmp_path / "clean.jsonl.gz",
        [*({"text": text, "source": "good"} for text in CLEAN), {"text": "no caps", "source": "bad"}],
    )
    wrong = written(tmp_path / "wrong.jsonl.gz", [{"wrong": "raesons", "right": "reasons"}, {"wrong": "a b"}])
    out, labels = tmp_path / "out.jsonl.gz", tmp_path / "labels.json"
    command = [
        *("corruption", str(clean), "--misspellings", str(wrong), "--out", str(out), "--rows", "40"),
        *("--seed", "3", "--labels", str(labels), "--leave-out", "bad"),
    ]
    monkeypatch.setattr(sys, "argv", command)
    main()
    with gzip.open(out, "rt", encoding="utf-8") as file:
        first = file.read()
    rows = [json.loads(line) for line in first.splitlines()]
    assert len(rows) == len({row["text"] for row in rows}) == 40
    assert all(row["text"] != "no caps" for row in rows)
    assert json.loads(labels.read_text()) == list(LABELS)
    assert "SPELL" in capsys.readouterr().out
    main()
    with gzip.open(out, "rt", encoding="utf-8") as file:
        assert file.read() == first
    assert not list(tmp_path.glob("*.tmp"))


def test_fewer_rows_where_the_sentences_yield_no_more() -> None:
    assert len(list(draw(["No."], 50, Corruption({}, (), 0, clean=1.0)))) == 1


def test_bad_files(tmp_path: Path) -> None:
    empty = written(tmp_path / "empty.jsonl.gz", [{"text": "", "source": "x"}])
    with pytest.raises(DataError, match="no sentences"):
        read_sentences([empty], ())
    assert read_misspellings(written(tmp_path / "w.jsonl.gz", [{"wrong": "1nd", "right": "2nd"}])) == {}
