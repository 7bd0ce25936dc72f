"""An engine without a model: every operation answers from the text itself, at once and always the same.

For plugin authors and tests. It starts in no time and imports no torch, and nothing it says means anything;
but it behaves like a model: each word speaks for or against each label by a hash of the word, the label and
the adapter's name, so leaving a word out changes the probabilities and another adapter gives other answers.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assistant.engine.base import (
    AdapterInfo,
    BaseInfo,
    Choice,
    Classification,
    Engine,
    Extraction,
    HeadAnswer,
    Message,
    Operation,
    Tag,
    TextOrPair,
)
from assistant.errors import AdapterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 64
# How many spans `extract` offers beside "not in the text".
SPANS = 3
MANIFEST = "onebase.json"
_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[^\s.!?][^.!?]*[.!?]*")


class EchoEngine(Engine):
    """Answers from hashes of words. Any folder is an adapter; its manifest, if any, names the labels."""

    operations: ClassVar[frozenset[Operation]] = frozenset(
        {"classify", "choose", "tag", "extract", "rank", "multitask", "embed", "generate"}
    )

    def __init__(self) -> None:
        self.info = BaseInfo(name="echo", sha256="0" * 64, parameters=0, quantization="none", bytes=0)

    def adapter(self, adapter: Path) -> AdapterInfo:
        """What the folder's manifest says, with a default for each thing that it does not say."""
        if not adapter.is_dir():
            raise AdapterError(f"There is no adapter folder {adapter}.")
        manifest = _manifest(adapter / MANIFEST)
        try:
            return AdapterInfo(
                path=adapter,
                name=str(manifest.get("name", adapter.name)),
                method=str(manifest.get("method", "echo")),
                task=str(manifest.get("task", "text-classification")),
                labels=tuple(str(label) for label in manifest.get("labels") or ("yes", "no")),
                threshold=float(manifest.get("threshold", 0.0)),
                parameters=int(manifest.get("parameters", 0)),
                bytes=sum(file.stat().st_size for file in adapter.iterdir() if file.is_file()),
                metrics={
                    name: float(value)
                    for name, value in manifest.get("metrics", {}).items()
                    if isinstance(value, int | float)
                },
                data=tuple(str(source) for source in manifest.get("data", ())),
                licence=str(manifest.get("licence", "")),
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise AdapterError(
                f"The manifest of the adapter {adapter} has a value of the wrong type."
            ) from error

    def classify(self, inputs: Sequence[TextOrPair], adapter: Path) -> list[Classification]:
        """The softmax of what the words say for each label."""
        info = self.adapter(adapter)
        return [
            Classification(
                info.labels, _softmax([_leaning(text, f"{info.name} {label}") for label in info.labels])
            )
            for text in inputs
        ]

    def choose(self, inputs: Sequence[Choice], adapter: Path) -> list[tuple[float, ...]]:
        """The softmax of what question and option say together."""
        name = self.adapter(adapter).name
        return [
            _softmax([_leaning((choice.question, option), name) for option in choice.options])
            for choice in inputs
        ]

    def tag(self, inputs: Sequence[str], adapter: Path) -> list[tuple[Tag, ...]]:
        """Each word with the label that its hash leans to."""
        info = self.adapter(adapter)

        def tagged(word: re.Match[str]) -> Tag:
            scores = _softmax([_vote(word.group(), f"{info.name} {label}") for label in info.labels])
            best = scores.index(max(scores))
            return Tag(*word.span(), info.labels[best], scores[best])

        return [tuple(tagged(word) for word in _WORD.finditer(text)) for text in inputs]

    def extract(self, inputs: Sequence[tuple[str, str]], adapter: Path) -> list[tuple[Extraction, ...]]:
        """The sentences that share most words with the question; the fewer, the rather "not in the text"."""
        self.adapter(adapter)
        return [_sentences_like(question, context) for question, context in inputs]

    def rank(self, inputs: Sequence[Sequence[str]], adapter: Path) -> list[tuple[float, ...]]:
        """What each sentence's words say for it."""
        name = self.adapter(adapter).name
        return [tuple(_leaning(sentence, name) for sentence in sentences) for sentences in inputs]

    def multitask(self, inputs: Sequence[str], adapter: Path) -> list[dict[str, HeadAnswer]]:
        """What the folders of the heads, which the adapter's labels name, give."""
        found: list[dict[str, HeadAnswer]] = [{} for _ in inputs]
        for name in self.adapter(adapter).labels:
            head = adapter / name
            tags = _manifest(head / MANIFEST).get("operation") == "tag"
            answers: Sequence[HeadAnswer] = self.tag(inputs, head) if tags else self.classify(inputs, head)
            for answer, by_head in zip(answers, found, strict=True):
                by_head[name] = answer
        return found

    def embed(self, inputs: Sequence[str]) -> NDArray[np.float32]:
        """Hashed bags of words, shape (len(inputs), 64): texts that share words lie close to each other."""
        import numpy as np  # not needed for anything else

        vectors = np.zeros((len(inputs), DIMENSIONS), dtype=np.float32)
        for vector, text in zip(vectors, inputs, strict=True):
            for word, count in Counter(_words(text)).items():
                vector[_hash(word) % DIMENSIONS] += math.sqrt(count)
            if not vector.any():
                vector[0] = 1.0
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def generate(
        self, prompt: str | Sequence[Message], adapter: Path | None = None, max_tokens: int = 256
    ) -> Iterator[str]:
        """The prompt, or the last message, again, word by word."""
        if not isinstance(prompt, str):
            prompt = prompt[-1].text if prompt else ""
        if adapter is not None:
            self.adapter(adapter)
        return (
            word.group() for _, word in zip(range(max_tokens), re.finditer(r"\S+\s*", prompt), strict=False)
        )


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterError(f"The manifest {path} cannot be read as JSON.") from error
    if not isinstance(manifest, dict):
        raise AdapterError(f"The manifest {path} is no JSON object.")
    return manifest


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _hash(text: str) -> int:
    """The same number in every process, which Python's own hash is not. A lone surrogate hashes too."""
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big")


def _vote(word: str, about: str) -> float:
    """How much a word speaks for something, in [-2, 2]."""
    return 4.0 * _hash(f"{about} {word.casefold()}") / 2**64 - 2.0


def _leaning(text: TextOrPair, about: str) -> float:
    """What all words together say; in a pair the same word says another thing on each side."""
    sides = enumerate((text,) if isinstance(text, str) else text)
    counts: Iterable[tuple[str, int]] = Counter(
        f"{side}{word}" for side, t in sides for word in _words(t)
    ).items()
    votes = [(_vote(word, about), count) for word, count in counts]
    length = sum(count for _, count in votes)
    # Divided by the square root of the length, a long text is no surer than a short one.
    return math.fsum(vote * count for vote, count in votes) / math.sqrt(length) if length else 0.0


def _softmax(scores: Sequence[float]) -> tuple[float, ...]:
    highest = max(scores, default=0.0)
    weights = [math.exp(score - highest) for score in scores]
    return tuple(weight / sum(weights) for weight in weights)


def _sentences_like(question: str, context: str) -> tuple[Extraction, ...]:
    asked = set(_words(question))
    spans = [match.span() for match in _SENTENCE.finditer(context)]
    shared = {span: len(asked.intersection(_words(context[slice(*span)]))) for span in spans}
    best = sorted(spans, key=lambda span: -shared[span])[:SPANS]
    # "Not in the text" weighs as much as one shared word.
    probabilities = _softmax([1.0, *(float(shared[span]) for span in best)])
    found = zip([(0, 0), *best], probabilities, strict=True)
    return tuple(sorted((Extraction(*span, p) for span, p in found), key=lambda e: -e.probability))
