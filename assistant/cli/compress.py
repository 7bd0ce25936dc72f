"""`assistant compress`: a trained application made smaller, and what that costs."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.shared import (
    EPOCHS,
    FILE,
    adapter_of,
    as_typed,
    opened_engine,
)
from assistant.cli.train import changed, evenly, joined, recipe_folder, recipe_path, watched_training
from assistant.settings import Settings
from assistant.workshop.data import spread

if TYPE_CHECKING:
    from assistant.workshop.compression.pruning import Importance, Kind
    from assistant.workshop.recipe import Recipe

TIMED_ROWS = 128  # what speed is measured on
IMPORTANCE_ROWS = 512  # what the importance of heads and neurons is measured on


@click.group()
def compress() -> None:
    """Make an application smaller or faster.

    Each way measures what it costs in accuracy.
    """


@compress.command()
@click.argument("target", metavar="APPLICATION|RECIPE.yaml")
@click.option("--data", type=FILE, required=True, help="The folder that the recipe's paths start from.")
@click.option("--teacher", type=FILE, help="Adapter folder of the teacher. [default: the application's own]")
@click.option("--out", type=FILE, help="The adapter folder to write. [default: <application>-student]")
@click.option("--run", type=FILE, help="Folder for checkpoints, to resume from. [default: <out>.run]")
@click.option(
    "--layers", type=click.IntRange(min=1), help="Layers of the student. [default: the recipe's, or 3]"
)
@click.option("--temperature", type=click.FloatRange(0, 20, min_open=True), help="Instead of the recipe's.")
@click.option("--alpha", type=click.FloatRange(0, 1), help="Weight of the teacher, instead of the recipe's.")
@click.option("--rows", type=click.IntRange(min=1), help="Learn from this many texts, evenly spread.")
@click.option("--epochs", type=EPOCHS, help="Instead of the recipe's epochs.")
@click.option("--hard", is_flag=True, help="Also train the same student on the labels alone, to compare.")
def distill(
    target: str,
    data: Path,
    teacher: Path | None,
    out: Path | None,
    run: Path | None,
    layers: int | None,
    temperature: float | None,
    alpha: float | None,
    rows: int | None,
    epochs: float | None,
    hard: bool,
) -> None:
    """Train a student on an adapter's opinions.

    The student is an adapter on fewer layers of the same base. An application's recipe for it is
    student/recipe.yaml in its plugin; without one, its own recipe is taken. Ctrl-C stops: the same command
    takes it up again.
    """
    from assistant.workshop import publishing
    from assistant.workshop.compression.distillation import (
        hard_recipe,
        soft_labels,
        student_recipe,
        times_as_fast,
    )
    from assistant.workshop.objectives import objective

    recipe, title = _student(target)
    recipe = student_recipe(changed(recipe, None, epochs=epochs), layers, temperature, alpha)
    teacher = teacher or adapter_of(recipe.application)
    out = out or Path(f"{recipe.application}-student")
    run = run or out.with_name(out.name + ".run")
    labelled = [(source, source.read(data, recipe.fields, recipe.operation)) for source in recipe.train]
    unlabelled = [(source, source.read_unlabelled(data, recipe.fields)) for source in recipe.unlabelled]
    sources = labelled + unlabelled if rows is None else evenly(labelled + unlabelled, rows)
    dev = [(source, source.read(data, recipe.fields, recipe.operation)) for source in recipe.dev]
    examples, dev_examples = joined(sources), joined(dev)
    task = objective(recipe.operation)
    task.check([e for e in examples if e.label is not None] + dev_examples, recipe.labels)
    known = [e for e in examples if e.label is not None]
    click.echo(
        f"{len(known):,} labelled and {len(examples) - len(known):,} unlabelled texts, {len(dev_examples):,} dev rows.",
        err=True,
    )
    run.mkdir(parents=True, exist_ok=True)
    with opened_engine(Settings.from_environment(), "encoder") as engine:
        with click.progressbar(length=len(examples), label="The teacher reads", file=sys.stderr) as bar:

            def read(done: int) -> bool:
                bar.update(done - bar.pos)
                return True

            soft = soft_labels(engine, teacher, examples, recipe.labels, run / "teacher.safetensors", read)
        model, progress = watched_training(recipe, soft, dev_examples, run)
        options = as_typed(layers=layers, temperature=temperature, alpha=alpha, rows=rows, epochs=epochs)
        name = target if "." not in target else Path(target).name
        command = f"assistant compress distill {name} --data DATA{options}{' --hard' * hard}"
        manifest = publishing.publish(recipe, model, sources, dev, out, title, command, progress.seconds)
        comparisons = {}
        if hard:
            click.echo("The same student on the labels alone:", err=True)
            hard_run = run.with_name(run.name + ".hard")
            _, hard_progress = watched_training(hard_recipe(recipe), known, dev_examples, hard_run)
            comparisons["labels alone, macro_f1, while training"] = hard_progress.best_score
            comparisons["this student, macro_f1, while training"] = progress.best_score
        found = {a: task.measure(engine, a, dev_examples).metrics["macro_f1"].value for a in (out, teacher)}
        comparisons["teacher, macro_f1"] = found[teacher]
        timed = spread(dev_examples, TIMED_ROWS)
        metrics = {
            "share_of_the_teachers_macro_f1": found[out] / found[teacher],
            "times_as_fast_as_the_teacher": times_as_fast(engine, out, teacher, timed, 32),
            "times_as_fast_one_text_at_a_time": times_as_fast(engine, out, teacher, timed, 1),
        }
    manifest = publishing.add_figures(manifest, out, title, command, metrics, comparisons)
    for figure, value in (manifest.metrics | manifest.comparisons).items():
        click.echo(f"{figure}: {value:g}")
    click.echo(f"The student is in {out}.")


@compress.command()
@click.argument("target", metavar="APPLICATION|RECIPE.yaml")
@click.option("--data", type=FILE, required=True, help="The folder that the recipe's paths start from.")
@click.option("--adapter", type=FILE, help="Adapter folder to prune. [default: the application's own]")
@click.option("--kind", type=click.Choice(["weights", "heads", "neurons", "layers"]), required=True)
@click.option(
    "--sparsity",
    "shares",
    default="0,0.25,0.5,0.75",
    show_default=True,
    help="Shares to leave out, with commas.",
)
@click.option(
    "--importance",
    type=click.Choice(["magnitude", "gradient"]),
    help="Of heads and neurons. [default: gradient]",
)
@click.option(
    "--recover",
    type=EPOCHS,
    help="Fine-tune for so many epochs after it.",
)
@click.option("--rows", type=click.IntRange(min=1), help="Fine-tune on this many rows, evenly spread.")
@click.option("--dev-rows", type=click.IntRange(min=1), help="Measure on this many dev rows, evenly spread.")
@click.option("--out", type=FILE, help="Folder for curve.json and curve.png. [default: <application>-<kind>]")
def prune(
    target: str,
    data: Path,
    adapter: Path | None,
    kind: Kind,
    shares: str,
    importance: Importance | None,
    recover: float | None,
    rows: int | None,
    dev_rows: int | None,
    out: Path | None,
) -> None:
    """Leave parts of a trained model out.

    Accuracy is drawn over sparsity. Weights become zeros; heads, neurons and layers are really removed, so
    that less is computed. Layers go from the top.
    """
    from assistant.workshop.batches import batches, predict_logits
    from assistant.workshop.compression import pruning
    from assistant.workshop.compression.curve import Curve, Point
    from assistant.workshop.compression.timing import taking_turns
    from assistant.workshop.objectives import objective

    if importance and kind not in ("heads", "neurons"):
        raise click.UsageError("--importance belongs to --kind heads or neurons.")
    importance = importance or ("gradient" if kind in ("heads", "neurons") else "magnitude")
    sparsities = _shares(shares)
    recipe = _recipe(target)
    adapter = adapter or adapter_of(recipe.application)
    out = out or Path(f"{recipe.application}-{kind}")
    task = objective(recipe.operation)
    sources = [(source, source.read(data, recipe.fields, recipe.operation)) for source in recipe.train]
    examples = joined(sources if rows is None else evenly(sources, rows))
    dev = joined([(source, source.read(data, recipe.fields, recipe.operation)) for source in recipe.dev])
    dev = spread(dev, dev_rows or len(dev))
    encoded = task.encode(dev, recipe)
    timed = list(batches(task.encode(spread(dev, TIMED_ROWS), recipe), 16, None))
    scores = None
    if importance == "gradient":
        seen = task.encode(spread(examples, IMPORTANCE_ROWS), recipe)
        scores = pruning.gradient_importance(pruning.trained_model(adapter), kind, seen, recipe)
    whole = pruning.trained_model(adapter)
    points = []
    for sparsity in sparsities:
        model = pruning.pruned(pruning.trained_model(adapter), kind, sparsity, scores)
        score = task.score(predict_logits(model, encoded), encoded)
        recovered = None
        if recover is not None:
            run = out / f"{kind}-{importance}-{sparsity}.run"
            again = pruning.recovery_recipe(recipe, recover)
            model, _ = watched_training(again, examples, dev, run, model)
            recovered = task.score(predict_logits(model, encoded), encoded)
            shutil.rmtree(run)  # checkpoints of all weights are large
        left = pruning.weights_left(model)
        pruning.settle(model)
        slow, fast = taking_turns([partial(predict_logits, m) for m in (whole, model)], timed)
        points.append(Point(sparsity, score, recovered, left, slow / fast))
        click.echo(f"sparsity {sparsity:g}: {task.metric} {score:.4f}", err=True)
    by = "position, from the top" if kind == "layers" else importance
    curve = Curve(recipe.application, kind, by, task.metric, len(dev), points)
    curve.save(out)
    for line in curve.table():
        click.echo(line)
    click.echo(f"The curve is in {out}.")


@compress.command()
@click.argument("target", metavar="APPLICATION|RECIPE.yaml")
@click.option("--data", type=FILE, required=True, help="The folder that the recipe's paths start from.")
@click.option("--adapter", type=FILE, help="Adapter folder to run. [default: the application's own]")
@click.option("--rows", type=click.IntRange(min=1), help="Measure on this many dev rows, evenly spread.")
@click.option("--out", type=FILE, help="JSON file for the figures.")
def quantize(target: str, data: Path, adapter: Path | None, rows: int | None, out: Path | None) -> None:
    """Compare the base in float32, int8 and 4 bits.

    An application's adapter runs on each: bytes, speed and accuracy are told. Speed is relative to float32 in
    the same run.
    """
    from assistant.workshop.compression.quantization import compare

    recipe = _recipe(target)
    adapter = adapter or adapter_of(recipe.application)
    dev = joined([(source, source.read(data, recipe.fields, recipe.operation)) for source in recipe.dev])
    dev = spread(dev, rows or len(dev))
    found = compare(recipe, adapter, dev)
    click.echo(f"{recipe.application} on {len(dev):,} dev rows")
    click.echo(f"{'scheme':14} {'base, MB':>9} {'speed':>7} {found[0].metric:>18} {'95 % interval':>17}")
    for each in found:
        click.echo(
            f"{each.scheme:14} {each.bytes / 1e6:9.1f} {each.times_as_fast:6.2f}x {each.score.value:18.4f} "
            f"{each.score.low:8.4f} {each.score.high:8.4f}"
        )
    if out is not None:
        temporary = out.with_name(out.name + ".tmp")
        temporary.write_text(json.dumps([asdict(each) for each in found], indent=2) + "\n", encoding="utf-8")
        temporary.replace(out)


def _student(target: str) -> tuple[Recipe, str]:
    """The student's recipe, or the application's own, and a title for the card."""
    from assistant.workshop.recipe import load_recipe

    folder, title = recipe_folder(target)
    if folder is None:
        return load_recipe(Path(target)), title
    own = folder / "student" / "recipe.yaml"
    return load_recipe(own if own.is_file() else folder / "recipe.yaml"), f"{title}, a student"


def _recipe(target: str) -> Recipe:
    """The recipe of an application or of a file."""
    from assistant.workshop.recipe import load_recipe

    return load_recipe(recipe_path(target)[0])


def _shares(text: str) -> list[float]:
    """The sparsities of an option. Raises UsageError."""
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError:
        shares = []
    if not shares or not all(0 <= share < 1 for share in shares):
        raise click.UsageError(
            f"--sparsity is {text!r:.60}; expected numbers from 0 to below 1, such as 0,0.25,0.5."
        )
    return shares
