"""`assistant new-plugin` and `assistant check`: for those who write plugins."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.shared import FILE, engine_option, opened_engine
from assistant.errors import DataError, PluginError
from assistant.settings import Settings

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from assistant.workshop.data import Example


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--from", "adapter", type=FILE, metavar="ADAPTER", help="An adapter folder, or a run of train or compare."
)
@click.option("--data", type=FILE, help="Labelled rows, for prompt files and examples; only with --from.")
@click.option("--title", help="What people call it. [default: from NAME]")
@click.option("--description", help="What it says, in a sentence. [default: from the labels]")
@click.option("--folder", type=FILE, help="The folder to write. [default: onebase-NAME]")
def new_plugin(
    name: str,
    adapter: Path | None,
    data: Path | None,
    title: str | None,
    description: str | None,
    folder: Path | None,
) -> None:
    """Write a complete plugin, onebase-NAME.

    It has code, adapter, prompts, card and tests, and is ready for pip. Without --from it is a small one that
    works, to go on from.
    """
    from assistant import installed
    from assistant.engine.manifest import read_manifest
    from assistant.workshop.plugin_folder import check_name, write_plugin
    from assistant.workshop.prompt_drafts import draft_prompts

    if data and not adapter:
        raise click.UsageError("--data belongs to --from.")
    check_name(name)
    if name in {point.name for point in installed.entry_points()}:
        raise PluginError(f"A plugin {name!r} is installed already; choose another name.")
    title = title or name.replace("-", " ").capitalize()
    prompts: dict[str, str] = {}
    texts: Sequence[Sequence[str]] = ()
    if adapter:
        adapter = _adapter_of(adapter)
        manifest = read_manifest(adapter)
        shown = ", ".join(label.replace("_", " ") for label in manifest.labels[:8])
        more = ", …" if len(manifest.labels) > 8 else ""
        description = description or f"Says which one a text is: {shown}{more}."
        if data:
            examples = _examples(data, manifest.fields, manifest.labels)
            prompts = draft_prompts(title, description, manifest.fields, manifest.labels, examples)
            texts = [example.texts for example in examples[:: max(1, len(examples) // 4)]][:4]
    description = description or "Says the first sentence of a text."
    folder = folder or Path(f"onebase-{name}")
    write_plugin(folder, name, title, description, adapter, prompts, texts)
    click.echo(f"The plugin is in {folder}. Next: assistant check {folder}, and assistant install {folder}.")


def _adapter_of(folder: Path) -> Path:
    """The adapter in a run of `compare`, or beside one of `train`; any other folder is taken for an adapter itself."""
    if not (folder / "record.json").is_file():
        return folder
    for adapter in (folder / "adapter", folder.with_suffix("")):
        if (adapter / "onebase.json").is_file():
            return adapter
    raise DataError(
        f"The run {folder.name!r} has no adapter in it or beside it; expected a run of a method that trains one, "
        "such as lora or bottleneck, or the adapter's own folder."
    )


def _examples(data: Path, fields: Sequence[str], labels: Sequence[str]) -> list[Example]:
    """The rows of the adapter's own labels. Raises DataError when there are none."""
    from assistant.workshop.data import read_examples

    examples = [example for example in read_examples(data, fields) if example.label in labels]
    if not examples:
        raise DataError(f"{data.name} has no row with one of the adapter's labels: {', '.join(labels)}.")
    return examples


@click.command()
@click.argument("target", metavar="FOLDER|NAME")
@engine_option
def check(target: str, engine: str) -> None:
    """Check that a plugin keeps the contract.

    That is about its hooks, applications, adapter, prompts and examples. FOLDER holds a pyproject.toml and
    need not be installed; NAME is that of an installed plugin. The plugin is imported, so its code runs.
    """
    from assistant.conformance import problems_of_plugin
    from assistant.plugins import PluginManager

    settings = Settings.from_environment()
    points, others = _plugin(target)
    applications = PluginManager(settings, others).applications
    count = 0
    with opened_engine(settings, engine) as loaded:
        for point in points:
            for problem in problems_of_plugin(point, loaded, applications, settings):
                click.echo(problem)
                count += 1
    if count:
        click.echo(f"{count} {'thing' if count == 1 else 'things'} to mend.", err=True)
        click.get_current_context().exit(1)
    click.echo(f"{', '.join(point.name for point in points)}: all is well.")


def _plugin(target: str) -> tuple[list[EntryPoint], list[EntryPoint]]:
    """The entry points of a folder or of an installed plugin, importable from now on, and all others."""
    from assistant import installed
    from assistant.plugin_source import read_source

    known = installed.entry_points()
    path = Path(target).expanduser()
    if path.is_dir():
        source = read_source(path.resolve())
        sys.path[:0] = map(str, source.paths)
        points = list(source.entry_points)
    elif target.startswith((".", "~")) or "/" in target or os.sep in target:
        raise PluginError(f"There is no folder {target}.")
    else:
        points = [point for point in known if point.name == target]
    if not points:
        raise installed.unknown_plugin(target, (point.name for point in known))
    names = {point.name for point in points}
    return points, [point for point in known if point.name not in names]
