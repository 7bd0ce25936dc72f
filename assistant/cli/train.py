"""`assistant train`: a recipe and data become an adapter folder."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assistant.cli.shared import (
    EPOCHS,
    FILE,
    INTERRUPTED,
    LEARNING_RATE,
    Interrupt,
    as_typed,
    base_options,
    find_application,
    installed_applications,
)
from assistant.errors import InputError
from assistant.settings import Settings
from assistant.workshop.data import spread

if TYPE_CHECKING:
    from assistant.engine.manifest import Manifest
    from assistant.workshop.data import Example
    from assistant.workshop.loop import Progress
    from assistant.workshop.publishing import Sources
    from assistant.workshop.recipe import Recipe, Source
    from assistant.workshop.training import AdaptedModel


T = TypeVar("T")


@click.command()
@click.argument("target", metavar="APPLICATION|RECIPE.yaml")
@click.option("--data", type=FILE, required=True, help="The folder that the recipe's paths start from.")
@click.option("--out", type=FILE, help="The adapter folder to write. [default: <application>-adapter]")
@click.option("--run", type=FILE, help="Folder for checkpoints, to resume from. [default: <out>.run]")
@click.option("--method", type=click.Choice(["lora", "bottleneck"]), help="Instead of the recipe's method.")
@click.option("--rows", type=click.IntRange(min=1), help="Train on this many rows, evenly spread.")
@click.option("--epochs", type=EPOCHS, help="Instead of the recipe's epochs.")
@LEARNING_RATE
@click.option("--seed", type=int, help="Instead of the recipe's seed.")
@click.option(
    "--start",
    type=FILE,
    help="An adapter's folder to go on from: of the same form, or of a higher rank.",
)
@base_options
def train(
    target: str,
    data: Path,
    out: Path | None,
    run: Path | None,
    method: str | None,
    rows: int | None,
    epochs: float | None,
    learning_rate: float | None,
    seed: int | None,
    start: Path | None,
    base: str,
    quantize: Any,
) -> None:
    """Train an adapter and write its folder.

    It is calibrated on dev. Training stops early when dev no longer improves. Ctrl-C stops it too: the same
    command takes it up again. With --base a LoRA adapter for that causal base is trained; put it at
    adapters/<base> beside the application's own adapter folder.
    """
    # Late: they import torch.
    from assistant.engine.embedded import is_embedded
    from assistant.workshop import publishing
    from assistant.workshop.objectives import objective
    from assistant.workshop.recipe import load_recipe

    if start is not None and not is_embedded(base):
        raise InputError("An adapter for a causal base is trained from nothing; expected no --start.")
    path, title = recipe_path(target)
    recipe = changed(load_recipe(path), method, epochs=epochs, learning_rate=learning_rate, seed=seed)
    out = out or Path(f"{recipe.application}-adapter")
    run = run or out.with_name(out.name + ".run")
    sources = [(source, source.read(data, recipe.fields, recipe.operation)) for source in recipe.train]
    if rows is not None:
        sources = evenly(sources, rows)
    dev = [(source, source.read(data, recipe.fields, recipe.operation)) for source in recipe.dev]
    examples, dev_examples = joined(sources), joined(dev)
    task = objective(recipe.operation)
    task.check(examples + dev_examples, recipe.labels)
    click.echo(f"{len(examples):,} rows to train on, {len(dev_examples):,} dev rows.", err=True)

    options = as_typed(
        method=method,
        rows=rows,
        epochs=epochs,
        learning_rate=learning_rate,
        seed=seed,
        start=start and start.name,
    )
    command = f"assistant train {Path(target).name} --data DATA{options}"
    if not is_embedded(base):
        command += f" --base {Path(base).name}"
        _train_causal(base, quantize, recipe, sources, dev, out, title, command, run)
        return
    model, progress = watched_training(recipe, examples, dev_examples, run, start=start)
    manifest = publishing.publish(
        recipe, model, sources, dev, out, title, command, progress.seconds, start=start
    )
    _tell(manifest, out)


def _train_causal(
    base: str,
    quantize: Any,
    recipe: Recipe,
    train: Sources,
    dev: Sources,
    out: Path,
    title: str,
    command: str,
    run: Path,
) -> None:
    from assistant.engine.causal.loading import load_base
    from assistant.errors import PromptError
    from assistant.workshop.causal_training import train_causal

    applications = installed_applications(Settings.from_environment())
    skill = find_application(applications, recipe.application)
    if skill.prompts is None:
        raise PromptError(f"{skill.title} has no prompt files, which a causal base needs.")
    loaded = load_base(base, quantize)
    click.echo(f"Base: {loaded.info.name}, {loaded.info.quantization}", err=True)
    run.mkdir(parents=True, exist_ok=True)
    with Watch("probability of the right label") as watch:
        manifest = train_causal(loaded, recipe, train, dev, skill.prompts, out, title, command, run, watch)
    if manifest is None:
        _stopped(watch)
    else:
        _tell(manifest, out)


def _tell(manifest: Manifest, out: Path) -> None:
    for name, value in manifest.metrics.items():
        click.echo(f"{name}: {value:g}")
    click.echo(f"The adapter is in {out}.")


def recipe_path(target: str) -> tuple[Path, str]:
    """The recipe of an application, or the one that is named, and its title. Raises InputError as `recipe_folder`."""
    folder, title = recipe_folder(target)
    return folder / "recipe.yaml" if folder else Path(target), title


def recipe_folder(target: str) -> tuple[Path | None, str]:
    """The folder of an application's plugin and its title; of a recipe None and the file's stem. Raises InputError for
    an unknown application."""
    if target.endswith((".yaml", ".yml")):
        return None, Path(target).stem
    application = find_application(installed_applications(Settings.from_environment()), target)
    plugin = sys.modules[type(application).__module__].__file__ or ""
    return Path(plugin).parent, application.title


def watched_training(
    recipe: Recipe,
    examples: Sequence[Example],
    dev: Sequence[Example],
    run: Path,
    model: AdaptedModel | None = None,
    start: Path | None = None,
) -> tuple[AdaptedModel, Progress]:
    """`training.train` with its progress on stderr. Ctrl-C ends the command with status 130 and a sentence; the run
    folder keeps what there is."""
    from assistant.workshop import training
    from assistant.workshop.objectives import objective

    metric = objective(recipe.operation).metric
    return watched(
        metric, run, lambda watch: training.train(recipe, examples, dev, run, watch, model=model, start=start)
    )


def watched(metric: str, run: Path, train: Callable[[Watch], T]) -> T:
    """What `train` returns, with its progress on stderr. Ctrl-C ends the command with status 130 and a sentence."""
    run.mkdir(parents=True, exist_ok=True)
    with Watch(metric) as watch:
        trained = train(watch)
    if watch.interrupted:
        _stopped(watch)
    return trained


def _stopped(watch: Watch) -> None:
    click.echo(
        f"Stopped at step {watch.step:,} of {watch.steps:,}; the same command goes on from there.", err=True
    )
    click.get_current_context().exit(INTERRUPTED)


def changed(recipe: Recipe, method: str | None, **settings: float | None) -> Recipe:
    """The recipe with what the command line says instead; another method has its default size."""
    from assistant.workshop.recipe import Bottleneck, Lora

    update: dict[str, Any] = {"training": recipe.training.changed(**settings)}
    if method is not None and method != recipe.method.name:
        update["method"] = Bottleneck() if method == "bottleneck" else Lora()
    return recipe.model_copy(update=update)


def evenly(sources: Sequence[tuple[Source, list[Example]]], rows: int) -> list[tuple[Source, list[Example]]]:
    """About `rows` examples in all, of each source its share (at least one), evenly spread over it."""
    total = sum(len(examples) for _, examples in sources)
    if rows >= total:
        return list(sources)
    shares = [max(1, round(len(examples) * rows / total)) for _, examples in sources]
    return [
        (source, spread(examples, share)) for (source, examples), share in zip(sources, shares, strict=True)
    ]


def joined(sources: Sequence[tuple[Source, list[Example]]]) -> list[Example]:
    """The examples of all sources."""
    return [example for _, examples in sources for example in examples]


class Watch(Interrupt):
    """What `training.train` reports to: a progress bar, or a line per dev evaluation where stderr is no
    terminal. Ctrl-C asks the training to save and stop.
    """

    def __init__(self, metric: str) -> None:
        super().__init__()
        self.metric = metric
        self.step = self.steps = 0
        self._evaluations = 0
        self._bar: Any = None

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._bar is not None:
            self._bar.render_finish()

    def __call__(self, progress: Progress, steps: int, loss: float) -> bool:
        """Show where the training is; False asks it to stop."""
        if self._bar is None:
            # A resumed run counts what is left to do, or the time left would be too good to be true.
            self._bar = click.progressbar(
                length=steps - progress.step + 1, label="Training", file=sys.stderr, item_show_func=str
            )
        self.step, self.steps = progress.step, steps
        latest = progress.history[-1]["dev_score"] if progress.history else None
        score = "" if latest is None else f", dev {self.metric} {latest:.4f}"
        self._bar.update(1, f"loss {loss:.3f}{score}")
        if len(progress.history) > self._evaluations:
            self._evaluations = len(progress.history)
            if not sys.stderr.isatty():
                click.echo(f"step {progress.step:,} of {steps:,}: loss {loss:.3f}{score}", err=True)
        return not self.interrupted
