"""How near adapters come to full fine-tuning: `python benchmarks/quality/adaptation.py APPLICATION --data FOLDER`.

A linear head on frozen features, a bottleneck adapter, LoRA and all weights, each trained on the same rows of the
application's recipe for as many epochs in the same run, and scored on the same dev rows by what training looks at
(accuracy, macro-F1, F0.5 of tags, token F1 of answers, average precision of sentences). Intervals are 95 % bootstrap
intervals over the dev rows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from assistant.workshop.batches import predict_logits
from assistant.workshop.data import spread
from assistant.workshop.objectives import objective
from assistant.workshop.recipe import Bottleneck, FineTuning, Lora, Method, Recipe, load_recipe
from assistant.workshop.training import train

RESAMPLES = 200
# The learning rate of all weights, and that of a head alone; adapters take the recipe's.
OWN_RATES = {"all weights": 1e-4, "frozen features": 5e-3}
METHODS: dict[str, Method] = {
    "frozen features": FineTuning(frozen_layers=6),
    "bottleneck": Bottleneck(),
    "lora": Lora(),
    "all weights": FineTuning(),
}


def main() -> None:
    """Print a line for each method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("application")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--dev-rows", type=int, default=1_000)
    parser.add_argument("--epochs", type=float, default=2)
    given = parser.parse_args()
    (point,) = [p for p in entry_points(group="assistant") if p.name == given.application]
    recipe = load_recipe(Path(point.load().__file__).parent / "recipe.yaml")
    rows, dev = (
        spread([e for s in sources for e in s.read(given.data, recipe.fields, recipe.operation)], most)
        for sources, most in ((recipe.train, given.rows), (recipe.dev, given.dev_rows))
    )
    print(f"{given.application}: {len(rows)} rows, {len(dev)} dev rows, {given.epochs:g} epochs")
    task = objective(recipe.operation)
    for name, method in METHODS.items():
        rate = OWN_RATES.get(name, recipe.training.learning_rate)
        settings = recipe.training.model_copy(update={"epochs": given.epochs, "learning_rate": rate})
        own: Recipe = recipe.model_copy(update={"method": method, "training": settings})
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as run:
            model, _ = train(own, rows, dev, Path(run))
        seconds = time.perf_counter() - start
        encoded = task.encode(dev, own)
        logits = predict_logits(model, encoded)
        rng = np.random.default_rng(0)
        draws = [rng.integers(0, len(encoded), len(encoded)) for _ in range(RESAMPLES)]
        scores = [task.score([logits[i] for i in draw], [encoded[i] for i in draw]) for draw in draws]
        low, high = np.quantile(scores, [0.025, 0.975])
        trained = sum(parameter.numel() for parameter in model.trained().values())
        print(
            f"{name:16} {task.score(logits, encoded):.4f} ({low:.4f} to {high:.4f}) "
            f"{trained:>11,} parameters {seconds:6.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
