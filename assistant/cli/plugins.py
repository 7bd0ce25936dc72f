"""`assistant plugins`: what is installed, what state it is in, and switching it off and on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from assistant import installed
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.installed import PluginRecord

_offline = click.option("--offline", is_flag=True, help="Import no plugin; tells less.")


@click.group(invoke_without_command=True)
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """List, show, disable and enable plugins."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@plugins.command("list")
@_offline
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(offline: bool = False, as_json: bool = False) -> None:
    """Tell which plugins are installed, and what is wrong with them."""
    records = _records(offline)
    if as_json:
        click.echo(json.dumps([asdict(record) for record in records], ensure_ascii=False, indent=2))
        return
    if not records:
        click.echo("No plugin is installed.")
    for record in records:
        source = " ".join(filter(None, (record.distribution, record.version)))
        hooks = ", ".join(record.hooks)
        click.echo(f"{record.name:20} {record.state:10} {source:20} {hooks}".rstrip())
        if record.error:
            click.echo(f"    {record.error}")


@plugins.command()
@click.argument("name")
@_offline
def show(name: str, offline: bool) -> None:
    """Tell everything about the plugin NAME, with the traceback of its latest failure."""
    records = _records(offline)
    found = [record for record in records if record.name == name]
    if not found:
        raise installed.unknown_plugin(name, (record.name for record in records))
    for record in found:
        for field, value in asdict(record).items():
            shown = ", ".join(value) if isinstance(value, tuple) else value
            if shown and field != "traceback":
                click.echo(f"{field:14} {shown}")
        if record.traceback:
            click.echo(record.traceback.rstrip())


@plugins.command()
@click.argument("name")
def disable(name: str) -> None:
    """Load the plugin NAME no more; it is not imported to do so."""
    installed.disable(name, Settings.from_environment())
    click.echo(f"{name} is disabled.")


@plugins.command()
@click.argument("name")
def enable(name: str) -> None:
    """Load the plugin NAME again; it is not imported to do so."""
    installed.enable(name, Settings.from_environment())
    click.echo(f"{name} is enabled.")


def _records(offline: bool) -> tuple[PluginRecord, ...]:
    settings = Settings.from_environment()
    if offline:
        return installed.installed(settings)
    from assistant.plugins import PluginManager

    return PluginManager(settings).records
