"""LoRA on a causal base: the loss falls, the folder is served, and two of them answer differently in one batch."""

from __future__ import annotations

import json
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from causal_folders import PROMPTS, write_base
from click.testing import CliRunner
from safetensors.torch import load_file

from assistant.cli import main
from assistant.cli.train import Watch
from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.causal.quantization import Quantization
from assistant.engine.echo import EchoEngine
from assistant.errors import DataError
from assistant.workshop.causal_training import train_causal
from assistant.workshop.data import Example
from assistant.workshop.loop import Progress
from assistant.workshop.recipe import Recipe, Source

GOOD = ("A warm, funny film.", "What a lovely day!")
BAD = ("The battery died at once.", "I want my money back.")
PLAIN = ("The train leaves at nine.", "It has four wheels.")
LABELS = ("negative", "neutral", "positive")
TRAINING = {"epochs": 40, "batch_size": 6, "learning_rate": 1e-2, "max_tokens": 64}
SHORT = {**TRAINING, "epochs": 6, "batch_size": 3}


def examples(*labels: str) -> list[Example]:
    groups = zip((BAD, PLAIN, GOOD), labels, strict=True)
    return [Example((text,), label) for texts, label in groups for text in texts]


def recipe(**changes: object) -> Recipe:
    content = {
        "application": "sentiment",
        "labels": LABELS,
        "method": {"name": "lora", "rank": 4, "alpha": 8},
        "training": TRAINING,
        "train": [{"path": "train.jsonl", "licence": "made for the test"}],
        "dev": [{"path": "dev.jsonl", "licence": "made for the test"}],
    }
    return Recipe.model_validate({**content, **changes})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


def trained(
    base: Path,
    folder: Path,
    rows: list[Example],
    stop: int = 0,
    quantize: Quantization = "none",
    **changes: object,
) -> list[float]:
    """The losses of a training, which is stopped after so many steps."""
    losses: list[float] = []

    def report(progress: Progress, steps: int, loss: float) -> bool:
        losses.append(loss)
        return progress.step != stop

    source = Source(path="train.jsonl", licence="made for the test")
    made = train_causal(
        load_base(str(base), quantize),
        recipe(**changes),
        [(source, rows)],
        [(source, rows)],
        PROMPTS / "sentiment",
        folder,
        "Sentiment",
        "assistant train",
        folder.with_suffix(".run"),
        report,
    )
    assert (made is None) == bool(stop)
    return losses


def test_the_loss_falls_and_two_adapters_answer_differently_in_one_batch(base: Path, tmp_path: Path) -> None:
    straight, turned = tmp_path / "straight", tmp_path / "turned"
    for folder, labels in ((straight, LABELS), (turned, tuple(reversed(LABELS)))):
        losses = trained(base, folder, examples(*labels))
        assert losses[-1] < 0.6 * losses[0]  # a running mean, which remembers the beginning
        assert {
            "adapter_config.json",
            "adapter_model.safetensors",
            "onebase.json",
            "README.md",
            "prompts",
        } == {path.name for path in folder.iterdir()}
        assert json.loads((folder / "adapter_config.json").read_text())["peft_type"] == "LORA"
    engine = CausalEngine(load_base(str(base), "none"), EchoEngine())
    try:
        texts = [*GOOD, *BAD]
        assert [r.label for r in engine.classify(texts, straight)] == ["positive"] * 2 + ["negative"] * 2
        assert [r.label for r in engine.classify(texts, turned)] == ["negative"] * 2 + ["positive"] * 2
        names = [label.name for label in engine.skills.get(straight, "en").prompt.labels.values()]
        rows = [engine._row(engine.skills.get(path, "en"), GOOD[0], names) for path in (straight, turned)]
        one, other = engine._batcher._forward(rows)
        assert names[one.index(max(one))] == "positive"
        assert names[other.index(max(other))] == "negative"
        assert engine.adapter(straight).metrics["train_accuracy"] == 1.0
    finally:
        engine.close()


def test_the_manifest_has_the_rank_that_was_trained(base: Path, tmp_path: Path) -> None:
    method = {"name": "lora", "rank": 32, "alpha": 64}
    trained(base, tmp_path / "made", examples(*LABELS), training={**TRAINING, "epochs": 1}, method=method)
    said = json.loads((tmp_path / "made" / "onebase.json").read_text())["training"]["method"]
    config = json.loads((tmp_path / "made" / "adapter_config.json").read_text())
    assert (said["rank"], said["alpha"]) == (config["r"], config["lora_alpha"]) == (16, 32)


def test_a_stopped_training_goes_on_and_ends_as_if_it_never_had_been(base: Path, tmp_path: Path) -> None:
    """Two steps an epoch, so that it stops within one."""
    rows, changes = examples(*LABELS), {"training": SHORT}
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    losses = trained(base, whole, rows, **changes)
    first = trained(base, resumed, rows, stop=7, **changes)
    assert not resumed.exists()
    assert not list(tmp_path.rglob("*.tmp"))
    rest = trained(base, resumed, rows, **changes)
    assert first == losses[:7]
    assert len(rest) == len(losses) - 7
    weights = [load_file(folder / "adapter_model.safetensors") for folder in (whole, resumed)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    records = [
        json.loads((tmp_path / f"{name}.run/record.json").read_text()) for name in ("whole", "resumed")
    ]
    histories = [
        [(each["step"], each["dev_score"]) for each in record["progress"]["history"]] for record in records
    ]
    assert histories[0] == histories[1]
    assert 0 < histories[0][0][1] < histories[0][-1][1] <= 1


def test_a_run_of_another_base_or_other_data_is_not_gone_on_with(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    trained(base, folder, examples(*LABELS), stop=1)
    with pytest.raises(DataError, match=r"made\.run"):
        trained(base, folder, examples(*reversed(LABELS)), stop=1)
    other = write_base(tmp_path / "tiny", seed=1)
    with pytest.raises(DataError, match=r"made\.run"):
        trained(other, folder, examples(*LABELS), stop=1)


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="4 bit needs bitsandbytes")
def test_a_base_in_4_bit_is_trained_and_served(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    losses = trained(base, folder, examples(*LABELS), quantize="4bit")
    assert losses[-1] < 0.6 * losses[0]
    assert json.loads((folder / "onebase.json").read_text())["base"]["quantization"].startswith("4 bit")
    engine = CausalEngine(load_base(str(base), "4bit"), EchoEngine())
    try:
        assert [r.label for r in engine.classify(GOOD, folder)] == ["positive"] * 2
    finally:
        engine.close()


def test_a_recipe_that_a_causal_base_cannot_learn_is_told(base: Path, tmp_path: Path) -> None:
    loaded = load_base(str(base), "none")
    for changes, said in (
        ({"method": {"name": "bottleneck"}}, "with bottleneck"),
        ({"operation": "rank"}, "to rank"),
        ({"labels": ("good", "bad")}, "good, bad"),
    ):
        with pytest.raises(DataError, match=said):
            train_causal(
                loaded,
                recipe(**changes),
                [],
                [],
                PROMPTS / "sentiment",
                tmp_path / "x",
                "Sentiment",
                "x",
                tmp_path / "x.run",
            )
    assert not (tmp_path / "x").exists()


def command(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, epochs: int) -> list[str]:
    """The arguments of a training in this folder, with the recipe and the rows that it names."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ONEBASE_HOME", str(folder / "home"))
    lines = [json.dumps({"text": e.texts[0], "label": e.label}) for e in examples(*LABELS)]
    for name in ("train", "dev"):
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    settings = recipe().model_dump(mode="json")
    settings["training"]["epochs"] = epochs
    (folder / "recipe.yaml").write_text(json.dumps(settings))
    return ["train", "recipe.yaml", "--data", ".", "--out", "made", "--base", str(base)]


def test_the_command_trains_for_a_causal_base(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = command(base, tmp_path, monkeypatch, epochs=1)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "The adapter is in made." in result.stdout
    assert "not quantized" in result.stderr
    assert "base_model: tiny" in (tmp_path / "made" / "README.md").read_text()


def test_the_command_stops_at_ctrl_c_and_goes_on(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = command(base, tmp_path, monkeypatch, epochs=3)
    report = Watch.__call__

    def interrupted(watch: Watch, progress: Progress, steps: int, loss: float) -> bool:
        if progress.step == 2:
            signal.raise_signal(signal.SIGINT)
        return report(watch, progress, steps, loss)

    monkeypatch.setattr(Watch, "__call__", interrupted)
    stopped = CliRunner().invoke(main, arguments)
    assert stopped.exit_code == 130
    assert "Stopped at step 2 of 3; the same command goes on from there." in stopped.stderr
    assert not (tmp_path / "made").exists()
    monkeypatch.setattr(Watch, "__call__", report)
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "step 3 of 3" in result.stderr
    assert "step 2 of 3" not in result.stderr
    assert (tmp_path / "made" / "onebase.json").is_file()
