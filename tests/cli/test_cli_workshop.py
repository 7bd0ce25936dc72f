"""`train`, `compress` and `merge`."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from adapter_folders import write_adapter
from cli_site import RECIPE, refused, write_jsonl
from click.testing import CliRunner

from assistant.cli import main
from assistant.cli.train import Watch
from assistant.workshop.loop import Progress

# --- train --------------------------------------------------------------------------------------------------


def test_train_stops_at_ctrl_c_goes_on_and_makes_an_adapter(assistant, data, tmp_path, site, monkeypatch):
    command = ("train", "mood", "--data", "data", "--out", "new", "--method", "bottleneck", "--rows", "16")
    command += ("--learning-rate", "0.002")
    report = Watch.__call__

    def interrupted(watch: Watch, progress: Progress, steps: int, loss: float) -> bool:
        if progress.step == 1:
            signal.raise_signal(signal.SIGINT)
        return report(watch, progress, steps, loss)

    monkeypatch.setattr(Watch, "__call__", interrupted)
    stopped = assistant(*command)
    assert stopped.exit_code == 130
    assert "Stopped at step 1 of 4" in stopped.stderr
    assert not (tmp_path / "new").exists()

    monkeypatch.setattr(Watch, "__call__", report)
    result = assistant(*command)
    assert result.exit_code == 0, result.stderr
    assert "16 rows to train on, 12 dev rows" in result.stderr
    assert "step 4 of 4" in result.stderr
    record = json.loads((tmp_path / "new.run" / "record.json").read_text())
    assert [evaluation["step"] for evaluation in record["progress"]["history"]] == [2, 4]
    card = (tmp_path / "new" / "README.md").read_text()
    assert "assistant train mood --data DATA --method bottleneck --rows 16 --learning-rate 0.002" in card
    assert str(tmp_path) not in card

    shutil.rmtree(site / "demo_plugin" / "adapter")
    (tmp_path / "new").rename(site / "demo_plugin" / "adapter")
    evaluated = CliRunner().invoke(main, ["evaluate", "mood", "data/mood/dev.jsonl", "--json"])
    measured = json.loads(evaluated.stdout)
    manifest = json.loads((site / "demo_plugin" / "adapter" / "onebase.json").read_text())
    assert measured["accuracy"]["value"] == pytest.approx(manifest["metrics"]["mood_accuracy"], abs=1e-4)


def test_train_refuses_in_a_sentence(assistant, data, tmp_path):
    refused(assistant("train", "nowhere.yaml", "--data", "data"), "nowhere.yaml")
    refused(assistant("train", "moot", "--data", "data"), "mood")
    refused(assistant("train", "mood", "--data", "elsewhere"), "elsewhere")
    write_jsonl(data / "train.jsonl", {"text": "x", "label": "so-so"})
    refused(assistant("train", "mood", "--data", "data"), "'so-so'", "bad, good")
    assert assistant("train", "mood", "--data", "data", "--epochs", "0").exit_code == 2


def test_train_goes_on_from_an_adapter(assistant, data, tmp_path):
    command = ("train", "mood", "--data", "data", "--epochs", "1")
    assert assistant(*command, "--out", "first", "--method", "lora").exit_code == 0
    result = assistant(*command, "--out", "second", "--method", "lora", "--start", "first")
    assert result.exit_code == 0, result.stderr
    assert "--method lora --epochs 1.0 --start first" in (tmp_path / "second" / "README.md").read_text()
    for method, start, said in (("bottleneck", "first", "LORA"), ("lora", "nowhere", "nowhere")):
        unlike = assistant(*command, "--out", "third", "--method", method, "--start", start)
        assert unlike.exit_code == 1
        assert said in unlike.stderr.splitlines()[-1]
    refused(assistant(*command, "--base", "some/model", "--start", "first"), "no --start")


@pytest.mark.parametrize("base", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_train_knows_the_embedded_base_by_its_own_names(assistant, data, tmp_path, base):
    result = assistant("train", "mood", "--data", "data", "--base", base, "--rows", "8", "--epochs", "1")
    assert result.exit_code == 0, result.stderr
    manifest = json.loads((tmp_path / "mood-adapter" / "onebase.json").read_text())
    assert manifest["base"]["name"] == "all-MiniLM-L6-v2"


# --- compress -----------------------------------------------------------------------------------------------


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """An adapter folder of the application's labels, as a training would leave it."""
    return write_adapter(tmp_path / "trained", labels=("bad", "good"), layers=2)


def test_compress_distill_makes_a_student_and_measures_it(assistant, data, trained, tmp_path):
    (data / "more.jsonl").write_text('{"text": "nobody knows"}\n')
    (tmp_path / "student.yaml").write_text(
        RECIPE + "layers: 1\nunlabelled: [{path: mood/more.jsonl, licence: none stated}]\n"
    )
    command = ("compress", "distill", "student.yaml", "--data", "data", "--teacher", "trained", "--hard")
    result = assistant(*command)
    assert result.exit_code == 0, result.stderr
    assert "24 labelled and 1 unlabelled texts, 12 dev rows" in result.stderr
    assert "The same student on the labels alone" in result.stderr
    assert "The student is in mood-student" in result.stdout
    manifest = json.loads((tmp_path / "mood-student" / "onebase.json").read_text())
    assert manifest["layers"] == 1
    assert manifest["training"]["distillation"] == {"temperature": 2.0, "alpha": 0.9}
    assert [source["rows"] for source in manifest["data"]] == [24, 1]
    assert manifest["metrics"]["times_as_fast_as_the_teacher"] > 0
    assert {"teacher, macro_f1", "labels alone, macro_f1, while training"} <= set(manifest["comparisons"])
    card = (tmp_path / "mood-student" / "README.md").read_text()
    assert "assistant compress distill student.yaml --data DATA --hard" in card


def test_compress_distill_takes_the_students_recipe_of_a_plugin(assistant, data, site, trained, tmp_path):
    student = site / "demo_plugin" / "student"
    student.mkdir()
    (student / "recipe.yaml").write_text(RECIPE.replace("epochs: 2", "epochs: 1"))
    result = assistant(
        "compress",
        "distill",
        "mood",
        "--data",
        "data",
        "--teacher",
        "trained",
        "--rows",
        "8",
        "--layers",
        "1",
    )
    assert result.exit_code == 0, result.stderr
    manifest = json.loads((tmp_path / "mood-student" / "onebase.json").read_text())
    assert manifest["training"]["epochs"] == 1
    assert manifest["layers"] == 1


@pytest.mark.parametrize("kind", ["layers", "weights"])
def test_compress_prune_draws_a_curve(assistant, data, trained, tmp_path, kind):
    command = ("compress", "prune", "mood", "--data", "data", "--adapter", "trained", "--kind", kind)
    recover = ("--recover", "1", "--rows", "8") if kind == "weights" else ()
    result = assistant(*command, "--sparsity", "0,0.5", "--dev-rows", "6", *recover)
    assert result.exit_code == 0, result.stderr
    assert f"The curve is in mood-{kind}" in result.stdout
    curve = json.loads((tmp_path / f"mood-{kind}" / "curve.json").read_text())
    whole, half = curve["points"]
    assert (whole["sparsity"], half["sparsity"]) == (0.0, 0.5)
    assert half["weights"] < whole["weights"]
    assert (half["recovered"] is not None) == bool(recover)
    assert sorted(p.name for p in (tmp_path / f"mood-{kind}").iterdir()) == ["curve.json", "curve.png"]


def test_compress_quantize_compares_schemes(assistant, data, trained, tmp_path):
    result = assistant(
        "compress",
        "quantize",
        "mood",
        "--data",
        "data",
        "--adapter",
        "trained",
        "--rows",
        "4",
        "--out",
        "q.json",
    )
    assert result.exit_code == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == [
        "float32", "int8", "int8-weights", "int4-weights",
    ]  # fmt: skip
    assert json.loads((tmp_path / "q.json").read_text())[0]["scheme"] == "float32"


def test_compress_refuses_in_a_sentence(assistant, data, trained, tmp_path):
    prune = ("compress", "prune", "mood", "--data", "data", "--adapter", "trained")
    for wrong in ("1", "a", "", "0,-1"):
        result = assistant(*prune, "--kind", "heads", "--sparsity", wrong)
        assert result.exit_code == 2
        assert "numbers from 0 to below 1" in result.stderr
    assert assistant(*prune, "--kind", "layers", "--importance", "gradient").exit_code == 2
    refused(assistant(*prune[:-1], "absent", "--kind", "heads"), "absent")
    distill = ("compress", "distill", "mood", "--data", "data")
    refused(assistant(*distill, "--teacher", "trained", "--layers", "7"), "7 layers")
    refused(assistant("compress", "distill", "moot", "--data", "data"), "mood")
    write_adapter(tmp_path / "other", labels=("x", "y"), layers=1)
    result = assistant(*distill, "--teacher", "other")
    assert result.exit_code == 1
    assert "Error: The teacher has the labels x, y; the student has bad, good." in result.stderr


# --- merge --------------------------------------------------------------------------------------------------


def test_merge_writes_a_model_for_transformers(assistant, data, trained, tmp_path):
    result = assistant("merge", "trained")
    assert result.exit_code == 0, result.stderr
    assert "The merged model is in trained-merged." in result.stdout
    assert {"config.json", "model.safetensors", "tokenizer.json", "head.safetensors", "onebase.json"} <= {
        file.name for file in (tmp_path / "trained-merged").iterdir()
    }
    refused(assistant("merge", "trained"), "trained-merged", "exists already")
    refused(assistant("merge", "moot", "--out", "elsewhere"), "mood")
    assert not (tmp_path / "elsewhere").exists()
