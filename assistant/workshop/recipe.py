"""A recipe: everything that makes an adapter, in one strict YAML file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from assistant.engine.manifest import Operation
from assistant.errors import DataError
from assistant.workshop.data import Example, read_unlabelled

R = TypeVar("R", bound=BaseModel)
# The linear layers of an encoder's block, by the names that PEFT finds them under.
Target = Literal["query", "key", "value", "dense"]
TARGETS: tuple[Target, ...] = get_args(Target)
# What a batch holds at most unless a recipe says otherwise, padding included: long texts do not swell the memory.
MAX_BATCH_TOKENS = 8192


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """A data file below the data folder, or with "./" before it beside the recipe.

    `labels` renames labels ("*": all others, and rows without any), null leaves those rows out; `words` keeps the
    rows that hold one of them (whole, in any case); `share` the part of the file between two fractions, so that a file
    without a dev part can be divided; `rows` takes that many (spread evenly over what is left); `negatives` adds that
    share of questions with a text that does not answer them, `altered` of questions so changed that their text does
    not; `repeat` counts it all several times.
    """

    path: str
    licence: str
    labels: dict[str, str | None] | None = None
    words: tuple[str, ...] | None = Field(default=None, min_length=1)
    share: tuple[float, float] | None = None
    rows: int | None = Field(default=None, gt=0)
    negatives: float = Field(default=0.0, ge=0, le=1)
    altered: float = Field(default=0.0, ge=0, le=1)
    repeat: int = Field(default=1, ge=1, le=20)
    _beside: Path = PrivateAttr(default=Path())

    def model_post_init(self, context: Any) -> None:
        """Keep the recipe's folder, which is the context of its validation."""
        if isinstance(context, Path) and self.path.startswith("./"):
            self._beside = context

    def read(self, folder: Path, fields: tuple[str, ...], operation: Operation = "classify") -> list[Example]:
        """The examples; `folder` is the data folder. Raises DataError."""
        from assistant.workshop.objectives import objective  # late: it imports torch

        examples = self._chosen(objective(operation).read(self._file(folder), fields, self.labels))
        if self.negatives or self.altered:
            examples = examples + objective(operation).negatives(examples, self.negatives, self.altered)
        return examples * self.repeat

    def read_unlabelled(self, folder: Path, fields: tuple[str, ...]) -> list[Example]:
        """The texts alone; `labels` is not looked at. Raises DataError."""
        return self._chosen(read_unlabelled(self._file(folder), fields)) * self.repeat

    def seen_from(self, folder: Path) -> Source:
        """The same file, for a recipe in another folder."""
        if not self.path.startswith("./"):
            return self
        path = os.path.relpath(self._beside / self.path, folder).replace(os.sep, "/")
        moved = self.model_copy(update={"path": f"./{path}"})
        moved._beside = folder
        return moved

    def _file(self, folder: Path) -> Path:
        return (self._beside if self.path.startswith("./") else folder) / self.path

    def _chosen(self, examples: list[Example]) -> list[Example]:
        """Those that `words`, `share` and `rows` leave."""
        if self.words is not None:
            any_word = re.compile(rf"\b({'|'.join(map(re.escape, self.words))})\b", re.IGNORECASE)
            examples = [e for e in examples if any(any_word.search(text) for text in e.texts)]
            if not examples:
                raise DataError(f"{self.path} holds no row with one of the words {list(self.words)!r:.80}.")
        if self.share is not None:
            first, last = (round(fraction * len(examples)) for fraction in self.share)
            examples = examples[first:last]
        if self.rows is not None and self.rows < len(examples):
            step = len(examples) / self.rows
            examples = [examples[int(i * step)] for i in range(self.rows)]
        if not examples:
            raise DataError(f"{self.path}: no row is left to use.")
        return examples


class Lora(_Strict):
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685) of the linear layers in `targets`, by default all: "dense"
    are the output of attention and both of the feed-forward part. `dropout` is that of an update's input."""

    name: Literal["lora"] = "lora"
    rank: int = Field(default=16, ge=1, le=64)
    alpha: float = Field(default=32, gt=0)
    targets: tuple[Target, ...] = Field(default=TARGETS, min_length=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)


class Bottleneck(_Strict):
    """Houlsby adapters (arXiv 1902.00751): a small residual network after each attention and feed-forward part."""

    name: Literal["bottleneck"] = "bottleneck"
    size: int = Field(default=64, ge=1, le=512)


class FineTuning(_Strict):
    """All weights of the base, or those above the lowest `frozen_layers` (the embeddings count with the lowest): what
    adapters are measured against. It is no adapter, so it cannot be published as one."""

    name: Literal["fine-tuning"] = "fine-tuning"
    frozen_layers: int = Field(default=0, ge=0)


Method = Annotated[Lora | Bottleneck | FineTuning, Field(discriminator="name")]


class Distillation(_Strict):
    """Learning from a teacher's probabilities (Hinton et al. 2015, arXiv 1503.02531): both sides are softened by
    `temperature`, and `alpha` is their weight in the loss; the rest is that of the labels where there are any."""

    temperature: float = Field(default=2.0, gt=0, le=20)
    alpha: float = Field(default=0.9, ge=0, le=1)


class Training(_Strict):
    """The training loop's settings. One step sees `batch_size` examples of similar length, or fewer long ones:
    `batch_tokens` bounds what they hold together."""

    epochs: float = Field(default=4, gt=0, le=100)
    batch_size: int = Field(default=32, ge=1, le=1024)
    batch_tokens: int = Field(default=MAX_BATCH_TOKENS, ge=512)
    learning_rate: float = Field(default=1e-3, gt=0, le=1)
    warmup: float = Field(default=0.06, ge=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    # Weights of classes in the loss: 0 none, 1 fully inverse to their frequency.
    class_balance: float = Field(default=0.0, ge=0, le=1)
    # Probability of replacing a word piece by [MASK] in training, against keyword reflexes.
    token_dropout: float = Field(default=0.0, ge=0, lt=1)
    max_tokens: int = Field(default=128, ge=8, le=512)
    # Dev evaluations in a whole run; training stops after `patience` of them without a better one.
    evaluations: int = Field(default=12, ge=1)
    patience: int = Field(default=6, ge=1)
    seed: int = 0
    distillation: Distillation | None = None

    def seed_of(self, step: int) -> int:
        """The seed of what is random in a step, so that a resumed run draws the same."""
        return self.seed * 1_000_003 + step

    def changed(self, **settings: Any) -> Training:
        """The same with other settings; None leaves one as it is. Raises ValidationError as a recipe would."""
        given = {name: value for name, value in settings.items() if value is not None}
        return type(self).model_validate(self.model_dump() | given)


class Recipe(_Strict):
    """What makes an adapter. `labels` are the classes or tags; of an operation without any, one that names its score
    or span. `layers` makes it one of the base's lowest so many layers (None: all); `unlabelled` are texts that only a
    teacher says something of (`training.distillation`)."""

    application: str
    fields: tuple[str, ...] = ("text",)
    operation: Operation = "classify"
    labels: tuple[str, ...] = Field(min_length=1, max_length=1000)
    method: Method = Lora()
    layers: int | None = Field(default=None, ge=1)
    training: Training = Training()
    train: tuple[Source, ...] = Field(min_length=1)
    unlabelled: tuple[Source, ...] = ()
    dev: tuple[Source, ...] = Field(min_length=1)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe. Raises DataError naming the file, the key and what is expected."""
    return read_recipe(path, Recipe)


def read_recipe(path: Path, kind: type[R]) -> R:
    """Read a recipe of this kind. Raises DataError naming the file, the key and what is expected."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        if kind is Recipe and isinstance(content, dict) and "tasks" in content:
            raise DataError(f"{path.name} is of several tasks, which `assistant multitask` trains.")
        return kind.model_validate(content, context=path.parent)
    except FileNotFoundError:
        raise DataError(f"There is no recipe {str(path)!r}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path.name}: {where}: {first['msg']} (it is {first['input']!r:.60}).") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is no YAML: {str(error).splitlines()[0]}.") from None
