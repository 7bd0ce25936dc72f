"""What goes into an application and what comes out: plain frozen values, known to every layer.

An application never sees the web page, the router or another visitor; it gets a `Request` whose payload has been
found already, and an engine, and yields reply parts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from assistant.engine.base import Engine, Operation

Task: TypeAlias = Literal[
    "text-classification",
    "multiple-choice",
    "token-classification",
    "question-answering",
    "summarization",
    "text-generation",
]

# A payload field holds one text, or several (the choices of a multiple-choice question).
FieldValue: TypeAlias = "str | tuple[str, ...]"


@dataclass(frozen=True)
class Document:
    """An attached file as text. A file type without pages has one."""

    name: str
    pages: tuple[str, ...]

    @property
    def text(self) -> str:
        """All pages, separated by a blank line."""
        return "\n\n".join(self.pages)


@dataclass(frozen=True)
class Payload:
    """The part of a message to work on, by the application's field names, plus wishes such as a length."""

    fields: Mapping[str, FieldValue]
    options: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The field as one text (several values are joined by newlines); empty when absent."""
        value = self.fields.get(name, "")
        return value if isinstance(value, str) else "\n".join(value)


@dataclass(frozen=True)
class Turn:
    """One message of a conversation, with what answered it, so that a follow-up can refer to it."""

    role: Literal["user", "assistant"]
    text: str
    application: str | None = None
    payload: Payload | None = None


@dataclass(frozen=True)
class Request:
    """One message with its conversation. `application` is what the person pinned, None for automatic; `skills` are
    applications of this person alone, which answer when they are pinned or named by a command.

    The payload is found by the router, unless it comes with the request and an application for it. An application is
    given the language without its region: "pt" for "pt-BR".
    """

    message: str
    history: tuple[Turn, ...] = ()
    documents: tuple[Document, ...] = ()
    application: str | None = None
    language: str = "en"
    payload: Payload | None = None
    skills: tuple[Application, ...] = ()

    def known(self, installed: Mapping[str, Application]) -> dict[str, Application]:
        """The installed applications and the person's own, by id."""
        return {**installed, **{skill.id: skill for skill in self.skills}}


# --- reply parts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    """Plain text (never HTML, never Markdown): who shows it escapes it.

    With `growing` it is what there is so far of a text that is being written: the next part takes its place. A
    `copyable` one is a result to be used elsewhere, such as a corrected text: the page has a button for that.
    """

    text: str
    growing: bool = False
    copyable: bool = False


@dataclass(frozen=True)
class LabelScore:
    """A label and its calibrated probability in [0, 1]."""

    label: str
    probability: float


@dataclass(frozen=True)
class Labels:
    """The distribution over labels, most probable first.

    Below `threshold` the best label is no answer but a guess, and has to be shown as "not sure".
    """

    scores: tuple[LabelScore, ...]
    threshold: float = 0.0

    @property
    def unsure(self) -> bool:
        """Whether the best probability is below the application's abstention threshold."""
        return not self.scores or self.scores[0].probability < self.threshold


@dataclass(frozen=True)
class Span:
    """A stretch `text[start:end]` (in characters). `weight` in [-1, 1] says how much it speaks for the label."""

    start: int
    end: int
    label: str
    weight: float = 1.0
    replacement: str | None = None


@dataclass(frozen=True)
class Spans:
    """Evidence: stretches of one field's text that mattered, or that have to be changed."""

    text: str
    spans: tuple[Span, ...]
    title: str = ""


@dataclass(frozen=True)
class Citation:
    """Where an answer stands: `quote` on the 1-based `page` of `document`."""

    document: str
    page: int
    quote: str


@dataclass(frozen=True)
class Table:
    """Rows of plain text under column names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Notice:
    """A quiet remark under a reply, from a plugin's review hook or from the core. `kind` names it, so that a person
    can switch it off."""

    text: str
    kind: str = "notice"


@dataclass(frozen=True)
class Suggestion:
    """A button: its face and the message that pressing it sends."""

    label: str
    message: str


@dataclass(frozen=True)
class Suggestions:
    """Buttons under a reply: what the person may have meant."""

    options: tuple[Suggestion, ...]


@dataclass(frozen=True)
class Progress:
    """How far long work has come: `done` of `total` steps. Shown until the next part comes; no part of the answer."""

    done: int
    total: int
    text: str = ""


ReplyPart: TypeAlias = Progress | Text | Labels | Spans | Citation | Table | Notice | Suggestions


@dataclass(frozen=True)
class Route:
    """Where a message went and why. `alternatives` are (application id, score), best first, without the winner."""

    application: str | None
    score: float
    reason: str
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Vote:
    """A router's opinion: how well an application fits a request, in [0, 1]."""

    application: str
    score: float
    reason: str = ""


@dataclass(frozen=True)
class Reply:
    """The reply so far. `core` yields growing replies; the last one has `done`.

    `text` is the whole reply as plain text; `title` is what people call the application that answers, which need not be
    an installed one; `milliseconds` counts from the message's arrival. With `failed` the last text is no answer but
    says what went wrong; with `refused` as well, that is the message's own fault.
    """

    route: Route
    parts: tuple[ReplyPart, ...] = ()
    payload: Payload | None = None
    adapter: str | None = None
    milliseconds: float = 0.0
    done: bool = False
    failed: bool = False
    refused: bool = False
    title: str = ""

    @property
    def text(self) -> str:
        """The text parts and notices, one a paragraph."""
        return "\n\n".join(part.text for part in self.parts if isinstance(part, Text | Notice))


class Application(ABC):
    """One skill. A plugin subclasses it, fills in the class variables and writes `answer`.

    `examples` are messages as people would type them: they stand on the page, and the router learns from them.
    `fields` are the names of the payload's parts, in the order in which a person gives them.
    `adapter` is a folder in PEFT's format (see docs/adapters.md), or None for an application without one.
    `prompts` is the folder of `<language>.yaml` prompt files (see `assistant.prompts`), or None.
    `requires` names operations without which it cannot answer: it is offered only on an engine that has them.
    With `shortcut` the page has a button beside the message box that sends what stands in it to this application.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    task: ClassVar[Task]
    fields: ClassVar[tuple[str, ...]] = ("text",)
    examples: ClassVar[Sequence[str]] = ()
    # Words that speak for this application when they stand in a message's instruction ("sentiment", "positive").
    cues: ClassVar[Sequence[str]] = ()
    adapter: ClassVar[Path | None] = None
    prompts: ClassVar[Path | None] = None
    requires: ClassVar[frozenset[Operation]] = frozenset()
    shortcut: ClassVar[bool] = False

    @abstractmethod
    def answer(self, request: Request, engine: Engine) -> Iterator[ReplyPart]:
        """Yield the reply's parts as they become known. `request.payload` holds `fields`.

        Raise InputError when the payload cannot be worked on; anything else that is raised counts as a failure
        of the plugin.
        """


def is_passing(part: ReplyPart) -> bool:
    """Whether a part shows how far the work is, and stays only until something comes after it."""
    return isinstance(part, Progress) or (isinstance(part, Text) and part.growing)


def to_jsonable(value: Any) -> Any:
    """Turn the values above into what `json.dumps` takes: dataclasses to dicts, tuples to lists."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: to_jsonable(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_jsonable(item) for item in value]
    return value
