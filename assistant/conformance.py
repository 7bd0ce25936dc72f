"""Does a plugin keep the contract? What `assistant check` and `assistant.testing` find.

A function here yields a sentence for each thing that is wrong, and nothing when all is well: the contract of
`Application`, the adapter folder, the prompt files, what the examples are answered with, and, for a whole plugin,
its import, its hooks and the ids that it takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from itertools import islice
from pathlib import Path

from assistant.applications import Application, Notice, Payload, Progress, Reply, Request, Route, Text
from assistant.checks import checked_application, checked_part
from assistant.classification import TextClassification
from assistant.deadlines import Overdue, call
from assistant.engine.base import Engine
from assistant.engine.manifest import Manifest, read_manifest
from assistant.errors import AssistantError, InputError
from assistant.payload import find_payload
from assistant.plugins import PluginManager
from assistant.prompts import FALLBACK, load_prompt
from assistant.settings import Limits, Settings

# With fewer the router has too little to learn from, and the page nothing to show.
MIN_EXAMPLES = 3
# The first few examples are answered; one is enough to see a mistake, three to see an unlucky example.
ANSWERED = 3
LANGUAGES = ("en", "pt")
# Libraries that take seconds to import. A plugin imports them where it uses them.
HEAVY = ("gradio", "torch", "transformers")
_IMPORTED = """
import importlib, json, sys
path, module, heavy = json.loads(sys.argv[1])
sys.path[:] = path
importlib.import_module(module)
print(*[name for name in heavy if name in sys.modules])
"""


def problems_of_plugin(
    point: EntryPoint, engine: Engine, others: Mapping[str, Application], settings: Settings
) -> Iterator[str]:
    """What is wrong with the plugin behind an entry point whose module can be imported.

    `others` are the applications that it has to stand beside, by id.
    """
    unfiltered = replace(settings, allowed_plugins=None, blocked_plugins=frozenset(), strict=False)
    manager = PluginManager(unfiltered, [point])
    (record,) = manager.records
    if record.state != "active":
        yield record.error or f"The plugin {point.name!r} is {record.state}."
        return
    yield from _import_problems(point)
    for identifier, application in manager.applications.items():
        if identifier in others:
            yield f"The application id {identifier!r} is taken by {type(others[identifier]).__module__}."
        yield from problems_of_application(application, engine, settings.limits)
    for language in LANGUAGES:
        request = Request("Is this right? “Call me at noon.”", language=language)
        manager.votes(request)
        reply = Reply(Route(None, 0.0, ""), (Text("Yes."),), Payload({"text": "Call me at noon."}), done=True)
        manager.notices(request, reply, engine)
    if error := manager.records[0].error:
        yield error


def problems_of_application(
    application: object, engine: Engine, limits: Limits | None = None
) -> Iterator[str]:
    """What is wrong with an application. With the echo engine the weights are not looked at."""
    try:
        checked = checked_application(application)
    except AssistantError as error:
        yield str(error)
        return
    if len(checked.examples) < MIN_EXAMPLES:
        yield (
            f"{checked.id!r} has {len(checked.examples)} examples; expected at least {MIN_EXAMPLES}, "
            "for the router learns from them."
        )
    manifest = None
    try:
        manifest = read_manifest(checked.adapter) if checked.adapter else None
        if checked.adapter:
            engine.adapter(checked.adapter)
    except AssistantError as error:
        yield str(error)
    if manifest and checked.adapter:
        yield from _adapter_problems(checked, checked.adapter, manifest)
    if checked.prompts:
        yield from _prompt_problems(checked, checked.prompts, manifest)
    if manifest or not checked.adapter:
        yield from _answer_problems(checked, engine, limits or Limits())


def _import_problems(point: EntryPoint) -> Iterator[str]:
    """Whether the import takes seconds, seen in a process of its own."""
    given = json.dumps((sys.path, point.module, HEAVY))
    done = subprocess.run(  # noqa: S603  (this Python, and a module that has just been imported here)
        [sys.executable, "-c", _IMPORTED, given], capture_output=True, text=True, check=False
    )
    if names := done.stdout.split():
        yield f"Importing {point.module} imports {', '.join(names)}; import them where they are used."


def _adapter_problems(application: Application, folder: Path, manifest: Manifest) -> Iterator[str]:
    """Where the application and its adapter disagree, and what the folder lacks."""
    for name, said, known in (
        ("name", application.id, manifest.name),
        ("fields", application.fields, manifest.fields),
    ):
        if said != known:
            yield f"The adapter of {application.id!r} has the {name} {known!r}; expected {said!r}."
    if not manifest.data or not all(source.licence for source in manifest.data):
        yield f"The adapter of {application.id!r} does not say what data it was made from, under which licence."
    if not (folder / "README.md").is_file():
        yield f"The adapter of {application.id!r} has no card, README.md."
    if isinstance(application, TextClassification):
        for language, sentences in application.sentences.items():
            if unknown := sorted(set(sentences) - set(manifest.labels)):
                yield (
                    f"The sentences ({language}) of {application.id!r} have {', '.join(unknown)}; "
                    f"the adapter's labels are {', '.join(manifest.labels)}."
                )


def _prompt_problems(application: Application, folder: Path, manifest: Manifest | None) -> Iterator[str]:
    """Which prompt files are wrong, or speak of something else than the application."""
    languages = sorted(path.stem for path in folder.glob("*.yaml"))
    if FALLBACK not in languages:
        yield f"The prompts of {application.id!r} lack {FALLBACK}.yaml."
    for language in languages:
        try:
            prompt = load_prompt(folder, language)
        except AssistantError as error:
            yield str(error)
            continue
        if prompt.fields != application.fields:
            fields = ", ".join(application.fields)
            yield f"{folder.name}/{language}.yaml has the fields {', '.join(prompt.fields)}; expected {fields}."
        if manifest and prompt.labels and set(prompt.labels) != set(manifest.labels):
            yield (
                f"{folder.name}/{language}.yaml has the labels {', '.join(prompt.labels)}; "
                f"those of the adapter are {', '.join(manifest.labels)}."
            )


def _answer_problems(application: Application, engine: Engine, limits: Limits) -> Iterator[str]:
    """Whether the first examples are answered, and whether a message without a text is refused politely."""
    for example in application.examples[:ANSWERED]:
        request = Request(example, application=application.id)
        payload = find_payload(example, application, request)
        if payload is None:
            fields = " and a ".join(application.fields)
            yield f"In the example {example!r:.80} of {application.id!r} no {fields} was found."
            continue
        for language in LANGUAGES:
            asked = replace(request, payload=payload, language=language)
            try:
                parts = call(partial(_parts, application, asked, engine, limits.reply_parts), limits.deadline)
            except Exception as error:  # noqa: BLE001  (whatever a plugin raises is what is looked for)
                yield f"{application.id!r} fails on its example {example!r:.80}: {_what(error)}"
                continue
            if not any(not isinstance(part, Progress | Notice) for part in parts):
                yield f"{application.id!r} answers its example {example!r:.80} with nothing."
    try:
        empty = Request("", application=application.id, payload=Payload({}))
        call(partial(_parts, application, empty, engine, limits.reply_parts), limits.deadline)
    except InputError:
        pass
    except Exception as error:  # noqa: BLE001  (the same)
        yield (
            f"{application.id!r} fails on a message that holds no text: {_what(error)} "
            "Expected an InputError that says what is missing."
        )


def _parts(application: Application, request: Request, engine: Engine, at_most: int) -> list[object]:
    return [checked_part(part) for part in islice(application.answer(request, engine), at_most)]


def _what(error: Exception) -> str:
    if isinstance(error, Overdue):
        return "it was not ready in time."
    if isinstance(error, AssistantError):
        return str(error)
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first.rstrip('.')}."
