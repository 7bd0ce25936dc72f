"""Training: it learns, it resumes to the same result, and what it publishes is what is served."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from adapter_folders import write_adapter
from safetensors.torch import load, save

from assistant.engine import embedded
from assistant.engine.adapters import HEAD, WEIGHTS
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import FILE
from assistant.errors import AdapterError, DataError
from assistant.workshop.batches import batches, predict_logits, tensors
from assistant.workshop.calibration import (
    expected_calibration_error,
    fit_abstention,
    fit_temperature,
    softmax,
)
from assistant.workshop.data import Example
from assistant.workshop.loop import Problem, fit
from assistant.workshop.objectives import Encoded, Tokens, objective
from assistant.workshop.publishing import publish
from assistant.workshop.recipe import Bottleneck, FineTuning, Lora, Recipe, Source, Training, load_recipe
from assistant.workshop.training import AdaptedModel, Learner, base_model, dropping, started, train

COLOURS = ["red", "blue", "green", "yellow", "white", "black"]
ANIMALS = ["cat", "dog", "horse", "sheep", "mouse", "goat"]
ROWS = [Example((f"I saw a {word} thing in town",), "colour") for word in COLOURS]
ROWS += [Example((f"I saw a {word} running in town",), "animal") for word in ANIMALS]
SOURCE = Source(path="toy/train.jsonl", licence="none needed")


def recipe(method: Lora | Bottleneck, **settings: float) -> Recipe:
    training = Training(**{"epochs": 6, "batch_size": 4, "learning_rate": 3e-3, "evaluations": 3, **settings})  # type: ignore[arg-type]
    return Recipe(
        application="toy",
        labels=("colour", "animal"),
        method=method,
        training=training,
        train=(SOURCE,),
        dev=(SOURCE,),
    )


@pytest.mark.parametrize("method", [Lora(rank=2, alpha=4), Bottleneck(size=4)])
def test_it_learns_and_what_is_published_is_what_is_served(
    method: Lora | Bottleneck, tmp_path: Path, encoder: EncoderEngine
) -> None:
    losses: list[float] = []
    model, _ = train(
        recipe(method), ROWS, ROWS, tmp_path / "run", lambda p, n, loss: losses.append(loss) or True
    )
    # The reported loss is a running mean, so it lags behind.
    assert losses[-1] < 0.8 * losses[0]
    folder = tmp_path / "adapter"
    manifest = publish(
        recipe(method), model, [(SOURCE, ROWS)], [(SOURCE, ROWS)], folder, "Toy", "make toy", 1.0
    )
    assert manifest.metrics["toy_accuracy"] == 1.0
    assert "| toy_accuracy | 1.0000 |" in (folder / "README.md").read_text()
    assert "none needed" in (folder / "README.md").read_text()
    served = encoder.classify([e.texts[0] for e in ROWS], folder)
    assert [c.label for c in served] == [e.label for e in ROWS]
    logits = predict_logits(model, objective("classify").encode(ROWS, recipe(method)))
    assert torch.cat(logits).argmax(-1).tolist() == [("colour", "animal").index(e.label) for e in ROWS]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("method", [Lora(rank=2, alpha=4), Bottleneck(size=4)])
def test_training_goes_on_from_an_adapter(
    method: Lora | Bottleneck, tmp_path: Path, encoder: EncoderEngine
) -> None:
    begun, sources, folder = recipe(method), [(SOURCE, ROWS)], tmp_path / "adapter"
    model, _ = train(begun, ROWS, ROWS, tmp_path / "run")
    publish(begun, model, sources, sources, folder, "Toy", "make toy", 1.0, encoder)
    encoded = objective("classify").encode(ROWS, begun)
    for mine, theirs in zip(
        predict_logits(started(begun, folder), encoded), predict_logits(model, encoded), strict=True
    ):
        assert torch.allclose(mine, theirs, atol=0.1)
    other = (Source(path="mine.jsonl", licence="ours"), ROWS[:4])
    going_on = recipe(method, epochs=1)
    model, _ = train(going_on, ROWS[:4], ROWS, tmp_path / "on", save_every=1, start=folder)
    with pytest.raises(DataError, match="another recipe"):
        train(going_on, ROWS[:4], ROWS, tmp_path / "on")
    manifest = publish(
        going_on, model, [other], sources, tmp_path / "better", "Toy", "make toy", 1.0, encoder, folder
    )
    assert [(data.path, data.rows) for data in manifest.data] == [("mine.jsonl", 4), (SOURCE.path, 12)]
    more = going_on.model_copy(update={"labels": ("colour", "animal", "plant")})
    assert started(more, folder).head_weight.shape[0] == 3
    for unlike in (Lora(rank=3), Bottleneck(size=3)):
        with pytest.raises(DataError, match="the one to be trained has"):
            started(recipe(unlike), folder)
    if isinstance(method, Lora):
        with pytest.raises(
            DataError, match=r"changes dense, key, query, value; the one to be trained query\."
        ):
            started(recipe(method.model_copy(update={"targets": ("query",)})), folder)
    with pytest.raises(DataError, match="all layers; the one to be trained has 2"):
        started(begun.model_copy(update={"layers": 2}), folder)


def damaged(folder: Path) -> Iterator[tuple[str, str]]:
    """One way after another to spoil an adapter's folder, and what is to be said about it."""
    weights, head, manifest = (folder / name for name in (WEIGHTS, HEAD, FILE))
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    yield "cut short", "adapter_model"
    tensors = load(whole)
    weights.write_bytes(
        save({name: t for name, t in tensors.items() if ".3.output.dense.lora_B" not in name})
    )
    yield "half of a pair missing", "layer 3"
    weights.write_bytes(save({name: t * float("nan") for name, t in tensors.items()}))
    yield "not numbers", "finite"
    weights.unlink()
    yield "no weights", "adapter_model"
    weights.write_bytes(whole)
    said = manifest.read_text()
    manifest.write_text(said.replace(embedded.SHA256, "0" * 64))
    yield "another base", "made for the base"
    manifest.write_text(said)
    head.unlink()
    yield "no head", "head.safetensors"


def test_a_damaged_adapter_is_not_gone_on_from(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "adapter", method=Lora(rank=2, alpha=4), labels=("colour", "animal"))
    for how, sentence in damaged(folder):
        with pytest.raises(AdapterError, match=sentence):
            train(recipe(Lora(rank=2, alpha=4)), ROWS, ROWS, tmp_path / "run", start=folder)
            pytest.fail(how)


def test_a_wider_adapter_is_cut_to_the_rank_that_is_asked_for(tmp_path: Path, encoder: EncoderEngine) -> None:
    wide, narrow = recipe(Lora(rank=8, alpha=8)), recipe(Lora(rank=2, alpha=6))
    model, _ = train(wide, ROWS, ROWS, tmp_path / "run")
    with torch.no_grad():  # updates of rank 2, whatever the form has room for
        for name, parameter in model.trained().items():
            if "lora_A" in name:
                parameter[2:] = 0
    sources, folder = [(SOURCE, ROWS)], tmp_path / "adapter"
    publish(wide, model, sources, sources, folder, "Toy", "make toy", 1.0, encoder)
    encoded = objective("classify").encode(ROWS, wide)
    cut = started(narrow, folder)
    assert {p.shape[0] for name, p in cut.trained().items() if "lora_A" in name} == {2}
    for mine, theirs in zip(predict_logits(cut, encoded), predict_logits(model, encoded), strict=True):
        assert torch.allclose(mine, theirs, atol=0.1)


def test_a_stopped_run_resumes_to_the_same_result(tmp_path: Path) -> None:
    settings = recipe(Lora(rank=2, dropout=0.3), epochs=3, token_dropout=0.2)
    whole, progress = train(settings, ROWS, ROWS, tmp_path / "whole")
    train(settings, ROWS, ROWS, tmp_path / "parts", lambda progress, steps, loss: progress.step < 5)
    resumed, _ = train(settings, ROWS, ROWS, tmp_path / "parts")
    assert progress.step == 9
    for name, parameter in whole.trained().items():
        assert torch.equal(parameter, resumed.trained()[name]), name


def test_the_base_stays_frozen() -> None:
    model = AdaptedModel(Lora(rank=2), 2, seed=0)
    assert all("lora" in name or name.startswith("head") for name in model.trained())
    assert sum(p.numel() for p in AdaptedModel(Lora(rank=16), 3, 0).trained().values()) <= 0.03 * 22_713_216
    assert (
        sum(p.numel() for p in AdaptedModel(Bottleneck(size=64), 6, 0).trained().values())
        <= 0.03 * 22_713_216
    )


def test_an_update_is_learnt_of_the_layers_that_are_named() -> None:
    model = AdaptedModel(Lora(rank=2, targets=("query", "value")), 2, seed=0)
    updated = {name.split(".lora_")[0].split(".")[-1] for name in model.trained() if "lora" in name}
    assert updated == {"query", "value"}


def test_dropout_is_drawn_from_the_seed_and_only_while_learning() -> None:
    model = AdaptedModel(Lora(rank=2, dropout=0.5), 2, seed=0)
    for name, parameter in model.trained().items():
        if "lora_B" in name:  # zero at first: nothing would show
            torch.nn.init.normal_(parameter, std=0.5)
    (batch,) = batches(objective("classify").encode(ROWS[:3], recipe(Lora())), 3, None)

    def logits(seed: int | None) -> torch.Tensor:
        with torch.inference_mode(), nullcontext() if seed is None else dropping(model, seed):
            found: torch.Tensor = model(*tensors(batch))
        return found

    assert torch.equal(logits(1), logits(1))
    assert not torch.equal(logits(1), logits(2))
    assert torch.equal(logits(None), logits(None))
    assert not torch.equal(logits(None), logits(1))


def test_fine_tuning_changes_the_base_above_the_frozen_layers(tmp_path: Path) -> None:
    made = recipe(FineTuning(frozen_layers=4), learning_rate=1e-4, epochs=3)  # type: ignore[arg-type]
    losses: list[float] = []
    model, _ = train(made, ROWS, ROWS, tmp_path / "run", lambda p, n, loss: losses.append(loss) or True)
    assert losses[-1] < losses[0]
    assert {name.split(".")[3] for name in model.trained() if name.startswith("encoder.")} == {"4", "5"}
    before = base_model().encoder.layer[5].output.dense.weight.bfloat16()
    assert not torch.equal(model.encoder.encoder.layer[5].output.dense.weight, before)
    sources = [(SOURCE, ROWS)]
    with pytest.raises(DataError, match="makes no adapter"):
        publish(made, model, sources, sources, tmp_path / "adapter", "Toy", "make toy", 1.0)
    assert not (tmp_path / "adapter").exists()


def test_a_run_folder_of_another_recipe_is_refused(tmp_path: Path) -> None:
    train(recipe(Lora(rank=2), epochs=1), ROWS, ROWS, tmp_path, save_every=1)
    with pytest.raises(DataError, match="another recipe"):
        train(recipe(Lora(rank=3), epochs=1), ROWS, ROWS, tmp_path)


def test_a_training_that_comes_apart_is_told(tmp_path: Path) -> None:
    weight = torch.nn.Parameter(torch.ones(2))

    def loss(step: int, batch: float) -> torch.Tensor:
        return (weight * batch).sum()

    problem = Problem(
        {"weight": weight},
        Training(),
        4,
        lambda first: iter([(0, 1.0), (1, 1.0), (2, float("nan"))]),
        loss,
        lambda: {"dev_score": 1.0},
        recipe(Lora()),
        {},
    )
    with pytest.raises(DataError, match=r"loss is nan at step 3 of 4.*lower learning rate"):
        fit(problem, tmp_path)
    assert torch.isfinite(weight).all()


def encoded(length: int, label: int = 0) -> Encoded:
    return Encoded((Tokens([1] * length, [0] * length),), label)


def test_batches_hold_every_row_once_and_stay_within_bounds() -> None:
    data = [encoded(length) for length in (3, 500, 7, 40, 40, 2, 512, 90)]
    for rng in (None, random.Random(1)):
        found = list(batches(data, 3, rng, 1000))
        assert sorted(id(e) for group in found for e in group) == sorted(map(id, data))
        assert all(len(group) <= 3 for group in found)
        assert all(len(group) * max(e.width for e in group) <= 1000 for group in found)
        assert max(map(len, found)) == 3


def test_steps_are_counted_through_epochs_of_different_lengths() -> None:
    """Where a few rows are long, an epoch has now more, now fewer batches."""
    long = " ".join(["word"] * 300)
    rows = [Example((text,), label) for text, label in (("short", "colour"), (long, "animal")) * 100]
    made = recipe(Lora(rank=2), batch_size=2, batch_tokens=512, max_tokens=300)
    learner = Learner(made, rows, ROWS, AdaptedModel(Lora(rank=2), 2, seed=0))
    assert len({sum(1 for _ in batches(learner.data, 2, random.Random(n), 512)) for n in range(9)}) > 1
    found = list(itertools.islice(learner.batches(0), 500))
    assert [step for step, _ in found] == list(range(500))
    (again,) = itertools.islice(learner.batches(447), 1)
    assert again[0] == 447
    assert list(map(id, again[1])) == list(map(id, found[447][1]))


def test_class_weights_balance() -> None:
    data = [encoded(1, 0)] * 30 + [encoded(1, 1)] * 10
    class_weights = objective("classify").class_weights
    assert class_weights(data, 2, 0.0).tolist() == [1.0, 1.0]
    low, high = class_weights(data, 2, 1.0).tolist()
    assert high == pytest.approx(3 * low)


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    truth = np.array([rng.choice(3, p=p) for p in softmax(logits)])
    assert fit_temperature(logits * 4, truth) == pytest.approx(4, rel=0.15)

    def error(scale: float) -> float:
        p = softmax(logits * scale)
        return expected_calibration_error(p.max(-1), p.argmax(-1) == truth)

    assert error(1.0) < 0.03 < error(4.0)


def test_abstention_lowers_the_error_rate() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1.0, 5000)
    correct = rng.uniform(size=5000) < confidence
    found = fit_abstention(confidence, correct)
    assert 0.8 <= found.coverage < 1
    assert found.accuracy > correct.mean()


def test_shipped_recipes_are_valid() -> None:
    root = Path(__file__).parent.parent / "plugins"
    several = {root / "analysis" / "recipe.yaml"}  # see test_analysis
    recipes = [load_recipe(path) for path in sorted(set(root.glob("*/recipe.yaml")) - several)]
    learners = load_recipe(root / "error_detection" / "learners.yaml")
    assert learners.labels == load_recipe(root / "error_detection" / "recipe.yaml").labels
    students = [load_recipe(path) for path in sorted(root.glob("*/student/recipe.yaml"))]
    assert [(r.application, r.layers) for r in students] == [("cyberbullying", 2)]
    assert all(r.training.distillation for r in students)
    folders = {path.parent.name.replace("_", "-") for path in root.glob("*/recipe.yaml")}
    assert {r.application for r in recipes} == folders - {"analysis"}
    assert {r.method.name for r in recipes} == {"lora", "bottleneck"}


def test_rows_may_lie_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.jsonl").write_text('{"text": "a red thing", "label": "colour"}\n')
    sources = "[{path: ./mine.jsonl, licence: ours}]"
    text = f"application: toy\nlabels: [colour]\ntrain: {sources}\ndev: {sources}\n"
    (tmp_path / "own" / "recipe.yaml").write_text(text)
    (source,) = load_recipe(tmp_path / "own" / "recipe.yaml").train
    assert source.read(tmp_path, ("text",)) == [Example(("a red thing",), "colour")]


def test_a_source_that_leaves_no_row_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "a", "label": "x", "tags": []}\n' * 10)
    (tmp_path / "short.jsonl").write_text('{"document": "One sentence.", "summary": "One sentence."}\n')
    (tmp_path / "empty.jsonl").write_text("")
    for path, share, operation in (
        ("rows.jsonl", (0.9, 0.1), "classify"),
        ("empty.jsonl", None, "tag"),
        ("short.jsonl", None, "rank"),
    ):
        source = Source(path=path, licence="x", share=share)
        with pytest.raises(DataError, match=rf"{path}: no row is left"):
            source.read(tmp_path, ("text",), operation)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "no YAML"),
        ("application: x", "labels"),
        ("- 1", "recipe"),
        ("surprise: 1", "recipe.yaml"),
        ("tasks: []", "several tasks"),
    ],
)
def test_bad_recipes_get_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        load_recipe(path)
    with pytest.raises(DataError, match="no recipe"):
        load_recipe(tmp_path / "absent.yaml")
