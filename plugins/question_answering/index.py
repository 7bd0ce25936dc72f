"""Which passages of a long text a question is about: by their words and by their meaning."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant import Progress
from assistant_plugins.question_answering.lexical import Lexical
from assistant_plugins.question_answering.passages import Passage, passages

if TYPE_CHECKING:
    from assistant.engine.base import Engine

# So many passages are read for an answer.
READ = 6
# A text of up to so many passages (some four hundred pages) is embedded as a whole, thirty or forty of them a second on
# one core. Of a longer one only the candidates that share most with the question's words are, for each question anew.
EMBEDDED = 1500
CANDIDATES = 48
# So many passages are embedded at a time: other visitors' texts come in between.
CHUNK = 16


@dataclass(frozen=True, eq=False)
class Index:
    """The passages of a text, their words, and their embeddings, shape (passages, dimensions), if it has them."""

    passages: tuple[Passage, ...]
    lexical: Lexical
    vectors: NDArray[np.float32] | None

    @property
    def nbytes(self) -> int:
        """Bytes held, about: a passage takes some two hundred beside its embedding."""
        vectors = 0 if self.vectors is None else self.vectors.nbytes
        return self.lexical.nbytes + 200 * len(self.passages) + vectors

    def nearest(
        self, question: str, pages: Sequence[str], engine: Engine, count: int = READ
    ) -> list[Passage]:
        """The `count` passages that fit the question best, best first; all, in order, where there are no more.

        `pages` are those of which the index was built. A passage's score is the sum of its two scores, each scaled
        to [0, 1] over the candidates (Bruch, Gai & Ingber 2023, arXiv 2210.11934: better than fusing ranks).
        """
        if len(self.passages) <= count:
            return list(self.passages)
        words = self.lexical.scores(question)
        candidates, vectors = np.arange(len(self.passages)), self.vectors
        if vectors is None:
            candidates = np.argsort(-words, kind="stable")[:CANDIDATES]
        score = _scaled(words[candidates])
        if "embed" in engine.operations:
            if vectors is None:
                vectors = _embedded([self.passages[i] for i in candidates], pages, engine)
            score = score + _scaled(vectors @ engine.embed([question])[0])
        return [self.passages[i] for i in candidates[np.argsort(-score, kind="stable")[:count]]]


def build_index(pages: Sequence[str], engine: Engine, text: str = "") -> Generator[Progress, None, Index]:
    """Yield how far it is, under the heading `text`, and return the index.

    It is a pure function of the pages and the engine's base. A text that is read as a whole anyway is not embedded.
    """
    cut = tuple(passages(pages))
    lexical = Lexical([passage.text(pages) for passage in cut])
    chunks = []
    if READ < len(cut) <= EMBEDDED and "embed" in engine.operations:
        for done in range(0, len(cut), CHUNK):
            yield Progress(done, len(cut), text)
            chunks.append(_embedded(cut[done : done + CHUNK], pages, engine))
    return Index(cut, lexical, np.concatenate(chunks) if chunks else None)


def _embedded(cut: Sequence[Passage], pages: Sequence[str], engine: Engine) -> NDArray[np.float32]:
    return engine.embed([passage.text(pages) for passage in cut])


def _scaled(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The least becomes 0, the greatest 1."""
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


class Indexes:
    """The latest indexes, up to `budget` bytes of them. May be used from any thread.

    This is no state of a visitor: an index is a function of the text alone and is found by the hash of the text, so
    it is of use only to one who has the very same text, and tells nothing that the text does not.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._indexes: OrderedDict[bytes, Index] = OrderedDict()

    def get(self, pages: Sequence[str], engine: Engine, text: str = "") -> Generator[Progress, None, Index]:
        """Return the index of the pages; where it is not among the latest it is built, see `build_index`."""
        key = _key(pages, engine)
        with self._lock:
            if index := self._indexes.get(key):
                self._indexes.move_to_end(key)
                return index
        # Outside the lock: nobody waits for another's text. If two build the same one, they get the same.
        index = yield from build_index(pages, engine, text)
        with self._lock:
            self._indexes[key] = index
            self._indexes.move_to_end(key)
            while sum(each.nbytes for each in self._indexes.values()) > self.budget:
                self._indexes.popitem(last=False)
        return index

    def __len__(self) -> int:
        with self._lock:
            return len(self._indexes)


def _key(pages: Sequence[str], engine: Engine) -> bytes:
    """A hash of the pages, each with its length before it, and of the base that embeds them."""
    digest = sha256(f"{engine.info.name} {engine.info.sha256}".encode())
    for page in pages:
        encoded = page.encode(errors="surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.digest()
