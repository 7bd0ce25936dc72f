"""The loop that all training shares: optimizer, schedule, dev evaluations and checkpoints.

A run is resumable and deterministic by seed: the batch of a step and its random numbers depend on the seed and the
step alone, so a run that was stopped ends as if it had never been.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from pydantic import BaseModel, ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from assistant.engine.memory import give_back_freed_memory, keep_freed_memory
from assistant.errors import DataError
from assistant.workshop.master_weights import MasterWeights
from assistant.workshop.recipe import Training

B = TypeVar("B")
# Steps. Batches differ in shape, so freed blocks seldom fit again and the heap would grow to several gigabytes.
GIVE_BACK_EVERY = 25


@dataclass
class Progress:
    """Where a run stands; also what is resumed from."""

    step: int = 0
    best_step: int = 0
    best_score: float = -math.inf
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Problem(Generic[B]):
    """What is to be learnt, as the loop sees it.

    `batches` gives (step, batch) from a step on, the same ones in every run; `loss` the loss (a scalar) of a step's
    batch; `scores` what the model reaches on dev: "dev_score", by which the best step is chosen, and whatever else
    belongs into the record. `recipe` and the fingerprints of `data` say whether a checkpoint is of the same run.
    """

    parameters: dict[str, nn.Parameter]
    settings: Training
    steps: int
    batches: Callable[[int], Iterable[tuple[int, B]]]
    loss: Callable[[int, B], Tensor]
    scores: Callable[[], dict[str, float]]
    recipe: BaseModel
    data: dict[str, str]

    @property
    def identity(self) -> dict[str, Any]:
        """What a record says of the run."""
        return {"recipe": self.recipe.model_dump(mode="json"), **self.data}


def always(progress: Progress, steps: int, loss: float) -> bool:
    """A report that looks at nothing and never stops."""
    return True


def fit(
    problem: Problem[B],
    run: Path,
    report: Callable[[Progress, int, float], bool] = always,
    save_every: int = 500,
) -> Progress:
    """Train the problem's parameters; they end as they were at the best dev evaluation.

    `run` is a folder for checkpoints and `record.json`; when it holds a checkpoint of the same recipe and data, the run
    goes on from there. `report` is called after every step with the progress, the number of steps and the running
    loss; returning False stops the run (the checkpoint is kept). Raises DataError when the loss is no number any more.
    """
    keep_freed_memory()
    settings, steps = problem.settings, problem.steps
    weights = MasterWeights(problem.parameters)
    optimizer = torch.optim.AdamW(
        list(weights.masters.values()),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        betas=(0.9, 0.98),
    )
    evaluate_every = max(1, steps // settings.evaluations)
    progress = _resume(run, problem, weights, optimizer)
    started, running = time.monotonic() - progress.seconds, 0.0
    for step, batch in problem.batches(progress.step):
        if progress.step - progress.best_step > settings.patience * evaluate_every and progress.best_step:
            _save(run, problem, weights, optimizer, progress)
            break
        loss = problem.loss(step, batch)
        if not math.isfinite(value := loss.item()):
            raise DataError(
                f"The loss is {value} at step {step + 1:,} of {steps:,}: the training has come apart. "
                "Expected a lower learning rate."
            )
        loss.backward()  # type: ignore[no-untyped-call]
        weights.take_gradients()
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step, steps, settings.warmup)
        optimizer.step()
        weights.give_values()
        running = 0.98 * running + 0.02 * value if running else value
        progress.step, progress.seconds = step + 1, time.monotonic() - started
        if progress.step % evaluate_every == 0 or progress.step == steps:
            scores = {name: round(score, 5) for name, score in problem.scores().items()}
            progress.history.append({"step": progress.step, "loss": round(running, 4), **scores})
            if scores["dev_score"] > progress.best_score:
                progress.best_score, progress.best_step = scores["dev_score"], progress.step
                _write(run / "best.safetensors", {n: p.detach() for n, p in weights.masters.items()})
        if progress.step % GIVE_BACK_EVERY == 0:
            give_back_freed_memory()
        if progress.step % save_every == 0 or progress.step == steps:
            _save(run, problem, weights, optimizer, progress)
        if not report(progress, steps, running):
            _save(run, problem, weights, optimizer, progress)
            break
    if (run / "best.safetensors").is_file():
        weights.set_values(load_file(run / "best.safetensors"))
    return progress


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then linear decay to zero; a factor in [0, 1]."""
    rise = max(1, round(steps * warmup))
    return (step + 1) / rise if step < rise else max(0.0, (steps - step) / max(1, steps - rise))


def _save(
    run: Path,
    problem: Problem[Any],
    weights: MasterWeights,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Write a checkpoint: parameters and optimizer state in one file, progress and identity in another."""
    state: dict[str, Tensor] = {}
    for name, master in weights.masters.items():
        state[f"master.{name}"] = master.detach()
        for key, value in optimizer.state[master].items():
            state[f"{key}.{name}"] = value
    _write(run / "checkpoint.safetensors", state)
    content = json.dumps({**problem.identity, "progress": vars(progress)}, indent=1)
    temporary = run / "record.json.tmp"
    temporary.write_text(content, encoding="utf-8")
    temporary.replace(run / "record.json")


def _write(path: Path, state: dict[str, Tensor]) -> None:
    """Save tensors under a temporary name, then rename: a half-written file never bears the final name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    save_file({name: value.contiguous() for name, value in state.items()}, temporary)
    temporary.replace(path)


def _same(stored: dict[str, Any], problem: Problem[Any]) -> bool:
    """Whether a record is of this recipe and data. Recipes are compared as read: a key that the record does not have
    yet has its default."""
    try:
        recipe = type(problem.recipe).model_validate(stored["recipe"]).model_dump(mode="json")
    except (KeyError, ValidationError):
        return False
    identity = problem.identity
    return {**{key: stored.get(key) for key in identity}, "recipe": recipe} == identity


def _resume(
    run: Path, problem: Problem[Any], weights: MasterWeights, optimizer: torch.optim.Optimizer
) -> Progress:
    """Take up the checkpoint in `run`. Raises DataError when it belongs to another recipe or other data."""
    record, checkpoint = run / "record.json", run / "checkpoint.safetensors"
    if not (record.is_file() and checkpoint.is_file()):
        (run / "best.safetensors").unlink(missing_ok=True)
        return Progress()
    stored = json.loads(record.read_text(encoding="utf-8"))
    if not _same(stored, problem):
        raise DataError(
            f"The run folder {run.name!r} holds a run of another recipe or other data; name another folder."
        )
    state = load_file(checkpoint)
    weights.set_values({name: state[f"master.{name}"] for name in weights.masters})
    for name, master in weights.masters.items():
        if f"step.{name}" in state:  # a parameter that no step has touched yet has none
            optimizer.state[master] = {
                "step": state[f"step.{name}"],
                **{key: state[f"{key}.{name}"].to(master.device) for key in ("exp_avg", "exp_avg_sq")},
            }
    return Progress(**stored["progress"])
