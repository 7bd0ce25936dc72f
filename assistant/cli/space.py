"""`assistant space`: a folder that is ready to be pushed to Hugging Face Spaces."""

from __future__ import annotations

from pathlib import Path

import click

from assistant.cli.shared import FILE
from assistant.settings import EMBEDDED


@click.command()
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--plugins", default="", metavar="NAME,…", help="Installed plugins to take along, by name.")
@click.option("--base", default=EMBEDDED, show_default=True, help="The base model.")
def space(folder: Path, plugins: str, base: str) -> None:
    """Write a Hugging Face Space into the new folder DIR.

    It holds this version with the built-in applications, and the chosen plugins whole.
    """
    from assistant.space import write_space

    write_space(folder, [name.strip() for name in plugins.split(",") if name.strip()], base)
    click.echo(f"{folder} is a Space; push it with: hf upload USER/NAME {folder} --repo-type space")
