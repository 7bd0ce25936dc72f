"""Several tasks at once: they are learnt together, resume to the same result, and share what they should."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.multitask.recipe import MultitaskRecipe
from assistant.workshop.multitask.training import TaskData, distances, drawn, train_together

COLOURS = ["red", "blue", "green", "yellow"]
ANIMALS = ["cat", "dog", "horse", "sheep"]
TEXTS = [f"I saw a {word} thing in town" for word in COLOURS + ANIMALS]
KIND = [Example((text,), "colour" if i < 4 else "animal") for i, text in enumerate(TEXTS)]
# The fourth word is wrong where it is an animal's.
WORDS = [
    Example((text,), ((8, 8 + len(text.split()[3]), "BAD"),) if i >= 4 else ())
    for i, text in enumerate(TEXTS)
]
DATA = {"kind": TaskData(KIND, KIND), "words": TaskData(WORDS, WORDS)}
SOURCE = {"path": "toy/train.jsonl", "licence": "none needed"}


def recipe(**changes: Any) -> MultitaskRecipe:
    training = {
        "epochs": 8,
        "batch_size": 4,
        "learning_rate": 3e-3,
        "evaluations": 2,
        **changes.pop("training", {}),
    }
    sources = {"train": [SOURCE], "dev": [SOURCE]}
    content = {
        "application": "toy",
        "method": {"name": "lora", "rank": 2, "alpha": 4},
        "training": training,
        "tasks": [
            {"name": "kind", "labels": ["colour", "animal"], **sources},
            {"name": "words", "operation": "tag", "labels": ["OK", "BAD"], **sources},
        ],
        **changes,
    }
    return MultitaskRecipe.model_validate(content)


@pytest.mark.parametrize("sharing", ["hard", "soft"])
def test_the_loss_falls_and_each_task_is_learnt(sharing: str, tmp_path: Path) -> None:
    losses: list[float] = []
    models, progress = train_together(
        recipe(sharing=sharing), DATA, tmp_path, lambda p, n, loss: losses.append(loss) or True
    )
    assert losses[-1] < 0.8 * losses[0]
    assert progress.history[-1]["kind"] == progress.history[-1]["words"] == 1.0
    assert progress.best_score == 1.0
    assert (models["kind"].encoder is models["words"].encoder) == (sharing == "hard")


@pytest.mark.parametrize("sharing", ["hard", "soft"])
def test_a_stopped_run_resumes_to_the_same_result(sharing: str, tmp_path: Path) -> None:
    made = recipe(sharing=sharing, training={"epochs": 2, "token_dropout": 0.2})
    whole, progress = train_together(made, DATA, tmp_path / "whole")
    train_together(made, DATA, tmp_path / "parts", lambda progress, steps, loss: progress.step < 3)
    resumed, _ = train_together(made, DATA, tmp_path / "parts")
    assert progress.step == 8
    for task, model in whole.items():
        for name, parameter in model.trained().items():
            assert torch.equal(parameter, resumed[task].trained()[name]), (task, name)


def test_a_stronger_pull_keeps_the_adapters_closer(tmp_path: Path) -> None:
    far, near = (
        distances(
            train_together(recipe(sharing="soft", strength=strength), DATA, tmp_path / str(strength))[0]
        )
        for strength in (0, 10)
    )
    assert list(far) == ["kind, words"]
    assert 0 < near["kind, words"] < 0.7 * far["kind, words"]


def test_tasks_are_drawn_by_temperature() -> None:
    def shares(temperature: float) -> Counter[str]:
        return Counter(drawn({"small": 100, "large": 10_000}, recipe(temperature=temperature), 10_000))

    assert shares(1)["small"] == pytest.approx(10_000 / 101, rel=0.3)
    assert shares(2)["small"] == pytest.approx(10_000 / 11, rel=0.1)
    assert shares(1000)["small"] == pytest.approx(5_000, rel=0.1)


def test_a_run_folder_of_another_recipe_or_other_data_is_refused(tmp_path: Path) -> None:
    made = recipe(training={"epochs": 1})
    train_together(made, DATA, tmp_path)
    for other, data in (
        (recipe(training={"epochs": 2}), DATA),
        (made, {**DATA, "kind": TaskData(KIND[1:], KIND)}),
    ):
        with pytest.raises(DataError, match="another recipe or other data"):
            train_together(other, data, tmp_path)
