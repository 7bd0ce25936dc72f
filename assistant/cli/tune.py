"""`assistant tune`: a search over learning rate and rank within a time budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.shared import FILE, INTERRUPTED, Interrupt
from assistant.cli.train import changed, joined, recipe_path

if TYPE_CHECKING:
    from assistant.workshop.loop import Progress
    from assistant.workshop.tuning import Trial

HEADER = f"{'round':>5} {'rows':>8} {'learning rate':>14} {'size':>5} {'dev score':>10} {'seconds':>8}"


@click.command()
@click.argument("target", metavar="APPLICATION|RECIPE.yaml")
@click.option("--data", type=FILE, required=True, help="The folder that the recipe's paths start from.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=20,
    show_default=True,
    help="How long to search.",
)
@click.option("--out", type=FILE, help="The recipe to write. [default: <application>-tuned.yaml]")
@click.option("--run", type=FILE, help="Folder for the record, to resume from. [default: <out>.run]")
@click.option("--seed", type=int, help="Instead of the recipe's seed.")
def tune(
    target: str, data: Path, minutes: float, out: Path | None, run: Path | None, seed: int | None
) -> None:
    """Search for a better learning rate and rank.

    The size takes the rank's place for a bottleneck; the best recipe is written. Nine candidates are trained
    on a few rows, the best three of them anew on more (successive halving). Ctrl-C ends the search and keeps
    what was found; the same command goes on with it.
    """
    # Late: they import torch.
    from assistant.workshop.objectives import objective
    from assistant.workshop.recipe import load_recipe
    from assistant.workshop.tuning import Search, own, write_recipe

    recipe = changed(load_recipe(recipe_path(target)[0]), None, seed=seed)
    out = out or Path(f"{recipe.application}-tuned.yaml")
    run = run or out.with_name(out.name + ".run")
    rows, dev = (
        joined([(source, source.read(data, recipe.fields, recipe.operation)) for source in part])
        for part in (recipe.train, recipe.dev)
    )
    task = objective(recipe.operation)
    task.check(rows + dev, recipe.labels)
    search = Search(recipe, rows, dev, run, minutes)
    click.echo(
        f"{len(rows):,} rows to train on, {len(dev):,} dev rows; the score is {task.metric}.", err=True
    )
    click.echo(HEADER)
    with Interrupt() as interrupt:

        def watch(progress: Progress, steps: int, loss: float) -> bool:
            return not interrupt.interrupted

        for trial in search.trials:  # of a search that is taken up again
            _tell(trial)
        for trial in search.run(watch):
            _tell(trial)
    if interrupt.interrupted and search.best is None:
        click.echo("Stopped before a trial was finished.", err=True)
        click.get_current_context().exit(INTERRUPTED)
    best = search.best_recipe()
    write_recipe(best, out)
    found = own(best)
    click.echo(f"The best recipe is in {out}: learning rate {found.learning_rate:g}, size {found.size}.")
    if interrupt.interrupted:
        click.echo("Stopped; the same command goes on from there.", err=True)
        click.get_current_context().exit(INTERRUPTED)


def _tell(trial: Trial) -> None:
    chosen = trial.candidate
    click.echo(
        f"{trial.round:5} {trial.rows:8,} {chosen.learning_rate:14g} {chosen.size:5} {trial.score:10.4f} "
        f"{trial.seconds:8.1f}"
    )
