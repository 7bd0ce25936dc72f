"""A student on few texts, by labels and by a teacher's opinions: `python benchmarks/distillation.py --data FOLDER`.

The same student (LoRA on the lowest two layers) learns from 8, 100 and 1,000 posts of Wang 2020: once from their
labels, once from what the shipped cyberbullying adapter says of them, their labels unseen; each for as many
steps, with several seeds that also draw other posts. The teacher was trained on these posts among others. Figures
are macro-F1 on dev rows.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from assistant.engine.encoder import EncoderEngine
from assistant.workshop.batches import predict_logits
from assistant.workshop.compression.distillation import hard_recipe, soft_labels, student_recipe
from assistant.workshop.data import Example
from assistant.workshop.objectives import objective
from assistant.workshop.recipe import Lora, Recipe, load_recipe
from assistant.workshop.training import train

PLUGIN = Path(__file__).parent.parent / "plugins" / "cyberbullying"
# Texts and the epochs over them: 60, 120 and 250 steps.
SIZES = {8: 60, 100: 30, 1000: 8}


def macro_f1(recipe: Recipe, rows: Sequence[Example], dev: Sequence[Example]) -> float:
    """Of the student of this recipe on these rows."""
    task = objective("classify")
    # One evaluation, at the end: with few labels nobody has a dev set to choose the best step by.
    with tempfile.TemporaryDirectory() as run:
        model, _ = train(recipe, rows, dev, Path(run), save_every=10**9)
    encoded = task.encode(dev, recipe)
    return task.score(predict_logits(model, encoded), encoded)


def main() -> None:
    """Print a line per number of texts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dev-rows", type=int, default=1000)
    given = parser.parse_args()
    recipe = load_recipe(PLUGIN / "recipe.yaml").model_copy(update={"method": Lora()})
    labelled = recipe.train[0].read(given.data, recipe.fields)
    dev = recipe.dev[0].read(given.data, recipe.fields)[: given.dev_rows]
    engine = EncoderEngine()
    ways: dict[str, Callable[[Recipe, list[Example]], tuple[Recipe, list[Example]]]] = {
        "labels": lambda made, rows: (hard_recipe(made), rows),
        "opinions": lambda made, rows: (
            student_recipe(made, alpha=1),
            soft_labels(engine, PLUGIN / "adapter", [Example(e.texts, None) for e in rows], made.labels),
        ),
    }
    print(f"macro-F1 on {len(dev):,} dev rows, mean of {given.seeds} seeds (lowest to highest)")
    for count, epochs in SIZES.items():
        line = f"{count:5} texts"
        for name, way in ways.items():
            scores = []
            for seed in range(given.seeds):
                rows = random.Random(seed).sample(labelled, count)
                settings = {"epochs": epochs, "evaluations": 1, "seed": seed, "learning_rate": 1e-3}
                training = recipe.training.model_copy(update=settings)
                made = student_recipe(recipe.model_copy(update={"training": training}), layers=2)
                scores.append(macro_f1(*way(made, rows), dev))
            line += f"   {name} {np.mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})"
        print(line, flush=True)
    engine.close()


if __name__ == "__main__":
    main()
