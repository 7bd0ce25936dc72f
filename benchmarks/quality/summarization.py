"""How good the summaries are, beside those of other methods on the same documents: ROUGE F of the adapter, of the first
sentences (Lead), TextRank (Mihalcea & Tarau 2004) and LexRank (Erkan & Radev 2004).

    pip install rouge-score sumy
    python benchmarks/quality/summarization.py dev.jsonl.gz --rows 500

The file has a JSON object a line with `document`, a sentence a line, and `summary`, a sentence a line, or a list of
such texts, of which the one that is closest counts, measure by measure. All methods pick the same number of sentences
and are scored in the same run. ROUGE-1 and -2 and the summary-level ROUGE-L (Lsum) are those of the rouge-score
package, with stemming; an interval is the 95 % percentile bootstrap over documents.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from assistant_plugins.summarization import Summarization
from assistant_plugins.summarization.lengths import Length
from assistant_plugins.summarization.selection import choose
from numpy.typing import NDArray
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.nlp.stemmers import Stemmer
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.summarizers.text_rank import TextRankSummarizer

MEASURES = ("rouge1", "rouge2", "rougeLsum")
RESAMPLES = 1000
Method = Callable[[Sequence[str]], list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=None, help="only the first so many documents")
    parser.add_argument("--sentences", type=int, default=3, help="of each summary (default: 3)")
    parser.add_argument("--adapter", type=Path, default=Summarization.adapter)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    rows = read(options.data, options.rows)
    scorer = RougeScorer(list(MEASURES), use_stemmer=True)
    compared = methods(options.adapter, options.sentences)
    figures: dict[str, dict[str, Any]] = {}
    print(f"{len(rows)} documents, {options.sentences} sentences each\n")
    print("| method | ROUGE-1 | ROUGE-2 | ROUGE-Lsum | documents/s |\n|---|---|---|---|---|")
    for name, method in compared.items():
        started = time.perf_counter()
        chosen = [method(sentences) for sentences, _ in rows]
        per_second = len(rows) / (time.perf_counter() - started)
        scores = np.array(
            [
                [
                    100 * score.fmeasure
                    for score in scorer.score_multi(summaries, extract(sentences, picked)).values()
                ]
                for (sentences, summaries), picked in zip(rows, chosen, strict=True)
            ]
        )
        figures[name] = {"documents_per_second": per_second}
        for measure, (mean, low, high) in zip(MEASURES, intervals(scores), strict=True):
            figures[name][measure] = {"mean": mean, "low": low, "high": high}
        cells = (f"{mean:.1f} ({low:.1f} to {high:.1f})" for mean, low, high in intervals(scores))
        print(f"| {name} | {' | '.join(cells)} | {per_second:.1f} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def read(path: Path, rows: int | None) -> list[tuple[list[str], list[str]]]:
    """(sentences, summaries) of each document that has more than one sentence."""
    opened = gzip.open if path.suffix == ".gz" else open
    found = []
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            summaries = [row["summary"]] if isinstance(row["summary"], str) else row["summary"]
            sentences = [sentence for sentence in row["document"].split("\n") if sentence.strip()]
            if len(sentences) > 1:
                found.append((sentences, summaries))
            if len(found) == rows:
                break
    return found


def methods(adapter: Path, count: int) -> dict[str, Method]:
    """What takes a document's sentences and gives the positions of `count` of them, ascending."""
    found: dict[str, Method] = {}
    if adapter.is_dir():
        from assistant.engine.encoder import EncoderEngine

        engine = EncoderEngine()
        length = Length(count, "sentences")
        found["our adapter"] = lambda sentences: choose(
            sentences, engine.rank([sentences], adapter)[0], length
        )
    else:
        print(f"There is no adapter at {adapter.name}/; only the others are measured.\n")
    found[f"Lead-{count}"] = lambda sentences: list(range(min(count, len(sentences))))
    found["TextRank"] = graph_method(TextRankSummarizer(Stemmer("english")), count)
    found["LexRank"] = graph_method(LexRankSummarizer(Stemmer("english")), count)
    return found


def graph_method(summarizer: Any, count: int) -> Method:
    """One of sumy's methods on sentences that are split already, so that all methods pick from the same."""
    # English stop words of the usual kind; TextRank and LexRank weigh words by how often they occur.
    summarizer.stop_words = frozenset(STOP_WORDS.split())
    tokenizer = Words()

    def pick(sentences: Sequence[str]) -> list[int]:
        # A sentence knows its place only by its text.
        document = ObjectDocumentModel([Paragraph([Sentence(text, tokenizer) for text in sentences])])
        wanted = [str(sentence) for sentence in summarizer(document, count)]
        return sorted({list(map(str.strip, sentences)).index(text.strip()) for text in wanted})

    return pick


class Words:
    """The tokenizer that sumy asks for, with the words that ROUGE counts (sumy's own needs a download)."""

    def __init__(self) -> None:
        self._tokenizer = DefaultTokenizer(use_stemmer=False)

    def to_words(self, text: str) -> tuple[str, ...]:
        return tuple(self._tokenizer.tokenize(text))


STOP_WORDS = (
    "a about after all also an and are as at be because been but by can could did do for from had has have he her his "
    "how i if in into is it its more n not of on one or our out s said she so some t than that the their them there "
    "they this to up was we were what when which who will with would you"
)


def extract(sentences: Sequence[str], chosen: Sequence[int]) -> str:
    return "\n".join(sentences[i] for i in chosen)


def intervals(scores: NDArray[np.float64]) -> list[tuple[float, float, float]]:
    """(mean, lower, upper) for each column of `scores`, shape (documents, measures)."""
    generator = np.random.default_rng(0)
    samples = generator.integers(len(scores), size=(RESAMPLES, len(scores)))
    means = np.array([scores[sample].mean(axis=0) for sample in samples])
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return [
        (float(m), float(lo), float(hi)) for m, lo, hi in zip(scores.mean(axis=0), low, high, strict=True)
    ]


if __name__ == "__main__":
    main()
