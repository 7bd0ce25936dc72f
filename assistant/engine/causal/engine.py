"""The operations of an engine on a causal base."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch

from assistant.engine.base import (
    AdapterInfo,
    Choice,
    Classification,
    Engine,
    Extraction,
    Message,
    Operation,
    Rendered,
    TextOrPair,
)
from assistant.engine.batching import Batcher, Item
from assistant.engine.causal import zero_gpu
from assistant.engine.causal.generation import first_line, generate
from assistant.engine.causal.loading import CausalBase
from assistant.engine.causal.model import BARE, CausalModel
from assistant.engine.causal.prompting import ANSWER, MAX_CHARACTERS, Prompting
from assistant.engine.causal.scoring import Row, log_likelihoods
from assistant.engine.causal.skills import Skill, Skills
from assistant.engine.causal.tokens import Tokens
from assistant.engine.examples import Examples
from assistant.errors import AdapterError, InputError
from assistant.prompts import Prompt, Shot
from assistant.settings import SHOTS, Selection

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.applications import Application

# Inputs that say nothing: what a label is worth after them is the prompt's own leaning (Zhao et al. 2021, "Calibrate
# Before Use", arXiv 2102.09690).
CONTENT_FREE = ("N/A", "[MASK]", "")
# An option, or a sentence to rank, counts up to here, and an extracted answer is no longer. Tokens.
MAX_LABEL = ANSWER
MAX_ANSWER = 48
# Calibrations that are kept, one for each set of worked examples.
KEPT_CALIBRATIONS = 1024
# The rank of a sentence without a word.
NO_WORDS = -1e9
# Any place that is not between two letters of a word; in Thai, Lao, Japanese and Chinese no space shows where one ends.
_LETTER = "[^\\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]"
_EDGE = f"(?:(?<!{_LETTER})|(?!{_LETTER}))"


class CausalEngine(Engine):
    """Prompts and LoRA adapters on a causal base. `encoder` gives the embeddings, for which a causal model is a poor
    source; it is closed with this engine."""

    encoder: Engine
    operations: ClassVar[frozenset[Operation]] = frozenset(
        {"classify", "choose", "extract", "rank", "embed", "generate"}
    )

    def __init__(
        self, base: CausalBase, encoder: Engine, shots: int = SHOTS, selection: Selection = "fixed"
    ) -> None:
        self.info = base.info
        self.window = base.window
        self.language = "en"
        self.encoder = encoder
        self.model = CausalModel(base)
        self.tokens = Tokens(base.tokenizer, base.info.name)
        examples = Examples(encoder.embed if selection == "similar" else None)
        self.prompting = Prompting(self.tokens, base.window, examples)
        self.skills = Skills(base.info, self.model, self.prompting, shots)
        self._calibrations: dict[tuple[Skill, tuple[Shot, ...]], list[float]] = {}

        def likelihoods(rows: Sequence[Row]) -> list[list[float]]:
            return log_likelihoods(self.model, rows)

        def written(
            ids: Sequence[int], max_tokens: int, adapter: str, prefix: Sequence[int] = ()
        ) -> Iterator[tuple[str, float]]:
            yield from generate(self.model, self.tokens, ids, max_tokens, adapter, prefix)

        # All that the model computes.
        self._likelihoods, self._written = zero_gpu.on_gpu(likelihoods), zero_gpu.on_gpu(written)
        self._batcher: Batcher[Row] = Batcher(self._likelihoods)

    def close(self) -> None:
        """End the batching thread, and the encoder's."""
        self._batcher.close()
        self.encoder.close()

    def prepare(self, applications: Iterable[Application]) -> None:
        """See Engine."""
        self.skills.register(applications)
        if zero_gpu.active():
            # What comes later would not be in the processes that compute.
            self.skills.load()

    def in_language(self, language: str) -> Engine:
        """See Engine. The view shares everything with this engine."""
        view = copy(self)
        view.language = language
        return view

    def adapter(self, adapter: Path) -> AdapterInfo:
        """See Engine. Without an adapter for this base the name says so."""
        return self.skills.get(adapter, self.language).info

    def classify(self, inputs: Sequence[TextOrPair], adapter: Path) -> list[Classification]:
        """See Engine. By the likelihood of each label's name after the prompt, calibrated by content-free input."""
        skill = self._skill(adapter, "classify")
        labels = [label.name for label in skill.prompt.labels.values()]
        examples = self._examples(skill, inputs)
        rows = [self._row(skill, texts, labels, each) for texts, each in zip(inputs, examples, strict=True)]
        free = self._content_free(skill, labels, examples)
        return [
            Classification(
                tuple(skill.prompt.labels),
                _softmax([(a - b) / skill.temperature for a, b in zip(scores, nothing, strict=True)]),
            )
            for scores, nothing in zip(self._run(rows), free, strict=True)
        ]

    def choose(self, inputs: Sequence[Choice], adapter: Path) -> list[tuple[float, ...]]:
        """See Engine. An option's score is how much likelier the question makes it (pointwise mutual information,
        Holtzman et al. 2021, arXiv 2104.08315): a common phrase wins nothing by being common."""
        skill = self._skill(adapter, "choose")
        rows = []
        for choice in inputs:
            options = [option[:MAX_CHARACTERS] for option in choice.options]
            (examples,) = self._examples(skill, [(choice.question, *options)])
            for question in (choice.question, CONTENT_FREE[0]):
                rows.append(self._row(skill, (question, "\n".join(options)), options, examples))
        scores = self._run(rows)
        return [
            _softmax([(a - b) / skill.temperature for a, b in zip(scores[i], scores[i + 1], strict=True)])
            for i in range(0, len(scores), 2)
        ]

    def extract(self, inputs: Sequence[tuple[str, str]], adapter: Path) -> list[tuple[Extraction, ...]]:
        """See Engine. The model writes the answer; it counts only where it stands in the context word for word."""
        skill = self._skill(adapter, "extract")
        return [self._extracted(skill, question, context) for question, context in inputs]

    def rank(self, inputs: Sequence[Sequence[str]], adapter: Path) -> list[tuple[float, ...]]:
        """See Engine. How much likelier the document makes the sentence as its summary's beginning, per token, against
        the document's mean (Padmakumar & He 2021, arXiv 2102.06272)."""
        skill = self._skill(adapter, "rank")
        return [self._ranked(skill, sentences) for sentences in inputs]

    def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """See Engine. The embedded encoder's."""
        return self.encoder.embed(inputs)

    def generate(
        self, prompt: str | Sequence[Message], adapter: Path | None = None, max_tokens: int = 256
    ) -> Iterator[str]:
        """See Engine. Greedy; of a prompt that is too long the end is read."""
        name = self.skills.get(adapter, self.language).adapter if adapter is not None else BARE
        if isinstance(prompt, str):
            ids = self.tokens.whole(prompt[-MAX_CHARACTERS:])
        else:
            ids = self.tokens.chat(self.latest(prompt, max_tokens))
        max_tokens = min(max_tokens, self.window // 2)
        ids = ids[-(self.window - max_tokens) :]
        pieces = self._written(ids, max_tokens, name)
        return (piece for piece, _ in pieces if piece)

    def rendered(self, prompt: Prompt, fields: Mapping[str, str], max_tokens: int = 256) -> Rendered:
        """See Engine."""
        answer = min(max_tokens, self.window // 2)
        shots = self.prompting.shots(prompt, self.skills.shots, answer)
        texts = [fields[name] for name in prompt.fields if name in fields]
        (examples,) = self.prompting.examples.chosen(prompt, [texts], shots)
        prompt.parts(fields, examples)  # raises for other fields than its own
        read = self.prompting.prompted(prompt, texts, examples, answer).fields
        return Rendered("".join(prompt.parts(read, examples)), read)

    def latest(self, messages: Sequence[Message], max_tokens: int = 256) -> Sequence[Message]:
        """See Engine."""
        room = self.window - min(max_tokens, self.window // 2)
        for first, message in enumerate(messages):
            if message.role == "user" and len(self.tokens.chat(messages[first:])) <= room:
                return messages[first:]
        raise InputError(f"The message is longer than the {room:,} tokens that {self.info.name} can read.")

    # --- rows -----------------------------------------------------------------------------------------------

    def _skill(self, folder: Path, operation: str) -> Skill:
        skill = self.skills.get(folder, self.language)
        if (operation == "classify") != bool(skill.prompt.labels):
            raise AdapterError(f"The prompt {skill.prompt.title!r} is not made to {operation}.")
        return skill

    def _examples(self, skill: Skill, inputs: Sequence[TextOrPair | Sequence[str]]) -> list[tuple[Shot, ...]]:
        """The worked examples for each input."""
        texts = [[given] if isinstance(given, str) else given for given in inputs]
        return self.prompting.examples.chosen(skill.prompt, texts, skill.shots)

    def _row(
        self,
        skill: Skill,
        texts: str | Sequence[str],
        labels: Sequence[str],
        examples: Sequence[Shot] | None = None,
    ) -> Row:
        if examples is None:
            (examples,) = self._examples(skill, [texts])
        prompted = self.prompting.prompted(skill.prompt, texts, examples)
        # The cue ends the prompt; a label goes on after a space, as the answers of the worked examples do.
        names = [self.tokens.continuation(prompted.cue, f" {label}")[:MAX_LABEL] for label in labels]
        return Row(prompted.shared, prompted.own, tuple(map(tuple, names)), skill.adapter)

    def _run(self, rows: Sequence[Row]) -> list[list[float]]:
        if zero_gpu.active():
            # Each visitor has a quota, which is found by the thread that computes: nobody shares a batch.
            return self._likelihoods(rows) if rows else []
        return self._batcher.submit([Item(row, len(row.ids)) for row in rows])

    def _content_free(
        self, skill: Skill, labels: Sequence[str], examples: Sequence[tuple[Shot, ...]]
    ) -> list[list[float]]:
        """The mean log-likelihoods of the labels after inputs that say nothing, for each row's examples."""
        if skill.trained:
            return [[0.0] * len(labels)] * len(examples)
        kept = self._calibrations
        known = {each: mean for each in set(examples) if (mean := kept.get((skill, each))) is not None}
        missing = [each for each in dict.fromkeys(examples) if each not in known]
        rows = [
            self._row(skill, [nothing] * len(skill.prompt.fields), labels, each)
            for each in missing
            for nothing in CONTENT_FREE
        ]
        if rows:
            scores = torch.tensor(self._run(rows), dtype=torch.float64).softmax(-1)
            means = scores.view(len(missing), len(CONTENT_FREE), -1).mean(1).clamp_min(1e-30).log().tolist()
            found = dict(zip(missing, means, strict=True))
            known |= found
            if len(kept) + len(found) > KEPT_CALIBRATIONS:
                kept.clear()
            kept |= {(skill, each): mean for each, mean in found.items()}
        return [known[each] for each in examples]

    # --- extract and rank -----------------------------------------------------------------------------------

    def _extracted(self, skill: Skill, question: str, context: str) -> tuple[Extraction, ...]:
        given = {"question": question, "context": context}
        if set(skill.prompt.fields) != set(given):
            raise AdapterError(f"The prompt {skill.prompt.title!r} has no question and context.")
        row = self._row(skill, [given[name] for name in skill.prompt.fields], ())
        pieces = self._written(row.ids, MAX_ANSWER, row.adapter, row.prefix)
        answer, probability = first_line(pieces)
        span = _located(answer, context)
        if span is None:
            return (Extraction(0, 0, probability),)
        found = [Extraction(*span, probability), Extraction(0, 0, 1.0 - probability)]
        return tuple(sorted(found, key=lambda extraction: -extraction.probability))

    def _ranked(self, skill: Skill, sentences: Sequence[str]) -> tuple[float, ...]:
        filled = [number for number, sentence in enumerate(sentences) if sentence.strip()]
        scores = [NO_WORDS] * len(sentences)
        means: dict[int, float] = {}
        for group in self._groups(skill, sentences, filled):
            texts = [sentences[number] for number in group]
            document = " ".join(texts)
            (examples,) = self._examples(skill, [document])
            rows = [self._row(skill, text, texts, examples) for text in (document, CONTENT_FREE[0])]
            with_text, without = self._run(rows)
            for number, a, b, ids in zip(group, with_text, without, rows[0].labels, strict=True):
                means[number] = (a - b) / max(1, len(ids))
        mean = sum(means.values()) / max(1, len(means))
        for number, value in means.items():
            scores[number] = value - mean
        return tuple(scores)

    def _groups(self, skill: Skill, sentences: Sequence[str], numbers: Sequence[int]) -> Iterator[list[int]]:
        """Consecutive sentences that fit into the window together."""
        room = self.prompting.room(skill.prompt, skill.shots)
        group: list[int] = []
        used = 0
        for number in numbers:
            length = len(self.tokens.encode(sentences[number][:MAX_CHARACTERS]))
            if group and used + length > room:
                yield group
                group, used = [], 0
            group.append(number)
            used += length
        if group:
            yield group


def _located(answer: str, context: str) -> tuple[int, int] | None:
    """Where the answer's words stand in the context, as whole words, in any case and with any white space between
    them."""
    words = answer.strip().strip('`"“”').rstrip(".").split()
    if not words:
        return None
    pattern = r"\s+".join(map(re.escape, words))
    found = re.search(_EDGE + pattern + _EDGE, context, re.IGNORECASE)
    return found.span() if found else None


def _softmax(scores: Sequence[float]) -> tuple[float, ...]:
    probabilities: list[float] = torch.tensor(scores, dtype=torch.float64).softmax(-1).tolist()
    return tuple(probabilities)
