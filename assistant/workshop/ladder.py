"""The ladder: several methods on one data set, each with a record of what it gives and what it costs.

A record is a JSON file in a folder of its own, written when the method is done. A method whose record is there for the
same options, seed and data is not run again, so a stopped ladder goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from assistant.engine.base import Classification, Engine
from assistant.engine.manifest import FILE
from assistant.errors import AssistantError, DataError
from assistant.workshop.data import Example, versions
from assistant.workshop.dataset import Dataset
from assistant.workshop.evaluation import Metric, report
from assistant.workshop.methods import (
    Classifier,
    Fitted,
    LabelledTask,
    Method,
    Stopped,
    Watch,
    inputs_of,
    tell,
)

logger = logging.getLogger(__name__)

RECORD = "record.json"
# Dev texts answered one at a time for the latency.
TIMED = 20
# Dev rows between two looks at the watch.
CHUNK = 64
# What part of the progress the fitting is; the rest is the measuring.
FITTING = 0.8


@dataclass(frozen=True)
class Record:
    """What one method gives on one data set. Bytes are stored beside the base; latency is the median of single texts in
    milliseconds; `metrics` are those of `evaluation` on dev, with 95 % intervals."""

    method: str
    title: str
    options: Mapping[str, Any]
    seed: int
    data: str
    fingerprint: str
    rows: int
    dev_rows: int
    labels: int
    metrics: Mapping[str, Metric]
    parameters: int
    bytes: int
    seconds: float
    latency: float
    versions: Mapping[str, str]

    @property
    def accuracy(self) -> Metric:
        """The share of dev rows whose label was found."""
        return self.metrics["accuracy"]

    @property
    def name(self) -> str:
        """The title, with the options that are not the default ones."""
        return self.title + (
            f" ({', '.join(f'{k} {v}' for k, v in self.options.items())})" if self.options else ""
        )


@dataclass(frozen=True)
class Rung:
    """One method's outcome: its record, or the sentence that says why there is none. `adapter` is the
    folder that it made, if it made one."""

    method: Method
    record: Record | None = None
    error: str = ""
    adapter: Path | None = None


def climb(
    dataset: Dataset,
    methods: Sequence[Method],
    engine: Engine,
    folder: Path,
    entailment: Path | None = None,
    seed: int = 0,
    watch: Callable[[Method, float, str], bool] = lambda method, fraction, note: True,
    hypotheses: Mapping[str, str] | None = None,
    adapters: Mapping[str, Path] | None = None,
) -> Iterator[Rung]:
    """Run the methods in order, each rung as it is done.

    What goes wrong with one method is told in its rung, and the next one is run. Raises Stopped when the watch, which
    is called with the method, the share of its work and a few words, gives False; records that are done stay.
    """
    for method in methods:
        basis = _basis(method, hypotheses or {}, entailment, adapters or {})
        place = folder / _place(method, dataset, seed, basis)
        if record := _known(place):
            adapter = place / "adapter"
            yield Rung(method, record, adapter=adapter if adapter.is_dir() else None)
            continue
        place.mkdir(parents=True, exist_ok=True)
        task = LabelledTask(
            engine,
            dataset.labels,
            dataset.train,
            place,
            dataset.dev,
            dataset.fields,
            hypotheses or {},
            entailment,
            seed,
            dataset.name,
            adapters or {},
        )

        told: Watch = partial(watch, method)

        def fitting(fraction: float, note: str, told: Watch = told) -> bool:
            return told(FITTING * fraction, note)

        tell(told, 0.0)
        try:
            fitted = method.fit(task, fitting)
            record = _measured(method, dataset, fitted, seed, told)
        except Stopped:
            raise
        except Exception as error:
            logger.warning("The method %r failed.", method.id, exc_info=error)
            yield Rung(method, error=_said(error))
        else:
            _write(record, place)
            yield Rung(method, record, adapter=fitted.adapter)


def changed_options(method: Method) -> dict[str, Any]:
    """The options of a method that are not its defaults."""
    return {f.name: getattr(method, f.name) for f in fields(method) if getattr(method, f.name) != f.default}


def configured(method: Method, given: Mapping[str, str]) -> Method:
    """The method with options as they were typed. Raises DataError naming the option and what is expected."""
    from pydantic import TypeAdapter, ValidationError

    if unknown := sorted(set(given) - set(method.options)):
        there = ", ".join(method.options) or "none"
        raise DataError(f"{method.id} has no option {unknown[0]!r}; there are: {there}.")
    typed = {name: None if value == "none" else value for name, value in given.items()}
    try:
        made: Method = TypeAdapter(type(method)).validate_python({**method.options, **typed})
    except ValidationError as error:
        first = error.errors()[0]
        where = first["loc"][0] if first["loc"] else method.id
        raise DataError(
            f"{method.id}, option {where}: {first['msg']} (it is {first['input']!r:.60})."
        ) from None
    return made


def _measured(method: Method, dataset: Dataset, fitted: Fitted, seed: int, watch: Watch) -> Record:
    predicted = _predicted(fitted.classifier, dataset.dev, watch)
    truth = [example.label for example in dataset.dev]
    return Record(
        method=method.id,
        title=method.title,
        options=changed_options(method),
        seed=seed,
        data=dataset.name,
        fingerprint=dataset.fingerprint,
        rows=len(dataset.train),
        dev_rows=len(dataset.dev),
        labels=len(dataset.labels),
        metrics=report(truth, predicted).metrics,
        parameters=fitted.parameters,
        bytes=fitted.bytes,
        seconds=round(fitted.seconds, 3),
        latency=round(_latency(fitted.classifier, dataset.dev), 3),
        versions=versions("scikit-learn"),
    )


def _predicted(classifier: Classifier, examples: Sequence[Example], watch: Watch) -> list[Classification]:
    inputs = inputs_of(examples)
    found: list[Classification] = []
    for start in range(0, len(inputs), CHUNK):
        tell(watch, FITTING + (1 - FITTING) * start / len(inputs), "measuring")
        found += classifier.predict(inputs[start : start + CHUNK])
    return found


def _latency(classifier: Classifier, examples: Sequence[Example]) -> float:
    """The median time of one text, in milliseconds. Each is answered once before: kernels are prepared when inputs of a
    shape come for the first time, which takes many times as long as the answer."""
    times = []
    inputs = inputs_of(examples[:TIMED])
    for texts in inputs:
        classifier.predict([texts])
    for texts in inputs:
        started = time.perf_counter()
        classifier.predict([texts])
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def _said(error: Exception) -> str:
    if isinstance(error, AssistantError):
        return str(error)
    return f"It failed: {type(error).__name__}: {next(iter(str(error).splitlines()), '').rstrip('.')}."


# --- records ------------------------------------------------------------------------------------------------


def _place(method: Method, dataset: Dataset, seed: int, basis: Sequence[Any]) -> str:
    """The name of a method's folder, which stands for everything that the result depends on."""
    identity = json.dumps(
        [method.id, method.options, seed, dataset.fingerprint, dataset.fields, *basis], sort_keys=True
    )
    return f"{method.id}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def _basis(
    method: Method, hypotheses: Mapping[str, str], entailment: Path | None, adapters: Mapping[str, Path]
) -> list[Any]:
    """What the result depends on besides options, seed and data: the hypotheses, and the content of the adapters."""
    basis: list[Any] = [dict(hypotheses), _content(entailment)] if method.by_entailment else []
    start = adapters.get(method.options.get("start", ""))
    return [*basis, _content(start)] if start else basis


def _content(adapter: Path | None) -> str:
    """The sha256 of an adapter's manifest and weights; those of a head lie in its folder and in the one above it."""
    digest = hashlib.sha256()
    for folder in (adapter, adapter.parent) if adapter else ():
        for path in (folder / FILE, *sorted(folder.glob("*.safetensors"))):
            digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def _known(folder: Path) -> Record | None:
    """The record in a folder, None where there is none or a damaged one."""
    try:
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        metrics = {name: Metric(**metric) for name, metric in content.pop("metrics").items()}
        return Record(**content, metrics=metrics)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write(record: Record, folder: Path) -> None:
    temporary = folder / (RECORD + ".tmp")
    temporary.write_text(json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(folder / RECORD)
