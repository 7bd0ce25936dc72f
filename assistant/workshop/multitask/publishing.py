"""From models that were trained together to adapter folders: one with a head per task, or one folder a task."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

from assistant.engine.adapters import HEAD
from assistant.engine.base import Engine
from assistant.engine.encoder import EncoderEngine
from assistant.engine.heads import save_head
from assistant.engine.manifest import BASE, MULTITASK, Manifest, write_manifest
from assistant.workshop.data import Example
from assistant.workshop.multitask.recipe import MultitaskRecipe
from assistant.workshop.multitask.training import TaskData
from assistant.workshop.publishing import card, described, measured, publish, replacing, save_adapter
from assistant.workshop.recipe import Source
from assistant.workshop.training import AdaptedModel


@dataclass(frozen=True)
class TaskSources:
    """A task's rows by the source that they are from."""

    train: list[tuple[Source, list[Example]]]
    dev: list[tuple[Source, list[Example]]]

    def joined(self) -> TaskData:
        """All of them."""
        return TaskData(*([e for _, rows in part for e in rows] for part in (self.train, self.dev)))


def read_sources(recipe: MultitaskRecipe, folder: Path) -> dict[str, TaskSources]:
    """The rows of each task, from the data folder. Raises DataError."""
    return {
        task.name: TaskSources(
            *(
                [(s, s.read(folder, task.fields, task.operation)) for s in part]
                for part in (task.train, task.dev)
            )
        )
        for task in recipe.tasks
    }


def publish_together(
    recipe: MultitaskRecipe,
    models: Mapping[str, AdaptedModel],
    sources: Mapping[str, TaskSources],
    folder: Path,
    title: str,
    command: str,
    seconds: float,
    engine: Engine | None = None,
    start: Path | None = None,
) -> None:
    """Write what was trained, measured and calibrated task by task as `publishing.publish` does, with its `engine` and
    `start`. With hard sharing `folder` is one adapter with a head's folder for each task, with soft sharing it holds an
    adapter for each task: to measure a task the engine takes `folder / task` either way."""
    with nullcontext(engine) if engine else closing(EncoderEngine()) as measuring:
        if recipe.sharing == "hard":
            _publish_heads(recipe, models, sources, folder, title, command, seconds, measuring, start)
        else:
            for name, model in models.items():
                train, dev = sources[name].train, sources[name].dev
                alone = recipe.alone(name)
                publish(
                    alone, model, train, dev, folder / name, f"{title}: {name}", command, seconds, measuring
                )


def _publish_heads(
    recipe: MultitaskRecipe,
    models: Mapping[str, AdaptedModel],
    sources: Mapping[str, TaskSources],
    folder: Path,
    title: str,
    command: str,
    seconds: float,
    engine: Engine,
    start: Path | None,
) -> None:
    everything = [source for name in recipe.names for source in sources[name].train]
    whole = Manifest(
        name=recipe.application,
        operation=MULTITASK,
        base=BASE,
        labels=recipe.names,
        fields=recipe.tasks[0].fields,
        **described(recipe, everything, seconds, start),
    )
    shared = {"sharing": recipe.sharing, "temperature": recipe.temperature}
    whole = whole.model_copy(update={"training": {**shared, **whole.training}})
    with replacing(folder) as temporary:
        save_adapter(models[recipe.names[0]], temporary)
        write_manifest(whole, temporary)
        heads = {}
        for task in recipe.tasks:
            alone = recipe.alone(task.name)
            heads[task.name] = Manifest(
                name=task.name,
                operation=task.operation,
                base=BASE,
                labels=task.labels,
                fields=task.fields,
                **described(alone, sources[task.name].train, seconds),
            )
            (temporary / task.name).mkdir()
            save_head(models[task.name].head, temporary / task.name / HEAD)
            write_manifest(heads[task.name], temporary / task.name)
        for name, manifest in heads.items():
            heads[name] = measured(manifest, temporary / name, sources[name].dev, engine)
            write_manifest(heads[name], temporary / name)
        metrics = {f"{name}: {key}": v for name, head in heads.items() for key, v in head.metrics.items()}
        whole = whole.model_copy(update={"metrics": metrics})
        write_manifest(whole, temporary)
        text = card(whole, title, command, heads=tuple(heads.values()))
        (temporary / "README.md").write_text(text, encoding="utf-8")
