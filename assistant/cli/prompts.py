"""`assistant prompts`: what a causal base is asked, word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assistant.cli.shared import base_option, find_application, installed_applications
from assistant.errors import InputError
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.applications import Application


@click.group()
def prompts() -> None:
    """Show prompts."""


@prompts.command()
@click.argument("application")
@click.option("--message", required=True, help="What a person would type.")
@click.option("--language", default="en", show_default=True, help="Language of the prompt file: en or pt.")
@click.option("--shots", type=click.IntRange(min=0), help="Worked examples. [default: as served]")
@base_option
def show(application: str, message: str, language: str, shots: int | None, base: str) -> None:
    """Print exactly what a causal base gets of a message to APPLICATION, and on stderr how many tokens it is.

    Without --base there is no tokenizer: the text is printed, and nothing is counted. Weights are not loaded.
    """
    from assistant.engine.embedded import is_embedded

    skill = find_application(installed_applications(Settings.from_environment()), application)
    if is_embedded(base):
        click.echo(_plain(skill, message, language, shots))
        click.echo("Not counted: name a causal base with --base.", err=True)
        return
    from assistant.engine.base import Message
    from assistant.engine.causal.loading import load_tokenizer
    from assistant.engine.causal.prompting import SHOTS, Prompting
    from assistant.engine.causal.skills import folder_for
    from assistant.engine.causal.tokens import Tokens
    from assistant.prompts import load_prompt

    tokenizer, name, window = load_tokenizer(base)
    tokens = Tokens(tokenizer, name)
    if skill.prompts is None:
        ids = tokens.chat([Message("user", message)])
    else:
        prompt, prompting = load_prompt(skill.prompts, language), Prompting(tokens, window)
        trained = skill.adapter is not None and folder_for(skill.adapter, name).is_dir()
        if shots is None:
            shots = 0 if trained else prompting.shots(prompt, SHOTS)
        prompted = prompting.prompted(prompt, _texts(skill, message, language), shots)
        ids = [*prompted.shared, *prompted.own]
    click.echo(tokens.shown(ids))
    click.echo(f"{len(ids):,} of {window:,} tokens.", err=True)


def _plain(skill: Application, message: str, language: str, shots: int | None) -> str:
    from assistant.engine.causal.prompting import SHOTS
    from assistant.prompts import load_prompt

    if skill.prompts is None:
        return message
    prompt = load_prompt(skill.prompts, language)
    texts = _texts(skill, message, language)
    count = min(SHOTS, len(prompt.shots)) if shots is None else shots
    return prompt.render(dict(zip(skill.fields, texts, strict=True)), count)


def _texts(skill: Application, message: str, language: str) -> list[str]:
    """The message's texts in the order of the fields. Raises InputError where it holds none."""
    from assistant.applications import Request
    from assistant.payload import find_payload

    payload = find_payload(message, skill, Request(message, application=skill.id, language=language))
    if payload is None:
        raise InputError(f"The message holds no {' and no '.join(skill.fields)} for {skill.title}.")
    return [payload.text(field) for field in skill.fields]
