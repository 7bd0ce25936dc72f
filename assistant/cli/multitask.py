"""`assistant multitask`: several tasks learnt together, and what that gives."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli.shared import EPOCHS, FILE, LEARNING_RATE, as_typed, columns, opened_engine
from assistant.cli.train import evenly, recipe_path, watched, watched_training
from assistant.settings import Settings


@click.command()
@click.argument("target", metavar="APPLICATION|RECIPE.yaml")
@click.option("--data", type=FILE, required=True, help="The folder that the recipe's paths start from.")
@click.option("--out", type=FILE, help="The adapter folder to write. [default: <application>-adapter]")
@click.option("--run", type=FILE, help="Folder for checkpoints and the record. [default: <out>.run]")
@click.option("--sharing", type=click.Choice(["hard", "soft"]), help="Instead of the recipe's.")
@click.option("--single", is_flag=True, help="Also train each task alone with the same settings, to compare.")
@click.option(
    "--rows", type=click.IntRange(min=1), help="Train on this many rows of each task, evenly spread."
)
@click.option("--epochs", type=EPOCHS, help="Instead of the recipe's epochs.")
@LEARNING_RATE
@click.option("--start", type=FILE, help="The folder of an adapter with several heads to go on from.")
def multitask(
    target: str,
    data: Path,
    out: Path | None,
    run: Path | None,
    sharing: str | None,
    single: bool,
    rows: int | None,
    epochs: float | None,
    learning_rate: float | None,
    start: Path | None,
) -> None:
    """Train several tasks together and measure each.

    With hard sharing there is one adapter with a head per task, with soft sharing an adapter per task, pulled towards
    each other. Ctrl-C stops: the same command takes it up again.
    """
    # Late: they import torch.
    from assistant.workshop.multitask import publishing, record
    from assistant.workshop.multitask.recipe import load_multitask_recipe
    from assistant.workshop.multitask.training import distances, train_together
    from assistant.workshop.objectives import objective
    from assistant.workshop.publishing import publish

    path, title = recipe_path(target)
    recipe = load_multitask_recipe(path)
    training = recipe.training.changed(epochs=epochs, learning_rate=learning_rate)
    recipe = recipe.model_copy(update={"sharing": sharing or recipe.sharing, "training": training})
    out = out or Path(f"{recipe.application}-adapter")
    run = run or out.with_name(out.name + ".run")
    sources = publishing.read_sources(recipe, data)
    if rows is not None:
        sources = {
            name: publishing.TaskSources(evenly(each.train, rows), each.dev) for name, each in sources.items()
        }
    joined = {name: each.joined() for name, each in sources.items()}
    for task in recipe.tasks:
        examples = joined[task.name]
        objective(task.operation).check([*examples.train, *examples.dev], task.labels)
        click.echo(
            f"{task.name}: {len(examples.train):,} rows to train on, {len(examples.dev):,} dev rows.",
            err=True,
        )

    options = as_typed(
        sharing=sharing, rows=rows, epochs=epochs, learning_rate=learning_rate, start=start and start.name
    )
    command = f"assistant multitask {Path(target).name} --data DATA{options}"
    models, progress = watched(
        "mean score", run, lambda watch: train_together(recipe, joined, run, watch, start=start)
    )
    found = record.Comparison(recipe, distances(models) if recipe.sharing == "soft" else {}, progress.seconds)
    with opened_engine(Settings.from_environment(), "encoder") as engine:
        publishing.publish_together(
            recipe, models, sources, out, title, command, progress.seconds, engine, start
        )
        for name in recipe.names:
            found.add(name, "shared", engine, out / name, joined[name].dev)
        for name in recipe.names if single else ():
            click.echo(f"{name} alone:", err=True)
            alone, own = recipe.alone(name), run / name
            model, spent = watched_training(alone, joined[name].train, joined[name].dev, own)
            train, dev = sources[name].train, sources[name].dev
            publish(alone, model, train, dev, own / "adapter", name, command, spent.seconds, engine)
            found.add(name, "single", engine, own / "adapter", joined[name].dev, spent.seconds)
    found.save(run / "comparison.json", joined)
    for line in columns(found.table()):
        click.echo(line)
    for pair, distance in found.distances.items():
        click.echo(f"Distance of the adapters of {pair}: {distance:.3f} of their length")
    click.echo(f"The adapter{'s are' if recipe.sharing == 'soft' else ' is'} in {out}, the record in {run}.")
