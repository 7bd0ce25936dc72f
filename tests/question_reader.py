"""An engine that finds what it is told to, and texts for it to read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from assistant.engine.base import AdapterInfo, BaseInfo, Engine, Extraction, Operation
from assistant.engine.echo import EchoEngine

TOWN = (
    "The town hall was built by Dr. Anna Weiss in 1907. Two years later the tram reached the market square. "
    "Today the hall houses a museum of clocks."
)


class Reader(Engine):
    """Finds the given answers where they stand, with the given probabilities; embeds like the echo engine."""

    operations: ClassVar[frozenset[Operation]] = frozenset({"extract", "embed"})

    def __init__(self, threshold: float = 0.5, **answers: float) -> None:
        self.info = BaseInfo("reader", "0" * 64, 0, "none", 0)
        self.threshold = threshold
        self.answers = {text.replace("_", " "): probability for text, probability in answers.items()}
        self.extracted: list[tuple[str, str]] = []
        self.embedded: list[str] = []

    def adapter(self, adapter: Path) -> AdapterInfo:
        return AdapterInfo(
            adapter,
            "reader",
            "lora",
            "question-answering",
            ("answer",),
            self.threshold,
            0,
            0,
            {},
            (),
            "",
        )

    def extract(self, inputs: Sequence[tuple[str, str]], adapter: Path) -> list[tuple[Extraction, ...]]:
        self.extracted += inputs
        return [self._found(context) for _, context in inputs]

    def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += inputs
        return EchoEngine().embed(inputs)

    def _found(self, context: str) -> tuple[Extraction, ...]:
        found = [
            Extraction(context.index(text), context.index(text) + len(text), probability)
            for text, probability in self.answers.items()
            if text in context
        ]
        nothing = 1.0 - sum(each.probability for each in found)
        return tuple(sorted([*found, Extraction(0, 0, nothing)], key=lambda each: -each.probability))


def book(pages: int, **special: str) -> list[str]:
    """Pages about nothing in particular, with `special` ones by number ("p7")."""
    filler = "The committee discussed item {n} at length. Nothing was decided, and the members went home. "
    return [special.get(f"p{n}", filler.format(n=n) * 20) for n in range(pages)]
