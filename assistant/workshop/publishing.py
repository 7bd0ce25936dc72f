"""From a trained model to an adapter folder: weights, head, calibration, measured figures and a card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from assistant.engine import embedded
from assistant.engine.adapters import HEAD, WEIGHTS
from assistant.engine.base import Engine
from assistant.engine.encoder import EncoderEngine
from assistant.engine.heads import save_head
from assistant.engine.manifest import BASE, Data, Manifest, read_manifest, write_manifest
from assistant.workshop.calibration import (
    Abstention,
    expected_calibration_error,
    fit_abstention,
    fit_temperature,
    softmax,
)
from assistant.workshop.data import Example, fingerprint, versions
from assistant.workshop.objectives import NEVER, objective
from assistant.workshop.recipe import Recipe, Source
from assistant.workshop.training import AdaptedModel, peft_config

if TYPE_CHECKING:
    from assistant.workshop.multitask.recipe import MultitaskRecipe

Sources = Sequence[tuple[Source, Sequence[Example]]]


def publish(
    recipe: Recipe,
    model: AdaptedModel,
    train: Sources,
    dev: Sources,
    folder: Path,
    title: str,
    command: str,
    seconds: float,
    engine: Engine | None = None,
    start: Path | None = None,
) -> Manifest:
    """Write the adapter folder and return its manifest. Raises DataError for a method that makes no adapter.

    Everything in it is measured on the int8 engine that will serve it: the temperature and the abstention
    threshold are fitted on all dev rows, the calibration error is that of rows that the temperature was not fitted
    on, and the metrics stand for each dev source by itself. `engine` is one that runs already, to measure on; `start`
    the adapter that the training went on from, whose data count as its own.
    """
    peft_config(recipe.method)  # refuses what is no adapter
    manifest = Manifest(
        name=recipe.application,
        operation=recipe.operation,
        base=BASE,
        layers=recipe.layers,
        labels=recipe.labels,
        fields=recipe.fields,
        **described(recipe, train, seconds, start),
    )
    with replacing(folder) as temporary:
        save_adapter(model, temporary)
        save_head(model.head, temporary / HEAD)
        write_manifest(manifest, temporary)
        with nullcontext(engine) if engine else closing(EncoderEngine()) as measuring:
            manifest = measured(manifest, temporary, dev, measuring)
        write_manifest(manifest, temporary)
        (temporary / "README.md").write_text(card(manifest, title, command), encoding="utf-8")
    return manifest


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder beside it to write into, which takes its place when the block has ended well: the old folder goes only
    when the new one is whole."""
    temporary = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    yield temporary
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary.rename(folder)


def described(
    recipe: Recipe | MultitaskRecipe, train: Sources, seconds: float, start: Path | None = None
) -> dict[str, Any]:
    """What a manifest says of the data and the training, which went on from the adapter `start`."""
    data = [Data(path=s.path, licence=s.licence, rows=len(rows) // s.repeat) for s, rows in train]
    if start is not None:
        own = {each.path for each in data}
        data += [each for each in read_manifest(start).data if each.path not in own]
    return {
        "data": tuple(data),
        "training": {
            "method": recipe.method.model_dump(),
            **recipe.training.model_dump(exclude_none=True),
            "data_fingerprint": fingerprint([e for _, rows in train for e in rows]),
            "seconds": round(seconds),
            "versions": versions(),
        },
    }


def halved(path: Path) -> None:
    """Write PEFT's weights anew in float16: that is what they are served in."""
    half = {name: tensor.to(torch.float16) for name, tensor in load_file(path).items()}
    save_file(half, path, metadata={"format": "pt"})


def add_figures(
    manifest: Manifest,
    folder: Path,
    title: str,
    command: str,
    metrics: Mapping[str, float],
    comparisons: Mapping[str, float],
) -> Manifest:
    """Put further figures into a published adapter's manifest and card."""

    def rounded(figures: Mapping[str, float]) -> dict[str, float]:
        return {name: round(value, 4) for name, value in figures.items()}

    manifest = manifest.model_copy(
        update={
            "metrics": {**manifest.metrics, **rounded(metrics)},
            "comparisons": {**manifest.comparisons, **rounded(comparisons)},
        }
    )
    write_manifest(manifest, folder)
    (folder / "README.md").write_text(card(manifest, title, command), encoding="utf-8")
    return manifest


def save_adapter(model: AdaptedModel, folder: Path) -> None:
    """Write PEFT's files: the adapter without its head."""
    # The embeddings are not trained; PEFT would ask a hub whether they were resized.
    model.encoder.save_pretrained(folder, save_embedding_layers=False)
    halved(folder / WEIGHTS)


def measured(manifest: Manifest, folder: Path, dev: Sources, engine: Engine) -> Manifest:
    """The manifest with temperature, threshold and metrics, as the engine gives them."""
    task = objective(manifest.head_operation)
    if bias := task.null_bias(engine, folder, [rows for _, rows in dev]):
        manifest = manifest.model_copy(update={"null_bias": bias})
        write_manifest(manifest, folder)
        engine.forget(folder)
    found = [task.measure(engine, folder, rows) for _, rows in dev]
    thresholds = [m.threshold for m in found if m.threshold is not None]
    threshold = max(thresholds, default=0.0)
    if min(thresholds, default=0.0) < threshold:
        # Each source was measured at its own; one is served.
        write_manifest(manifest.model_copy(update={"threshold": threshold}), folder)
        engine.forget(folder)
        found = [task.measure(engine, folder, rows) for _, rows in dev]
    metrics: dict[str, float] = {}
    for (source, rows), measurement in zip(dev, found, strict=True):
        name = _name(source, dev)
        for key, metric in measurement.metrics.items():
            metrics |= {
                f"{name}_{key}": metric.value,
                f"{name}_{key}_low": metric.low,
                f"{name}_{key}_high": metric.high,
            }
        metrics[f"{name}_rows"] = len(rows)
    # Log-probabilities at temperature 1 are logits up to a constant per row.
    width = max(m.scores.shape[1] for m in found)
    logits = np.concatenate(
        [np.pad(m.scores, ((0, 0), (0, width - m.scores.shape[1])), constant_values=NEVER) for m in found]
    )
    truth = np.concatenate([m.truth for m in found])
    temperature = 1.0
    if len(truth):
        temperature = fit_temperature(logits, truth)
        abstention = _abstention(logits, truth, temperature)
        threshold = abstention.threshold
        metrics |= {
            "calibration_error": _cross_fitted_error(logits, truth),
            "coverage": abstention.coverage,
            "accuracy_when_sure": abstention.accuracy,
        }
    rounded = {name: round(value, 4) for name, value in metrics.items()}
    return manifest.model_copy(
        update={"temperature": temperature, "threshold": round(threshold, 4), "metrics": rounded}
    )


def _name(source: Source, sources: Sources) -> str:
    """What a source is called in the metrics: its folder's name, and its own where the folder holds several."""
    path = Path(source.path)
    folder, stem = path.parent.name, path.name.split(".")[0]
    alone = [Path(other.path).parent for other, _ in sources].count(path.parent) == 1
    return folder if folder and alone else f"{folder}_{stem}".strip("_")


def _abstention(logits: NDArray[np.float64], truth: NDArray[np.int_], temperature: float) -> Abstention:
    probabilities = softmax(logits / temperature)
    return fit_abstention(probabilities.max(-1), probabilities.argmax(-1) == truth)


def _cross_fitted_error(logits: NDArray[np.float64], truth: NDArray[np.int_]) -> float:
    """Expected calibration error of each half of the rows under the temperature of the other half."""
    half = np.random.default_rng(0).permutation(len(truth)) % 2 == 0
    errors = []
    for fitted, tested in ((half, ~half), (~half, half)):
        probabilities = softmax(logits[tested] / fit_temperature(logits[fitted], truth[fitted]))
        correct = probabilities.argmax(-1) == truth[tested]
        errors.append(expected_calibration_error(probabilities.max(-1), correct))
    return float(np.mean(errors))


def _base(manifest: Manifest) -> str:
    below = "" if manifest.layers is None else f"the lowest {manifest.layers} layers of "
    return below + manifest.base.name


def card(
    manifest: Manifest,
    title: str,
    command: str,
    base: str = embedded.HUB_ID,
    heads: Sequence[Manifest] = (),
) -> str:
    """The model card: what it is for, how good it is, what it was made from and how; of a multi-task adapter with what
    is said of each of its `heads`."""
    named = "Heads" if heads else "Labels"
    lines = [
        "---",
        f"base_model: {base}",
        "library_name: peft",
        "---",
        "",
        f"# {title}",
        "",
        f"An adapter for {_base(manifest)} in {manifest.base.quantization}. {named}: {', '.join(manifest.labels)}.",
        "",
        "## Measured on dev rows, on the base as it is served",
        "",
        "| figure | value | 95 % interval |",
        "|---|---|---|",
    ]
    for name, value in manifest.metrics.items():
        if not name.endswith(("_low", "_high")):
            low, high = manifest.metrics.get(f"{name}_low"), manifest.metrics.get(f"{name}_high")
            interval = "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
            lines.append(
                f"| {name} | {value:,.0f} | |"
                if name.endswith("_rows")
                else f"| {name} | {value:.4f} | {interval} |"
            )
    lines.append("")
    lines += (
        [
            f"It abstains below a probability of {manifest.threshold:.2f}; temperature {manifest.temperature:.2f}."
        ]
        if not heads
        else [
            f"- {head.name}: to {head.operation}; labels {', '.join(head.labels)}; abstains below a probability of "
            f"{head.threshold:.2f}; temperature {head.temperature:.2f}"
            for head in heads
        ]
    )
    if manifest.comparisons:
        lines += ["", "## Other methods on the same data", "", "| method | main metric |", "|---|---|"]
        lines += [f"| {name} | {value:.4f} |" for name, value in manifest.comparisons.items()]
    lines += ["", "## Data", "", "| source | rows | licence |", "|---|---|---|"]
    lines += [f"| {source.path} | {source.rows:,} | {source.licence} |" for source in manifest.data]
    lines += ["", "## Making it", "", f"    {command}", ""]
    details: dict[str, Any] = manifest.training
    lines += [f"- {name}: {value}" for name, value in details.items()]
    return "\n".join(lines) + "\n"
