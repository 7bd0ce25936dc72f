"""Rows in and out of files, rows through an application of any task, and how good the answers are."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, matthews_corrcoef, recall_score

from assistant import InputError
from assistant.applications import Task
from assistant.engine.base import Classification
from assistant.engine.echo import EchoEngine
from assistant.errors import AdapterError, DataError, UnsupportedTask
from assistant.prompts import Prompt
from assistant.workshop.data import MAX_LINE, Row, read_examples, read_rows, write_rows
from assistant.workshop.evaluation import report, restricted
from assistant.workshop.methods import Method
from assistant.workshop.methods.few_shot import FewShot
from assistant.workshop.methods.zero_shot import ZeroShot, entailment_adapter
from assistant.workshop.prediction import TASKS, RowForm, predict_rows, prompt_task

TEXT = st.text(max_size=20)
ROW = st.dictionaries(
    TEXT, TEXT | st.integers() | st.none() | st.booleans() | st.lists(TEXT, max_size=2), max_size=4
)


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "ROWS.JSONL.GZ"])
@settings(max_examples=25)
@given(rows=st.lists(ROW, max_size=5))
def test_what_is_written_is_read_again(tmp_path_factory, name, rows):
    path = tmp_path_factory.mktemp("rows") / name
    with write_rows(path) as write:
        for row in rows:
            write(row)
    assert [row.values for row in read_rows(path)] == rows


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.jsonl.gz"])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_rows_or_one_sentence(tmp_path_factory, name, content):
    path = tmp_path_factory.mktemp("rows") / name
    path.write_bytes(content)
    try:
        for row in read_rows(path):
            assert isinstance(row.values, dict) or row.error
    except DataError as error:
        assert name in str(error)


def test_a_damaged_gzip_file_is_one_sentence(tmp_path):
    whole = gzip.compress(b'{"text": "x"}\n' * 10_000)
    for damaged in (whole[:40], whole[:20] + b"\xff" * 20 + whole[40:]):
        path = tmp_path / "rows.jsonl.gz"
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"rows.jsonl.gz cannot be read"):
            list(read_rows(path))


def test_labels_are_renamed_and_rows_without_any_take_that_of_the_others(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}, {"text": "c"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    labels = [e.label for e in read_examples(path, ["text"], {"x": "first", "*": "rest"})]
    assert labels == ["first", "rest", "rest"]
    assert [e.texts for e in read_examples(path, ["text"], {"x": None, "*": "rest"})] == [("b",), ("c",)]
    with pytest.raises(DataError, match="Row 3"):
        read_examples(path, ["text"], {"x": "first", "y": "second"})
    with pytest.raises(DataError, match="Row 3"):
        read_examples(path, ["text"])


def test_an_endless_line_is_one_bad_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("x" * (3 * MAX_LINE) + '\n{"text": "fine"}\n')
    first, second = read_rows(path)
    assert (first.number, second.number) == (1, 2)
    assert first.error and not second.error


def test_a_csv_cell_may_be_a_megabyte(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text\n" + "x" * 1_000_000 + "\n")
    (row,) = read_rows(path)
    assert len(row.values["text"]) == 1_000_000


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "rows.jsonl"
    with pytest.raises(KeyboardInterrupt), write_rows(path) as write:
        write({"text": "x"})
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


# --- rows through an application ----------------------------------------------------------------------------

ROWS: dict[Task, dict[str, Any]] = {
    "text-classification": {"text": "a day"},
    "multiple-choice": {"context": "", "question": "Which?", "choices": ["this", "that"]},
    "token-classification": {"text": "two words"},
    "question-answering": {"question": "Who won?", "context": "It rained. Ada won."},
    "summarization": {"text": "First line.\n\nSecond line."},
}


@pytest.mark.parametrize("task", list(TASKS))
def test_rows_of_each_task_are_answered(tmp_path, task):
    columns = predicted(tmp_path, task, ROWS[task])[0]
    assert columns.items() >= ROWS[task].items()
    json.dumps(columns)
    match task:
        case "text-classification":
            assert columns["label"] in columns["probabilities"]
        case "multiple-choice":
            assert columns["label"] == ROWS[task]["choices"][columns["answer"]]
        case "token-classification":
            assert [tag["text"] for tag in columns["tags"]] == ["two", "words"]
        case "question-answering":
            assert columns["answer"] == ROWS[task]["context"][columns["start"] : columns["end"]]
            assert columns.items() >= columns["candidates"][0].items()
        case "summarization":
            assert [score["text"] for score in columns["scores"]] == ["First line.", "Second line."]


def test_every_task_but_generation_has_rows():
    assert set(get_args(Task)) - set(TASKS) == {"text-generation"}


@pytest.mark.parametrize(
    "spoiled",
    [{"choices": "one"}, {"choices": ["one"]}, {"choices": [1, 2]}, {"question": ""}, {"context": 7}],
)
def test_a_bad_multiple_choice_row_is_told(tmp_path, spoiled):
    told: list[str] = []
    assert predicted(tmp_path, "multiple-choice", {**ROWS["multiple-choice"], **spoiled}, told=told) == []
    assert told and told[0].startswith("Row 1")


def test_an_input_that_the_engine_refuses_costs_its_row_only():
    def answer(inputs):
        if "bad" in inputs:
            raise InputError("it is bad.")
        return [text.upper() for text in inputs]

    form = RowForm(
        "classify", lambda row, fields: row.values["text"], lambda given, result: {"label": result}
    )
    told: list[str] = []
    rows = [Row(number, {"text": text}) for number, text in enumerate(["a", "bad", "c"], 1)]
    assert [row["label"] for row in predict_rows(rows, ["text"], form, answer, told.append)] == ["A", "C"]
    assert told == ["Row 2: it is bad."]


def predicted(
    folder: Path, task: Task, row: dict[str, Any], told: list[str] | None = None
) -> list[dict[str, Any]]:
    form, engine = TASKS[task], EchoEngine()

    def answer(inputs):
        return getattr(engine, form.operation)(inputs, folder)

    refuse = ([] if told is None else told).append
    return list(predict_rows([Row(1, row)], list(row), form, answer, refuse))


# --- methods without training -------------------------------------------------------------------------------


class Instant(EchoEngine):
    """Entails what shares its last word with the premise."""

    def classify(self, inputs, adapter):
        def sure(premise, hypothesis):
            return premise.split()[-1] == hypothesis.split()[-1].rstrip(".")

        labels = ("neutral", "entailment")
        return [Classification(labels, (0.1, 0.9) if sure(*pair) else (0.9, 0.1)) for pair in inputs]


def prompt(fields: tuple[str, ...] = ("text",)) -> Prompt:
    shots = [
        {"input": {field: f"{word} {field} {n}" for field in fields}, "label": label}
        for label, word in (("up", "rising"), ("down", "falling"))
        for n in range(4)
    ]
    return Prompt.model_validate(
        {
            **dict.fromkeys(("version", "language", "title", "description", "instruction"), "x"),
            "fields": fields,
            "labels": {label: {"name": label, "description": "x"} for label in ("up", "down")},
            "hypothesis": "It goes $label.",
            "template": " ".join(f"${field}" for field in fields),
            "shots": shots,
        }
    )


def fitted(method: Method, engine: EchoEngine, given: Prompt, entailment: Path | None = None) -> Any:
    """The classifier that a method makes of a prompt file."""
    return method.fit(prompt_task(given, engine, entailment), lambda fraction, note: True).classifier


def test_zero_shot_prefers_the_hypothesis_that_follows(tmp_path):
    classifier = fitted(ZeroShot(), Instant(), prompt(), tmp_path)
    first, second = classifier.predict(["stairs up", "stairs down"])
    assert (first.label, second.label) == ("up", "down")
    # log-odds of 0.9 and 0.1 are ± log 9, and the softmax of these is 81 to 1
    assert first.probabilities == pytest.approx((81 / 82, 1 / 82))


def test_zero_shot_reads_a_pair(tmp_path):
    classifier = fitted(ZeroShot(), Instant(), prompt(("first", "second")), tmp_path)
    (result,) = classifier.predict([("x", "stairs down")])
    assert result.label == "down"


def test_zero_shot_needs_an_application_for_entailment():
    assert entailment_adapter({}, EchoEngine()) is None
    with pytest.raises(AdapterError, match="entailment"):
        fitted(ZeroShot(), EchoEngine(), prompt())


def test_an_adapter_that_an_engine_cannot_tell_of_is_passed_over():
    class Elsewhere(EchoEngine):
        def adapter(self, adapter):
            raise UnsupportedTask("It cannot tell of adapters.")

    nli = SimpleNamespace(adapter=Path("nli/adapter"), fields=("premise", "hypothesis"))
    assert entailment_adapter({"nli": nli}, Elsewhere()) is None


@pytest.mark.parametrize("shots", [0, -1])
def test_few_shot_needs_a_shot(shots):
    with pytest.raises(DataError, match=f"shots is {shots}; expected"):
        fitted(FewShot(shots), EchoEngine(), prompt())


def test_few_shot_takes_the_nearest_prototype():
    method = fitted(FewShot(2, "first"), EchoEngine(), prompt())
    assert [shot.label for shot in method.shots] == ["up", "up", "down", "down"]
    assert [result.label for result in method.predict(["rising text", "falling text"])] == ["up", "down"]
    assert np.allclose([sum(r.probabilities) for r in method.predict(["a", "b"])], 1)
    assert method.predict([]) == []


def test_few_shot_reads_pairs():
    method = fitted(FewShot(None), EchoEngine(), prompt(("first", "second")))
    results = method.predict([("rising first 1", "rising second 1"), ("falling first 2", "falling second 2")])
    assert [result.label for result in results] == ["up", "down"]


# --- report -------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 5), rows=st.integers(1, 60))
def test_metrics_are_those_of_scikit_learn(seed, classes, rows):
    rng = np.random.default_rng(seed)
    labels = tuple("abcde"[:classes])
    probabilities = rng.dirichlet(np.ones(classes), rows)
    truth = [labels[i] for i in rng.integers(0, classes, rows)]
    predicted = [Classification(labels, tuple(row)) for row in probabilities.tolist()]
    found = [result.label for result in predicted]
    measured = report(truth, predicted, threshold=0.5)
    present = sorted(set(truth))
    expected = {
        "accuracy": np.mean(np.array(truth) == np.array(found)),
        "macro_f1": f1_score(truth, found, labels=present, average="macro", zero_division=0),
        "macro_recall": recall_score(truth, found, labels=present, average="macro", zero_division=0),
        "matthews_correlation": matthews_corrcoef(truth, found)
        if set(truth) | set(found) != {truth[0]}
        else 0,
    }
    for name, metric in measured.metrics.items():
        assert metric.value == pytest.approx(expected[name], abs=1e-9), name
        assert metric.low <= metric.high
    confidence = probabilities.max(1)
    assert measured.coverage == pytest.approx(np.mean(confidence >= 0.5))


def test_the_interval_is_about_as_wide_as_theory_has_it():
    predicted = [Classification(("a", "b"), (0.8, 0.2))] * 400
    accuracy = report(["a"] * 320 + ["b"] * 80, predicted).metrics["accuracy"]
    # normal approximation: 0.8 ± 1.96 · sqrt(0.8 · 0.2 / 400) = 0.8 ± 0.039
    assert (accuracy.low, accuracy.high) == pytest.approx((0.761, 0.839), abs=0.006)


def test_restricted_labels_share_the_probability():
    result = restricted(Classification(("a", "b", "c"), (0.2, 0.2, 0.6)), ("b", "a"))
    assert result == Classification(("b", "a"), (0.5, 0.5))
    assert restricted(Classification(("a", "b", "c"), (0.0, 0.0, 1.0)), ("a", "b")).probabilities == (
        0.5,
        0.5,
    )


def test_nothing_cannot_be_measured():
    with pytest.raises(DataError, match="no rows"):
        report([], [])
