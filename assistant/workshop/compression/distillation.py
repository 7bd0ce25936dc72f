"""Distillation: a smaller student learns what a trained adapter says of each text.

What it does: the teacher's probabilities p, softened by a temperature T, are what the student's q should be:

    loss = α T² KL(p^(1/T) ‖ q^(1/T)) + (1 - α) cross entropy with the label, where there is one

The student is an adapter on the lowest layers of the same base (`layers` of its recipe), so it costs no base
weights of its own and runs beside all other adapters, in a fraction of the time.

When to use it: where an adapter is right but too slow, or where labels are few and texts are many, since the
teacher's opinion of a text takes the place of a label.

Relation to the others: pruning and quantization change a trained model; this trains a small one anew.

Reference: Hinton, Vinyals & Dean 2015, "Distilling the Knowledge in a Neural Network" (arXiv 1503.02531). A student
of the teacher's lowest layers is that of Sanh et al. 2019, "DistilBERT" (arXiv 1910.01108), and Sun et al. 2019,
"Patient Knowledge Distillation" (arXiv 1908.09355).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from assistant.engine.adapters import WEIGHTS
from assistant.engine.base import Engine, text_or_pair
from assistant.engine.embedded import Dimensions
from assistant.errors import DataError
from assistant.workshop.compression.timing import taking_turns
from assistant.workshop.data import Example, Soft, fingerprint
from assistant.workshop.recipe import Distillation, Recipe

LAYERS = 3  # of a student whose recipe does not say
CHUNK = 512  # texts that the teacher reads between two reports


def student_recipe(
    recipe: Recipe,
    layers: int | None = None,
    temperature: float | None = None,
    alpha: float | None = None,
) -> Recipe:
    """The recipe of a student: as it is, but for what is given; of a recipe that is none, a student with the defaults.
    Raises DataError for what cannot be distilled."""
    if recipe.operation != "classify":
        raise DataError(
            f"Distillation is for recipes that classify; {recipe.application} is to {recipe.operation}."
        )
    layers, most = layers or recipe.layers or LAYERS, Dimensions().layers
    if layers > most:
        raise DataError(f"The student has {layers} layers; the base has {most}.")
    changes = {"temperature": temperature, "alpha": alpha}
    settings = (recipe.training.distillation or Distillation()).model_dump()
    settings |= {name: value for name, value in changes.items() if value is not None}
    training = recipe.training.model_copy(update={"distillation": Distillation(**settings)})
    return recipe.model_copy(update={"layers": layers, "training": training})


def soft_labels(
    engine: Engine,
    teacher: Path,
    examples: Sequence[Example],
    labels: Sequence[str],
    kept: Path | None = None,
    report: Callable[[int], bool] = lambda done: True,
) -> list[Example]:
    """The examples with the teacher's probabilities beside their labels.

    `kept` is a file that they are written to, and read from when it is about the same texts and teacher: a resumed run
    has to learn from the same figures. `report` is called with the number of texts that are done; returning False
    stops. Raises DataError when it was stopped, or the teacher has other labels.
    """
    known = engine.adapter(teacher).labels
    if known != tuple(labels):
        raise DataError(
            f"The teacher has the labels {', '.join(known)}; the student has {', '.join(labels)}."
        )
    digest = hashlib.sha256((teacher / WEIGHTS).read_bytes()).hexdigest()[:16]
    key = f"{fingerprint(examples)} {digest}"
    probabilities = _kept(kept, key)
    if probabilities is None:
        probabilities = torch.zeros(len(examples), len(labels))
        # Of similar length together: padding costs time.
        order = sorted(range(len(examples)), key=lambda i: sum(map(len, examples[i].texts)))
        for start in range(0, len(order), CHUNK):
            part = order[start : start + CHUNK]
            found = engine.classify([text_or_pair(examples[i].texts) for i in part], teacher)
            probabilities[part] = torch.tensor([c.probabilities for c in found])
            if not report(min(len(order), start + CHUNK)):
                raise DataError("Stopped while the teacher was reading.")
        if kept is not None:
            temporary = kept.with_suffix(".tmp")
            save_file({"probabilities": probabilities}, temporary, {"key": key})
            temporary.replace(kept)
    return [
        Example(e.texts, Soft(e.label, tuple(p)))
        for e, p in zip(examples, probabilities.tolist(), strict=True)
    ]


def _kept(path: Path | None, key: str) -> Any:
    """The probabilities of an earlier run with the same key, or None."""
    if path is None or not path.is_file():
        return None
    try:
        with safe_open(str(path), framework="pt") as file:
            return file.get_tensor("probabilities") if (file.metadata() or {}).get("key") == key else None
    except (SafetensorError, OSError):
        return None


def hard_recipe(recipe: Recipe) -> Recipe:
    """The same student, learning from labels alone."""
    training = recipe.training.model_copy(update={"distillation": None})
    return recipe.model_copy(update={"training": training, "unlabelled": ()})


def times_as_fast(
    engine: Engine, student: Path, teacher: Path, examples: Sequence[Example], at_once: int
) -> float:
    """The teacher's seconds over the student's, as they are served, `at_once` texts a call.

    The batcher's wait for company counts, as it does for a visitor.
    """
    inputs = [text_or_pair(e.texts) for e in examples]
    parts = [inputs[start : start + at_once] for start in range(0, len(inputs), at_once)]
    of_student, of_teacher = taking_turns(
        [partial(engine.classify, adapter=a) for a in (student, teacher)], parts
    )
    return of_teacher / of_student
