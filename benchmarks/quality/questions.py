"""Question answering beside BM25: `python benchmarks/quality/questions.py dev.json.gz`.

The file is SQuAD JSON. Each question is asked of its whole article, as somebody would ask an attached document. BM25
(bm25s, Lù 2024, arXiv 2407.03618) gives the article's sentence that shares most with the question; the application
gives a span, and the sentence around it. Of both: how often the sentence holds a gold answer, and the F1 of the words
given with the gold answer's (Rajpurkar et al. 2016). Only questions with an answer are asked. Needs the extra
`benchmarks`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bm25s
import numpy as np
from assistant_plugins.question_answering import QuestionAnswering
from assistant_plugins.question_answering.index import Index, build_index
from assistant_plugins.question_answering.passages import sentence_around
from assistant_plugins.question_answering.reading import combined

from assistant import split_sentences
from assistant.engine.encoder import EncoderEngine
from assistant.workshop.objectives import mean_metric
from assistant.workshop.objectives.extract import answer_f1


@dataclass(frozen=True)
class Article:
    """Paragraphs, and the questions about them, each with its gold answers."""

    paragraphs: tuple[str, ...]
    questions: tuple[tuple[str, tuple[str, ...]], ...]


# The words that are given, and the sentence that they are from.
Found = tuple[str, str]
Answer = Callable[[Article], list[Found]]


def read(path: Path, rows: int) -> list[Article]:
    """Articles with about `rows` questions in all, evenly spread."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        content = json.load(file)["data"]
    total = sum(len(p["qas"]) for article in content for p in article["paragraphs"])
    step = max(1, total // rows)
    articles = []
    for article in content:
        asked = [
            (qa["question"], tuple(answer["text"] for answer in qa["answers"]))
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
            if qa["answers"]
        ]
        paragraphs = tuple(paragraph["context"] for paragraph in article["paragraphs"])
        articles.append(Article(paragraphs, tuple(asked[::step])))
    return articles


def bm25(article: Article) -> list[Found]:
    """The sentence that shares most with the question."""
    sentences = [text[a:b] for text in article.paragraphs for a, b in split_sentences(text)]

    def tokens(texts: Sequence[str]) -> bm25s.tokenization.Tokenized:
        return bm25s.tokenize(list(texts), stopwords="en", show_progress=False)

    retriever = bm25s.BM25()
    retriever.index(tokens(sentences), show_progress=False)
    asked = tokens([question for question, _ in article.questions])
    best = retriever.retrieve(asked, k=1, show_progress=False).documents[:, 0]
    return [(sentences[i], sentences[i]) for i in best]


def application(engine: EncoderEngine, adapter: Path) -> Answer:
    """The passages that fit the question, read by the adapter."""

    def index(pages: Sequence[str]) -> Index:
        building = build_index(pages, engine)
        while True:
            try:
                next(building)
            except StopIteration as done:
                return done.value

    def answer(article: Article) -> list[Found]:
        pages, found = article.paragraphs, []
        built = index(pages)
        for question, _ in article.questions:
            passages = built.nearest(question, pages, engine)
            spans = engine.extract([(question, passage.text(pages)) for passage in passages], adapter)
            answers, _ = combined(zip(passages, spans, strict=True), pages)
            if not answers:
                found.append(("", ""))
                continue
            best, page = answers[0], pages[answers[0].passage.page]
            start, end = sentence_around(page, best.start, best.end)
            found.append((best.text, page[start:end]))
        return found

    return answer


def interval(values: Iterable[float]) -> str:
    """A mean in percent with its 95 % bootstrap interval."""
    metric = mean_metric(np.array(list(values)))
    return f"{100 * metric.value:.1f} ({100 * metric.low:.1f} to {100 * metric.high:.1f})"


def main() -> None:
    """Print a row per method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--adapter", type=Path, default=QuestionAnswering.adapter)
    given = parser.parse_args()
    articles = read(given.data, given.rows)
    asked = [gold for article in articles for _, gold in article.questions]
    print(f"{len(asked)} questions about {len(articles)} articles\n")
    print(
        "| method | sentence with the answer | F1 of the answer | questions/s | MB |\n|---|---|---|---|---|"
    )
    methods = {"BM25 sentence": bm25, "question-answering": application(EncoderEngine(), given.adapter)}
    for name, method in methods.items():
        started = time.perf_counter()
        found = [pair for article in articles for pair in method(article)]
        speed = len(found) / (time.perf_counter() - started)
        right = [
            any(gold.casefold() in sentence.casefold() for gold in golds)
            for (_, sentence), golds in zip(found, asked, strict=True)
        ]
        f1 = [
            max(answer_f1(words, gold) for gold in golds)
            for (words, _), golds in zip(found, asked, strict=True)
        ]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"| {name} | {interval(map(float, right))} | {interval(f1)} | {speed:.1f} | {memory:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
