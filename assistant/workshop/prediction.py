"""Many rows through one application: read by its fields, answered in batches, given back in order.

How a row of a task becomes an operation's input, and its result columns of the output, is a table by task
(`TASKS`), so that an application of any task can be run, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from assistant.applications import Application, Task
from assistant.conversation import clean
from assistant.engine.base import (
    Choice,
    Classification,
    Engine,
    Extraction,
    Tag,
    TextOrPair,
    text_or_pair,
)
from assistant.engine.manifest import MULTITASK, Operation, read_manifest
from assistant.errors import AdapterError, DataError, InputError, PromptError, UnsupportedTask
from assistant.prompts import Prompt, load_prompt
from assistant.workshop.data import Example, Row, read_texts
from assistant.workshop.methods import Classifier, LabelledTask, Method
from assistant.workshop.methods.adapter import TrainedAdapter
from assistant.workshop.methods.few_shot import FewShot
from assistant.workshop.methods.zero_shot import ZeroShot, entailment_adapter

# Rows handed to the engine at a time; it sorts them by length into its own batches.
BATCH = 64

MethodName: TypeAlias = Literal["adapter", "zero-shot", "few-shot"]
METHODS: tuple[MethodName, ...] = get_args(MethodName)
Columns: TypeAlias = dict[str, Any]


# --- a row of each task -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowForm:
    """`read` makes an input of the engine's `operation` of a row and the application's fields (raises
    DataError); `columns` makes JSON of the input and its result."""

    operation: Operation
    read: Callable[[Row, Sequence[str]], Any]
    columns: Callable[[Any, Any], Columns]


def _texts(row: Row, fields: Sequence[str]) -> tuple[str, ...]:
    """The row's texts, cleaned as those of a message are."""
    texts = tuple(clean(text) for text in read_texts(row, fields))
    for field, text in zip(fields, texts, strict=True):
        if not text.strip():
            raise DataError(f"Row {row.number}: {field!r} holds no readable character; expected a text.")
    return texts


def _text_or_pair(row: Row, fields: Sequence[str]) -> TextOrPair:
    return text_or_pair(_texts(row, fields))


def _classified(_: TextOrPair, result: Classification) -> Columns:
    return {"label": result.label, "probabilities": dict(result.ranked())}


def _choice(row: Row, fields: Sequence[str]) -> Choice:
    """The field "choices" is a list of texts, or one a line in a CSV cell; the others, some of which may be empty, and
    the row's "context" are the question."""
    choices = row.values.get("choices")
    options = choices.splitlines() if isinstance(choices, str) else choices
    if not isinstance(options, list) or not all(isinstance(o, str) and o.strip() for o in options):
        raise DataError(f"Row {row.number}: 'choices' is {choices!r:.60}; expected a list of texts.")
    if len(options) < 2:
        raise DataError(f"Row {row.number}: 'choices' has {len(options)}; expected two or more.")
    asked = dict.fromkeys(("context", *(field for field in fields if field != "choices")))
    filled = [f for f in asked if row.values.get(f) != "" and (f in fields or f in row.values)]
    if not filled:
        raise DataError(f"Row {row.number} has choices but no question.")
    return Choice("\n".join(_texts(row, filled)), tuple(clean(option) for option in options))


def _chosen(choice: Choice, result: Sequence[float]) -> Columns:
    best = max(range(len(result)), key=result.__getitem__)
    return {"label": choice.options[best], "answer": best, "probabilities": list(result)}


def _tagged(text: str, result: Sequence[Tag]) -> Columns:
    return {"tags": [{**vars(tag), "text": text[tag.start : tag.end]} for tag in result]}


def _question_and_context(row: Row, fields: Sequence[str]) -> tuple[str, str]:
    question, context = _texts(row, [field for field in ("question", "context") if field in fields])
    return question, context


def _extracted(pair: tuple[str, str], result: Sequence[Extraction]) -> Columns:
    """The best answer, and the others after it among `candidates`; an empty one means that the context does not say
    it."""
    candidates = [{"answer": pair[1][each.start : each.end], **vars(each)} for each in result]
    return {**candidates[0], "candidates": candidates}


def _sentences(row: Row, fields: Sequence[str]) -> tuple[str, ...]:
    """The lines of the row's text: a sentence a line."""
    (text,) = _texts(row, fields)
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _ranked(sentences: Sequence[str], result: Sequence[float]) -> Columns:
    return {"scores": [{"text": t, "score": s} for t, s in zip(sentences, result, strict=True)]}


TASKS: Mapping[Task, RowForm] = {
    "text-classification": RowForm("classify", _text_or_pair, _classified),
    "multiple-choice": RowForm("choose", _choice, _chosen),
    "token-classification": RowForm("tag", lambda row, fields: _texts(row, fields)[0], _tagged),
    "question-answering": RowForm("extract", _question_and_context, _extracted),
    "summarization": RowForm("rank", _sentences, _ranked),
}


# --- applications and methods -------------------------------------------------------------------------------


def row_form(application: Application) -> RowForm:
    """How the application's rows are read. Raises UnsupportedTask for a task that does not work on rows."""
    if application.task not in TASKS:
        raise UnsupportedTask(
            f"{application.title} is for {application.task}; rows can be of: {', '.join(TASKS)}."
        )
    return TASKS[application.task]


def adapter_of(application: Application) -> Path:
    """The application's adapter folder. Raises AdapterError when it has none."""
    if application.adapter is None:
        raise AdapterError(f"{application.title} has no adapter.")
    return application.adapter


def one_head(application: Application, head: str | None) -> Application:
    """One head of an application's adapter, as an application for its rows; what has no heads stays itself. Raises
    InputError for a head that it lacks, or where it has several and none is named."""
    several = MULTITASK in application.requires
    heads = read_manifest(adapter_of(application)).labels if several else ()
    if head is None and not heads:
        return application
    if head not in heads:
        wrong = f"{head!r} is no head of {application.id}" if head else f"{application.id} has several heads"
        raise InputError(f"{wrong}; --head takes: {', '.join(heads) or 'nothing here'}.")
    own = read_manifest(adapter_of(application) / head)
    content = {
        "id": f"{application.id} {head}",
        "task": next(task for task, form in TASKS.items() if form.operation == own.operation),
        "fields": own.fields,
        "adapter": adapter_of(application) / head,
        "prompts": None,
    }
    made: Application = type("Head", (type(application),), content)()
    return made


def classifier(
    method: MethodName,
    application: Application,
    applications: Mapping[str, Application],
    engine: Engine,
    shots: int | None = None,
    language: str = "en",
) -> Classifier:
    """The application's labels on its fields, by one of the methods.

    `shots` per label are for few-shot (None: all of the prompt file), whose prompt is in `language`;
    zero-shot borrows the adapter for entailment from one of `applications`. Raises AssistantError where
    something is missing.
    """
    if application.task != "text-classification":
        raise UnsupportedTask(f"{application.title} is for {application.task}; expected text-classification.")
    if method == "adapter":
        return TrainedAdapter(engine, adapter_of(application))
    if application.prompts is None:
        raise PromptError(f"{application.title} has no prompt files, which {method} needs.")
    prompt = load_prompt(application.prompts, language)
    entailment = entailment_adapter(applications, engine) if method == "zero-shot" else None
    task = prompt_task(prompt, engine, entailment)
    chosen: Method = FewShot(shots, "first") if method == "few-shot" else ZeroShot()
    return chosen.fit(task, lambda fraction, note: True).classifier


def prompt_task(prompt: Prompt, engine: Engine, entailment: Path | None) -> LabelledTask:
    """What a prompt file alone gives to learn from: its shots and its hypotheses."""
    return LabelledTask(
        engine,
        tuple(prompt.labels),
        tuple(
            Example(tuple(shot.input[name] for name in prompt.fields), shot.label) for shot in prompt.shots
        ),
        folder=Path(),
        fields=prompt.fields,
        hypotheses=prompt.hypotheses(),
        entailment=entailment,
    )


# --- rows ---------------------------------------------------------------------------------------------------


def predict_rows(
    rows: Iterable[Row],
    fields: Sequence[str],
    form: RowForm,
    answer: Callable[[Sequence[Any]], Sequence[Any]],
    refuse: Callable[[str], object],
) -> Iterator[Columns]:
    """Each readable row with its result columns, in order. `refuse` gets a sentence for each row that is left
    out.

    A column of the row that has the name of a result (the gold `label` of a test set) becomes `input_label`.
    """
    for batch in _batches(rows):
        readable = []
        for row in batch:
            try:
                readable.append((row, form.read(row, fields)))
            except DataError as error:
                refuse(str(error))
        for row, given, result in _answered(readable, answer, refuse):
            columns = form.columns(given, result)
            kept = {f"input_{key}" if key in columns else key: value for key, value in row.values.items()}
            yield {**kept, **columns}


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _answered(
    readable: Sequence[tuple[Row, Any]],
    answer: Callable[[Sequence[Any]], Sequence[Any]],
    refuse: Callable[[str], object],
) -> Iterator[tuple[Row, Any, Any]]:
    """The rows with their results. Where the engine cannot read one of them, each is asked for alone."""
    try:
        results = answer([given for _, given in readable])
    except InputError as error:
        if len(readable) == 1:
            refuse(f"Row {readable[0][0].number}: {error}")
            return
        for pair in readable:
            yield from _answered([pair], answer, refuse)
        return
    for (row, given), result in zip(readable, results, strict=True):
        yield row, given, result
