"""Zero-shot: entailment of a hypothesis per label.

What it does: asks, for each label, whether the label's hypothesis ("This text sounds positive.") follows from
the input. An adapter for textual entailment gives the probability; the labels' shares are the softmax of its
log-odds.

When to use it: when there are no labelled rows at all, and for a first look at a new set of labels. It takes
one pass per label, so it is slow with many of them, and it is only as good as the hypotheses are worded.

Inputs: texts, or pairs (laid out as one text); a prompt file with a hypothesis for each label; the folder of
an adapter that has the label "entailment".

Relation to the others: no training and no shots, and so below both; the gain of `few_shot` and of a trained
adapter is measured from here.

Example:

    adapter = entailment_adapter(applications, engine)
    ZeroShot(engine, load_prompt(folder, "en"), adapter).predict(["A warm, funny film."])

Reference: Yin, Hay & Roth 2019, "Benchmarking Zero-shot Text Classification" (arXiv 1909.00161).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from assistant.applications import Application
from assistant.engine.base import Classification, Engine, TextOrPair
from assistant.errors import AdapterError
from assistant.prompts import Prompt
from assistant.workshop.methods import sides

ENTAILMENT = "entailment"
# Probabilities closer to 0 or 1 than this say no more: float32 rounds there.
_EPSILON = 1e-6


class ZeroShot:
    """Classifies by the hypotheses of a prompt. `adapter` has to have the label "entailment"."""

    def __init__(self, engine: Engine, prompt: Prompt, adapter: Path) -> None:
        self.engine = engine
        self.prompt = prompt
        self.adapter = adapter
        self.labels = tuple(prompt.labels)

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier. The labels are the prompt's."""
        hypotheses = self.prompt.hypotheses().values()
        pairs = [(self._premise(texts), hypothesis) for texts in inputs for hypothesis in hypotheses]
        log_odds = iter([_log_odds(result) for result in self.engine.classify(pairs, self.adapter)])
        return [
            Classification(self.labels, _softmax(list(islice(log_odds, len(self.labels))))) for _ in inputs
        ]

    def _premise(self, texts: TextOrPair) -> str:
        """One text as it is; of several, each with its field's name before it."""
        if isinstance(texts, str):
            return texts
        return "\n".join(
            f"{field}: {text}" for field, text in zip(self.prompt.fields, sides(texts), strict=True)
        )


def entailment_adapter(applications: Mapping[str, Application], engine: Engine) -> Path:
    """The adapter of the first application that tells whether one text follows from another.

    Raises AdapterError when none of them has the label "entailment" on two fields.
    """
    for application in applications.values():
        if application.adapter is None or len(application.fields) != 2:
            continue
        try:
            if ENTAILMENT in engine.adapter(application.adapter).labels:
                return application.adapter
        except AdapterError:
            continue  # a damaged adapter of one application; another one may do
    raise AdapterError(
        f"Zero-shot needs an application with the label {ENTAILMENT!r} on two texts and an adapter that loads; "
        "none is installed."
    )


def _log_odds(result: Classification) -> float:
    p = min(max(result.probabilities[result.labels.index(ENTAILMENT)], _EPSILON), 1 - _EPSILON)
    return math.log(p / (1 - p))


def _softmax(scores: Sequence[float]) -> tuple[float, ...]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    return tuple(weight / sum(weights) for weight in weights)
