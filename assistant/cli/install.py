"""`assistant install` and `assistant uninstall`: plugins from anywhere."""

from __future__ import annotations

import click

RESTART = "A page that is being served has to be restarted to notice."


@click.command()
@click.argument("target", metavar="PACKAGE|FOLDER|ARCHIVE")
def install(target: str) -> None:
    """Install or update a plugin with pip.

    It comes into the environment that this program runs in. PACKAGE is a name where pip looks for packages;
    FOLDER holds a plugin's pyproject.toml; ARCHIVE is its .zip, .whl or .tar.gz. Versions that the assistant
    runs with stay as they are. A plugin is a program: install what you trust.
    """
    from assistant import packages

    plugins = packages.install(target, _tell)
    click.echo(f"{', '.join(plugins)} {'is' if len(plugins) == 1 else 'are'} installed. {RESTART}")


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def uninstall(name: str, yes: bool) -> None:
    """Remove the package that brings the plugin NAME.

    What that package needed stays.
    """
    from assistant import packages

    distribution = packages.plugin_distribution(name)
    plugins = ", ".join(packages.plugins_of(distribution))
    if not yes:
        click.confirm(f"Remove {distribution} (plugins: {plugins})?", abort=True, err=True)
    packages.uninstall(distribution, _tell)
    click.echo(f"{distribution} is uninstalled. {RESTART}")


def _tell(line: str) -> None:
    """pip's own lines: how it gets on, not the command's answer. What stays as it is is most of them, and no news."""
    if not line.startswith("Requirement already satisfied"):
        click.echo(line, err=True)
