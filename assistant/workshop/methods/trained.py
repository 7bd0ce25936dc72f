"""What the trained methods share: the settings for data of any size, the training loop, and the result as it is served.

Nothing is chosen by the dev rows: training runs to its end, and the dev rows only set the temperature and the threshold
of an adapter, which change no label. So what is measured on them is measured on rows that no method has seen.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from assistant.engine.base import Classification, TextOrPair
from assistant.engine.encoder import EncoderEngine
from assistant.errors import UnsupportedTask
from assistant.workshop.batches import predict_logits
from assistant.workshop.data import Example
from assistant.workshop.dataset import slug
from assistant.workshop.loop import Progress
from assistant.workshop.methods import Fitted, LabelledTask, Stopped, Watch, sides
from assistant.workshop.methods.adapter import TrainedAdapter
from assistant.workshop.objectives import objective
from assistant.workshop.publishing import publish
from assistant.workshop.recipe import Method, Recipe, Source, Training
from assistant.workshop.training import AdaptedModel, train

BATCH = 16
MAX_TOKENS = 256
# A run sees at least so many rows, repetitions included, unless that would be more than MOST_EPOCHS.
ROWS_SEEN, LEAST_EPOCHS, MOST_EPOCHS = 1600, 3.0, 20.0


def fit_adapter(
    kind: Method,
    title: str,
    rate: float,
    epochs: float | None,
    task: LabelledTask,
    watch: Watch,
    start: Path | None = None,
) -> Fitted:
    """Train and publish an adapter; the classifier is the folder as the task's engine serves it. `start` is an adapter
    folder of the same form to begin with."""
    if not isinstance(task.engine, EncoderEngine):
        raise UnsupportedTask(
            f"{title} trains the embedded base; the engine {task.engine.info.name!r} has another one."
        )
    recipe, model, seconds = _trained(kind, rate, epochs, task, watch, start)
    folder = task.folder / "adapter"
    (source,) = recipe.train
    command = f"assistant compare {task.name} --methods {kind.name}"
    publish(
        recipe,
        model,
        [(source, task.train)],
        [(source, task.dev)],
        folder,
        f"{title} on {task.name}",
        command,
        seconds,
        task.engine,
        start,
    )
    info = task.engine.adapter(folder)
    return Fitted(TrainedAdapter(task.engine, folder), info.parameters, info.bytes, seconds, folder)


def fit_base(kind: Method, rate: float, epochs: float | None, task: LabelledTask, watch: Watch) -> Fitted:
    """Train weights of the base; the classifier is the model in memory. Bytes are those of its float16 weights."""
    recipe, model, seconds = _trained(kind, rate, epochs, task, watch)
    count = sum(parameter.numel() for parameter in model.trained().values())
    return Fitted(TrainedModel(model, recipe), count, 2 * count, seconds)


class TrainedModel:
    """A model of the training loop as a classifier."""

    def __init__(self, model: AdaptedModel, recipe: Recipe) -> None:
        self.model = model
        self.recipe = recipe
        self.labels = recipe.labels

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier."""
        # The objective wants labels, and looks at none here.
        examples = [Example(sides(texts), self.labels[0]) for texts in inputs]
        logits = predict_logits(self.model, objective("classify").encode(examples, self.recipe))
        return [Classification(self.labels, tuple(torch.softmax(row[0], -1).tolist())) for row in logits]


def training_settings(rows: int, rate: float, epochs: float | None, seed: int) -> Training:
    """The loop's settings for so many rows. One dev evaluation, at the end: there is nothing to choose."""
    suited = min(max(ROWS_SEEN / rows, LEAST_EPOCHS), MOST_EPOCHS)
    return Training(
        epochs=suited if epochs is None else epochs,
        batch_size=BATCH,
        learning_rate=rate,
        max_tokens=MAX_TOKENS,
        evaluations=1,
        seed=seed,
    )


def _trained(
    kind: Method,
    rate: float,
    epochs: float | None,
    task: LabelledTask,
    watch: Watch,
    start: Path | None = None,
) -> tuple[Recipe, AdaptedModel, float]:
    """Recipe, model and seconds. Goes on from a checkpoint in the task's folder. Raises Stopped."""
    source = Source(path=task.name, licence="the user's own data")
    recipe = Recipe(
        application=slug(task.name),
        fields=task.fields,
        labels=task.labels,
        method=kind,
        training=training_settings(len(task.train), rate, epochs, task.seed),
        train=(source,),
        dev=(source,),
    )
    stopped = False

    def report(progress: Progress, steps: int, loss: float) -> bool:
        nonlocal stopped
        stopped = not watch(progress.step / steps, f"step {progress.step:,} of {steps:,}, loss {loss:.3f}")
        return not stopped

    run = task.folder / "run"
    run.mkdir(parents=True, exist_ok=True)
    model, progress = train(recipe, task.train, task.dev, run, report, start=start)
    if stopped:
        raise Stopped
    # Checkpoints are several times as large as the adapter, and the run needs them no more.
    shutil.rmtree(run)
    return recipe, model, progress.seconds
