"""Zero-shot: entailment of a hypothesis per label.

What it does: asks, for each label, whether the label's hypothesis ("This text sounds positive.") follows from the
input. An adapter for textual entailment gives the probability; the labels' shares are the softmax of its log-odds.

When to use it: when there are no labelled rows at all, and for a first look at a new set of labels. It takes one pass
per label, so it is slow with many of them, and it is only as good as the hypotheses are worded.

Inputs: texts, or pairs (laid out as one text); a hypothesis for each label (else `hypothesis` is filled in with the
label's name); the folder of an adapter that has the label "entailment".

Relation to the others: no training and no shots, and so below both; the gain of `few_shot` and of a trained adapter is
measured from here.

Example:

    ZeroShot(hypothesis="This film is {label}.").fit(task, watch).classifier.predict(["A warm, funny film."])

Reference: Yin, Hay & Roth 2019, "Benchmarking Zero-shot Text Classification" (arXiv 1909.00161).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from assistant.applications import Application
from assistant.engine.base import Classification, Engine, TextOrPair
from assistant.errors import AdapterError, AssistantError, DataError
from assistant.workshop.methods import Fitted, LabelledTask, Method, Watch, sides
from assistant.workshop.methods.vectors import distributions

ENTAILMENT = "entailment"
# Probabilities closer to 0 or 1 than this say no more: float32 rounds there.
_EPSILON = 1e-6


@dataclass(frozen=True)
class ZeroShot(Method):
    """Classifies by hypotheses: the task's own, else `hypothesis` with the label's name in the place of {label}."""

    id: ClassVar[str] = "zero-shot"
    title: ClassVar[str] = "Zero-shot"
    description: ClassVar[str] = "Asks which label's sentence follows from the text; needs no examples."
    by_entailment: ClassVar[bool] = True

    hypothesis: str = "This example is {label}."

    def fit(self, task: LabelledTask, watch: Watch) -> Fitted:
        """See Method. Raises AdapterError without an adapter for entailment, DataError for a bad hypothesis."""
        if task.entailment is None:
            raise AdapterError(
                f"Zero-shot needs an application with the label {ENTAILMENT!r} on two texts and an adapter that "
                "loads; none is installed."
            )
        if "{label}" not in self.hypothesis:
            raise DataError(f"The hypothesis {self.hypothesis!r:.80} has no {{label}} in it.")
        hypotheses = [
            task.hypotheses.get(label) or self.hypothesis.replace("{label}", label.replace("_", " "))
            for label in task.labels
        ]
        classifier = Entailment(task.engine, task.labels, hypotheses, task.fields, task.entailment)
        return Fitted(classifier, 0, sum(len(each.encode()) for each in hypotheses), 0.0)


class Entailment:
    """Says which label's hypothesis follows. `adapter` has to have the label "entailment"."""

    def __init__(
        self,
        engine: Engine,
        labels: Sequence[str],
        hypotheses: Sequence[str],
        fields: Sequence[str],
        adapter: Path,
    ) -> None:
        self.engine = engine
        self.labels = tuple(labels)
        self.hypotheses = tuple(hypotheses)
        self.fields = tuple(fields)
        self.adapter = adapter

    def predict(self, inputs: Sequence[TextOrPair]) -> list[Classification]:
        """See Classifier."""
        import numpy as np

        pairs = [(self._premise(texts), hypothesis) for texts in inputs for hypothesis in self.hypotheses]
        if not pairs:
            return []
        log_odds = np.array([_log_odds(result) for result in self.engine.classify(pairs, self.adapter)])
        return distributions(log_odds.reshape(len(inputs), len(self.labels)), self.labels)

    def _premise(self, texts: TextOrPair) -> str:
        """One text as it is; of several, each with its field's name before it."""
        if isinstance(texts, str):
            return texts
        return "\n".join(f"{field}: {text}" for field, text in zip(self.fields, sides(texts), strict=True))


def entailment_adapter(applications: Mapping[str, Application], engine: Engine) -> Path | None:
    """The adapter of the first application that tells whether one text follows from another: one that has the label
    "entailment" on two fields. None where there is none."""
    for application in applications.values():
        if application.adapter is None or len(application.fields) != 2:
            continue
        try:
            if ENTAILMENT in engine.adapter(application.adapter).labels:
                return application.adapter
        except AssistantError:
            continue  # one application's adapter is damaged or not for this engine; another one may do
    return None


def _log_odds(result: Classification) -> float:
    p = min(max(result.probabilities[result.labels.index(ENTAILMENT)], _EPSILON), 1 - _EPSILON)
    return math.log(p / (1 - p))
