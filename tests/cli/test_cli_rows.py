"""`route`, `predict` and `evaluate`."""

import csv
import gzip
import json

import pytest
from cli_site import TEXTS, read_jsonl, refused, write_jsonl

from assistant.cli import shared

# --- route --------------------------------------------------------------------------------------------------


def test_route_adds_application_score_and_payload(assistant, tmp_path):
    history = json.loads(assistant("ask", "/mood what a day", "--json").stdout)["history"]
    messages = write_jsonl(
        tmp_path / "in.jsonl",
        {"message": "/mood rain", "id": 1},
        {"message": "and this one: sun", "history": history},
        {"message": "😀"},
        {"message": "/nobody x"},
    )
    result = assistant("route", str(messages), "-o", "out.jsonl")
    assert result.exit_code == 0, result.stderr
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["application"] for row in rows] == ["mood", "mood", "none", "none"]
    assert [row["payload"] for row in rows] == [{"text": "rain"}, {"text": "sun"}, None, None]
    assert rows[0]["id"] == 1
    assert all(0 <= row["score"] <= 1 for row in rows)  # type: ignore[operator]


def test_route_leaves_bad_rows_out(assistant, tmp_path):
    write_jsonl(
        tmp_path / "in.jsonl",
        {"text": "x"},
        "no json",
        {"message": "x", "history": 1},
        {"message": "/mood x"},
    )
    result = assistant("route", "in.jsonl", "-o", "out.jsonl")
    assert result.exit_code == 1
    assert [line.partition(":")[0] for line in result.stderr.splitlines()[-4:-1]] == [
        "Row 1",
        "Row 2",
        "Row 3",
    ]
    assert result.stderr.endswith("out.jsonl has 1 row; 3 of 4 rows were left out.\n")
    assert len(read_jsonl(tmp_path / "out.jsonl")) == 1


# --- predict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", shared.METHODS)
def test_predict_keeps_the_order(assistant, tmp_path, method):
    texts = [f"{text} {number}" for number in range(50) for text in TEXTS["good"]]
    write_jsonl(tmp_path / "in.jsonl", *({"text": text, "label": "good"} for text in texts))
    result = assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl", "--method", method)
    assert result.exit_code == 0, result.stderr
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [row["text"] for row in rows] == texts
    assert result.stderr.endswith("out.jsonl has 150 rows; none was left out.\n")
    for row in rows:
        probabilities = row["probabilities"]
        assert isinstance(probabilities, dict) and set(probabilities) == {"good", "bad"}
        assert sum(probabilities.values()) == pytest.approx(1)
        assert row["label"] == max(probabilities, key=probabilities.__getitem__)
        assert row["input_label"] == "good"


def test_predict_reads_pairs_from_zipped_csv(assistant, tmp_path):
    with gzip.open(tmp_path / "in.csv.gz", "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["premise", "hypothesis"], ["it rains\nhere", "it is wet"], ["a, b", '"c"']]
        )
    result = assistant("predict", "follows", "in.csv.gz", "-o", "out.jsonl.gz")
    assert result.exit_code == 0, result.stderr
    with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as out:
        rows = [json.loads(line) for line in out]
    assert [row["premise"] for row in rows] == ["it rains\nhere", "a, b"]
    assert {row["label"] for row in rows} <= {"entailment", "neutral", "contradiction"}


def test_predict_tells_bad_rows_and_leaves_them_out(assistant, tmp_path):
    rows = (
        {"text": "fine"},
        "{",
        {"text": ""},
        {"txt": "x"},
        {"text": "\x00\x01"},
        {"text": 7},
        [],
        {"text": "\ud800 x"},
    )
    write_jsonl(tmp_path / "in.jsonl", *rows)
    result = assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl")
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if line.startswith("Row ")]
    assert [int(line.split()[1].rstrip(":")) for line in told] == [2, 3, 4, 5, 6, 7]
    assert [row["text"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["fine", "\ud800 x"]


def test_predict_leaves_an_old_file_alone_when_it_fails(assistant, tmp_path):
    old = write_jsonl(tmp_path / "out.jsonl", {"old": True})
    (tmp_path / "in.jsonl").write_bytes(b'{"text": "x"}\n' * 9999 + b"\xff")
    refused(assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl"), "in.jsonl", "UTF-8")
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    (tmp_path / "site" / "demo_plugin" / "adapter" / "onebase.json").write_text("{")
    refused(assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl"), "manifest")
    assert read_jsonl(old) == [{"old": True}]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["moot", "in.jsonl", "-o", "out.jsonl"], ["mood"]),
        (["mood", "nowhere.jsonl", "-o", "out.jsonl"], ["nowhere.jsonl"]),
        (["mood", "in.jsonl", "-o", "out.txt"], ["out.txt", ".jsonl"]),
        (["mood", "in.jsonl", "-o", "no/folder/out.jsonl"], ["out.jsonl"]),
        (["boom", "in.jsonl", "-o", "out.jsonl"], ["text-generation"]),
        (["follows", "in.jsonl", "-o", "out.jsonl", "--method", "few-shot"], ["prompt"]),
    ],
)
def test_predict_refuses_in_a_sentence(assistant, tmp_path, arguments, words):
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    refused(assistant("predict", *arguments), *words)


def test_shots_belong_to_few_shot(assistant, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    arguments = ("predict", "mood", "in.jsonl", "-o", "out.jsonl", "--shots", "2")
    assert assistant(*arguments).exit_code == 2
    result = assistant(*arguments, "--method", "few-shot")
    assert result.exit_code == 0
    assert "4 shots for 2 labels" in result.stderr


# --- evaluate -----------------------------------------------------------------------------------------------


def test_evaluate_measures_what_predict_says(assistant, tmp_path):
    rows = [
        {"text": f"{text} {n}", "label": label}
        for label, texts in TEXTS.items()
        for text in texts
        for n in range(9)
    ]
    write_jsonl(tmp_path / "in.jsonl", *rows)
    assistant("predict", "mood", "in.jsonl", "-o", "out.jsonl")
    predicted = read_jsonl(tmp_path / "out.jsonl")
    right = sum(row["label"] == row["input_label"] for row in predicted) / len(rows)
    result = assistant("evaluate", "mood", "in.jsonl", "--json")
    measured = json.loads(result.stdout)
    assert measured["rows"] == len(rows)
    assert measured["accuracy"]["value"] == pytest.approx(right)
    assert measured["accuracy"]["low"] <= right <= measured["accuracy"]["high"]
    assert set(measured["f1_by_class"]) == {"good", "bad"}
    assert measured["threshold"] == 0.55
    assert 0 <= measured["coverage"] <= 1
    assert measured["rows_per_second"] > 0


def test_evaluate_prints_lines_and_takes_a_part(assistant, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", *({"text": f"day {n}", "label": "good"} for n in range(40)))
    result = assistant("evaluate", "mood", "in.jsonl", "--limit", "10", "--method", "zero-shot")
    assert result.exit_code == 0, result.stderr
    lines = {line[:28].strip(): line[28:].split() for line in result.stdout.splitlines()}
    assert lines["rows"] == ["10"]
    assert "coverage" not in lines  # zero-shot has no calibrated threshold


def test_evaluate_counts_only_the_named_labels(assistant, tmp_path):
    write_jsonl(
        tmp_path / "in.jsonl",
        *({"premise": f"day {n}", "hypothesis": "sun", "label": "neutral"} for n in range(9)),
    )
    result = assistant("evaluate", "follows", "in.jsonl", "--json", "--labels", "entailment, neutral")
    assert "contradiction" not in json.loads(result.stdout)["f1_by_class"]
    result = assistant("evaluate", "follows", "in.jsonl", "--labels", "entailment,contradiction")
    refused(result, "'neutral'", "entailment, contradiction")
    assert assistant("evaluate", "follows", "in.jsonl", "--labels", "yes,neutral").exit_code == 2
    assert assistant("evaluate", "follows", "in.jsonl", "--labels", "neutral").exit_code == 2


def test_evaluate_checks_the_rows_before_the_engine_is_loaded(assistant, tmp_path, monkeypatch):
    def loaded(*_: object) -> None:
        raise AssertionError("The engine was loaded.")

    monkeypatch.setattr("assistant.create.create_engine", loaded)
    write_jsonl(tmp_path / "in.jsonl", {"text": "x", "label": "so-so"})
    refused(assistant("evaluate", "mood", "in.jsonl"), "'so-so'", "bad, good")
    (tmp_path / "in.jsonl").write_text("")
    refused(assistant("evaluate", "mood", "in.jsonl"), "in.jsonl holds no labelled row")


def test_evaluate_names_an_unknown_gold_label(assistant, tmp_path):
    write_jsonl(tmp_path / "in.jsonl", {"text": "x", "label": "good"}, {"text": "x", "label": "so-so"})
    refused(assistant("evaluate", "mood", "in.jsonl"), "'so-so'", "bad, good")
    write_jsonl(tmp_path / "in.jsonl", {"text": "x"})
    refused(assistant("evaluate", "mood", "in.jsonl"), "label")
