"""The commands of `assistant`: thin, and each imports what it needs when it runs.

    messages  serve, ask: one message at a time, on the page or in the shell
    rows      route, predict, evaluate: files of rows
    train     train
    multitask multitask: several tasks learnt together
    tune      tune: a search over learning rate and rank
    compare   compare: methods of learning, side by side
    space     space: a folder for Hugging Face Spaces
    compress  compress prune, quantize, distill
    merge     merge: a LoRA added to a copy of the base
    plugins   plugins list, show, disable, enable
    install   install, uninstall
    authors   new-plugin, check
    prompts   prompts show
    shared    options and helpers that several commands have

What the person can mend is one sentence on stderr and exit status 1 (2 for a wrong option); `--debug` shows
the traceback of everything else.
"""

from __future__ import annotations

import logging

import click

from assistant import __version__
from assistant.cli import (
    authors,
    compare,
    compress,
    install,
    merge,
    messages,
    multitask,
    plugins,
    prompts,
    rows,
    space,
    train,
    tune,
)
from assistant.errors import AssistantError

__all__ = ["main"]


class _Commands(click.Group):
    """A group in which an error becomes a sentence."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Raises click's own exceptions, and with --debug whatever was raised."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except AssistantError as error:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise  # whoever read the output has gone; click ends quietly
        except Exception as error:
            if ctx.params["debug"]:
                raise
            what = next(iter(str(error).splitlines()), "")
            raise click.ClickException(
                f"{type(error).__name__}: {what.rstrip('.')}. This should not have happened; "
                "`assistant --debug …` shows where it did."
            ) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="assistant")
@click.option("--debug", is_flag=True, help="Show tracebacks and the log.")
def main(debug: bool) -> None:
    """A chat assistant whose skills are plugins, each a tiny adapter on one shared, quantized base model."""
    # Without a handler Python would print the log's tracebacks; what a command has to say it says itself.
    logging.getLogger("assistant").addHandler(logging.NullHandler())
    if debug:
        logging.basicConfig(level=logging.WARNING)


main.add_command(messages.serve)
main.add_command(messages.ask)
main.add_command(rows.route)
main.add_command(rows.predict)
main.add_command(rows.evaluate)
main.add_command(train.train)
main.add_command(multitask.multitask)
main.add_command(tune.tune)
main.add_command(compare.compare)
main.add_command(compress.compress)
main.add_command(merge.merge)
main.add_command(plugins.plugins)
main.add_command(install.install)
main.add_command(install.uninstall)
main.add_command(authors.new_plugin)
main.add_command(authors.check)
main.add_command(prompts.prompts)
main.add_command(space.space)
