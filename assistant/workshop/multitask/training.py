"""Training several tasks at once: whose batch comes next, and what the tasks share.

Hard sharing (Caruana 1997): one adapter, a head per task. Soft sharing (Duong et al. 2015, "Low Resource Dependency
Parsing"): an adapter and a head per task, and a step of task a minimises

    loss of a's batch + strength * sum over the other tasks b of |adapter a - adapter b|^2

with the other adapters held fixed: each task's optimizer moves its own adapter alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor, nn

from assistant.errors import DataError
from assistant.workshop.data import Example, fingerprint
from assistant.workshop.loop import Problem, Progress, always, fit
from assistant.workshop.multitask.recipe import MultitaskRecipe
from assistant.workshop.objectives import Encoded
from assistant.workshop.training import (
    AdaptedModel,
    Learner,
    going_on,
    new_model,
    take_adapter,
    take_head,
)


@dataclass(frozen=True)
class TaskData:
    """A task's rows to train on and its dev rows."""

    train: Sequence[Example]
    dev: Sequence[Example]


def train_together(
    recipe: MultitaskRecipe,
    data: Mapping[str, TaskData],
    run: Path,
    report: Callable[[Progress, int, float], bool] = always,
    save_every: int = 500,
    start: Path | None = None,
) -> tuple[dict[str, AdaptedModel], Progress]:
    """Train all tasks of the recipe; return a model per task, whose encoder is one and the same with hard sharing, as
    they were at the best mean of the tasks' dev scores. `run`, `report` and `save_every` are those of `loop.fit`.
    `start` is the folder of an adapter with several heads to go on from; a head of the same name and labels goes on as
    well. Raises DataError where it is of another form, and for `start` with soft sharing."""
    models: dict[str, AdaptedModel] = {}
    encoder = None
    for name in recipe.names:
        models[name] = new_model(recipe.alone(name), encoder)
        if recipe.sharing == "hard":
            encoder = models[name].encoder
    if start is not None:
        _go_on(recipe, models, start)
    learners = {
        name: Learner(recipe.alone(name), data[name].train, data[name].dev, model)
        for name, model in models.items()
    }
    steps = max(1, round(sum(each.per_epoch for each in learners.values()) * recipe.training.epochs))
    order = drawn({name: len(data[name].train) for name in models}, recipe, steps)

    def batches(first: int) -> Iterator[tuple[int, tuple[str, list[Encoded]]]]:
        seen = Counter(order[:first])
        streams = {name: learner.batches(seen[name]) for name, learner in learners.items()}
        for step in range(first, steps):
            yield step, (order[step], next(streams[order[step]])[1])

    def loss(step: int, batch: tuple[str, list[Encoded]]) -> Tensor:
        name, examples = batch
        value = learners[name].loss(step, examples)
        if recipe.sharing == "soft" and recipe.strength:
            value = value + recipe.strength * pull(name, models)
        return value

    def scores() -> dict[str, float]:
        found = {name: learner.score() for name, learner in learners.items()}
        return {"dev_score": sum(found.values()) / len(found), **found}

    additions = {"train": going_on(start), "dev": ""}
    problem = Problem(
        parameters(models, recipe),
        recipe.training,
        steps,
        batches,
        loss,
        scores,
        recipe,
        {
            f"{name} {part}": fingerprint(getattr(data[name], part)) + addition
            for name in models
            for part, addition in additions.items()
        },
    )
    return models, fit(problem, run, report, save_every)


def _go_on(recipe: MultitaskRecipe, models: Mapping[str, AdaptedModel], start: Path) -> None:
    if recipe.sharing == "soft":
        raise DataError(
            "With soft sharing each task has an adapter of its own; expected no adapter to start from."
        )
    take_adapter(models[recipe.names[0]].encoder, recipe.method, None, start)
    for name, model in models.items():
        if (start / name).is_dir():
            take_head(model, recipe.alone(name), start / name)


def drawn(rows: Mapping[str, int], recipe: MultitaskRecipe, steps: int) -> list[str]:
    """The task of each step, drawn by `recipe.temperature`; the same for the same seed."""
    weights = [count ** (1 / recipe.temperature) for count in rows.values()]
    return random.Random(recipe.training.seed).choices(list(rows), weights, k=steps)


def parameters(models: Mapping[str, AdaptedModel], recipe: MultitaskRecipe) -> dict[str, nn.Parameter]:
    """What is trained, by name; what tasks share occurs once."""
    found: dict[str, nn.Parameter] = {}
    for task, model in models.items():
        for name, parameter in model.trained().items():
            shared = recipe.sharing == "hard" and name.startswith("encoder.")
            found[name if shared else f"{task}.{name}"] = parameter
    return found


def adapter(model: AdaptedModel) -> dict[str, nn.Parameter]:
    """The parameters of a model's adapter, without its head."""
    return {name: p for name, p in model.trained().items() if name.startswith("encoder.")}


def pull(name: str, models: Mapping[str, AdaptedModel]) -> Tensor:
    """The squared distance (a scalar) of a task's adapter from all others, which are taken as given."""
    own = adapter(models[name])
    others = [adapter(model) for other, model in models.items() if other != name]
    return torch.stack(
        [(own[key].float() - other[key].detach().float()).square().sum() for other in others for key in own]
    ).sum()


@torch.no_grad()
def distances(models: Mapping[str, AdaptedModel]) -> dict[str, float]:
    """How far the tasks' adapters lie apart, by "a, b": the length of the difference over the mean of their lengths;
    0 for equal ones, about 1.4 for such as have nothing in common."""
    vectors = {
        name: torch.cat([p.float().flatten() for p in adapter(model).values()])
        for name, model in models.items()
    }
    return {
        f"{a}, {b}": float((vectors[a] - vectors[b]).norm() / ((vectors[a].norm() + vectors[b].norm()) / 2))
        for a, b in combinations(vectors, 2)
    }
