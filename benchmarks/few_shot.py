"""A handful of examples of each label, beside SetFit: `python benchmarks/few_shot.py --data FOLDER`.

Each seed draws other examples of each label from train; all methods learn from the same ones, and figures are accuracy
on the same dev rows: mean and standard deviation over the seeds. The rival is SetFit (Tunstall et al. 2022, arXiv
2209.11055) on the same base with its own defaults; `pip install setfit` beforehand, or it is left out. "From
sentiment" means that the shipped adapter reads the texts: it was trained on customer reviews and on the sentences of
SST-5 with two labels instead of five, so on these sets it knows more than the few examples say.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import assistant_plugins.sentiment

from assistant.engine import embedded
from assistant.engine.encoder import EncoderEngine
from assistant.workshop.data import Example, read_examples
from assistant.workshop.methods import LabelledTask, Method, inputs_of
from assistant.workshop.methods.feature_based import FeatureBased
from assistant.workshop.methods.few_shot import FewShot
from assistant.workshop.methods.lora import Lora

SETS = ("customer_reviews", "sst5", "tweets3")
SENTIMENT = Path(assistant_plugins.sentiment.__file__).parent / "adapter"
METHODS: dict[str, Method] = {
    "few-shot": FewShot(None),
    "feature-based": FeatureBased(),
    "LoRA": Lora(),
    "few-shot from sentiment": FewShot(None, start="sentiment"),
    "feature-based from sentiment": FeatureBased(start="sentiment"),
    "LoRA from sentiment": Lora(start="sentiment"),
}
Answer = Callable[[Sequence[Example]], list[str]]


def learnt(method: Method, task: LabelledTask) -> Answer:
    """The labels that a method of the workshop gives."""
    classifier = method.fit(task, lambda fraction, note: True).classifier
    return lambda examples: [found.label for found in classifier.predict(inputs_of(examples))]


def setfit(task: LabelledTask) -> Answer:
    """SetFit with the defaults of its trainer, on the float32 base."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    body = Transformer(str(embedded.folder()))
    encoder = SentenceTransformer(modules=[body, Pooling(body.get_embedding_dimension())], device="cpu")
    model = SetFitModel(model_body=encoder, model_head=LogisticRegression(max_iter=1000))
    rows = Dataset.from_dict(
        {
            "text": [example.texts[0] for example in task.train],
            "label": [task.labels.index(example.label) for example in task.train],
        }
    )
    arguments = TrainingArguments(
        output_dir=str(task.folder), num_iterations=20, num_epochs=1, seed=task.seed, report_to="none",
        save_strategy="no", show_progress_bar=False,
    )  # fmt: skip
    Trainer(model=model, args=arguments, train_dataset=rows).train()
    return lambda examples: [
        task.labels[int(number)] for number in model.predict([example.texts[0] for example in examples])
    ]


def drawn(examples: Sequence[Example], labels: Sequence[str], shots: int, seed: int) -> tuple[Example, ...]:
    """So many examples of each label."""
    rng = random.Random(seed)
    return tuple(
        example
        for label in labels
        for example in rng.sample([e for e in examples if e.label == label], shots)
    )


def main() -> None:
    """Print a line per data set and method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--dev-rows", type=int, default=1000)
    given = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    engine = EncoderEngine()
    for name in given.sets.split(","):
        folder = given.data / "sentiment" / name
        train, dev = (read_examples(folder / f"{part}.jsonl.gz", ("text",)) for part in ("train", "dev"))
        dev = dev[: given.dev_rows]
        labels = tuple(sorted({example.label for example in train}))
        ways: dict[str, Callable[[LabelledTask], Answer]] = {
            title: lambda task, method=method: learnt(method, task) for title, method in METHODS.items()
        }
        if find_spec("setfit"):
            ways["SetFit"] = setfit
        for title, way in ways.items():
            scores, seconds = [], []
            for seed in range(given.seeds):
                with tempfile.TemporaryDirectory() as scratch:
                    task = LabelledTask(
                        engine, labels, drawn(train, labels, given.shots, seed), Path(scratch)
                    )
                    task = replace(task, dev=task.train, seed=seed, adapters={"sentiment": SENTIMENT})
                    started = time.perf_counter()
                    answer = way(task)
                    seconds.append(time.perf_counter() - started)
                    found = answer(dev)
                right = sum(a == example.label for a, example in zip(found, dev, strict=True))
                scores.append(100 * right / len(dev))
            spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
            print(
                f"{name:18} {title:30} accuracy {statistics.mean(scores):5.1f} ± {spread:4.1f}"
                f"   {statistics.median(seconds):6.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
