"""What was measured, from a manifest's keys to what people read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.measurements import TITLES, data_sets, main_figures, measurements, told

ADAPTERS = sorted((Path(__file__).parents[1] / "plugins").glob("*/adapter/onebase.json"))
METRICS = {
    "squad_dev_a_f1": 0.6911,
    "squad_dev_a_f1_low": 0.67,
    "squad_dev_a_f1_high": 0.713,
    "squad_dev_a_exact_match": 0.599,
    "squad_dev_a_rows": 1500.0,
    "squad_dev_a2_f1": 0.5,
    "squad_dev_a2_rows": 10.0,
    "coverage": 0.8,
    "seconds_a_row": 0.0125,
}


def test_figures_are_told_by_their_source() -> None:
    measured = measurements(METRICS)
    assert [(each.source, each.rows) for each in measured] == [
        ("squad dev a", 1500),
        ("squad dev a2", 10),
        ("", 0),
    ]
    assert [told(each.source, each.figures) for each in measured] == [
        "squad dev a: F1 69.1 (67.0 to 71.3), exact match 59.9",
        "squad dev a2: F1 50.0",
        "sure of 80.0, seconds a row 0.013",
    ]
    assert [told(source, [figure]) for source, figure in main_figures(measured)] == [
        "squad dev a: F1 69.1 (67.0 to 71.3)",
        "squad dev a2: F1 50.0",
    ]
    assert [figure.value for _, figure in main_figures(measurements({"accuracy": 0.9, "coverage": 0.5}))] == [
        0.9
    ]
    assert measurements({}) == ()


@pytest.mark.parametrize("manifest", ADAPTERS, ids=lambda path: path.parts[-3])
def test_what_is_measured_of_the_shipped_adapters_has_names(manifest: Path) -> None:
    measured = measurements(json.loads(manifest.read_text(encoding="utf-8"))["metrics"])
    assert all(each.source for each in measured[:-1])
    assert {figure.name for each in measured for figure in each.figures if each.source} <= TITLES.keys()


def test_data_sets_are_told_once_by_the_folders_that_they_lie_in() -> None:
    paths = ["nli/merged/train.jsonl", "bullying/form_spring/a.jsonl", "bullying/form_spring/b.jsonl"]
    assert data_sets([*paths, "bullying/olid/train.jsonl", "gec/train.jsonl", "rows.csv"]) == (
        "nli: merged; bullying: form spring, olid; gec, rows.csv"
    )
