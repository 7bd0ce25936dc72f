"""The contract of an engine: operations by task, the same for every implementation.

Plugins never ask which engine they have; they ask what it can do (`engine.operations`). An operation takes many
inputs at once, each answered on its own, in order. `adapter` is a folder; it is chosen per call and never global,
so calls from many threads with different adapters share forward passes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from assistant.errors import UnsupportedTask
from assistant.settings import SHOTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.applications import Application
    from assistant.prompts import Prompt

Operation: TypeAlias = Literal[
    "classify", "choose", "tag", "extract", "rank", "multitask", "embed", "generate"
]

# What stands for a text: the mean of its tokens' states, or the first token's.
Pooling: TypeAlias = Literal["mean", "cls"]

# One text, or a pair that the model reads together (premise and hypothesis).
TextOrPair: TypeAlias = "str | tuple[str, str]"


def text_or_pair(texts: Sequence[str]) -> TextOrPair:
    """What an engine takes for one text or two, given in the order of an application's fields."""
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])


def well_formed(text: str) -> str:
    """The text with "?" in the place of each half of a surrogate pair, which no tokenizer takes; every other character
    stays where it is."""
    return text.encode(errors="replace").decode()


@dataclass(frozen=True)
class BaseInfo:
    """The base model: `sha256` of its weights, `parameters` counted, `bytes` resident as quantized; `revision` is the
    commit that a hub gave, empty for a base from elsewhere."""

    name: str
    sha256: str
    parameters: int
    quantization: str
    bytes: int
    revision: str = ""


@dataclass(frozen=True)
class AdapterInfo:
    """What an adapter's manifest says. `threshold` is the calibrated abstention threshold in [0, 1]."""

    path: Path
    name: str
    method: str
    task: str
    labels: tuple[str, ...]
    threshold: float
    parameters: int
    bytes: int
    metrics: dict[str, float]
    data: tuple[str, ...]
    licence: str


@dataclass(frozen=True)
class Classification:
    """Calibrated probabilities, in the order of `labels`; they sum to 1."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.labels[max(range(len(self.labels)), key=self.probabilities.__getitem__)]

    def ranked(self) -> tuple[tuple[str, float], ...]:
        """(label, probability), most probable first."""
        return tuple(sorted(zip(self.labels, self.probabilities, strict=True), key=lambda pair: -pair[1]))


@dataclass(frozen=True)
class Choice:
    """What `choose` takes: a question (with its context) and at least two options."""

    question: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Tag:
    """A label for `text[start:end]` (in characters).

    The first of an adapter's labels means that a word is nothing special, and its probability is its own. Any other is
    the likeliest of them, and the probability is that of all together, that the word is special: a mistake is not
    overlooked because two corrections of it are equally good (GECToR's error probability, Omelianchuk et al. 2020,
    arXiv 2005.12592). It is at most twice that of the likeliest: a model that is at a loss spreads itself over many.
    """

    start: int
    end: int
    label: str
    probability: float


# What a head of a multi-task adapter says about a text: a distribution, or its words with their labels.
HeadAnswer: TypeAlias = "Classification | tuple[Tag, ...]"


@dataclass(frozen=True)
class Extraction:
    """An answer `context[start:end]` (in characters) with its probability; `start == end` means: not in the text."""

    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class Message:
    """One message of a conversation, as a chat model takes it."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Rendered:
    """A prompt as `generate` takes it. `fields` are its texts as far as the base reads them."""

    text: str
    fields: Mapping[str, str]


class Engine(ABC):
    """A base model with adapters on it. All methods may be called from any thread.

    Every operation raises UnsupportedTask where the engine lacks it, AdapterError for a folder it cannot use, and
    InputError for an input it cannot read. Inputs longer than the model are cut or read in windows by the engine;
    no input is too long.
    """

    info: BaseInfo
    operations: ClassVar[frozenset[Operation]]
    # The languages whose texts the base understands; None: not known to be bounded.
    languages: ClassVar[frozenset[str] | None] = None
    # The embedded base, which reads messages: this engine itself, or one beside it; None where there is none.
    encoder: Engine | None = None

    def prepare(self, applications: Iterable[Application]) -> None:  # noqa: B027  (most engines need not know)
        """Tell the engine who is going to ask: one that answers by prompts finds the prompt files of an adapter folder
        by the application that it belongs to."""

    def in_language(self, language: str) -> Engine:
        """This engine for a request in a language ("en", "pt-BR"): one that answers by prompts takes those in it."""
        return self

    @abstractmethod
    def adapter(self, adapter: Path) -> AdapterInfo:
        """Read and check the folder's manifest (and weights); loads what is not resident yet."""

    def forget(self, adapter: Path) -> None:  # noqa: B027  (most engines keep nothing)
        """Read the adapter's folder anew when it is next asked for: what is in it has changed."""

    def classify(self, inputs: Sequence[TextOrPair], adapter: Path) -> list[Classification]:
        """A distribution over the adapter's labels for each text or pair."""
        raise self._unsupported("classify")

    def choose(self, inputs: Sequence[Choice], adapter: Path) -> list[tuple[float, ...]]:
        """For each question the probability of each option."""
        raise self._unsupported("choose")

    def tag(self, inputs: Sequence[str], adapter: Path) -> list[tuple[Tag, ...]]:
        """For each text its words with their labels, in order; every label, the adapter's first one included."""
        raise self._unsupported("tag")

    def extract(self, inputs: Sequence[tuple[str, str]], adapter: Path) -> list[tuple[Extraction, ...]]:
        """For each (question, context) the best few spans, best first, among them at most one "not in the text"."""
        raise self._unsupported("extract")

    def rank(self, inputs: Sequence[Sequence[str]], adapter: Path) -> list[tuple[float, ...]]:
        """For each document, given as its sentences, a score per sentence; higher is more important."""
        raise self._unsupported("rank")

    def multitask(self, inputs: Sequence[str], adapter: Path) -> list[dict[str, HeadAnswer]]:
        """For each text what every head of a multi-task adapter says, by the head's name, from one forward pass. Each
        head can also be asked alone: `adapter / name` is a folder to `classify` or `tag` with."""
        raise self._unsupported("multitask")

    def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """Unit-length sentence embeddings of the bare base, shape (len(inputs), dimensions)."""
        raise self._unsupported("embed")

    def generate(
        self, prompt: str | Sequence[Message], adapter: Path | None = None, max_tokens: int = 256
    ) -> Iterator[str]:
        """Pieces of a prompt's continuation, or of the next message of a conversation, as they are made; closing the
        iterator stops the model."""
        raise self._unsupported("generate")

    def rendered(self, prompt: Prompt, fields: Mapping[str, str], max_tokens: int = 256) -> Rendered:
        """The prompt with these texts and as many worked examples as the settings say and the base can read; the
        longest text is cut at its end until the base can go on for `max_tokens`. Raises InputError for other fields
        than the prompt's."""
        return Rendered(prompt.render(fields, min(SHOTS, len(prompt.shots))), fields)

    def latest(self, messages: Sequence[Message], max_tokens: int = 256) -> Sequence[Message]:
        """The latest messages that the base can read at once and go on from for `max_tokens`, from a user's on. Raises
        InputError where not even the last one fits."""
        return messages

    def close(self) -> None:  # noqa: B027  (not every engine holds something to free)
        """Free threads and memory. The engine cannot be used afterwards."""

    def _unsupported(self, operation: str) -> UnsupportedTask:
        offered = ", ".join(sorted(self.operations)) or "nothing"
        return UnsupportedTask(f"The engine {self.info.name!r} cannot {operation}; it can: {offered}.")
