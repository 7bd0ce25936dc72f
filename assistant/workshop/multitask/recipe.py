"""A multi-task recipe: several tasks with one method and one training, in one strict YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from assistant.engine.manifest import Operation
from assistant.workshop.recipe import Bottleneck, Lora, Recipe, Source, Training, read_recipe

Sharing = Literal["hard", "soft"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TaskPart(_Strict):
    """One task: what a recipe of its own would say, but for what all tasks share. The last four take the place of the
    shared training's; None: as there."""

    # Also a folder's name.
    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)
    operation: Operation = "classify"
    fields: tuple[str, ...] = ("text",)
    labels: tuple[str, ...] = Field(min_length=1, max_length=1000)
    train: tuple[Source, ...] = Field(min_length=1)
    dev: tuple[Source, ...] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=8, le=512)
    label_smoothing: float | None = Field(default=None, ge=0, lt=1)
    class_balance: float | None = Field(default=None, ge=0, le=1)
    token_dropout: float | None = Field(default=None, ge=0, lt=1)


class MultitaskRecipe(_Strict):
    """What makes an adapter with several heads, or several adapters that lean on each other.

    A step is a batch of one task, drawn with a probability proportional to its rows ^ (1 / `temperature`): 1 is in
    proportion to the rows, a large one gives every task the same share (Raffel et al. 2020, arXiv 1910.10683, section
    3.5.2). `strength` is what soft sharing multiplies the squared distance of two adapters with.
    """

    application: str
    sharing: Sharing = "hard"
    temperature: float = Field(default=2.0, ge=1, le=1000)
    strength: float = Field(default=0.01, ge=0, le=100)
    method: Annotated[Lora | Bottleneck, Field(discriminator="name")] = Lora()
    training: Training = Training()
    tasks: tuple[TaskPart, ...] = Field(min_length=2, max_length=20)

    @field_validator("tasks")
    @classmethod
    def _different(cls, tasks: tuple[TaskPart, ...]) -> tuple[TaskPart, ...]:
        names = [task.name for task in tasks]
        if len(set(names)) < len(names):
            raise ValueError("two tasks have the same name")
        return tasks

    @field_validator("training")
    @classmethod
    def _without_teacher(cls, training: Training) -> Training:
        if training.distillation is not None:
            raise ValueError("several tasks cannot be distilled together")
        return training

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks' names."""
        return tuple(task.name for task in self.tasks)

    def alone(self, name: str) -> Recipe:
        """The recipe of one task alone, with the same settings."""
        task = next(task for task in self.tasks if task.name == name)
        own = ("max_tokens", "label_smoothing", "class_balance", "token_dropout")
        settings = {key: value for key in own if (value := getattr(task, key)) is not None}
        return Recipe(
            application=name,
            operation=task.operation,
            fields=task.fields,
            labels=task.labels,
            method=self.method,
            training=self.training.model_copy(update=settings),
            train=task.train,
            dev=task.dev,
        )


def load_multitask_recipe(path: Path) -> MultitaskRecipe:
    """Read a recipe. Raises DataError naming the file, the key and what is expected."""
    return read_recipe(path, MultitaskRecipe)
