"""Options and helpers that several commands have."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assistant.settings import EMBEDDED, SELECTIONS, SHOTS, Settings

if TYPE_CHECKING:
    from typing_extensions import Self

    from assistant.applications import Application
    from assistant.engine.base import Engine
    from assistant.plugins import PluginManager
    from assistant.workshop.data import Row

F = TypeVar("F", bound=Callable[..., Any])

# Also in `assistant.create`, `assistant.workshop.prediction` and `assistant.engine.causal.quantization`, which are not
# imported for the help; a test compares them.
ENGINES = ("encoder", "echo", "openai")
METHODS = ("adapter", "zero-shot", "few-shot")
QUANTIZATIONS = ("auto", "none", "int8", "4bit")

FILE = click.Path(path_type=Path)
# As many epochs as a recipe may ask for.
EPOCHS = click.FloatRange(min=0, min_open=True, max=100)
LEARNING_RATE = click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True, max=1),
    help="Instead of the recipe's learning rate.",
)
# What a shell gives for a program that Ctrl-C ended: 128 + SIGINT.
INTERRUPTED = 130


def engine_option(command: F) -> F:
    """`--engine`, for plugin authors."""
    return click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default="encoder",
        show_default=True,
        help="echo answers at once, without a model and without sense: for plugin authors; openai is a server.",
    )(command)


def remote_options(command: F) -> F:
    """`--url` and `--model` of `--engine openai`."""
    url = click.option("--url", default="", help="With --engine openai: the server, http://host:port/v1.")
    model = click.option("--model", default="", help="With --engine openai: the server's name of the model.")
    return url(model(command))


def base_option(command: F) -> F:
    """`--base`."""
    return click.option(
        "--base",
        metavar="PATH|HUB_ID",
        default=EMBEDDED,
        show_default=True,
        help="The base: a folder or hub id (owner/model[@revision]) of a causal language model.",
    )(command)


def base_options(command: F) -> F:
    """`--base` and `--quantize`."""
    option = click.option(
        "--quantize",
        type=click.Choice(QUANTIZATIONS),
        default="auto",
        show_default=True,
        help="How a causal base is held; auto picks by device and free memory.",
    )
    return base_option(option(command))


def example_options(command: F) -> F:
    """`--shots` and `--selection` of the worked examples in a prompt; `with_examples` makes settings of them."""
    shots = click.option(
        "--shots",
        type=click.IntRange(min=0),
        help=f"Worked examples in the prompt of a base that answers by prompts.  [default: {SHOTS}]",
    )
    selection = click.option(
        "--selection",
        type=click.Choice(SELECTIONS),
        help="The same examples for every message, or those most similar to it.  [default: fixed]",
    )
    return shots(selection(command))


def with_examples(settings: Settings, shots: int | None, selection: Any) -> Settings:
    """The settings with what the command line says instead."""
    given = {"shots": shots, "selection": selection}
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


def language_option(command: F) -> F:
    """`--language` of the answer or of the prompt file."""
    option = click.option(
        "--language", default="en", show_default=True, help="Language of the answer: en or pt."
    )
    return option(command)


def method_options(command: F) -> F:
    """`--method` and `--shots`, and the language of the prompt file."""
    options = (
        click.option(
            "--method",
            type=click.Choice(METHODS),
            default="adapter",
            show_default=True,
            help="The trained adapter, or what the prompt file alone gives.",
        ),
        click.option(
            "--shots",
            type=click.IntRange(min=1),
            help="Shots per label for few-shot, as far as the prompt file has them. [default: all]",
        ),
        click.option("--language", default="en", show_default=True, help="Language of the prompt file."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def check_shots(method: str, shots: int | None) -> None:
    """Raise UsageError for shots that nobody would look at."""
    if shots is not None and method != "few-shot":
        raise click.UsageError("--shots belongs to --method few-shot.")


@contextmanager
def opened_engine(
    settings: Settings,
    name: Any,
    base: str = EMBEDDED,
    quantize: Any = "auto",
    url: str = "",
    model: str = "",
) -> Iterator[Engine]:
    """The engine, closed at the end. Of a causal base it is told what was loaded, and how."""
    from assistant.create import create_engine
    from assistant.engine.embedded import is_embedded

    if name == "openai" and not (url and model):
        raise click.UsageError("--engine openai needs --url and --model, which serve and ask have.")
    engine = create_engine(settings, name, base, quantize, url, model)
    if name == "encoder" and not is_embedded(base):
        info = engine.info
        revision = f", revision {info.revision}" if info.revision else ""
        size = f"{info.parameters:,} parameters, {info.bytes / 1e6:,.1f} MB"
        click.echo(
            f"Base: {info.name}{revision}, sha256 {info.sha256[:12]}…, {size}, {info.quantization}", err=True
        )
    try:
        yield engine
    finally:
        engine.close()


def tell_failures(plugins: PluginManager) -> None:
    """Say on stderr which plugins could not be loaded."""
    for record in plugins.records:
        if record.state == "failed":
            click.echo(record.error, err=True)


def installed_applications(settings: Settings) -> Mapping[str, Application]:
    """The installed applications by id; plugins that failed are told."""
    from assistant.plugins import PluginManager

    plugins = PluginManager(settings)
    tell_failures(plugins)
    return plugins.applications


def find_application(applications: Mapping[str, Application], name: str) -> Application:
    """The application with this id. Raises InputError with the nearest one that there is."""
    import difflib

    from assistant.errors import InputError
    from assistant.sentences import say

    if name in applications:
        return applications[name]
    if not applications:
        raise InputError(say("no_applications", "en"))
    if near := difflib.get_close_matches(name.lower(), applications, n=1):
        raise InputError(say("unknown_near", "en", name=repr(name), near=near[0]))
    raise InputError(say("unknown", "en", name=repr(name), names=", ".join(applications)))


def adapter_of(application: str) -> Path:
    """The adapter of an installed application. Raises InputError when there is none."""
    from assistant.errors import InputError

    found = find_application(installed_applications(Settings.from_environment()), application)
    if found.adapter is None:
        raise InputError(f"{application} has no adapter; name one.")
    return found.adapter


@contextmanager
def progress(rows: Iterable[Row], count: int, label: str) -> Iterator[Iterable[Row]]:
    """The rows, with a bar on stderr when that is a terminal."""
    import sys

    with click.progressbar(rows, length=count, label=label, file=sys.stderr) as bar:
        yield bar


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as lines in columns, the first one to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *others in rows:
        cells = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join((f"{first:{widths[0]}}", *cells))


class Interrupt:
    """While it is entered, Ctrl-C sets `interrupted`, so that the work can save and stop; a second one ends it at
    once."""

    def __init__(self) -> None:
        self.interrupted = False
        self._handler: Any = None

    def __enter__(self) -> Self:
        self._handler = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, self._handler)


class Refused:
    """Rows that are left out: told on stderr, counted, and at the end told with what was written; exit status 1."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, sentence: str) -> None:
        """Tell of one row."""
        self.count += 1
        click.echo(sentence, err=True)

    def end(self, total: int, out: Path) -> None:
        """Tell what is in `out` now; exit with status 1 when rows were left out."""
        written = total - self.count
        left = f"{self.count:,} of {total:,} rows were left out" if self.count else "none was left out"
        click.echo(f"{out} has {written:,} {'row' if written == 1 else 'rows'}; {left}.", err=True)
        if self.count:
            click.get_current_context().exit(1)


def as_typed(**given: object) -> str:
    """Options as they were typed, each with a space before it; those that were not given are left out."""
    return "".join(
        f" --{name.replace('_', '-')} {value}" for name, value in given.items() if value is not None
    )
