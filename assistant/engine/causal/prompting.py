"""A prompt as the model gets it: how many worked examples fit, how much of the texts, and what many inputs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.engine.causal.tokens import Tokens
from assistant.engine.examples import Examples
from assistant.errors import BaseModelError
from assistant.prompts import Prompt, Shot
from assistant.settings import SHOTS

# Of the window the instruction and the worked examples may take this share; the rest is the text's.
SHARE = 0.6
# A longer text is cut before it is tokenized. Characters.
MAX_CHARACTERS = 100_000
# What the window keeps free for the answer. Tokens.
ANSWER = 64


@dataclass(frozen=True)
class Prompted:
    """Token ids of the part that many inputs share and of this input's own; `cue` is the last character, `fields` are
    the texts as far as they fit."""

    shared: tuple[int, ...]
    own: tuple[int, ...]
    cue: str
    fields: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Prompting:
    """Prompts for a base with this tokenizer and window (in tokens)."""

    tokens: Tokens
    window: int
    examples: Examples = field(default_factory=Examples)

    def shots(self, prompt: Prompt, wanted: int = SHOTS, answer: int = 0) -> int:
        """How many worked examples, up to `wanted`, leave enough of the window to the text, with `answer` tokens of it
        kept free. Raises BaseModelError where not even the instruction does."""
        fields = dict.fromkeys(prompt.fields, "")
        for shots in range(min(wanted, len(prompt.shots)), -1, -1):
            told, worked, _ = prompt.parts(fields, self._longest(prompt, shots))
            if len(self.tokens.shared(told + worked)) <= SHARE * (self.window - answer):
                return shots
        raise BaseModelError(
            f"The base {self.tokens.name!r} reads {self.window:,} tokens at once, "
            f"too few for the prompt {prompt.title!r}."
        )

    def prompted(
        self,
        prompt: Prompt,
        texts: str | Sequence[str],
        examples: Sequence[Shot] = (),
        answer: int = ANSWER,
    ) -> Prompted:
        """The ids of the prompt with the texts in its fields: the last field takes what is over, and is empty where
        nothing is left. The longest is cut at its end until the prompt and `answer` tokens fit into the window."""
        given = [texts] if isinstance(texts, str) else list(texts)
        names = prompt.fields
        given = [*given[: len(names) - 1], "\n".join(given[len(names) - 1 :])]
        given += [""] * (len(names) - len(given))
        fields = {name: text[:MAX_CHARACTERS] for name, text in zip(names, given, strict=True)}
        while True:
            told, worked, own = prompt.parts(fields, examples)
            # Examples that depend on the texts are as good as never shared.
            shared, own = (told, worked + own) if self.examples.similar else (told + worked, own)
            first, ids = self.tokens.shared(shared), self.tokens.encode(own)
            room = self.window - len(first) - answer
            longest = max(fields, key=lambda name: len(fields[name]))
            if len(ids) <= room or not fields[longest]:
                return Prompted(first, tuple(ids), own[-1], fields)
            kept = int(len(fields[longest]) * max(0.1, 0.95 * room / len(ids)))
            fields = {**fields, longest: fields[longest][:kept]}

    def room(self, prompt: Prompt, shots: int) -> int:
        """Tokens that are left to the texts."""
        told, worked, own = prompt.parts(dict.fromkeys(prompt.fields, ""), self._longest(prompt, shots))
        return self.window - len(self.tokens.shared(told + worked)) - len(self.tokens.encode(own)) - ANSWER

    def _longest(self, prompt: Prompt, count: int) -> tuple[Shot, ...]:
        """The worked examples that take most room: of similar ones any may come."""
        if not self.examples.similar:
            return prompt.select_shots(count)
        return prompt.select_shots(count, [len("".join(shot.input.values())) for shot in prompt.shots])
