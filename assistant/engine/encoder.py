"""The embedded engine: a quantized sentence encoder that serves many adapters in one forward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from assistant.engine import embedded
from assistant.engine.adaptation import Stacks, order
from assistant.engine.adapters import AdapterStore, LoadedAdapter
from assistant.engine.base import (
    AdapterInfo,
    BaseInfo,
    Choice,
    Classification,
    Engine,
    Extraction,
    HeadAnswer,
    Operation,
    Pooling,
    Tag,
    TextOrPair,
    well_formed,
)
from assistant.engine.batching import Batcher, Item
from assistant.engine.embedded import MAX_TOKENS, Dimensions
from assistant.engine.heads import pool
from assistant.engine.manifest import MULTITASK
from assistant.engine.memory import keep_few_kernels, keep_freed_memory
from assistant.engine.quantization import INT8, Scheme
from assistant.engine.spans import best_spans, windows, word_spans
from assistant.engine.transformer import QuantizedEncoder
from assistant.errors import AdapterError, InputError

DEFAULT_BUDGET = 256_000_000
# A longer text is cut before it is tokenized; the model reads 512 tokens, and a token is rarely this long. Characters.
MAX_CHARACTERS = 20_000
# [CLS] and [SEP] of the BERT vocabulary.
CLS, SEP = 101, 102
# So many times its own probability a label may stand for: for another that is as good, not for a dozen.
AT_MOST = 2
# The rank of a sentence without a word.
NO_WORDS = -1e9


@dataclass(frozen=True)
class Work:
    """One row for the model, through its lowest `layers` layers (None: the adapter's, or all). `states` asks for the
    pooled states instead of what the adapter's head makes of them; the bare base has nothing else."""

    ids: list[int]
    segments: list[int]
    adapter: LoadedAdapter | None
    layers: int | None = None
    states: bool = False

    @property
    def depth(self) -> int | None:
        """How many layers it runs through; None: all."""
        return self.layers or (self.adapter.layers if self.adapter else None)


class EncoderEngine(Engine):
    """all-MiniLM-L6-v2 in int8 with LoRA and bottleneck adapters chosen per row.

    `adapter_bytes` is the budget of resident adapters; `scheme` keeps the base in another form than int8, to measure
    what that costs. Raises BaseModelError when the base is missing or is not the expected one.
    """

    operations: ClassVar[frozenset[Operation]] = frozenset(
        {"classify", "choose", "tag", "extract", "rank", "multitask", "embed"}
    )
    languages: ClassVar[frozenset[str] | None] = frozenset({"en"})

    def __init__(self, adapter_bytes: int = DEFAULT_BUDGET, scheme: Scheme = INT8) -> None:
        keep_freed_memory()
        keep_few_kernels()
        weights = embedded.weights()
        dimensions = Dimensions()
        self.model = QuantizedEncoder(weights, dimensions, scheme)
        self.tokenizer: Tokenizer = embedded.tokenizer()
        self.whole_text_tokenizer: Tokenizer = embedded.tokenizer(None)
        self.info = BaseInfo(
            name=embedded.NAME,
            sha256=embedded.SHA256,
            parameters=sum(w.numel() for name, w in weights.items() if not name.endswith("position_ids")),
            quantization=scheme.name,
            bytes=self.model.nbytes,
        )
        self.encoder = self
        self.adapters = AdapterStore(self.info, dimensions, adapter_bytes)
        self._stacks = Stacks()
        self._batcher: Batcher[Work] = Batcher(self._forward)

    def close(self) -> None:
        """End the batching thread."""
        self._batcher.close()

    def adapter(self, adapter: Path) -> AdapterInfo:
        """See Engine."""
        return self.adapters.get(adapter).info

    def forget(self, adapter: Path) -> None:
        """See Engine."""
        self.adapters.forget(adapter)

    def classify(self, inputs: Sequence[TextOrPair], adapter: Path) -> list[Classification]:
        """See Engine."""
        loaded = self._for(adapter, "classify")
        logits = self._run([_row(e, loaded) for e in self._encode(inputs)])
        probabilities = [_probabilities(x, loaded).tolist() for x in logits]
        return [Classification(loaded.manifest.labels, tuple(p)) for p in probabilities]

    def choose(self, inputs: Sequence[Choice], adapter: Path) -> list[tuple[float, ...]]:
        """See Engine. Each option is read as a pair with the question; the softmax is over the options."""
        loaded = self._for(adapter, "choose")
        pairs = [(choice.question, option) for choice in inputs for option in choice.options]
        scores = iter(self._run([_row(e, loaded) for e in self._encode(pairs)]))
        result = []
        for choice in inputs:
            logits = torch.stack([next(scores)[0] for _ in choice.options])
            result.append(tuple(torch.softmax(logits / loaded.manifest.temperature, -1).tolist()))
        return result

    def tag(self, inputs: Sequence[str], adapter: Path) -> list[tuple[Tag, ...]]:
        """See Engine. A word takes the label of its first token; what the model cannot read in one piece it reads in
        windows."""
        loaded = self._for(adapter, "tag")
        result: list[list[Tag]] = [[] for _ in inputs]
        for number, offset, encoding, logits in self._windows(inputs, loaded):
            result[number] += _tags(encoding, logits, loaded, offset)
        return [tuple(tags) for tags in result]

    def extract(self, inputs: Sequence[tuple[str, str]], adapter: Path) -> list[tuple[Extraction, ...]]:
        """See Engine. The head gives each token a start and an end score; the first token's are those of "not in the
        text" (Devlin et al. 2019, arXiv 1810.04805, section 4.3)."""
        loaded = self._for(adapter, "extract")
        # The question may take a third of what the model reads.
        room = MAX_TOKENS * 2 // 3
        texts = [
            (well_formed(question)[:MAX_CHARACTERS], well_formed(context)) for question, context in inputs
        ]
        cuts = [windows(self.whole_text_tokenizer, context, overlap=64, room=room) for _, context in texts]
        encodings = self._tokens(
            [
                (question, context[start:end])
                for (question, context), cut in zip(texts, cuts, strict=True)
                for start, end in cut
            ]
        )
        read = zip(self._run([_row(e, loaded) for e in encodings]), encodings, strict=True)
        result = []
        for cut in cuts:
            own = [(start, *next(read)) for start, _ in cut]
            scored = [(x, e, start) for start, x, e in own]
            result.append(best_spans(scored, loaded.manifest.null_bias, loaded.manifest.temperature))
        return result

    def rank(self, inputs: Sequence[Sequence[str]], adapter: Path) -> list[tuple[float, ...]]:
        """See Engine. Sentences are read together, as many as fit; a sentence's score is the mean over its tokens."""
        loaded = self._for(adapter, "rank")
        room = MAX_TOKENS - 2
        documents = [[e.ids[1:-1][:room] for e in self._encode(list(sentences))] for sentences in inputs]
        # (document, its sentences that are read together), in order.
        groups = [
            (number, [sentences[i] for i in group])
            for number, sentences in enumerate(documents)
            for group in _packed([len(ids) for ids in sentences], room)
        ]
        works = []
        for position, (number, group) in enumerate(groups):
            ids = [token for sentence in group for token in sentence]
            # Positions start anew in each part; segment 1 tells the adapter that this is not the document's beginning.
            later = int(position > 0 and groups[position - 1][0] == number)
            works.append(Work([CLS, *ids, SEP], [later] * (len(ids) + 2), loaded))
        result: list[list[float]] = [[] for _ in inputs]
        for (number, group), logits in zip(groups, self._run(works), strict=True):
            position = 1
            for sentence in group:
                own = logits[position : position + len(sentence), 0]
                result[number].append(float(own.mean()) if sentence else NO_WORDS)
                position += len(sentence)
        return [tuple(scores) for scores in result]

    def multitask(self, inputs: Sequence[str], adapter: Path) -> list[dict[str, HeadAnswer]]:
        """See Engine. What the model cannot read in one piece it reads in windows; a distribution is then the mean of
        theirs."""
        loaded = self._for(adapter, MULTITASK)
        for name, head in loaded.heads.items():
            if head.manifest.operation not in ("classify", "tag"):
                raise AdapterError(
                    f"The head {name!r} of {adapter.name!r} was trained to {head.manifest.operation}; "
                    "expected classify or tag."
                )
        tags: list[dict[str, list[Tag]]] = [defaultdict(list) for _ in inputs]
        shares: list[dict[str, list[Tensor]]] = [defaultdict(list) for _ in inputs]
        for number, offset, encoding, logits in self._windows(inputs, loaded):
            for name, head in loaded.heads.items():
                if head.manifest.operation == "tag":
                    tags[number][name] += _tags(encoding, logits[name], head, offset)
                else:
                    shares[number][name].append(_probabilities(logits[name], head))
        return [
            {
                name: Classification(
                    head.manifest.labels, tuple(torch.stack(shares[number][name]).mean(0).tolist())
                )
                if head.manifest.operation == "classify"
                else tuple(tags[number][name])
                for name, head in loaded.heads.items()
            }
            for number in range(len(inputs))
        ]

    def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """See Engine. The mean of the token states, as the base was trained to be read."""
        return self.states(inputs)

    def states(
        self,
        inputs: Sequence[TextOrPair],
        pooling: Pooling = "mean",
        layer: int | None = None,
        adapter: Path | None = None,
    ) -> NDArray[np.float32]:
        """Unit vectors (len(inputs), dimensions): the mean of each input's token states, or its first token's, after
        the lowest `layer` layers (None: all), of the bare base or through an adapter."""
        if layer is not None and not 1 <= layer <= self.model.dimensions.layers:
            raise InputError(f"The layer is {layer}; the base has 1 to {self.model.dimensions.layers}.")
        hidden = self.model.dimensions.hidden
        if not inputs:
            return np.zeros((0, hidden), np.float32)
        loaded = self.adapters.get(adapter) if adapter else None
        rows = [Work(e.ids, e.type_ids, loaded, layer, states=True) for e in self._encode(inputs)]
        part = slice(0, hidden) if pooling == "cls" else slice(hidden, None)
        vectors = torch.stack(self._run(rows))[:, part]
        return np.asarray(torch.nn.functional.normalize(vectors, dim=-1).numpy(), np.float32)

    def _windows(
        self, inputs: Sequence[str], adapter: LoadedAdapter
    ) -> Iterator[tuple[int, int, Encoding, Any]]:
        """(number of the text, where the window starts in it, its tokens, its logits) of all windows of all texts."""
        pieces = [
            (number, start, text[start:end])
            for number, text in enumerate(map(well_formed, inputs))
            for start, end in windows(self.whole_text_tokenizer, text)
        ]
        encodings = self._tokens([piece for _, _, piece in pieces])
        logits = self._run([_row(e, adapter) for e in encodings])
        for (number, start, _), encoding, found in zip(pieces, encodings, logits, strict=True):
            yield number, start, encoding, found

    def _for(self, folder: Path, operation: str) -> LoadedAdapter:
        adapter = self.adapters.get(folder)
        if adapter.manifest.operation != operation:
            raise AdapterError(
                f"The adapter {folder.name!r} was trained to {adapter.manifest.operation}; asked to {operation}."
            )
        return adapter

    def _encode(self, inputs: Sequence[TextOrPair]) -> list[Encoding]:
        """The tokens of inputs that may be of any length and hold any characters."""

        def cut(text: str) -> str:
            return well_formed(text[:MAX_CHARACTERS])

        return self._tokens([cut(x) if isinstance(x, str) else (cut(x[0]), cut(x[1])) for x in inputs])

    def _tokens(self, inputs: Sequence[TextOrPair]) -> list[Encoding]:
        return self.tokenizer.encode_batch(list(inputs)) if inputs else []

    def _run(self, rows: Sequence[Work]) -> list[Any]:
        # A row through fewer layers would have to leave a common pass half-way; it takes one of its own depth.
        every = self.model.dimensions.layers
        return self._batcher.submit(
            [Item(row, len(row.ids), order(row.adapter), row.depth or every) for row in rows]
        )

    def _forward(self, rows: Sequence[Work]) -> list[Tensor | dict[str, Tensor]]:
        """One forward pass of rows of one depth; each row's head, or heads, run on its own states."""
        width = max(len(row.ids) for row in rows)
        ids, segments, mask = (torch.zeros(len(rows), width, dtype=torch.long) for _ in range(3))
        for i, row in enumerate(rows):
            length = len(row.ids)
            ids[i, :length] = torch.tensor(row.ids)
            segments[i, :length] = torch.tensor(row.segments)
            mask[i, :length] = 1
        adaptations = self._stacks.adaptations([row.adapter for row in rows])
        hidden = self.model(ids, segments, mask, adaptations, rows[0].depth)
        results: list[Tensor | dict[str, Tensor]] = []
        for i, row in enumerate(rows):
            states, own = hidden[i : i + 1, : len(row.ids)], mask[i : i + 1, : len(row.ids)]
            if row.adapter is None or row.states:
                results.append(pool(states, own)[0])
            else:
                results.append(row.adapter.logits(states, own))
        return results


def _row(encoding: Encoding, adapter: LoadedAdapter) -> Work:
    return Work(encoding.ids, encoding.type_ids, adapter)


def _probabilities(logits: Tensor, adapter: LoadedAdapter) -> Tensor:
    return torch.softmax(logits / adapter.manifest.temperature, -1)


def _tags(encoding: Encoding, logits: Tensor, adapter: LoadedAdapter, offset: int) -> Iterator[Tag]:
    """The words of a piece that starts at `offset`, each as its first token is labelled (see Tag)."""
    labels, shares = adapter.manifest.labels, _probabilities(logits, adapter)
    firsts = shares[:, 0].tolist()
    shares[:, 0] = 0  # what is left are the others
    best, others = (each.tolist() for each in shares.max(-1))
    for token, start, end in word_spans(encoding):
        first, other = firsts[token], best[token]
        if first > 0.5:
            yield Tag(offset + start, offset + end, labels[0], first)
        else:
            probability = min(1 - first, AT_MOST * other)
            yield Tag(offset + start, offset + end, labels[others[token]], probability)


def _packed(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Consecutive indices whose lengths fit together into `room`."""
    groups: list[list[int]] = []
    used: Any = room + 1
    for i, length in enumerate(lengths):
        if used + length > room:
            groups.append([])
            used = 0
        groups[-1].append(i)
        used += length
    return groups
