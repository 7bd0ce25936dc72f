"""One application's data under every method: `python benchmarks/quality/methods.py sentiment --data FOLDER`.

Zero-shot, few-shot and logistic regression on frozen features, the shipped adapter, and (with --fine-tune) full
fine-tuning with the recipe's epochs, each measured on the recipe's dev rows. --write puts the figures into the
adapter's manifest and card.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import torch

from assistant.classification import TextClassification
from assistant.engine.base import Classification, TextOrPair, text_or_pair
from assistant.engine.encoder import EncoderEngine
from assistant.engine.manifest import read_manifest, write_manifest
from assistant.prompts import load_prompt
from assistant.workshop.batches import predict_logits
from assistant.workshop.data import Example
from assistant.workshop.evaluation import report
from assistant.workshop.methods import LabelledTask, Method
from assistant.workshop.methods.feature_based import FeatureBased
from assistant.workshop.methods.few_shot import FewShot
from assistant.workshop.methods.zero_shot import ZeroShot
from assistant.workshop.objectives import objective
from assistant.workshop.prediction import prompt_task
from assistant.workshop.publishing import card
from assistant.workshop.recipe import FineTuning, Recipe, load_recipe
from assistant.workshop.training import train

Predict = Callable[[Sequence[TextOrPair]], list[Classification]]


def fine_tuned(recipe: Recipe, rows: list[Example], dev: list[Example], rate: float) -> Predict:
    """Train all weights with the recipe's settings, but a learning rate of their own."""
    settings = recipe.training.model_copy(update={"learning_rate": rate})
    recipe = recipe.model_copy(update={"method": FineTuning(), "training": settings})
    with tempfile.TemporaryDirectory() as run:
        model, progress = train(recipe, rows, dev, Path(run))
    print(f"fine-tuning: {progress.seconds:.0f} s, {progress.history}", flush=True)

    def predict(inputs: Sequence[TextOrPair]) -> list[Classification]:
        examples = [
            Example((x,) if isinstance(x, str) else x, recipe.labels[0]) for x in inputs
        ]  # labels are not looked at
        logits = predict_logits(model, objective("classify").encode(examples, recipe))
        return [Classification(recipe.labels, tuple(torch.softmax(x[0], -1).tolist())) for x in logits]

    return predict


def fitted(method: Method, task: LabelledTask) -> Predict:
    return method.fit(task, lambda fraction, note: True).classifier.predict


def main() -> None:
    """Measure and print; one line per method and dev source."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("application")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=500, help="dev rows per source for zero- and few-shot")
    parser.add_argument("--fine-tune", action="store_true")
    parser.add_argument("--learning-rate", type=float, default=5e-5, help="of fine-tuning")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    (point,) = [p for p in entry_points(group="assistant") if p.name == given.application]
    plugin = point.load()
    (skill,) = plugin.register_applications()
    assert isinstance(skill, TextClassification) and skill.adapter and skill.prompts
    recipe = load_recipe(Path(plugin.__file__).parent / "recipe.yaml")
    rows = [e for source in recipe.train for e in source.read(given.data, recipe.fields)]
    dev = [(Path(s.path).parent.name, s.read(given.data, recipe.fields)) for s in recipe.dev]
    engine = EncoderEngine()
    prompt = load_prompt(skill.prompts, "en")
    nli = Path(plugin.__file__).parent.parent / "nli" / "adapter"
    described = replace(prompt_task(prompt, engine, nli), folder=Path(tempfile.mkdtemp()))
    methods: dict[str, Callable[[], Predict]] = {
        "zero-shot": lambda: fitted(ZeroShot(), described),
        "few-shot": lambda: fitted(FewShot(shots=None), described),
        "frozen features + logistic regression": lambda: fitted(
            FeatureBased(), replace(described, train=tuple(rows))
        ),
        "adapter": lambda: lambda inputs: engine.classify(inputs, skill.adapter),
    }
    if given.application == "nli":
        del methods["zero-shot"]  # entailment of a hypothesis is what the adapter itself does
    if given.fine_tune:
        methods["full fine-tuning"] = lambda: fine_tuned(
            recipe, rows, [e for _, part in dev for e in part], given.learning_rate
        )
    comparisons: dict[str, float] = {}
    for name, make in methods.items():
        predict, scores = make(), []
        for source, examples in dev:
            part = examples
            if name in ("zero-shot", "few-shot") and len(examples) > given.rows:
                part = [examples[i * len(examples) // given.rows] for i in range(given.rows)]
            started = time.perf_counter()
            found = predict([text_or_pair(e.texts) for e in part])
            speed = len(part) / (time.perf_counter() - started)
            metrics = report([e.label for e in part], found).metrics
            accuracy, f1 = metrics["accuracy"], metrics["macro_f1"]
            print(
                f"{name:40} {source:18} accuracy {accuracy.value:.4f} ({accuracy.low:.4f} to {accuracy.high:.4f}) "
                f"macro-F1 {f1.value:.4f} ({f1.low:.4f} to {f1.high:.4f}) {speed:7.0f} rows/s",
                flush=True,
            )
            scores.append((source, accuracy.value, f1.value))
        if name != "adapter":
            for source, accuracy_value, f1_value in scores:
                comparisons[f"{name}, {source}, accuracy"] = round(accuracy_value, 4)
                comparisons[f"{name}, {source}, macro_f1"] = round(f1_value, 4)
    engine.close()
    if given.write:
        manifest = read_manifest(skill.adapter)
        manifest = manifest.model_copy(update={"comparisons": {**manifest.comparisons, **comparisons}})
        write_manifest(manifest, skill.adapter)
        command = f"assistant train {given.application} --data DATA"
        (skill.adapter / "README.md").write_text(card(manifest, skill.title, command), encoding="utf-8")


if __name__ == "__main__":
    main()
