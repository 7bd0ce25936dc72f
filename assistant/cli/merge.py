"""`assistant merge`: an adapter added to a copy of the base, for use without the assistant."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli.shared import FILE, find_application, installed_applications
from assistant.errors import InputError
from assistant.settings import Settings


@click.command()
@click.argument("target", metavar="APPLICATION|ADAPTER")
@click.option("--out", type=FILE, help="The folder to write. [default: <application>-merged]")
def merge(target: str, out: Path | None) -> None:
    """Write a copy of the base with a LoRA adapter merged in.

    transformers loads it without the assistant. ADAPTER is an adapter's folder.
    """
    from assistant.workshop.merging import export

    adapter = Path(target)
    if not adapter.is_dir():
        found = find_application(installed_applications(Settings.from_environment()), target).adapter
        if found is None:
            raise InputError(f"{target} has no adapter to merge.")
        adapter = found
    out = out or Path(f"{Path(target).name}-merged")
    export(adapter, out)
    click.echo(f"The merged model is in {out}.")
