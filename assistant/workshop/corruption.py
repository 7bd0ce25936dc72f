"""Clean sentences made wrong, to train a tagger that puts them right: `python -m assistant.workshop.corruption`.

Training on errors made by rule is how GECToR begins (Omelianchuk et al. 2020, arXiv 2005.12592, section 4; the method
goes back to Izumi et al. 2003). A row is `{"text": str, "tags": [{"start": int, "end": int, "label": str}, ...]}`, in
characters; a tag stands on one word of the base's pre-tokenizer, and a word without one is right.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from assistant.errors import DataError
from assistant.workshop import corruption_errors as errors
from assistant.workshop import corruption_form as form
from assistant.workshop.corruption_sentence import Edit, Sentence, Word, split
from assistant.workshop.corruption_words import KEEP, LABELS
from assistant.workshop.data import read_rows, write_rows

# How often each kind is made, of a hundred; after the shares in learners' texts (NUCLE, Dahlmeier, Ng & Wu 2013), with
# more spelling and punctuation, of which chat messages have more. Commas, missing more often than anything else in
# fluent rewrites of such texts (JFLEG), are a kind of their own.
SHARES = {
    "spelling": 17,
    "article": 14,
    "verb": 13,
    "agreement": 8,
    "noun": 9,
    "preposition": 6,
    "preposition_missing": 5,
    "confusion": 8,
    "punctuation": 5,
    "comma": 9,
    "auxiliary": 4,
    "auxiliary_added": 2,
    "comparative": 1,
    "pronoun": 3,
    "pronoun_missing": 2,
    "order": 5,
    "doubled": 3,
    "apart": 3,
    "apostrophe": 4,
    "article_form": 2,
}
MAKERS: dict[str, errors.ErrorMaker] = {
    "article": errors.articles,
    "verb": errors.verbs,
    "agreement": errors.confusions("agreement"),
    "noun": errors.nouns,
    "preposition": errors.confusions("preposition"),
    "preposition_missing": errors.prepositions,
    "confusion": errors.confusions("confusion"),
    "punctuation": form.punctuation,
    "comma": form.commas,
    "auxiliary": errors.auxiliaries,
    "auxiliary_added": errors.auxiliaries_added,
    "comparative": errors.comparatives,
    "pronoun": errors.confusions("pronoun"),
    "pronoun_missing": errors.pronouns,
    "order": form.order,
    "doubled": form.doubled,
    "apart": form.apart,
    "apostrophe": form.apostrophes,
    "article_form": errors.confusions("article"),
}
_KNOWN_LABELS = frozenset(LABELS)
# One, two or three errors in a sentence; one more for every so many words.
COUNTS = (0.6, 0.28, 0.12)
WORDS_AN_ERROR = 5


class Corruption:
    """Makes errors in sentences, the same ones for the same seed and order of sentences.

    `misspellings` gives the wrong spellings of a word, `known` holds words that are no misspellings. `clean` is the
    share of sentences that are left as they are. Labels that have been rare so far are preferred, so that "the" and
    "is" do not crowd out the rest.
    """

    def __init__(
        self,
        misspellings: Mapping[str, Sequence[str]],
        known: Iterable[str],
        seed: int = 0,
        clean: float = 0.35,
    ) -> None:
        self.rng = random.Random(seed)
        spelling = partial(form.spelling, misspellings=misspellings, known=frozenset(known), rng=self.rng)
        self.makers: dict[str, errors.ErrorMaker] = {"spelling": spelling, **MAKERS}
        self.clean = clean
        self.made: Counter[str] = Counter()

    def corrupt(self, text: str) -> dict[str, Any]:
        """A row with one to three errors, or with none."""
        words = split(text)
        edits = [] if self.rng.random() < self.clean else self._chosen(Sentence(words))
        for edit in sorted(edits, reverse=True):
            words = (*words[: edit.start], *edit.words, *words[edit.stop :])
        return row(words)

    def _chosen(self, sentence: Sentence) -> list[Edit]:
        """Edits that do not touch each other."""
        possible = self._possible(sentence)
        wanted = self.rng.choices((1, 2, 3), COUNTS)[0]
        chosen: list[Edit] = []
        while possible and len(chosen) < min(wanted, 1 + len(sentence.words) // WORDS_AN_ERROR):
            kind = self.rng.choices(list(possible), [SHARES[kind] for kind in possible])[0]
            rarity = [(1 + self.made[edit.label]) ** -0.5 for edit in possible[kind]]
            edit = self.rng.choices(possible[kind], rarity)[0]
            self.made[edit.label] += 1
            chosen.append(edit)
            apart = {
                kind: [e for e in edits if e.stop <= edit.start or e.start >= edit.stop]
                for kind, edits in possible.items()
            }
            possible = {kind: edits for kind, edits in apart.items() if edits}
        return chosen

    def _possible(self, sentence: Sentence) -> dict[str, list[Edit]]:
        found = {
            kind: [edit for edit in make(sentence) if edit and edit.label in _KNOWN_LABELS]
            for kind, make in self.makers.items()
        }
        return {kind: edits for kind, edits in found.items() if edits}


def row(words: Sequence[Word]) -> dict[str, Any]:
    """The text of the words, and the place and label of each that is not right."""
    text, tags = "", []
    for word in words:
        start = len(text) + len(word.space)
        text += word.space + word.text
        if word.label != KEEP:
            tags.append({"start": start, "end": len(text), "label": word.label})
    return {"text": text, "tags": tags}


def read_misspellings(path: Path) -> dict[str, list[str]]:
    """For each right word its wrong spellings, from rows of `wrong` and `right`; single words of letters only."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in read_rows(path):
        wrong, right = str(line.values.get("wrong", "")), str(line.values.get("right", ""))
        if wrong.isalpha() and right.isalpha() and wrong.isascii() and wrong.islower() and len(wrong) > 3:
            found[right].append(wrong)
    return dict(found)


def read_sentences(paths: Sequence[Path], left_out: Sequence[str]) -> list[str]:
    """The `text` of all rows but those of the sources left out. Raises DataError when none is left."""
    texts = [
        str(line.values["text"])
        for path in paths
        for line in read_rows(path)
        if not line.error and line.values.get("source") not in left_out and line.values.get("text")
    ]
    if not texts:
        raise DataError(f"{', '.join(path.name for path in paths)} has no sentences.")
    return texts


def draw(sentences: Sequence[str], rows: int, corruption: Corruption) -> Iterator[dict[str, Any]]:
    """`rows` different rows, a sentence the more often the longer it is: errors stand on words, not on sentences.

    Fewer come when the sentences do not yield as many.
    """
    lengths = [len(sentence.split()) for sentence in sentences]
    seen: set[str] = set()
    for sentence in corruption.rng.choices(sentences, lengths, k=rows * 3):
        made = corruption.corrupt(sentence)
        if made["text"] not in seen:
            seen.add(made["text"])
            yield made
        if len(seen) == rows:
            return


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m assistant.workshop.corruption", description=__doc__)
    parser.add_argument("sentences", nargs="+", type=Path, metavar="CLEAN.jsonl.gz")
    parser.add_argument("--misspellings", required=True, type=Path, help="rows of `wrong` and `right`")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clean", type=float, default=0.35, help="share of sentences left as they are")
    parser.add_argument("--leave-out", nargs="*", default=(), metavar="SOURCE", help="values of `source`")
    parser.add_argument("--labels", type=Path, help="where to write the list of labels")
    options = parser.parse_args()
    sentences = read_sentences(options.sentences, options.leave_out)
    known = {word.text.lower() for text in sentences for word in split(text)}
    corruption = Corruption(read_misspellings(options.misspellings), known, options.seed, options.clean)
    counts: Counter[str] = Counter()
    with write_rows(options.out) as write:
        for made in draw(sentences, options.rows, corruption):
            write(made)
            counts.update([tag["label"] for tag in made["tags"]] or ["no error"])
    if options.labels:
        options.labels.write_text(json.dumps(LABELS, indent=1) + "\n", encoding="utf-8")
    for label, count in counts.most_common():
        print(f"{count:7,} {label}")


if __name__ == "__main__":
    main()
