"""`multitask` and `tune`."""

import json
import signal
from pathlib import Path

import pytest
from cli_site import RECIPE, refused, write_jsonl

from assistant.cli.train import Watch
from assistant.workshop.recipe import load_recipe
from assistant.workshop.tuning import Search

SEVERAL = """
application: several
method: {name: lora, rank: 2}
training: {epochs: 2, batch_size: 8, evaluations: 2, max_tokens: 16}
tasks:
  - name: mood
    labels: [bad, good]
    train: [{path: mood/train.jsonl, licence: none stated}]
    dev: [{path: mood/dev.jsonl, licence: none stated}]
  - name: shouting
    operation: tag
    labels: [QUIET, LOUD]
    train: [{path: shouting/train.jsonl, licence: none stated}]
    dev: [{path: shouting/train.jsonl, licence: none stated}]
"""


@pytest.fixture
def several(data: Path, tmp_path: Path) -> str:
    (data.parent / "shouting").mkdir()
    loud = {"text": "what a DAY", "tags": [{"start": 7, "end": 10, "label": "LOUD"}]}
    write_jsonl(data.parent / "shouting" / "train.jsonl", *[loud, {"text": "a day", "tags": []}] * 6)
    (tmp_path / "several.yaml").write_text(SEVERAL)
    return "several.yaml"


def test_multitask_stops_goes_on_and_compares_with_single_tasks(assistant, several, tmp_path, monkeypatch):
    command = ("multitask", several, "--data", "data", "--single", "--rows", "8")
    report = Watch.__call__

    def interrupted(watch: Watch, *rest: object) -> bool:
        signal.raise_signal(signal.SIGINT)
        return report(watch, *rest)

    monkeypatch.setattr(Watch, "__call__", interrupted)
    stopped = assistant(*command)
    assert stopped.exit_code == 130
    assert "Stopped at step 1 of 4" in stopped.stderr

    monkeypatch.setattr(Watch, "__call__", report)
    result = assistant(*command)
    assert result.exit_code == 0, result.stderr
    header, mood, shouting, where = result.stdout.splitlines()
    assert header.split() == [
        "task",
        "metric",
        "shared",
        *["95", "%", "interval", "single", "95", "%", "interval"],
    ]
    assert mood.split()[:2] == ["mood", "accuracy"]
    assert shouting.split()[:2] == ["shouting", "detection_f0.5"]
    assert "The adapter is in several-adapter, the record in several-adapter.run" in where
    manifest = json.loads((tmp_path / "several-adapter" / "onebase.json").read_text())
    assert manifest["labels"] == ["mood", "shouting"]
    record = json.loads((tmp_path / "several-adapter.run" / "comparison.json").read_text())
    assert set(record["results"]["mood"]) == {"shared", "single"}
    assert f"{record['results']['mood']['single']['metrics']['accuracy']['value']:.4f}" in mood
    assert record["recipe"]["sharing"] == "hard"
    assert record["distances"] == {}
    card = (tmp_path / "several-adapter" / "README.md").read_text()
    assert "assistant multitask several.yaml --data DATA --rows 8" in card
    assert str(tmp_path) not in card


def test_multitask_softly_reports_the_distance(assistant, several, tmp_path):
    result = assistant(
        "multitask", several, "--data", "data", "--sharing", "soft", "--epochs", "1", "--out", "soft"
    )
    assert result.exit_code == 0, result.stderr
    assert "Distance of the adapters of mood, shouting: 0." in result.stdout
    assert "The adapters are in soft" in result.stdout
    record = json.loads((tmp_path / "soft.run" / "comparison.json").read_text())
    assert 0 < record["distances"]["mood, shouting"] < 2
    assert (tmp_path / "soft" / "mood" / "adapter_model.safetensors").is_file()


def test_multitask_refuses_in_a_sentence(assistant, several, data, tmp_path):
    refused(assistant("multitask", "nowhere.yaml", "--data", "data"), "nowhere.yaml")
    refused(assistant("multitask", "mood", "--data", "data"), "recipe.yaml", "tasks")
    refused(assistant("multitask", several, "--data", "elsewhere"), "elsewhere")
    write_jsonl(data / "train.jsonl", {"text": "x", "label": "so-so"})
    refused(assistant("multitask", several, "--data", "data"), "'so-so'", "bad, good")


def test_tune_searches_and_writes_the_best_recipe(assistant, data, tmp_path, monkeypatch):
    (tmp_path / "mood.yaml").write_text(RECIPE.replace("epochs: 2", "epochs: 1") + "layers: 1\n")
    command = ("tune", "mood.yaml", "--data", "data", "--minutes", "30", "--out", "best.yaml")
    run = Search.run

    def interrupted(search, watch):
        for trial in run(search, watch):
            yield trial
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Search, "run", interrupted)
    stopped = assistant(*command)
    assert stopped.exit_code == 130
    assert "the same command goes on" in stopped.stderr
    first = load_recipe(tmp_path / "best.yaml")
    header, trial, *_ = stopped.stdout.splitlines()
    assert header.split()[:2] == ["round", "rows"]

    monkeypatch.setattr(Search, "run", run)
    result = assistant(*command)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[1] == trial
    assert len(result.stdout.splitlines()) == 1 + 9 + 3 + 1
    best = load_recipe(tmp_path / "best.yaml")
    record = json.loads((tmp_path / "best.yaml.run" / "search.json").read_text())
    assert record["best"]["round"] == 2
    assert best.training.learning_rate == record["best"]["candidate"]["learning_rate"]
    assert (best.labels, best.train) == (first.labels, first.train)


def test_tune_stopped_before_the_first_trial_says_so(assistant, data, tmp_path, monkeypatch):
    def interrupted(search, watch):
        signal.raise_signal(signal.SIGINT)
        yield from ()

    monkeypatch.setattr(Search, "run", interrupted)
    stopped = assistant("tune", "mood", "--data", "data", "--minutes", "30")
    assert stopped.exit_code == 130
    assert "Stopped before a trial was finished." in stopped.stderr
    assert not (tmp_path / "mood-tuned.yaml").exists()


def test_tune_refuses_in_a_sentence(assistant, data, tmp_path):
    refused(assistant("tune", "nowhere.yaml", "--data", "data"), "nowhere.yaml")
    assert assistant("tune", "mood", "--data", "data", "--minutes", "0").exit_code == 2
    result = assistant("tune", "mood", "--data", "data", "--minutes", "0.0001")
    assert result.exit_code == 1
    assert "Error: No trial was finished in 0.0001 minutes; give it more." in result.stderr
    assert not (tmp_path / "mood-tuned.yaml").exists()
