"""Whether evidence is what people would point at: `python benchmarks/quality/rationales.py --data FOLDER`.

HateXplain dev (Mathew et al. 2021, arXiv 2012.10289) tells for each abusive post which words made annotators call it
so. The words' leave-one-out weights of the shipped cyberbullying adapter are ranked against those marks, post by post:
average precision (ERASER, DeYoung et al. 2020, arXiv 1911.03429, section 4) and how often the first word is a marked
one. The rivals, in the same run: words in random order, and the words of better-profanity's list first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from assistant_plugins.cyberbullying import NOT_BULLYING, Cyberbullying
from sklearn.metrics import average_precision_score

from assistant.engine.encoder import EncoderEngine
from assistant.workshop.data import good_rows
from assistant.workshop.objectives import mean_metric

Weights = Callable[[Sequence[str]], Sequence[float]]


def leave_one_out(engine: EncoderEngine) -> Weights:
    """How much the probability of any abuse falls without the word."""

    def weights(words: Sequence[str]) -> list[float]:
        without = [" ".join((*words[:i], *words[i + 1 :])) for i in range(len(words))]
        results = engine.classify([" ".join(words), *without], Cyberbullying.adapter)
        abusive = [1 - r.probabilities[r.labels.index(NOT_BULLYING)] for r in results]
        return [abusive[0] - p for p in abusive[1:]]

    return weights


def listed() -> Weights:
    """Words of better-profanity's list before all others."""
    from better_profanity import profanity

    profanity.load_censor_words()
    return lambda words: [float(profanity.contains_profanity(word)) for word in words]


def at_random(seed: int = 0) -> Weights:
    """Any order."""
    rng = np.random.default_rng(seed)
    return lambda words: rng.random(len(words)).tolist()


def main() -> None:
    """Print one line per method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, help="only so many posts, spread evenly")
    given = parser.parse_args()
    posts = [
        (row.values["tokens"], row.values["rationale"])
        for row in good_rows(given.data / "cyberbullying" / "hatexplain" / "dev.jsonl.gz")
        if 0 < sum(row.values["rationale"]) < len(row.values["tokens"])
    ]
    if given.rows and given.rows < len(posts):
        posts = [posts[i * len(posts) // given.rows] for i in range(given.rows)]
    print(
        f"{len(posts)} posts; {np.mean([np.mean(marks) for _, marks in posts]):.2f} of the words are marked"
    )
    engine = EncoderEngine()
    for name, weights in (
        ("leave-one-out", leave_one_out(engine)),
        ("better-profanity", listed()),
        ("random", at_random()),
    ):
        precision, first = [], []
        for words, marks in posts:
            found = np.array(weights(words))
            precision.append(average_precision_score(marks, found))
            best = np.flatnonzero(found == found.max())  # ties count as drawn at random
            first.append(float(np.mean([marks[i] for i in best])))
        for title, values in (("average precision", precision), ("first word marked", first)):
            metric = mean_metric(np.array(values))
            print(f"{name:18} {title:18} {metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})")
    engine.close()


if __name__ == "__main__":
    main()
