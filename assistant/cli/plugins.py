"""`assistant plugins`: what is installed, what state it is in, and switching it off and on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from assistant import installed
from assistant.errors import AssistantError
from assistant.measurements import data_sets, main_figures, measurements, told
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.applications import Application
    from assistant.engine.base import AdapterInfo
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
    """Tell which plugins are installed, and what is wrong with them.

    With --json also what each application's adapter is: its method, size, labels, data, licence, and all that was
    measured.
    """
    records, applications = _loaded(offline)
    if as_json:
        told = [
            {**asdict(record), "applications": [_told(name, applications) for name in record.applications]}
            for record in records
        ]
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if not records:
        click.echo("No plugin is installed.")
    for record in records:
        source = " ".join(filter(None, (record.distribution, record.version)))
        hooks = ", ".join(record.hooks)
        click.echo(f"{record.name:20} {record.state:10} {source:20} {hooks}".rstrip())
        for line in _applications(record, applications):
            click.echo(f"    {line}")
        if record.error:
            click.echo(f"    {record.error}")


@plugins.command()
@click.argument("name")
@_offline
def show(name: str, offline: bool) -> None:
    """Tell everything about the plugin NAME.

    The traceback of its latest failure is told too.
    """
    records, applications = _loaded(offline)
    found = [record for record in records if record.name == name]
    if not found:
        raise installed.unknown_plugin(name, (record.name for record in records))
    for record in found:
        for field, value in asdict(record).items():
            shown = ", ".join(value) if isinstance(value, tuple) else value
            if shown and field != "traceback":
                click.echo(f"{field:14} {shown}")
        for line in _applications(record, applications, whole=True):
            click.echo(f"{'' if line.startswith(' ') else 'application':14} {line}")
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


def _loaded(offline: bool) -> tuple[tuple[PluginRecord, ...], Mapping[str, Application]]:
    """The plugins, and the applications of those that were loaded, by id."""
    settings = Settings.from_environment()
    if offline:
        return installed.installed(settings), {}
    from assistant.plugins import PluginManager

    manager = PluginManager(settings)
    return manager.records, manager.applications


def _told(name: str, applications: Mapping[str, Application]) -> dict[str, Any]:
    """An application in service by its id, with what its adapter's files say."""
    application = applications.get(name)
    if application is None:
        return {"id": name}
    told: dict[str, Any] = {"id": name, "title": application.title, "task": application.task, "adapter": None}
    try:
        info = _adapter(application)
    except AssistantError as error:
        return {**told, "error": str(error)}
    if info is not None:
        # Where it lies and what the engine calls its operation is nobody's business.
        content = asdict(info)
        told["adapter"] = {key: value for key, value in content.items() if key not in ("path", "task")}
    return told


def _adapter(application: Application) -> AdapterInfo | None:
    from assistant.engine.manifest import read_info

    return read_info(application.adapter) if application.adapter is not None else None


def _applications(
    record: PluginRecord, applications: Mapping[str, Application], *, whole: bool = False
) -> Iterator[str]:
    """A line for each application in service: what its adapter is, and the first figure that was measured. `whole` adds
    a line for each set that it was measured on, and for the data and the licence."""
    for name in record.applications:
        application = applications.get(name)
        if application is None:
            continue
        try:
            info = _adapter(application)
        except AssistantError as error:
            yield f"{name}: {error}"
            continue
        if info is None:
            yield f"{name}: no adapter"
            continue
        measured = measurements(info.metrics)
        first = (f", {told(source, [figure])}" for source, figure in main_figures(measured))
        yield f"{name}: {info.method}, {info.bytes / 1e6:.1f} MB{next(first, '')}"
        if whole:
            yield from (f"    {told(each.source, each.figures)}" for each in measured)
            yield f"    trained on {data_sets(info.data) or 'data not stated'}"
            yield f"    licence: {info.licence}"
