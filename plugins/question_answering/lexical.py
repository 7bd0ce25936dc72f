"""BM25: how well the words of a question fit each passage.

Robertson & Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", section 3.2.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# How soon a repeated word counts no more, and how much a long passage pays for its length: the usual values.
K1, B = 1.2, 0.75
# Words are compared by their first letters, which does what a stemmer does in most languages of Europe
# (McNamee & Mayfield 2004, "Character N-Gram Tokenization for European Language Text Retrieval").
STEM = 6
# What questions are made of, English and Portuguese. They are rare in some texts, where they would weigh much.
_QUESTION_WORDS = """
a an the of in on at to for from by with and or is are was were be been do does did has have had it its this that which
who whom whose what when where why how many much there about as text document passage according
o os um uma de do da dos das em no na nos nas ao aos para por pelo pela com e ou que se qual quais quem quando onde como
quanto quantos quanta quantas porque foi era sao sobre segundo texto documento seu sua
"""
STOP_WORDS = frozenset(_QUESTION_WORDS.split())
_WORD = re.compile(r"\w+")


def terms(text: str) -> list[str]:
    """The words to compare by, in order: folded, without accents, stop words and endings."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c)) if not folded.isascii() else folded
    return [
        word[:STEM] if word.isalpha() else word for word in _WORD.findall(plain) if word not in STOP_WORDS
    ]


class Lexical:
    """The weight of every term in every passage: for term `t`, `weights[i]` in passage `rows[i]`, where `i` runs from
    `starts[t]` to `starts[t + 1]`."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [Counter(terms(text)) for text in texts]
        self.size = len(texts)
        self.vocabulary: dict[str, int] = {}
        columns = np.array(
            [self.vocabulary.setdefault(t, len(self.vocabulary)) for c in counted for t in c], np.int32
        )
        rows = np.repeat(np.arange(self.size, dtype=np.int32), [len(c) for c in counted])
        counts = np.array([n for c in counted for n in c.values()], np.float32)
        lengths = np.array([c.total() for c in counted], np.float32)
        found_in = np.bincount(columns, minlength=len(self.vocabulary))
        rarity = np.log1p((self.size - found_in + 0.5) / (found_in + 0.5))
        norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if self.size else 0.0, 1.0))
        order = np.argsort(columns, kind="stable")
        self.rows: NDArray[np.int32] = rows[order]
        self.weights: NDArray[np.float32] = (
            rarity[columns] * counts * (K1 + 1) / (counts + norm[rows])
        ).astype(np.float32)[order]
        self.starts = np.concatenate([[0], np.cumsum(found_in)])

    @property
    def nbytes(self) -> int:
        """Bytes held, about: a short text and a number take a hundred in a dictionary."""
        return self.rows.nbytes + self.weights.nbytes + self.starts.nbytes + 100 * len(self.vocabulary)

    def scores(self, question: str) -> NDArray[np.float32]:
        """The score of each passage, shape (passages,); 0 where it shares no word with the question."""
        result = np.zeros(self.size, np.float32)
        for term in set(terms(question)):
            if (column := self.vocabulary.get(term)) is not None:
                own = slice(self.starts[column], self.starts[column + 1])
                result[self.rows[own]] += self.weights[own]
        return result
