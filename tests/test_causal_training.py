"""LoRA on a causal base: the loss falls, the folder is served, and two of them answer differently in one batch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from causal_folders import PROMPTS, write_base
from click.testing import CliRunner

from assistant.cli import main
from assistant.engine.causal.engine import CausalEngine
from assistant.engine.causal.loading import load_base
from assistant.engine.echo import EchoEngine
from assistant.errors import DataError
from assistant.workshop.causal_training import train_causal
from assistant.workshop.data import Example
from assistant.workshop.recipe import Recipe, Source

GOOD = ("A warm, funny film.", "What a lovely day!")
BAD = ("The battery died at once.", "I want my money back.")
PLAIN = ("The train leaves at nine.", "It has four wheels.")
LABELS = ("negative", "neutral", "positive")


def examples(*labels: str) -> list[Example]:
    groups = zip((BAD, PLAIN, GOOD), labels, strict=True)
    return [Example((text,), label) for texts, label in groups for text in texts]


def recipe(**changes: object) -> Recipe:
    content = {
        "application": "sentiment",
        "labels": LABELS,
        "method": {"name": "lora", "rank": 4, "alpha": 8},
        "training": {"epochs": 40, "batch_size": 6, "learning_rate": 1e-2, "max_tokens": 64},
        "train": [{"path": "train.jsonl", "licence": "made for the test"}],
        "dev": [{"path": "dev.jsonl", "licence": "made for the test"}],
    }
    return Recipe.model_validate({**content, **changes})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("bases") / "tiny")


def trained(base: Path, folder: Path, rows: list[Example]) -> list[float]:
    """The losses of a training."""
    losses = []
    source = Source(path="train.jsonl", licence="made for the test")
    made = train_causal(
        load_base(str(base), "none"),
        recipe(),
        [(source, rows)],
        [(source, rows)],
        PROMPTS / "sentiment",
        folder,
        "Sentiment",
        "assistant train",
        lambda progress, steps, loss: losses.append(loss) is None,
    )
    assert made is not None
    return losses


def test_the_loss_falls_and_two_adapters_answer_differently_in_one_batch(base: Path, tmp_path: Path) -> None:
    straight, turned = tmp_path / "straight", tmp_path / "turned"
    for folder, labels in ((straight, LABELS), (turned, tuple(reversed(LABELS)))):
        losses = trained(base, folder, examples(*labels))
        assert losses[-1] < 0.3 * losses[0]
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


def test_a_recipe_that_a_causal_base_cannot_learn_is_told(base: Path, tmp_path: Path) -> None:
    loaded = load_base(str(base), "none")
    for changes, said in (
        ({"method": {"name": "bottleneck"}}, "with bottleneck"),
        ({"operation": "rank"}, "to rank"),
        ({"labels": ("good", "bad")}, "good, bad"),
    ):
        with pytest.raises(DataError, match=said):
            train_causal(
                loaded, recipe(**changes), [], [], PROMPTS / "sentiment", tmp_path / "x", "Sentiment", "x"
            )
    assert not (tmp_path / "x").exists()


def test_the_command_trains_for_a_causal_base(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONEBASE_HOME", str(tmp_path / "home"))
    lines = [json.dumps({"text": e.texts[0], "label": e.label}) for e in examples(*LABELS)]
    for name in ("train", "dev"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    settings = recipe().model_dump(mode="json")
    settings["training"]["epochs"] = 1
    (tmp_path / "recipe.yaml").write_text(json.dumps(settings))
    arguments = ["train", "recipe.yaml", "--data", ".", "--out", "made", "--base", str(base)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert "The adapter is in made." in result.stdout
    assert "not quantized" in result.stderr
    assert "base_model: tiny" in (tmp_path / "made" / "README.md").read_text()
