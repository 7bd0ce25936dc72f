"""A person's rows: columns by name, clear sentences, and parts that share nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.dataset import Dataset, read_dataset, split
from assistant.workshop.findings import SENTENCES, Kind

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(rows: list[Any], name: str = "data.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        return path

    return written


def rows(count: int = 10, **counts: int) -> list[dict[str, str]]:
    counts = counts or {"good": count, "bad": count}
    return [
        {"text": f"{label} text {n}", "label": label} for label, many in counts.items() for n in range(many)
    ]


def told(data: Dataset, language: str = "en") -> tuple[str, ...]:
    return tuple(warning.said(language) for warning in data.warnings)


def texts(examples: tuple[Example, ...]) -> set[str]:
    return {example.texts[0] for example in examples}


def test_clean_rows_are_divided_without_a_warning(write: Write) -> None:
    data = read_dataset(write(rows(100)))
    assert data.warnings == ()
    data = read_dataset(write(rows(10)))
    assert data.labels == ("bad", "good")
    assert data.fields == ("text",)
    assert told(data) == ("Only 4 rows to measure on: what the figures say is rough.",)
    assert Counter(example.label for example in data.dev) == {"good": 2, "bad": 2}
    assert len(data.train) == 16
    assert read_dataset(write(rows(10))) == data
    assert read_dataset(write(rows(10)), seed=1).dev != data.dev
    assert read_dataset(write(rows(10)), seed=1).fingerprint != data.fingerprint


def test_columns_are_chosen_by_name_or_found(write: Write, tmp_path: Path) -> None:
    pairs = [{"a": f"one {n}", "b": f"two {n}", "kind": "xy"[n % 2], "text": "?"} for n in range(20)]
    data = read_dataset(write(pairs), fields=("a", "b"), label="kind")
    assert data.train[0].texts == ("one 0", "two 0") and data.labels == ("x", "y")
    unnamed = [{"first": row["a"], "second": row["b"], "label": row["kind"]} for row in pairs]
    assert read_dataset(write(unnamed)).fields == ("first", "second")
    (tmp_path / "data.csv").write_text("label,review\n" + "".join(f"{n % 2},text {n}\n" for n in range(20)))
    assert read_dataset(tmp_path / "data.csv").labels == ("0", "1")
    assert read_dataset(tmp_path / "data.csv").fields == ("review",)


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (
            [{"text": "a", "label": "x"}] * 3,
            {"label": "class"},
            "no column 'class' for the label; .*text, label",
        ),
        ([{"text": "a", "label": "x"}], {"fields": ("body",)}, "no column 'body' for a text"),
        ([{"text": "a", "label": "x"}], {"fields": ("label",)}, "no column 'label' for a text"),
        ([{"a": "1", "b": "2", "c": "3", "label": "x"}], {}, "not clear which column"),
        ([{"a": "1", "b": "2", "c": "3", "label": "x"}], {"fields": ("a", "b", "c")}, "3 columns"),
        (rows(good=20), {}, "the same label 'good'"),
        ([{"text": " ", "label": "x"}], {}, "no row with a text and a label"),
        ([{"text": "a", "label": None}], {}, "no row with a text and a label"),
        (["not an object"], {}, "no readable row: a JSON str"),
        ([], {}, "no readable row"),
        (rows(good=1, bad=1), {}, "expected two or more of each"),
        ([{"text": f"t {n}", "label": f"l {n}"} for n in range(101)], {}, "101 different values"),
        (rows(10), {"max_rows": 5}, "more than 5 rows"),
        (rows(good=4) + [{"text": f"GOOD  text {n}", "label": "bad"} for n in range(4)], {}, "were left out"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(
    content: list[Any], options: dict[str, Any], said: str, write: Write
) -> None:
    with pytest.raises(DataError, match=said):
        read_dataset(write(content), **options)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes("text,label\ncaf\xe9,x\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_dataset(tmp_path / "data.csv")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([{"text": "", "label": "good"}], "1 row of data.jsonl left out. Row 21: 'text' is ''"),
        ([{"text": "x", "label": ""}], "Row 21: 'label' is ''; expected the name of a class"),
        ([{"text": "x"}], "Row 21: 'label' is None"),
        ([{"text": "Good  TEXT 0", "label": "good"}], "1 row of data.jsonl left out that repeat"),
        ([{"text": "good text 0", "label": "bad"}], "1 text of data.jsonl with more than one label left out"),
        ([{"text": f"so {n}", "label": "so"} for n in range(5)], "Few rows to learn from: so (4)"),
        (
            [{"text": f"more {n}", "label": "good"} for n in range(200)],
            "Of 'good' there are 168 rows, of 'bad' 8",
        ),
        ([{"text": "word " * 600, "label": "good"}], "1 text is longer than 512 tokens"),
        ([{"text": "one", "label": "one"}], "No dev row to measure on: one"),
    ],
)
def test_what_can_be_mended_is_told(more: list[dict[str, str]], said: str, write: Write) -> None:
    data = read_dataset(write(rows(10) + more))
    assert any(said in warning for warning in told(data)), told(data)


def test_every_finding_has_a_sentence_in_each_language() -> None:
    def fields(sentence: str | tuple[str, str]) -> set[str]:
        many = sentence if isinstance(sentence, str) else sentence[1]
        # Of a row that was left out one language gives the reason, the other the number.
        return {name for _, name, _, _ in Formatter().parse(many) if name} - {"row", "reason"}

    english, portuguese = SENTENCES["en"], SENTENCES["pt"]
    assert set(english) == set(portuguese) == set(get_args(Kind))
    for kind, sentence in english.items():
        assert isinstance(sentence, tuple) == isinstance(portuguese[kind], tuple)
        assert fields(sentence) == fields(portuguese[kind])
        assert sentence != portuguese[kind]


def test_the_findings_are_told_in_portuguese(write: Write) -> None:
    more = [{"text": "", "label": "good"}, {"text": "good text 0", "label": "bad"}, *rows(good=2000)[10:]]
    assert told(read_dataset(write(rows(10) + more)), "pt-BR") == (
        "1 linha de data.jsonl ficou de fora, sem texto ou sem rótulo que se possa ler: a linha 21.",
        "1 texto de data.jsonl com mais de um rótulo ficou de fora: “good text 0” (bad, good).",
        "De 'good' há 1.599 linhas, de 'bad' 8: olhe para a macro-F1.",
    )


def test_dev_rows_leave_train(write: Write) -> None:
    dev = write(rows(3), "dev.jsonl")
    data = read_dataset(write(rows(10)), dev)
    assert len(data.dev) == 6 and len(data.train) == 14
    assert not texts(data.train) & texts(data.dev)
    assert told(data)[0] == "6 rows left out of train that are in dev too."
    with pytest.raises(DataError, match="'strange'"):
        read_dataset(write(rows(10)), write(rows(strange=3), "dev.jsonl"))
    with pytest.raises(DataError, match="expected two or more"):
        read_dataset(write(rows(10)), write(rows(good=1), "dev.jsonl"))
    with pytest.raises(DataError, match="were left out"):
        read_dataset(write(rows(3)), write(rows(10), "dev.jsonl"))


@given(counts=st.lists(st.integers(1, 60), min_size=2, max_size=6), seed=st.integers(0, 99))
def test_the_split_is_stratified_and_loses_nothing(counts: list[int], seed: int) -> None:
    examples = [
        Example((f"{label} {n}",), str(label)) for label, many in enumerate(counts) for n in range(many)
    ]
    train, dev = split(examples, seed)
    assert sorted(e.texts for e in train + dev) == sorted(e.texts for e in examples)
    for label, many in enumerate(counts):
        held_out = sum(example.label == str(label) for example in dev)
        assert held_out == (max(1, round(0.2 * many)) if many > 1 else 0)


SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.lists(
        st.fixed_dictionaries(
            {"text": st.one_of(st.sampled_from(["a", "b", "C ", " c", ""]), SCALAR)},
            optional={"label": st.one_of(st.sampled_from(["x", "y", "z "]), SCALAR)},
        ),
        max_size=14,
    )
)
def test_any_rows_give_data_or_a_sentence(content: list[dict[str, Any]], write: Write) -> None:
    try:
        data = read_dataset(write(content))
    except DataError as error:
        assert str(error).endswith((".", "…"))
        return
    assert isinstance(data, Dataset)
    keys = [example.texts[0].casefold().split() for example in (*data.train, *data.dev)]
    assert len(keys) == len({tuple(key) for key in keys})
    assert {example.label for example in data.train} == set(data.labels)
