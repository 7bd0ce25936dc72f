"""A person's labelled rows, read by column names, checked, and divided into a train and a dev part.

What makes learning pointless is refused (DataError); what can be mended is mended and told as a warning: rows without
text or label, duplicates, and texts with two labels are left out, and so is what train and dev have in common.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from assistant.engine.embedded import MAX_TOKENS, tokenizer
from assistant.errors import DataError
from assistant.workshop.data import Example, Row, fingerprint, read_rows, read_texts
from assistant.workshop.findings import Finding, Kind

LABEL = "label"
MAX_ROWS = 200_000
MAX_LABELS = 100
# Below so many rows of a label its figures say little.
FEW = 8
# Below so many dev rows an interval is wide, or too narrow where everything is right.
MEASURED = 30
# How many times as many rows the largest class may have before that is told.
UNBALANCED = 10
DEV_SHARE, MAX_DEV = 0.2, 2000


@dataclass(frozen=True)
class Dataset:
    """Clean examples; no text is in both parts. `labels` are sorted; `warnings` are what a person should
    know of the data."""

    name: str
    fields: tuple[str, ...]
    labels: tuple[str, ...]
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    warnings: tuple[Finding, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Names the data in a run record; another order is other data."""
        return f"{fingerprint(self.train)}-{fingerprint(self.dev)}"


def read_dataset(
    path: Path,
    dev: Path | None = None,
    fields: Sequence[str] = (),
    label: str | None = None,
    seed: int = 0,
    max_rows: int = MAX_ROWS,
) -> Dataset:
    """Read, check and divide. Without `fields` the column "text", or else the one or two others than the label;
    without `label` the column "label"; without `dev` a fifth of each label's rows is set aside.

    Raises DataError for a file that cannot be read, an unknown column, a single label or more than 100, and too few or
    too many rows.
    """
    warnings: list[Finding] = []
    rows = _bounded(path, max_rows)
    names, label_name = columns(rows, fields, label, path.name)
    train = _examples(rows, names, label_name, path.name, warnings)
    train = _consistent(train, path.name, warnings)
    _check_labels(train, label_name)
    if dev is None:
        train, held_out = split(train, seed)
    else:
        held_out = _examples(_bounded(dev, max_rows), names, label_name, dev.name, warnings)
        held_out = _consistent(held_out, dev.name, warnings)
        train = _without_leaks(train, held_out, warnings)
        _check_labels(train, label_name)
    labels = tuple(sorted({example.label for example in train}))
    _check_parts(train, held_out, labels)
    warnings += _counted(train, held_out, labels)
    return Dataset(path.name, names, labels, tuple(train), tuple(held_out), tuple(warnings))


def columns(
    rows: Sequence[Row], fields: Sequence[str], label: str | None, name: str
) -> tuple[tuple[str, ...], str]:
    """The columns that hold the texts and the one that holds the label. Raises DataError, naming what there is."""
    known = next((tuple(row.values) for row in rows if row.values), ())
    if not known:
        error = next((f": {row.error}" for row in rows if row.error), "")
        raise DataError(f"{name} holds no readable row{error}.")
    there = f"the columns are: {', '.join(known)}"
    label = label or LABEL
    if label not in known:
        raise DataError(f"{name} has no column {label!r} for the label; {there}.")
    if not fields:
        others = tuple(column for column in known if column != label)
        fields = ("text",) if "text" in others else others
        if not 1 <= len(fields) <= 2:
            raise DataError(f"It is not clear which column of {name} holds the text; {there}.")
    for field in fields:
        if field not in known or field == label:
            raise DataError(f"{name} has no column {field!r} for a text; {there}.")
    if len(fields) > 2:
        raise DataError(f"{len(fields)} columns of texts were named; expected one, or two that are compared.")
    return tuple(fields), label


def split(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """(train, dev): of each label a fifth for dev, at least one row where there are two; dev has 2,000 rows at most."""
    share = min(DEV_SHARE, MAX_DEV / max(1, len(examples)))
    rng = random.Random(seed)
    chosen: set[int] = set()
    of_label: dict[str, list[int]] = {}
    for number, example in enumerate(examples):
        of_label.setdefault(example.label, []).append(number)
    for label in sorted(of_label):
        own = of_label[label]
        rng.shuffle(own)
        chosen.update(own[: max(round(share * len(own)), int(len(own) > 1))])
    train = [example for number, example in enumerate(examples) if number not in chosen]
    return train, [examples[number] for number in sorted(chosen)]


# --- reading ------------------------------------------------------------------------------------------------


def _bounded(path: Path, limit: int) -> list[Row]:
    rows = list(islice(read_rows(path), limit + 1))
    if len(rows) > limit:
        raise DataError(f"{path.name} has more than {limit:,} rows, which is the limit here.")
    return rows


def _examples(
    rows: Iterable[Row], fields: Sequence[str], label: str, name: str, warnings: list[Finding]
) -> list[Example]:
    """The rows that have texts and a label."""
    examples, refused = [], []
    for row in rows:
        try:
            texts = read_texts(row, fields)
            value = row.values.get(label)
            if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
                raise DataError(
                    f"Row {row.number}: {label!r} is {value!r:.60}; expected the name of a class."
                )
        except DataError as error:
            refused.append((row.number, str(error)))
        else:
            examples.append(Example(texts, str(value).strip()))
    if not examples:
        raise DataError(
            f"{name} holds no row with a text and a label. {refused[0][1] if refused else ''}".rstrip()
        )
    if refused:
        first, reason = refused[0]
        warnings.append(_finding("left_out", count=len(refused), name=name, row=first, reason=reason))
    return examples


def _consistent(examples: Sequence[Example], name: str, warnings: list[Finding]) -> list[Example]:
    """Each text once, and none that has two labels."""
    keyed = [(_key(example), example) for example in examples]
    labels: dict[tuple[str, ...], set[str]] = {}
    for key, example in keyed:
        labels.setdefault(key, set()).add(example.label)
    torn = {key for key, found in labels.items() if len(found) > 1}
    if torn:
        key, first = next(pair for pair in keyed if pair[0] in torn)
        both, text = ", ".join(sorted(labels[key])[:2]), f"{first.texts[0]:.60}"
        warnings.append(_finding("torn", count=len(torn), name=name, text=text, labels=both))
    kept = {key: example for key, example in reversed(keyed) if key not in torn}
    unique = list(reversed(kept.values()))
    repeated = sum(key not in torn for key, _ in keyed) - len(unique)
    if repeated:
        warnings.append(_finding("repeated", count=repeated, name=name))
    return unique


def _without_leaks(
    train: Sequence[Example], dev: Sequence[Example], warnings: list[Finding]
) -> list[Example]:
    held_out = {_key(example) for example in dev}
    kept = [example for example in train if _key(example) not in held_out]
    if leaked := len(train) - len(kept):
        warnings.append(_finding("leaked", count=leaked))
    return kept


def _key(example: Example) -> tuple[str, ...]:
    """What makes two rows the same: their texts, whatever the case and the spaces."""
    return tuple(" ".join(text.casefold().split()) for text in example.texts)


# --- checks -------------------------------------------------------------------------------------------------


def _check_labels(examples: Sequence[Example], column: str) -> None:
    labels = {example.label for example in examples}
    if len(labels) < 2:
        one = f"have the same {column} {next(iter(labels))!r:.60}" if labels else "were left out"
        raise DataError(f"All rows {one}; expected two labels or more.")
    if len(labels) > MAX_LABELS:
        raise DataError(
            f"The column {column!r} has {len(labels):,} different values; expected at most {MAX_LABELS} labels."
        )


def _check_parts(train: Sequence[Example], dev: Sequence[Example], labels: Sequence[str]) -> None:
    if len(dev) < 2:
        raise DataError(f"There are {len(train) + len(dev)} usable rows; expected two or more of each label.")
    if unknown := sorted({example.label for example in dev} - set(labels)):
        raise DataError(f"The dev rows have the label {unknown[0]!r:.60}, which no train row has.")


def _counted(train: Sequence[Example], dev: Sequence[Example], labels: Sequence[str]) -> list[Finding]:
    """Warnings on numbers: few rows, no balance, no dev row, long texts."""
    counts = Counter(example.label for example in train)
    warnings = []
    if few := [f"{label} ({counts[label]})" for label in labels if counts[label] < FEW]:
        warnings.append(_finding("few", labels=_some(few), enough=FEW))
    (most, largest), (least, smallest) = counts.most_common()[0], counts.most_common()[-1]
    if largest > UNBALANCED * smallest:
        warnings.append(_finding("unbalanced", most=most, largest=largest, least=least, smallest=smallest))
    if len(dev) < MEASURED:
        warnings.append(_finding("rough", count=len(dev)))
    measured = {example.label for example in dev}
    if absent := [label for label in labels if label not in measured]:
        warnings.append(_finding("unmeasured", labels=_some(absent)))
    if long := _too_long((*train, *dev)):
        warnings.append(_finding("long", count=long, tokens=MAX_TOKENS))
    return warnings


def _too_long(examples: Iterable[Example]) -> int:
    """How many are longer than the model reads. No token is shorter than a character, so most need not be counted."""
    whole = tokenizer(None)
    long = (" ".join(example.texts) for example in examples)
    return sum(len(text) > MAX_TOKENS - 3 and len(whole.encode(text).ids) > MAX_TOKENS for text in long)


def _finding(kind: Kind, **values: str | int) -> Finding:
    return Finding(kind, values)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def slug(name: str) -> str:
    """A data set's name as an application's id: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", Path(name).stem.split(".")[0].lower()).strip("-")[:60] or "skill"
