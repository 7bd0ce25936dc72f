"""`assistant route`, `predict` and `evaluate`: files of rows, `.jsonl` or `.csv`, plain or gzipped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.shared import (
    FILE,
    Refused,
    base_options,
    check_shots,
    engine_option,
    find_application,
    installed_applications,
    language_option,
    method_options,
    opened_engine,
    progress,
    tell_failures,
)
from assistant.errors import AssistantError, InputError
from assistant.settings import Settings
from assistant.workshop.data import spread

if TYPE_CHECKING:
    from assistant.applications import Application
    from assistant.core import Assistant
    from assistant.engine.base import Classification, Engine
    from assistant.workshop.data import Example, Row
    from assistant.workshop.evaluation import Metric
    from assistant.workshop.methods import Classifier
    from assistant.workshop.prediction import MethodName

_head = click.option("--head", metavar="NAME", help="Which head of the adapter, where it has several.")
_out = click.option("-o", "--out", type=FILE, required=True, help="Whole or not at all; .jsonl or .jsonl.gz.")


@click.command()
@click.argument("input", type=FILE)
@_out
@language_option
@engine_option
def route(input: Path, out: Path, language: str, engine: str) -> None:  # noqa: A002  (click's name for it)
    """Add to each message of INPUT which application it is for.

    A row has `message` and, if it is not the first one, `history`; `application` (or "none"), `score`,
    `payload` and `reason` are added.
    """
    from assistant.create import create_assistant
    from assistant.workshop.data import read_rows, write_rows

    settings, refused = Settings.from_environment(), Refused()
    count = sum(1 for _ in read_rows(input))
    with write_rows(out) as write, opened_engine(settings, engine) as loaded:
        assistant = create_assistant(settings, loaded)
        tell_failures(assistant.plugins)
        with progress(read_rows(input), count, "Routing") as rows:
            for row in rows:
                try:
                    columns = _routed(row, assistant, language)
                except AssistantError as error:
                    refused(f"Row {row.number}: {error}")
                else:
                    write({**row.values, **columns})
    refused.end(count, out)


def _routed(row: Row, assistant: Assistant, language: str) -> dict[str, Any]:
    """The columns for one row. Raises InputError for a row that holds no message."""
    from assistant.applications import Request, to_jsonable
    from assistant.conversation import from_json

    message = row.values.get("message")
    if row.error or not isinstance(message, str):
        wrong = row.error or f"'message' is {message!r:.60}"
        raise InputError(f"{wrong}; expected an object with a text 'message'.")
    history = from_json(row.values["history"]) if row.values.get("history") else ()
    try:
        found, payload = assistant.route(Request(message, history, language=language))
    except InputError as error:  # the message is for nobody, and this is why
        return {"application": "none", "score": 0.0, "payload": None, "reason": str(error)}
    return {
        "application": found.application or "none",
        "score": found.score,
        "payload": to_jsonable(payload.fields) if payload else None,
        "reason": found.reason,
    }


@click.command()
@click.argument("application")
@click.argument("input", type=FILE)
@_out
@_head
@method_options
@base_options
@engine_option
def predict(
    application: str,
    input: Path,  # noqa: A002  (click's name for it)
    out: Path,
    head: str | None,
    method: MethodName,
    shots: int | None,
    language: str,
    base: str,
    quantize: str,
    engine: str,
) -> None:
    """Answer each row of INPUT with APPLICATION.

    A row has the application's fields (`text`, or `premise` and `hypothesis`, …); `label`, `probabilities`
    and so on are added, and what the row had under such a name becomes `input_label`. A row that cannot be
    read is told by its number and left out, and the exit status is 1.
    """
    from assistant.workshop.data import read_rows, write_rows
    from assistant.workshop.prediction import adapter_of, one_head, predict_rows, row_form

    check_shots(method, shots)
    settings, refused = Settings.from_environment(), Refused()
    applications = installed_applications(settings)
    skill = one_head(find_application(applications, application), head)
    form = row_form(skill)
    count = sum(1 for _ in read_rows(input))
    with write_rows(out) as write, opened_engine(settings, engine, base, quantize) as loaded:
        loaded.prepare(applications.values())
        if method == "adapter":
            loaded.adapter(adapter_of(skill))  # what is wrong with it is said before the work starts
            answer: Callable[[Sequence[Any]], Sequence[Any]] = partial(
                getattr(loaded, form.operation), adapter=adapter_of(skill)
            )
        else:
            answer = _classifier(method, skill, applications, loaded, shots, language).predict
        with progress(read_rows(input), count, "Predicting") as rows:
            for columns in predict_rows(rows, skill.fields, form, answer, refused):
                write(columns)
    refused.end(count, out)


@click.command()
@click.argument("application")
@click.argument("data", type=FILE)
@click.option("--labels", help="Comma-separated: only these count, where the data has fewer classes.")
@click.option("--limit", type=click.IntRange(min=1), help="Take this many rows, evenly spread over the file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_head
@method_options
@base_options
@engine_option
def evaluate(
    application: str,
    data: Path,
    labels: str | None,
    limit: int | None,
    as_json: bool,
    head: str | None,
    method: MethodName,
    shots: int | None,
    language: str,
    base: str,
    quantize: str,
    engine: str,
) -> None:
    """Measure APPLICATION on the labelled rows of DATA.

    The rows have the form that it is trained on (see docs/adapters.md). Intervals are 95 % bootstrap intervals.
    """
    from assistant.workshop.evaluation import check_labels, report, restricted
    from assistant.workshop.objectives import objective
    from assistant.workshop.prediction import adapter_of, one_head, row_form

    check_shots(method, shots)
    settings = Settings.from_environment()
    applications = installed_applications(settings)
    skill = one_head(find_application(applications, application), head)
    task = objective(row_form(skill).operation)
    examples = task.read(data, skill.fields)
    if limit is not None:
        examples = spread(examples, limit)
    heading = {"application": skill.id, "method": method, "data": data.name}
    if skill.task != "text-classification":
        if method != "adapter" or labels is not None:
            raise click.UsageError(f"--method and --labels are for classification; {skill.id} is none.")
        with opened_engine(settings, engine, base, quantize) as loaded:
            loaded.prepare(applications.values())
            started = time.perf_counter()
            metrics = task.measure(loaded, adapter_of(skill), examples).metrics
            seconds = time.perf_counter() - started
        _show(
            heading,
            metrics,
            {"rows": len(examples), "rows_per_second": round(len(examples) / seconds, 1)},
            as_json,
        )
        return
    truth = [example.label for example in examples]
    if method == "adapter":  # what is wrong with the rows is said before the engine is loaded
        check_labels(truth, _kept_labels(labels, _manifest_labels(adapter_of(skill))))
    with opened_engine(settings, engine, base, quantize) as loaded:
        loaded.prepare(applications.values())
        classifier = _classifier(method, skill, applications, loaded, shots, language)
        kept = _kept_labels(labels, classifier.labels)
        check_labels(truth, kept)  # before the work, not after it
        threshold = loaded.adapter(adapter_of(skill)).threshold if method == "adapter" else None
        results, seconds = _classified(examples, classifier)
    measured = report(truth, [restricted(result, kept) for result in results], threshold)
    figures: dict[str, float | dict[str, float] | None] = {
        "f1_by_class": dict(measured.f1_by_class),
        "expected_calibration_error": measured.expected_calibration_error,
        "threshold": measured.threshold,
        "coverage": measured.coverage,
        "accuracy_when_sure": measured.accuracy_when_sure,
        "rows": measured.rows,
        "rows_per_second": round(measured.rows / seconds, 1),
    }
    _show(heading, measured.metrics, figures, as_json)


def _classifier(
    method: MethodName,
    skill: Application,
    applications: Mapping[str, Application],
    engine: Engine,
    shots: int | None,
    language: str,
) -> Classifier:
    """The classifier; of few-shot it is told how many shots there were."""
    from assistant.workshop.methods.few_shot import NearestShots
    from assistant.workshop.prediction import classifier

    made = classifier(method, skill, applications, engine, shots, language)
    if isinstance(made, NearestShots):
        click.echo(f"{len(made.shots)} shots for {len(made.labels)} labels.", err=True)
    return made


def _manifest_labels(adapter: Path) -> tuple[str, ...]:
    """The labels that an adapter's manifest names."""
    from assistant.engine.manifest import FILE, read_json

    # Not the whole manifest: what is wrong with it is the engine's to say.
    return tuple(read_json(adapter, FILE).get("labels", ()))


def _kept_labels(wanted: str | None, known: Sequence[str]) -> tuple[str, ...]:
    """The labels that count. Raises UsageError for one that the application does not have."""
    if wanted is None:
        return tuple(known)
    kept = tuple(dict.fromkeys(label.strip() for label in wanted.split(",") if label.strip()))
    unknown = [label for label in kept if label not in known]
    if unknown or len(kept) < 2:
        wrong = f"{unknown[0]!r} is no label" if unknown else "--labels takes two or more"
        raise click.UsageError(f"{wrong}; the application has: {', '.join(known)}.")
    return kept


def _classified(examples: Sequence[Example], classifier: Classifier) -> tuple[list[Classification], float]:
    """The predictions in order, and the seconds that they took."""
    import sys

    from assistant.workshop.prediction import BATCH

    inputs = [e.texts[0] if len(e.texts) == 1 else (e.texts[0], e.texts[1]) for e in examples]
    results: list[Classification] = []
    started = time.perf_counter()
    with click.progressbar(length=len(inputs), label="Evaluating", file=sys.stderr) as bar:
        for start in range(0, len(inputs), BATCH):
            batch = inputs[start : start + BATCH]
            results += classifier.predict(batch)
            bar.update(len(batch))
    return results, time.perf_counter() - started


def _show(
    heading: Mapping[str, str],
    metrics: Mapping[str, Metric],
    figures: Mapping[str, float | dict[str, float] | None],
    as_json: bool,
) -> None:
    """Metrics with their intervals and plain figures, as JSON or as lines."""
    if as_json:
        content = {**heading, **{name: vars(metric) for name, metric in metrics.items()}, **figures}
        click.echo(json.dumps(content, ensure_ascii=False, indent=2))
        return
    click.echo(" · ".join(heading.values()))
    for name, metric in metrics.items():
        interval = f"({metric.low:.4f} to {metric.high:.4f})"
        click.echo(f"{name.replace('_', ' '):28} {metric.value:7.4f}  {interval}")
    for name, value in figures.items():
        if isinstance(value, dict):
            for label, each in value.items():
                click.echo(f"{'F1 ' + label:28} {each:7.4f}")
        elif value is not None:
            shown = f"{value:7,}" if isinstance(value, int) else f"{value:7.4f}"
            click.echo(f"{name.replace('_', ' '):28} {shown}")
