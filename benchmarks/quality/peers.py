"""The shipped classifiers beside what people would install instead: `python benchmarks/quality/peers.py --data FOLDER`.

VADER and TextBlob (sentiment), better-profanity (abusive or not), and TF-IDF with logistic regression, trained on the
same rows as the adapter, on the same dev rows in the same run. Needs the extra `benchmarks`.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from assistant.engine.base import text_or_pair
from assistant.engine.encoder import EncoderEngine
from assistant.workshop.data import Example
from assistant.workshop.evaluation import accuracy, confusion, macro_f1
from assistant.workshop.objectives import mean_metric
from assistant.workshop.recipe import load_recipe

Texts: TypeAlias = Sequence[tuple[str, ...]]
Predict: TypeAlias = Callable[[Texts], list[str]]
ROOT = Path(__file__).parents[2] / "plugins"
ABUSIVE, CLEAN = "abusive", "not_cyberbullying"


def vader() -> Predict:
    """The sign of the compound score."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda rows: [
        "positive" if analyzer.polarity_scores(text)["compound"] >= 0 else "negative" for (text,) in rows
    ]


def textblob() -> Predict:
    """The sign of the polarity."""
    from textblob import TextBlob

    return lambda rows: [
        "positive" if TextBlob(text).sentiment.polarity >= 0 else "negative" for (text,) in rows
    ]


def better_profanity() -> Predict:
    """Whether a listed word occurs."""
    from better_profanity import profanity

    profanity.load_censor_words()
    return lambda rows: [ABUSIVE if profanity.contains_profanity(text) else CLEAN for (text,) in rows]


def tfidf(train: Sequence[Example]) -> Predict:
    """Words and pairs of words, logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=300),
    )
    model.fit(["\n".join(e.texts) for e in train], [e.label for e in train])
    return lambda rows: list(model.predict(["\n".join(texts) for texts in rows]))


def adapter(application: str, engine: EncoderEngine, labels: Sequence[str]) -> Predict:
    """The shipped adapter, among these labels."""
    folder = ROOT / application / "adapter"

    def predict(rows: Texts) -> list[str]:
        found = engine.classify([text_or_pair(texts) for texts in rows], folder)
        return [next(label for label, _ in c.ranked() if label in labels) for c in found]

    return predict


def line(task: str, name: str, predict: Predict, rows: Sequence[Example], binary: bool = False) -> None:
    """Measure one method on one dev set and print it."""
    started = time.perf_counter()
    found = predict([e.texts for e in rows])
    speed = len(rows) / (time.perf_counter() - started)
    gold = [str(e.label) for e in rows]
    if binary:
        gold, found = ([x if x == CLEAN else ABUSIVE for x in labels] for labels in (gold, found))
    labels = sorted(set(gold) | set(found))
    counts = confusion(
        np.array([labels.index(x) for x in gold]), np.array([labels.index(x) for x in found]), len(labels)
    )
    interval = mean_metric(np.array([float(a == b) for a, b in zip(gold, found, strict=True)]))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"| {task} | {name} | {100 * accuracy(counts):.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"
        f" | {100 * macro_f1(counts):.1f} | {speed:,.0f} | {memory:,.0f} |",
        flush=True,
    )


def main() -> None:
    """One table: quality, rows a second, and the process's peak memory so far (MB)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    print("| task | method | accuracy | macro-F1 | rows/s | MB |\n|---|---|---|---|---|---|")
    peers: dict[str, dict[str, Predict]] = {
        "sentiment": {"VADER": vader(), "TextBlob": textblob()},
        "cyberbullying": {"better-profanity": better_profanity()},
        "nli": {},
    }
    engine = EncoderEngine()
    for application, others in peers.items():
        recipe = load_recipe(ROOT / application / "recipe.yaml")
        train = [e for source in recipe.train for e in source.read(given.data, recipe.fields)]
        methods = {**others, "TF-IDF + logistic regression": tfidf(train)}
        for source in recipe.dev:
            dev = source.read(given.data, recipe.fields)
            labels = sorted({e.label for e in dev})
            task = f"{application}, {Path(source.path).parent.name}"
            both = {**methods, "adapter": adapter(application, engine, labels)}
            for name, predict in both.items():
                if name in ("VADER", "TextBlob") and len(labels) > 2:
                    continue  # they have no threshold for "neutral" of their own
                if name != "better-profanity":
                    line(task, name, predict, dev)
                if application == "cyberbullying":
                    line(f"{task}, abusive or not", name, predict, dev, binary=True)
    engine.close()


if __name__ == "__main__":
    main()
