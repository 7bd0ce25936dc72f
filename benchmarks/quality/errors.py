"""Error correction beside what people would install instead: `python benchmarks/quality/errors.py --data FOLDER`.

On JFLEG dev (Napoles, Sakaguchi & Tetreault 2017): GLEU, and F0.5 of whole edits against the best-fitting reference
of each sentence. On sentences made wrong by rule: F0.5, precision and recall of the words marked. On clean sentences:
the share that gets a mark. The rivals, in the same run: changing nothing, pyspellchecker alone and symspellpy alone.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, TypeAlias

from assistant_plugins.error_detection import ErrorDetection
from assistant_plugins.error_detection.edits import Edit, applied, shifted

from assistant import split_sentences
from assistant.engine.encoder import EncoderEngine
from assistant.workshop.data import read_rows
from assistant.workshop.objectives.tag import f_half

Correct: TypeAlias = Callable[[Sequence[str]], list[str]]
Change: TypeAlias = tuple[int, int, tuple[str, ...]]
ORDER = 4
_LETTERS = re.compile(r"(?<![\w'’@#.-])[a-z]{3,}(?![\w'’@-])")
_TOKEN = re.compile(r"n't\b|'(?:s|m|d|re|ve|ll)\b|\w+?(?=n't\b)|\w+(?:[-.]\w+)*|[^\w\s]", re.IGNORECASE)


def unchanged() -> Correct:
    """The text as it is."""
    return list


def pyspellchecker() -> Correct:
    """Every unknown word in lower case becomes its most frequent neighbour within one edit; two take seconds a word."""
    from spellchecker import SpellChecker

    checker = SpellChecker(language="en", distance=1)

    def fixed(word: re.Match[str]) -> str:
        return word[0] if word[0] in checker else checker.correction(word[0]) or word[0]

    return lambda texts: [_LETTERS.sub(fixed, text) for text in texts]


def symspellpy() -> Correct:
    """Every unknown word in lower case becomes its most frequent neighbour within two edits."""
    from importlib.resources import files

    from symspellpy import SymSpell, Verbosity

    speller = SymSpell(max_dictionary_edit_distance=2)
    speller.load_dictionary(str(files("symspellpy") / "frequency_dictionary_en_82_765.txt"), 0, 1)

    def fixed(word: re.Match[str]) -> str:
        found = speller.lookup(word[0], Verbosity.TOP, max_edit_distance=2, include_unknown=True)
        return str(found[0].term)

    return lambda texts: [_LETTERS.sub(fixed, text) for text in texts]


def plugin(engine: EncoderEngine, adapter: Path | None) -> Correct:
    """The shipped application, or the same with another adapter."""

    class Measured(ErrorDetection):
        pass

    if adapter:
        Measured.adapter = adapter
    application = Measured()

    def correct(texts: Sequence[str]) -> list[str]:
        stretches = [
            (n, start, text[start:end])
            for n, text in enumerate(texts)
            for start, end in split_sentences(text)
        ]
        edits: list[list[Edit]] = [[] for _ in texts]
        found = application.corrected([sentence for _, _, sentence in stretches], engine)
        for (n, start, _), of_sentence in zip(stretches, found, strict=True):
            edits[n] += [shifted(edit, start) for edit in of_sentence]
        return [applied(text, each) for text, each in zip(texts, edits, strict=True)]

    return correct


def gleu(
    sources: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
    outputs: Sequence[Sequence[str]],
    iterations: int = 500,
) -> float:
    """GLEU of tokenized sentences in [0, 1] (Napoles et al. 2015, as revised in 2016, arXiv 1605.02592).

    Like BLEU, but n-grams kept from the source that the reference lacks count against the output. With several
    references it is the mean over random choices of one for each sentence.
    """
    rng = random.Random(0)
    table = [
        [_counts(source, reference, output) for reference in several]
        for source, several, output in zip(sources, references, outputs, strict=True)
    ]
    total = 0.0
    for _ in range(iterations):
        chosen = [rng.choice(row) for row in table]
        total += _score([sum(column) for column in zip(*chosen, strict=True)])
    return total / iterations


def _counts(source: Sequence[str], reference: Sequence[str], output: Sequence[str]) -> tuple[int, ...]:
    """Lengths of output and reference, then for each order the n-grams that count and those that could."""
    counts = [len(output), len(reference)]
    for n in range(1, ORDER + 1):
        out, ref, src = (_ngrams(tokens, n) for tokens in (output, reference, source))
        lost = Counter({gram: count for gram, count in src.items() if gram not in ref})
        counts += [max(0, (out & ref).total() - (out & lost).total()), max(0, len(output) + 1 - n)]
    return tuple(counts)


def _ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) + 1 - n))


def _score(counts: Sequence[int]) -> float:
    length, wanted, *pairs = counts
    if not length or not all(pairs):
        return 0.0
    precision = (
        sum(math.log(right / all_) for right, all_ in zip(pairs[::2], pairs[1::2], strict=True)) / ORDER
    )
    return math.exp(min(0.0, 1 - wanted / length) + precision)


def changes(before: Sequence[str], after: Sequence[str]) -> set[Change]:
    """The stretches of tokens that differ, with what stands there afterwards."""
    blocks = SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    return {(i1, i2, tuple(after[j1:j2])) for kind, i1, i2, j1, j2 in blocks if kind != "equal"}


def edit_f_half(
    sources: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
    outputs: Sequence[Sequence[str]],
) -> float:
    """F0.5 of edits, each sentence against the reference that suits it best (as Dahlmeier & Ng 2012 do)."""
    total: Counter[str] = Counter()
    for source, several, output in zip(sources, references, outputs, strict=True):
        made = changes(source, output)
        best = max(
            ((len(made & gold), len(made), len(gold)) for gold in (changes(source, ref) for ref in several)),
            key=lambda counts: (f_half(*counts), -counts[2]),
        )
        total.update(dict(zip(("hits", "found", "gold"), best, strict=True)))
    return f_half(total["hits"], total["found"], total["gold"])


def detection(rows: Sequence[dict[str, Any]], outputs: Sequence[str]) -> tuple[float, float, float]:
    """F0.5, precision and recall of the words marked in texts whose wrong words are known, by place."""
    hits = found = gold = 0
    for row, output in zip(rows, outputs, strict=True):
        words = [match.span() for match in re.finditer(r"\w+|[^\w\s]", row["text"])]
        before = [row["text"][start:end] for start, end in words]
        after = re.findall(r"\w+|[^\w\s]", output)
        wrong = {tag["start"] for tag in row["tags"]}
        marked = set()
        for first, last, _ in changes(before, after):
            # What is put in is missing after the word before it, or before the first one.
            places = range(first, last) if last > first else [max(0, first - 1)]
            marked |= {words[i][0] for i in places}
        hits, found, gold = hits + len(marked & wrong), found + len(marked), gold + len(wrong)
    return f_half(hits, found, gold), hits / max(1, found), hits / max(1, gold)


def detokenized(text: str) -> str:
    """Text as people write it, of tokens with spaces between."""
    text = re.sub(r"\s+(n't|'(?:s|m|d|re|ve|ll)\b|[.,;:!?%)\]])", r"\1", text, flags=re.IGNORECASE)
    return re.sub(r"([(\[$])\s+", r"\1", text)


def tokenized(text: str) -> list[str]:
    """The tokens of a text in the manner of the Penn Treebank."""
    return _TOKEN.findall(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="with grammar/jfleg and grammar/clean_sentences"
    )
    parser.add_argument(
        "--wrong", type=Path, help="rows of text and tags, made by assistant.workshop.corruption"
    )
    parser.add_argument("--adapter", type=Path, help="another adapter than the shipped one")
    options = parser.parse_args()
    grammar = options.data / "grammar"
    jfleg = [row.values for row in read_rows(grammar / "jfleg" / "dev.jsonl.gz")]
    clean = [
        row.values["text"]
        for row in read_rows(grammar / "clean_sentences" / "dev.jsonl.gz")
        if row.values["source"] != "wiki_lowercased"
    ]
    wrong = [dict(row.values) for row in read_rows(options.wrong)] if options.wrong else []
    texts = [detokenized(row["source"]) for row in jfleg]
    sources = [tokenized(text) for text in texts]
    references = [[tokenized(detokenized(text)) for text in row["references"]] for row in jfleg]
    systems: dict[str, Callable[[], Correct]] = {
        "unchanged": unchanged,
        "pyspellchecker": pyspellchecker,
        "symspellpy": symspellpy,
        "error-detection": lambda: plugin(EncoderEngine(), options.adapter),
    }
    print(f"JFLEG dev: {len(jfleg)} sentences; clean: {len(clean)}; made wrong: {len(wrong)}")
    for name, start in systems.items():
        correct = start()
        began = time.perf_counter()
        fixed = [tokenized(text) for text in correct(texts)]
        speed = (time.perf_counter() - began) / len(texts) * 1000
        alarms = sum(a != b for a, b in zip(clean, correct(clean), strict=True)) / len(clean)
        found = detection(wrong, correct([row["text"] for row in wrong]))
        print(
            f"{name:16} GLEU {gleu(sources, references, fixed):.4f}  edit F0.5 "
            f"{edit_f_half(sources, references, fixed):.3f}  clean marked {alarms:.2%}  made wrong: "
            f"F0.5 {found[0]:.3f} P {found[1]:.3f} R {found[2]:.3f}  {speed:.1f} ms a sentence  "
            f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
        )


if __name__ == "__main__":
    main()
