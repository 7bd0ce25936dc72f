"""Several tasks at once: they are learnt together, resume to the same result, and share what they should."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from assistant.engine.base import Classification
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import read_manifest
from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.multitask.publishing import TaskSources, publish_together
from assistant.workshop.multitask.recipe import MultitaskRecipe, load_multitask_recipe
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


def sources_of(made: MultitaskRecipe) -> dict[str, TaskSources]:
    (source,) = made.tasks[0].train
    return {
        name: TaskSources([(source, list(rows.train))], [(source, list(rows.dev))])
        for name, rows in DATA.items()
    }


def test_hard_sharing_publishes_one_adapter_whose_heads_answer_together(
    tmp_path: Path, encoder: EncoderEngine
) -> None:
    made = recipe()
    models, _ = train_together(made, DATA, tmp_path / "run")
    folder = tmp_path / "adapter"
    publish_together(made, models, sources_of(made), folder, "Toy", "make toy", 1.0, encoder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "adapter_config.json", "adapter_model.safetensors", "kind", "onebase.json", "words",
    ]  # fmt: skip
    whole, kind = read_manifest(folder), read_manifest(folder / "kind")
    assert (whole.operation, whole.labels) == ("multitask", ("kind", "words"))
    assert whole.metrics["kind: toy_accuracy"] == kind.metrics["toy_accuracy"] == 1.0
    assert whole.metrics["words: toy_detection_f0.5"] == 1.0
    assert kind.threshold > 0
    card = (folder / "README.md").read_text()
    assert "Heads: kind, words." in card
    assert "- words: to tag; labels OK, BAD; abstains below" in card
    for text, answer in zip(TEXTS, encoder.multitask(TEXTS, folder), strict=True):
        assert isinstance(answer["kind"], Classification)
        assert answer["kind"].label == KIND[TEXTS.index(text)].label
        marked = [(tag.start, tag.end) for tag in answer["words"] if tag.label == "BAD"]  # type: ignore[union-attr]
        assert marked == [(start, end) for start, end, _ in WORDS[TEXTS.index(text)].label]
    assert not list(tmp_path.glob("*.tmp"))


def test_training_goes_on_from_an_adapter_with_its_heads(tmp_path: Path, encoder: EncoderEngine) -> None:
    made, folder = recipe(), tmp_path / "adapter"
    models, _ = train_together(made, DATA, tmp_path / "run")
    publish_together(made, models, sources_of(made), folder, "Toy", "make toy", 1.0, encoder)
    short = recipe(training={"epochs": 1, "learning_rate": 1e-6})
    _, progress = train_together(short, DATA, tmp_path / "second", start=folder)
    assert progress.history[0]["kind"] == progress.history[0]["words"] == 1.0
    with pytest.raises(DataError, match="another recipe or other data"):
        train_together(short, DATA, tmp_path / "second")
    with pytest.raises(DataError, match="has r 2; the one to be trained has 3"):
        wider = recipe(method={"name": "lora", "rank": 3, "alpha": 4})
        train_together(wider, DATA, tmp_path / "third", start=folder)
    with pytest.raises(DataError, match="soft sharing"):
        train_together(recipe(sharing="soft"), DATA, tmp_path / "third", start=folder)


def test_soft_sharing_publishes_an_adapter_for_each_task(tmp_path: Path, encoder: EncoderEngine) -> None:
    made = recipe(sharing="soft")
    models, _ = train_together(made, DATA, tmp_path / "run")
    publish_together(made, models, sources_of(made), tmp_path / "out", "Toy", "make toy", 1.0, encoder)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["kind", "words"]
    (answer,) = encoder.classify([TEXTS[0]], tmp_path / "out" / "kind")
    assert answer.label == "colour"
    assert read_manifest(tmp_path / "out" / "words").metrics["toy_detection_f0.5"] == 1.0


def test_a_task_alone_has_the_shared_settings_and_its_own() -> None:
    made = recipe(training={"max_tokens": 32})
    tasks = [
        task.model_copy(update={"max_tokens": 64}) if task.name == "words" else task for task in made.tasks
    ]
    made = made.model_copy(update={"tasks": tuple(tasks)})
    kind, words = (made.alone(name) for name in made.names)
    assert (kind.training.max_tokens, words.training.max_tokens) == (32, 64)
    assert kind.training.learning_rate == words.training.learning_rate == made.training.learning_rate
    assert (words.application, words.operation, words.labels) == ("words", "tag", ("OK", "BAD"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tasks": "two"}, "tasks"),
        ({"sharing": "firm"}, "'hard' or 'soft'"),
        ({"temperature": 0.5}, "temperature"),
        ({"method": {"name": "fine-tuning"}}, "method"),
        ({"training": {"distillation": {}}}, "cannot be distilled together"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_recipes_get_a_sentence(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "several.yaml"
    content = recipe().model_dump(mode="json") | change
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(DataError, match=f"several.yaml.*{said}"):
        load_multitask_recipe(path)


@pytest.mark.parametrize(
    ("names", "said"), [(["kind"], "tasks"), (["kind", "kind"], "same name"), (["kind", "../words"], "name")]
)
def test_tasks_are_several_and_have_names_of_their_own(names: list[str], said: str, tmp_path: Path) -> None:
    path = tmp_path / "several.yaml"
    content = recipe().model_dump(mode="json")
    content["tasks"] = [{**content["tasks"][0], "name": name} for name in names]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(DataError, match=f"several.yaml.*{said}"):
        load_multitask_recipe(path)
