"""The embedding voter: a logistic regression on the base's sentence embeddings of instructions.

It learns at start-up from the installed applications' own examples and cues, so an application that somebody
else wrote is routed to like any other. What no application serves is a class of its own, with data of its
own.

Where the instruction ends and the text begins depends on what is looked for: "Is it hot? Yes." is a text for one
application and a question with its passage for another. So there is a classifier for each shape of fields; it is fitted
on all messages as that shape reads them, and asked about the applications of that shape.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.applications import Application
from assistant.engine.base import Engine
from assistant.payload import MessageReader, find, words
from assistant.payload.source import Finding, Source
from assistant.routing.classifiers import Classifiers, Linear, digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NONE = "none"
# What reads and learns is a part of what was learnt from.
_CODE = (Path(__file__).parent, Path(words.__file__).parent)
# A line of the 'none' data this close (cosine) to an application's example is served now: it is left out.
SERVED = 0.8
# The least score of an application whose every field the message names.
LABELLED = 0.9
# Sentences that use an application's words without asking for its work.
_MENTIONS = (
    "what is {}?",
    "what does {} mean?",
    "i feel {} today",
    "how can i deal with {} at work",
    "my friend keeps talking about {}",
    "write something {} for me",
)
_MENTIONED_CUES = 6
# The weight of the message reader beside the voter. Chosen on frames that the reader's rows were not made of.
_READER_WEIGHT = 0.6
_CUE_WEIGHT = 1.0
_STRUCTURE_WEIGHT = 1.0
# Words of three letters and more that say nothing of what a text is about.
_EMPTY = re.compile(
    r"(?:the|and|you|who|why|how|can|did|are|was|not|his|her|does|wh(?:at|en|ere|ich|om|ose)|will|would|could|should|th(?:is|at|ese|ose|ere|ey|em)|with|from|have|were|much|"
    r"many|long|text|passage|article|paragraph|according|como|qual|quais|quem|quando|onde|para|está|est[ae]|iss?to|isso|"
    r"texto)",
    re.I,
)
_WHITESPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Reading:
    """A message as if it were meant for applications with these `fields`."""

    fields: tuple[str, ...]
    instruction: str
    has_text: bool
    explicit: bool
    labelled: bool = False
    # How much of the question the text speaks about, from 0 to 1.
    overlap: float = 0.0

    @property
    def points(self) -> bool:
        """Whether the instruction refers to a text, though the message may hold none."""
        return words.points(self.instruction)

    @property
    def instructed(self) -> bool:
        """Whether there is an instruction at all, and not only a text."""
        return words.WORD.search(self.instruction) is not None


@dataclass(frozen=True)
class Opinion:
    """The probability of each application and of 'none', the nearest example of each application, and the message read
    for each shape of fields; `told` is why, where a plugin's vote has decided the probability."""

    probabilities: Mapping[str, float]
    cues: Mapping[str, tuple[str, ...]]
    nearest: Mapping[str, str]
    readings: Mapping[tuple[str, ...], Reading]
    told: Mapping[str, str] = field(default_factory=dict)


class InstructionVoter:
    """Says how well each application fits a message's instruction. Fitted at first use; safe to share by
    threads."""

    def __init__(
        self,
        engine: Engine,
        applications: Mapping[str, Application],
        reader: MessageReader | None = None,
        kept_in: Path | None = None,
    ) -> None:
        self.engine, self.reader, self.kept_in = engine, reader, kept_in
        self.applications = applications
        self.cues = {each.id: cues_of(each) for each in applications.values()}
        self.all_cues = tuple(dict.fromkeys(cue for cues in self.cues.values() for cue in cues))
        self.shapes = tuple(dict.fromkeys(tuple(each.fields) for each in applications.values()))
        self._examples = [(each.id, example) for each in applications.values() for example in each.examples]
        self._lock = threading.Lock()
        self._learnt: Classifiers | None = None

    def read(self, message: str, reader: MessageReader | None = None) -> dict[tuple[str, ...], Reading]:
        """The message read for each shape of fields that an installed application has."""
        source = Source.read(message)
        return {fields: _reading(source, fields, self.all_cues, reader) for fields in self.shapes}

    def ask(self, message: str) -> Opinion:
        """The opinion on a message. Raises EngineError where the engine cannot embed."""
        import numpy as np

        classifiers = self.classifiers()
        readings = self.read(message, self.reader)
        rows = list(readings.values())
        vectors = self._embedded(rows)
        predicted: dict[tuple[str, ...], dict[str, float]] = {}
        for fields, values in zip(readings, self._features(rows, vectors), strict=True):
            predicted[fields] = classifiers.by_fields[fields].probabilities(values)
        vector_of = dict(zip(readings, vectors, strict=True))
        probabilities, hits, nearest = {}, {}, {}
        for id_, application in self.applications.items():
            fields = tuple(application.fields)
            reading = readings[fields]
            probabilities[id_] = predicted[fields].get(id_, 0.0) if self._usable(reading) else 0.0
            hits[id_] = self._hits(reading.instruction, id_)
            own = [position for position, (owner, _) in enumerate(self._examples) if owner == id_]
            if own:
                similarity = classifiers.examples[own] @ vector_of[fields]
                nearest[id_] = self._examples[own[int(np.argmax(similarity))]][1]
        labelled = {id_ for id_, each in self.applications.items() if readings[tuple(each.fields)].labelled}
        if labelled:
            # Who writes "Premise: … Hypothesis: …" has said what for.
            probabilities = {
                id_: max(score, LABELLED) if id_ in labelled else min(score, 1 - LABELLED)
                for id_, score in probabilities.items()
            }
        none = min(chances.get(NONE, 0.0) for chances in predicted.values())
        return Opinion(self._read_too(message, {**probabilities, NONE: none}), hits, nearest, readings)

    def _read_too(self, message: str, probabilities: dict[str, float]) -> dict[str, float]:
        """The weighted mean with what the reader's adapter says; of an application that it does not know the voter
        decides."""
        if self.reader is None:
            return probabilities
        meant = self.reader.meant(message)
        return {
            id_: (1 - _READER_WEIGHT) * p + _READER_WEIGHT * meant[id_] if id_ in meant else p
            for id_, p in probabilities.items()
        }

    def classifiers(self) -> Classifiers:
        """What is learnt of the applications, at the first call; from the folder `kept_in` where it lies there."""
        with self._lock:
            if self._learnt is None:
                kept = self.kept_in / f"{self._digest()}.safetensors" if self.kept_in else None
                self._learnt = Classifiers.load(kept) if kept else None
                if self._learnt is None:
                    self._learnt = self._learn()
                    if kept:
                        self._learnt.save(kept)
            return self._learnt

    def _digest(self) -> str:
        """Of all that is learnt from."""
        told = [
            (id_, each.fields, self.cues[id_], list(each.examples)) for id_, each in self.applications.items()
        ]
        code = [
            file.read_text(encoding="utf-8") for package in _CODE for file in sorted(package.glob("*.py"))
        ]
        return digest(told, none_lines(), self.engine.info.sha256, code)

    def _learn(self) -> Classifiers:
        """A classifier for each shape: it sees messages as they look to applications of that shape."""
        import numpy as np

        rows: list[Reading] = []
        labels: list[str] = []
        meant: list[bool] = []
        for id_, application in self.applications.items():
            for example in application.examples:
                readings = self.read(_without_command(example))
                for fields, reading in readings.items():
                    own = fields == tuple(application.fields)
                    if own or self._usable(reading):
                        rows.append(reading)
                        labels.append(id_)
                        meant.append(own)
        for line in [*none_lines(), *self._mentions()]:
            readings = self.read(line)
            for reading in filter(self._usable, readings.values()):
                rows.append(reading)
                labels.append(NONE)
                meant.append(False)
        vectors = self._embedded(rows)
        examples = vectors[np.flatnonzero(meant)]
        none = np.array([label == NONE for label in labels])
        keep = np.ones(len(rows), dtype=bool)
        if meant:
            keep[none] = (vectors[none] @ examples.T).max(axis=1, initial=-1.0) < SERVED
        features = self._features(rows, vectors)
        by_fields = {}
        for fields in self.shapes:
            kept = [n for n in np.flatnonzero(keep) if rows[n].fields == fields]
            by_fields[fields] = Linear.learnt(features[kept], [labels[n] for n in kept])
        return Classifiers(by_fields, examples)

    def _embedded(self, rows: Sequence[Reading]) -> NDArray[np.float32]:
        """Sentence vectors (len(rows), dimensions) of the instructions, each different one computed once."""
        import numpy as np

        instructions = [row.instruction[:600] or "…" for row in rows]
        distinct = list(dict.fromkeys(instructions))
        vector_of = dict(zip(distinct, self.engine.embed(distinct), strict=True))
        return np.stack([vector_of[instruction] for instruction in instructions])

    def _usable(self, reading: Reading) -> bool:
        """Whether there is something to work on; to the simplest shape every message is a text."""
        return reading.has_text or reading.points or reading.fields == min(self.shapes, key=len)

    def _mentions(self) -> list[str]:
        return [
            template.format(cue)
            for application in self.applications.values()
            for cue in tuple(application.cues)[:_MENTIONED_CUES]
            for template in _MENTIONS
        ]

    def _features(self, rows: Sequence[Reading], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embedding, cue hits per application, and how the message is built; shape (len(rows), dimensions +
        …)."""
        import numpy as np

        cues = [[min(len(self._hits(row.instruction, id_)), 2) for id_ in self.applications] for row in rows]
        structure = [
            [row.has_text, row.points, row.explicit, row.has_text and row.instructed, row.overlap]
            for row in rows
        ]
        return np.hstack(
            [
                vectors,
                _CUE_WEIGHT * np.asarray(cues, dtype=np.float32).reshape(len(rows), len(self.applications)),
                _STRUCTURE_WEIGHT * np.asarray(structure, dtype=np.float32),
            ]
        ).astype(np.float32)

    def _hits(self, instruction: str, id_: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(hit[0].lower() for hit in words.cue_hits(instruction, self.cues[id_])))


def cues_of(application: Application) -> tuple[str, ...]:
    """An application's cues, and the words of its id and title."""
    named = [application.id.lower(), application.title.lower()]
    return tuple(dict.fromkeys([*application.cues, *named]))


def none_lines() -> list[str]:
    """Messages that no application serves: small talk, questions, and other work on texts."""
    data = json.loads((files(__package__) / "none.json").read_text(encoding="utf-8"))
    return [line for part in data["parts"] for line in part["lines"]]


def _reading(
    source: Source, fields: tuple[str, ...], cues: Sequence[str], reader: MessageReader | None
) -> Reading:
    finding = find(source, fields, cues, reader=reader)
    complete = finding is not None and all(name in finding.fields for name in fields if name != "context")
    if finding is None or not complete:
        # Long pasted text would drown the instruction.
        return Reading(fields, _WHITESPACE.sub(" ", source.text[:500]).strip(), False, False)
    return Reading(
        fields,
        finding.instruction,
        set(fields) - set(finding.fields) <= ({"context"} if "choices" in fields else set()),
        finding.explicit,
        finding.labelled,
        _overlap(finding),
    )


def _overlap(finding: Finding) -> float:
    """The share of a question's content words that its text has as well, by their beginnings."""
    if finding.asks is None:
        return 0.0
    texts = finding.texts()
    asked = _beginnings(str(texts[finding.asks]))
    given = {word for name, text in texts.items() if name != finding.asks for word in _beginnings(str(text))}
    return len(asked & given) / len(asked) if asked else 0.0


def _beginnings(text: str) -> set[str]:
    found = (re.split("['’]", word)[0] for word in words.WORD.findall(text))
    return {
        word[:4].lower()
        for word in found
        if (len(word) > 3 or (len(word) == 3 and word[0].isupper())) and not _EMPTY.fullmatch(word)
    }


def _without_command(example: str) -> str:
    return re.sub(r"^/[\w-]+\s+", "", example)
