"""`assistant compress`: a trained application made smaller, and what that costs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.shared import FILE, find_application, installed_applications, opened_engine
from assistant.cli.train import changed, evenly, joined, recipe_folder, watched_training
from assistant.errors import InputError
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.workshop.recipe import Recipe

TIMED_ROWS = 256  # what the student's speed is measured on


@click.group()
def compress() -> None:
    """Make a trained application smaller or faster, and measure what that costs."""


@compress.command()
@click.argument("target", metavar="APPLICATION|RECIPE.yaml")
@click.option("--data", type=FILE, required=True, help="The folder that the recipe's paths start from.")
@click.option("--teacher", type=FILE, help="Adapter folder of the teacher. [default: the application's own]")
@click.option("--out", type=FILE, help="The adapter folder to write. [default: <application>-student]")
@click.option("--run", type=FILE, help="Folder for checkpoints, to resume from. [default: <out>.run]")
@click.option("--layers", type=click.IntRange(min=1), help="Layers of the student. [default: the recipe's, or 3]")
@click.option("--temperature", type=click.FloatRange(0, 20, min_open=True), help="Instead of the recipe's.")
@click.option("--alpha", type=click.FloatRange(0, 1), help="Weight of the teacher, instead of the recipe's.")
@click.option("--rows", type=click.IntRange(min=1), help="Learn from this many texts, evenly spread.")
@click.option("--epochs", type=click.FloatRange(min=0, min_open=True), help="Instead of the recipe's epochs.")
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
    """Train a student on an adapter's opinions: an adapter on fewer layers of the same base.

    An application's recipe for it is student/recipe.yaml in its plugin; without one, its own recipe is taken. Ctrl-C
    stops: the same command takes it up again.
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
    recipe = student_recipe(changed(recipe, None, epochs, None), layers, temperature, alpha)
    teacher = teacher or _adapter(recipe.application)
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
        given = (
            ("--layers", layers), ("--temperature", temperature), ("--alpha", alpha), ("--rows", rows),
            ("--epochs", epochs),
        )  # fmt: skip
        options = "".join(f" {name} {value}" for name, value in given if value is not None)
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
        timed = dev_examples[:TIMED_ROWS]
        metrics = {
            "share_of_the_teachers_macro_f1": found[out] / found[teacher],
            "times_as_fast_as_the_teacher": times_as_fast(engine, out, teacher, timed, 32),
            "times_as_fast_one_text_at_a_time": times_as_fast(engine, out, teacher, timed, 1),
        }
    manifest = publishing.add_figures(manifest, out, title, command, metrics, comparisons)
    for figure, value in (manifest.metrics | manifest.comparisons).items():
        click.echo(f"{figure}: {value:g}")
    click.echo(f"The student is in {out}.")


def _student(target: str) -> tuple[Recipe, str]:
    """The student's recipe, or the application's own, and a title for the card."""
    from assistant.workshop.recipe import load_recipe

    folder, title = recipe_folder(target)
    if folder is None:
        return load_recipe(Path(target)), title
    own = folder / "student" / "recipe.yaml"
    return load_recipe(own if own.is_file() else folder / "recipe.yaml"), f"{title}, a student"


def _adapter(application: str) -> Path:
    """The adapter of an installed application. Raises InputError when there is none."""
    found = find_application(installed_applications(Settings.from_environment()), application)
    if found.adapter is None:
        raise InputError(f"{application} has no adapter; name one.")
    return found.adapter
