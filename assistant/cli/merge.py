"""`assistant merge`: an adapter added to a copy of the base, for use without the assistant."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli.shared import FILE, adapter_of


@click.command()
@click.argument("target", metavar="APPLICATION|ADAPTER")
@click.option("--out", type=FILE, help="The folder to write. [default: <application>-merged]")
def merge(target: str, out: Path | None) -> None:
    """Write a copy of the base with a LoRA adapter merged in.

    transformers loads it without the assistant. ADAPTER is an adapter's folder.
    """
    from assistant.workshop.merging import export

    folder = Path(target)
    out = out or Path(f"{folder.name}-merged")
    export(folder if folder.is_dir() else adapter_of(target), out)
    click.echo(f"The merged model is in {out}.")
