"""Rows of training, evaluation and prediction data: JSON lines or CSV, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import platform
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assistant.engine.base import well_formed
from assistant.errors import DataError

# A longer line is no row of text data. Characters.
MAX_LINE = 2_000_000


@dataclass(frozen=True)
class Row:
    """One row: its 1-based number in the file and either its values or what is wrong with it."""

    number: int
    values: Mapping[str, Any]
    error: str | None = None


@dataclass(frozen=True)
class Example:
    """One labelled example: the texts in the order of the application's fields, and what is right: for a
    classification the name of a class; for other operations see `objectives`. Its texts are well-formed."""

    texts: tuple[str, ...]
    label: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", tuple(map(well_formed, self.texts)))


@dataclass(frozen=True)
class Soft:
    """A label with a teacher's opinion: its probabilities in the order of the labels. `label` is None where nobody
    knows what is right."""

    label: str | None
    probabilities: tuple[float, ...]


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of `*.jsonl`, `*.csv`, or the same with `.gz`.

    A bad row is yielded with its error, so that the caller decides; a file that cannot be read at all raises
    DataError.
    """
    kind = _kind(path)
    try:
        with gzip.open(path, "rb") if _packed(path) else path.open("rb") as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
            yield from _json_rows(text) if kind == ".jsonl" else _csv_rows(text, path)
    except FileNotFoundError:
        raise DataError(f"There is no file {str(path)!r}.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8 (byte {error.start}); expected UTF-8 text.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} cannot be read: {_reason(error)}.") from None


def good_rows(path: Path) -> Iterator[Row]:
    """The rows of a file that has to be right throughout. Raises DataError naming the first bad one."""
    for row in read_rows(path):
        if row.error:
            raise DataError(f"Row {row.number} of {path.name}: {row.error}.")
        yield row


@contextmanager
def write_rows(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that writes one row to `*.jsonl` or `*.jsonl.gz`, whole or not at all.

    Rows go to a temporary file beside `path`, which takes its place when the block ends well; so the input
    may be overwritten, and a broken run leaves what was there. Raises DataError for a path that cannot be
    written.
    """
    if _kind(path) != ".jsonl":
        raise DataError(f"{path.name} is not .jsonl or .jsonl.gz, which is what can be written.")
    temporary = path.with_name(path.name + ".tmp")
    try:
        # A half of a surrogate pair, which UTF-8 cannot hold, becomes the JSON escape that it was read from.
        with (
            gzip.open(temporary, "wb") if _packed(path) else temporary.open("wb") as raw,
            io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="\n") as text,
        ):
            yield lambda values: print(json.dumps(values, ensure_ascii=False), file=text)
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path.name} cannot be written: {_reason(error)}.") from None
    finally:
        temporary.unlink(missing_ok=True)


def _packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _reason(error: Exception) -> str:
    """What the system says, without the path that it repeats."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind not in (".jsonl", ".csv"):
        raise DataError(f"{path.name} is neither .jsonl nor .csv (plain or .gz).")
    return kind


def _json_rows(text: io.TextIOWrapper) -> Iterator[Row]:
    for number, line in enumerate(_lines(text), 1):
        if len(line) > MAX_LINE:
            yield Row(number, {}, f"longer than {MAX_LINE:,} characters")
            continue
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(number, {}, f"no JSON: {error}")
            continue
        if isinstance(values, dict):
            yield Row(number, values)
        else:
            yield Row(number, {}, f"a JSON {type(values).__name__}, expected an object")


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines; of one that is too long only the beginning, so that no line fills the memory."""
    while line := text.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith("\n"):
            line = text.readline(MAX_LINE + 1)


def _csv_rows(text: io.TextIOWrapper, path: Path) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE)  # a setting of the whole process; the default refuses a text of 131,072
    reader = csv.reader(text)
    try:
        header = next(reader, None)
        if not header:
            raise DataError(f"{path.name} is empty; expected a header line.")
        for number, cells in enumerate(reader, 1):
            if len(cells) == len(header):
                yield Row(number, dict(zip(header, cells, strict=True)))
            elif cells:
                yield Row(number, {}, f"{len(cells)} cells, expected {len(header)} ({', '.join(header)})")
    except csv.Error as error:
        raise DataError(f"{path.name} is no CSV: {error}.") from None


def read_texts(row: Row, fields: Sequence[str]) -> tuple[str, ...]:
    """The row's texts in the order of `fields`. Raises DataError naming the row and the field."""
    if row.error:
        raise DataError(f"Row {row.number}: {row.error}.")
    for field in fields:
        if field not in row.values:
            raise DataError(
                f"Row {row.number} has no field {field!r}; it has: {', '.join(row.values) or 'none'}."
            )
        if not isinstance(row.values[field], str) or not row.values[field].strip():
            raise DataError(f"Row {row.number}: {field!r} is {row.values[field]!r:.60}; expected a text.")
    return tuple(row.values[field] for field in fields)


def read_examples(
    path: Path, fields: Sequence[str], label_names: Mapping[str, str | None] | None = None
) -> list[Example]:
    """All labelled examples of a file. `label_names` renames labels, "*" all that are not named, and those of rows
    that have none; None as the new name leaves a row out.

    Raises DataError naming the first row that is wrong.
    """
    examples = []
    for row in read_rows(path):
        texts = read_texts(row, fields)
        label = row.values.get("label", "*" if label_names and "*" in label_names else None)
        if not isinstance(label, str | int) or not str(label).strip():
            raise DataError(f"Row {row.number} of {path.name} has no 'label'; expected the name of a class.")
        name: str | None = str(label)
        if label_names is not None:
            known = str(label) if str(label) in label_names else "*"
            if known not in label_names:
                raise DataError(
                    f"Row {row.number} of {path.name}: unknown label {name!r}; known: {list(label_names)}."
                )
            name = label_names[known]
        if name is not None:
            examples.append(Example(texts, name))
    if not examples:
        raise DataError(f"{path.name} holds no labelled row.")
    return examples


def read_unlabelled(path: Path, fields: Sequence[str]) -> list[Example]:
    """The texts of a file, whatever else it holds; their label is None. Raises DataError naming the first bad row."""
    return [Example(read_texts(row, fields), None) for row in good_rows(path)]


def spread(examples: Sequence[Example], count: int) -> list[Example]:
    """So many of the examples, evenly spread; all when there are fewer."""
    count = min(count, len(examples))
    return [examples[i * len(examples) // count] for i in range(count)]


def fingerprint(examples: Sequence[Example]) -> str:
    """The first 16 hexadecimal digits of the sha256 over all examples in order: names the data in a run
    record."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(
            "\x1f".join((*example.texts, str(example.label))).encode("utf-8", "surrogatepass") + b"\x1e"
        )
    return digest.hexdigest()[:16]


def versions(*more: str) -> dict[str, str]:
    """What a record says of the software: the versions of torch, transformers, PEFT and `more`, and Python's."""
    found = {name: version(name) for name in ("torch", "transformers", "peft", *more)}
    return {**found, "python": platform.python_version()}
