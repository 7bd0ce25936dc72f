"""`assistant compare`: methods side by side on a person's own labelled rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.shared import FILE, INTERRUPTED, Interrupt, columns, opened_engine, tell_failures
from assistant.errors import InputError
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.workshop.ladder import Rung
    from assistant.workshop.methods import Method


@click.command()
@click.argument("data", type=FILE)
@click.option("--dev", type=FILE, help="Rows to measure on. [default: a fifth of DATA]")
@click.option(
    "--methods",
    "wanted",
    help="Comma-separated ids, with options: few-shot:shots=4:selection=diverse,lora:rank=8. [default: all]",
)
@click.option(
    "--shots", type=click.IntRange(min=1), help="Examples of each label for few-shot.  [default: 8]"
)
@click.option("--label", help='The column that holds the label. [default: "label"]')
@click.option(
    "--fields", help='The column of the text, or two, comma-separated. [default: "text", or the others]'
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=FILE, help="Folder for records, plot and adapters. [default: <DATA>-ladder]")
def compare(
    data: Path,
    dev: Path | None,
    wanted: str | None,
    shots: int | None,
    label: str | None,
    fields: str | None,
    seed: int,
    out: Path | None,
) -> None:
    """Compare methods of learning on labelled rows.

    It tells what each gives and what it costs. DATA is .jsonl or .csv, plain or gzipped. Ctrl-C ends it; the
    same command goes on with what is missing.
    """
    from assistant.plugins import PluginManager
    from assistant.workshop import plot
    from assistant.workshop.dataset import read_dataset, slug
    from assistant.workshop.ladder import climb
    from assistant.workshop.methods import Stopped
    from assistant.workshop.methods.zero_shot import entailment_adapter

    settings = Settings.from_environment()
    plugins = PluginManager(settings)
    tell_failures(plugins)
    methods = chosen_methods(plugins.methods, wanted, shots)
    names = tuple(name.strip() for name in (fields or "").split(",") if name.strip())
    dataset = read_dataset(data, dev, names, label, seed)
    for warning in dataset.warnings:
        click.echo(str(warning), err=True)
    out = out or Path(f"{slug(data.name)}-ladder")
    out.mkdir(parents=True, exist_ok=True)
    records, bar = [], _Bar()
    with opened_engine(settings, "encoder") as engine, bar:
        entailment = entailment_adapter(plugins.applications, engine)
        adapters = {id_: a.adapter for id_, a in plugins.applications.items() if a.adapter}
        try:
            for rung in climb(dataset, methods, engine, out, entailment, seed, bar, adapters=adapters):
                bar.end(rung)
                if rung.record:
                    records.append(rung.record)
        except Stopped:
            bar.end(None)
            click.echo("Stopped; the same command goes on from there.", err=True)
    if not records:
        click.get_current_context().exit(INTERRUPTED if bar.interrupted else 1)
    click.echo(plot.caption(records[0]))
    for line in columns([plot.COLUMNS, *plot.table(records)]):
        click.echo(line)
    picture, page = plot.write(records, out)
    click.echo(f"The plot is {picture} and, with the table, {page}.")
    if bar.interrupted:
        click.get_current_context().exit(INTERRUPTED)


def chosen_methods(known: Mapping[str, Method], wanted: str | None, shots: int | None) -> list[Method]:
    """The methods by id with their options, all without `wanted`. Raises InputError, naming the nearest, for an unknown
    one, and DataError for an option that does not fit."""
    import difflib

    from assistant.workshop.ladder import configured

    chosen, given_shots = [], False
    for each in (wanted or ",".join(known)).split(","):
        id_, *given = each.strip().split(":")
        if id_ not in known:
            near = difflib.get_close_matches(id_, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}."
            raise InputError(f"There is no method {id_[:40]!r}; {hint}")
        pairs = [option.partition("=")[::2] for option in given]
        if broken := next((name for name, value in pairs if not (name and value)), None):
            raise InputError(f"{broken!r} is no option; expected {id_}:name=value.")
        method = configured(known[id_], dict(pairs))
        if shots is not None and id_ == "few-shot" and "shots" not in dict(pairs):
            method = configured(method, {"shots": str(shots)})
            given_shots = True
        chosen.append(method)
    if shots is not None and not given_shots:
        raise click.UsageError("--shots is for few-shot without shots of its own, and --methods has none.")
    return list(dict.fromkeys(chosen))


class _Bar(Interrupt):
    """A progress bar a method, or a line where stderr is no terminal. Ctrl-C asks the method to stop."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self._done = 0

    def __call__(self, method: Method, fraction: float, note: str) -> bool:
        """Show how far a method is; False asks it to stop."""
        if self._bar is None and sys.stderr.isatty():
            self._bar = click.progressbar(
                length=100, label=method.title, file=sys.stderr, item_show_func=str, width=24
            )
            self._done = 0
        if self._bar is not None:
            done = min(100, round(100 * fraction))
            self._bar.update(max(0, done - self._done), note)
            self._done = max(done, self._done)
        return not self.interrupted

    def end(self, rung: Rung | None) -> None:
        """The method is done; tell how it went."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
        if rung is None:
            return
        said = rung.error
        if rung.record:
            metric = rung.record.accuracy
            said = f"accuracy {metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})"
        click.echo(f"{rung.method.title}: {said}", err=True)
