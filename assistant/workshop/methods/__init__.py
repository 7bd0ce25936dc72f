"""Ways to classify with the shared base, one a file, each described under the same headings.

zero_shot      entailment of a hypothesis per label: takes nothing but the labels in words
few_shot       nearest worked examples: takes a handful of rows per class, no training
feature_based  logistic regression on frozen embeddings: takes tens of rows per class and seconds
lora           low-rank adapters: takes tens to thousands of rows and minutes
bottleneck     small networks between the layers: the same
fine_tuning    the base itself, all of it, its upper layers, or a head alone
adapter        an application's adapter that is trained already

A method is a value: its fields are its options, and `fit` makes a classifier of a task. Plugins add methods through
the hook `register_methods`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias

from assistant.engine.base import Classification, Engine, TextOrPair, text_or_pair
from assistant.errors import DataError
from assistant.workshop.data import Example

# Called with the share of the work that is done, in [0, 1], and a few words; False asks to stop.
Watch: TypeAlias = "Callable[[float, str], bool]"


class Stopped(Exception):  # noqa: N818  (nothing went wrong)
    """The watch asked to stop. Where a method can go on later, what was done is in the task's folder."""


class Classifier(Protocol):
    """What every method gives: a distribution over its `labels`."""

    labels: tuple[str, ...]

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """A distribution over the labels for each input, in order."""


@dataclass(frozen=True)
class LabelledTask:
    """What there is to learn from.

    `train` and `dev` hold examples of `labels` (dev is for calibration only: what a method is worth is measured on it).
    `hypotheses` are sentences that hold of a text when the label is right; `entailment` is an adapter that judges
    them, where one is installed. `adapters` are those of the installed applications, by id. `folder` is the run's own,
    for what a method keeps; `name` is what the data are called.
    """

    engine: Engine
    labels: tuple[str, ...]
    train: tuple[Example, ...]
    folder: Path
    dev: tuple[Example, ...] = ()
    fields: tuple[str, ...] = ("text",)
    hypotheses: Mapping[str, str] = field(default_factory=dict)
    entailment: Path | None = None
    seed: int = 0
    name: str = "data"
    adapters: Mapping[str, Path] = field(default_factory=dict)

    def started_from(self, application: str | None) -> Path | None:
        """The adapter of an installed application, None for None. Raises DataError for one that is not there."""
        if application is None:
            return None
        if application not in self.adapters:
            there = ", ".join(sorted(self.adapters)) or "none"
            raise DataError(
                f"There is no application {application!r:.40} with an adapter to start from; {there} is."
            )
        return self.adapters[application]


@dataclass(frozen=True)
class Fitted:
    """A classifier and what it cost: parameters that were trained, bytes that have to be stored beside the base,
    seconds that the fitting took. `adapter` is the folder that an engine can serve, where the method makes one."""

    classifier: Classifier
    parameters: int
    bytes: int
    seconds: float
    adapter: Path | None = None


@dataclass(frozen=True)
class Method(ABC):
    """A way to make a classifier. Subclasses are frozen dataclasses whose fields, all with defaults, are the options.

    `id` is lower-case letters, digits and hyphens; `description` is one sentence. An option `start` names the installed
    application whose adapter the method begins with.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    # Whether the result depends on the task's hypotheses and its adapter for entailment.
    by_entailment: ClassVar[bool] = False

    @abstractmethod
    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        """Make a classifier of the task's labels.

        Raises Stopped when the watch says so, and AssistantError where the task lacks what the method needs.
        """

    @property
    def options(self) -> dict[str, Any]:
        """The options by name."""
        return asdict(self)


def built_in() -> tuple[Method, ...]:
    """The methods that need no plugin, from the one that takes least to the one that takes most."""
    from assistant.workshop.methods.bottleneck import Bottleneck
    from assistant.workshop.methods.feature_based import FeatureBased
    from assistant.workshop.methods.few_shot import FewShot
    from assistant.workshop.methods.fine_tuning import FineTuning
    from assistant.workshop.methods.lora import Lora
    from assistant.workshop.methods.zero_shot import ZeroShot

    return ZeroShot(), FewShot(), FeatureBased(), Lora(), Bottleneck(), FineTuning()


def tell(watch: Watch, fraction: float, note: str = "") -> None:
    """Show how far the work is. Raises Stopped when nobody wants the rest."""
    if not watch(fraction, note):
        raise Stopped


def inputs_of(examples: Sequence[Example]) -> list[TextOrPair]:
    """What an engine takes for each example."""
    return [text_or_pair(example.texts) for example in examples]


def sides(texts: TextOrPair) -> tuple[str, ...]:
    """The input's texts, one or two."""
    return (texts,) if isinstance(texts, str) else texts
