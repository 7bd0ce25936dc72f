"""`assistant prompts`: what a causal base is asked, word for word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from assistant.cli.shared import (
    base_option,
    example_options,
    find_application,
    installed_applications,
    opened_engine,
    with_examples,
)
from assistant.errors import InputError
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.applications import Application
    from assistant.engine.examples import Examples


@click.group()
def prompts() -> None:
    """Show prompts."""


@prompts.command()
@click.argument("application")
@click.option("--message", required=True, help="What a person would type.")
@click.option("--language", default="en", show_default=True, help="Language of the prompt file: en or pt.")
@example_options
@base_option
def show(
    application: str, message: str, language: str, shots: int | None, selection: str | None, base: str
) -> None:
    """Print what a causal base gets of a message.

    It is printed exactly; on stderr stands how many tokens it is. Without --base there is no tokenizer: the
    text is printed, and nothing is counted. The weights of a causal base are not loaded.
    """
    from assistant.engine.embedded import is_embedded

    settings = with_examples(Settings.from_environment(), shots, selection)
    skill = find_application(installed_applications(settings), application)
    with _examples(settings) as examples:
        if is_embedded(base):
            click.echo(_plain(skill, message, language, settings.shots, examples))
            click.echo("Not counted: name a causal base with --base.", err=True)
            return
        from assistant.engine.base import Message
        from assistant.engine.causal.loading import load_tokenizer
        from assistant.engine.causal.prompting import Prompting
        from assistant.engine.causal.skills import folder_for
        from assistant.engine.causal.tokens import Tokens
        from assistant.prompts import load_prompt

        tokenizer, name, window = load_tokenizer(base)
        tokens = Tokens(tokenizer, name)
        if skill.prompts is None:
            ids = tokens.chat([Message("user", message)])
        else:
            prompt, prompting = load_prompt(skill.prompts, language), Prompting(tokens, window, examples)
            trained = skill.adapter is not None and folder_for(skill.adapter, name).is_dir()
            texts = _texts(skill, message, language)
            # An adapter has learnt what the examples would show.
            count = 0 if trained and shots is None else prompting.shots(prompt, settings.shots)
            (chosen,) = examples.chosen(prompt, [texts], count)
            prompted = prompting.prompted(prompt, texts, chosen)
            ids = [*prompted.shared, *prompted.own]
    click.echo(tokens.shown(ids))
    click.echo(f"{len(ids):,} of {window:,} tokens.", err=True)


@contextmanager
def _examples(settings: Settings) -> Iterator[Examples]:
    """The choice of examples; similar ones need the embedded base."""
    from assistant.engine.examples import Examples

    if settings.selection == "fixed":
        yield Examples()
        return
    with opened_engine(settings, "encoder") as engine:
        yield Examples(engine.embed)


def _plain(skill: Application, message: str, language: str, shots: int, examples: Examples) -> str:
    from assistant.prompts import load_prompt

    if skill.prompts is None:
        return message
    prompt = load_prompt(skill.prompts, language)
    texts = _texts(skill, message, language)
    (chosen,) = examples.chosen(prompt, [texts], min(shots, len(prompt.shots)))
    return "".join(prompt.parts(dict(zip(skill.fields, texts, strict=True)), chosen))


def _texts(skill: Application, message: str, language: str) -> list[str]:
    """The message's texts in the order of the fields. Raises InputError where it holds none."""
    from assistant.applications import Request
    from assistant.payload import find_payload

    payload = find_payload(message, skill, Request(message, application=skill.id, language=language))
    if payload is None:
        raise InputError(f"The message holds no {' and no '.join(skill.fields)} for {skill.title}.")
    return [payload.text(field) for field in skill.fields]
