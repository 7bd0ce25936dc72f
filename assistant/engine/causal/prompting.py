"""A prompt as the model gets it: how many worked examples fit, how much of the texts, and what many inputs share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.engine.causal.tokens import Tokens
from assistant.errors import BaseModelError
from assistant.prompts import Prompt

# Worked examples in a prompt, unless fewer fit into this share of the window.
SHOTS = 8
SHARE = 0.6
# A longer text is cut before it is tokenized. Characters.
MAX_CHARACTERS = 100_000
# What the window keeps free for the answer. Tokens.
ANSWER = 64


@dataclass(frozen=True)
class Prompted:
    """Token ids of the part that many inputs share and of this input's own; `cue` is the last character."""

    shared: tuple[int, ...]
    own: tuple[int, ...]
    cue: str


@dataclass(frozen=True, eq=False)
class Prompting:
    """Prompts for a base with this tokenizer and window (in tokens)."""

    tokens: Tokens
    window: int

    def shots(self, prompt: Prompt, wanted: int = SHOTS) -> int:
        """How many worked examples, up to `wanted`, leave enough of the window to the text. Raises BaseModelError where
        not even the instruction does."""
        fields = dict.fromkeys(prompt.fields, "")
        for shots in range(min(wanted, len(prompt.shots)), -1, -1):
            if len(self.tokens.shared(prompt.parts(fields, shots)[0])) <= SHARE * self.window:
                return shots
        raise BaseModelError(
            f"The base {self.tokens.name!r} reads {self.window:,} tokens at once, "
            f"too few for the prompt {prompt.title!r}."
        )

    def prompted(self, prompt: Prompt, texts: str | Sequence[str], shots: int) -> Prompted:
        """The ids of the prompt with the texts in its fields: the last field takes what is over, and is empty where
        nothing is left. The longest is cut at its end until prompt and answer fit into the window."""
        given = [texts] if isinstance(texts, str) else list(texts)
        names = prompt.fields
        given = [*given[: len(names) - 1], "\n".join(given[len(names) - 1 :])]
        given += [""] * (len(names) - len(given))
        fields = {name: text[:MAX_CHARACTERS] for name, text in zip(names, given, strict=True)}
        while True:
            shared, own = prompt.parts(fields, shots)
            first, ids = self.tokens.shared(shared), self.tokens.encode(own)
            room = self.window - len(first) - ANSWER
            longest = max(fields, key=lambda name: len(fields[name]))
            if len(ids) <= room or not fields[longest]:
                return Prompted(first, tuple(ids), own[-1])
            kept = int(len(fields[longest]) * max(0.1, 0.95 * room / len(ids)))
            fields = {**fields, longest: fields[longest][:kept]}

    def room(self, prompt: Prompt, shots: int) -> int:
        """Tokens that are left to the texts."""
        shared, own = prompt.parts(dict.fromkeys(prompt.fields, ""), shots)
        return self.window - len(self.tokens.shared(shared)) - len(self.tokens.encode(own)) - ANSWER
