"""What the Teach tab does, without the page: read what was pasted, climb the ladder in a thread, keep a skill.

A lesson's files lie in a folder of one visitor's session. It is bounded in rows, bytes and seconds.
"""

from __future__ import annotations

import csv
import io
import json
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.classification import TextClassification
from assistant.engine.base import Engine
from assistant.errors import DataError
from assistant.workshop.data import Example
from assistant.workshop.dataset import Dataset, read_dataset
from assistant.workshop.ladder import Rung, climb
from assistant.workshop.methods import Method, Stopped
from assistant.workshop.plugin_folder import MAX_DESCRIPTION, write_plugin
from assistant.workshop.prompt_drafts import draft_prompts

if TYPE_CHECKING:
    from typing_extensions import Self

METHODS = ("zero-shot", "few-shot", "feature-based", "lora")
# Examples of the application in the plugin's code.
SHOWN = 8
# Seconds between two looks at how far it is.
TICK = 0.5


@dataclass(frozen=True)
class Step:
    """How far a method is: the share of its work, and the seconds that the rest will take (None: not known yet)."""

    method: Method
    fraction: float
    seconds_left: float | None


@dataclass(frozen=True)
class Skill:
    """What a lesson made: an adapter folder and what an application needs beside it; the examples that it learnt from
    show in its prompt files what is meant."""

    id: str
    title: str
    fields: tuple[str, ...]
    labels: tuple[str, ...]
    adapter: Path
    examples: tuple[Example, ...] = ()

    @property
    def description(self) -> str:
        """One sentence about it."""
        return f"Says which label a text has: {', '.join(self.labels)}."

    def application(self) -> TextClassification:
        """The skill as an application."""
        content = {
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "fields": self.fields,
            "adapter": self.adapter,
        }
        made: TextClassification = type("TaughtSkill", (TextClassification,), content)()
        return made

    def archive(self) -> Path:
        """A plugin that `assistant install` takes, as a zip beside the adapter; made when it is first asked for.

        Raises DataError and AdapterError, see `write_plugin`.
        """
        path = self.adapter.with_name(f"onebase-{self.id}.zip")
        if not path.exists():
            try:
                prompts = draft_prompts(self.title, self.description, self.fields, self.labels, self.examples)
            except DataError:
                prompts = {}  # too few examples for prompt files: the plugin does without
            with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
                folder = Path(scratch) / f"onebase-{self.id}"
                texts = [example.texts for example in self.examples[:SHOWN]]
                write_plugin(
                    folder,
                    self.id,
                    self.title,
                    self.description[:MAX_DESCRIPTION],
                    self.adapter,
                    prompts,
                    texts,
                )
                whole = shutil.make_archive(str(Path(scratch) / "whole"), "zip", scratch, folder.name)
                Path(whole).replace(path)
        return path


def read_pasted(text: str, folder: Path, name: str, max_bytes: int, max_rows: int) -> Dataset:
    """The data set in a pasted text: JSON lines, CSV, cells of a spreadsheet, or labels with examples beneath.

    Raises DataError for a text that is too long or that cannot be learnt from.
    """
    if len(text.encode("utf-8", "surrogatepass")) > max_bytes:
        raise DataError(f"The examples are more than {max_bytes:,} bytes, which is the limit here.")
    text = text.lstrip()
    first = text.partition("\n")[0]
    if not first:
        raise DataError("There are no examples yet.")
    kind = ".jsonl" if first.startswith(("{", "#")) else ".csv"
    if first.startswith("#"):
        text = "".join(json.dumps(row) + "\n" for row in listed(text))
    elif kind == ".csv" and "\t" in first:
        text = _comma_separated(text)
    path = folder / f"{name}{kind}"
    path.write_text(text, encoding="utf-8", errors="replace")
    return read_dataset(path, max_rows=max_rows)


def _comma_separated(text: str) -> str:
    """CSV of what was copied from a spreadsheet, which separates cells by tabs."""
    cells = io.StringIO()
    try:
        csv.writer(cells).writerows(csv.reader(io.StringIO(text, newline=""), delimiter="\t"))
    except csv.Error as error:
        raise DataError(f"The cells cannot be read: {error}.") from None
    return cells.getvalue()


def listed(text: str) -> list[dict[str, str]]:
    """The rows of a list in which each label stands on a line after "#", and its examples on the lines beneath."""
    rows, label = [], ""
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            label = line.strip().lstrip("#").strip()
        elif line.strip():
            rows.append({"text": line.strip(), "label": label})
    return rows


class Lesson:
    """The ladder on one data set, run in a thread of its own while it is entered; leaving it stops the work. `ended` is
    called when the work has ended."""

    def __init__(
        self,
        dataset: Dataset,
        methods: Sequence[Method],
        engine: Engine,
        folder: Path,
        entailment: Path | None,
        seconds: float,
        ended: Callable[[], None],
    ) -> None:
        self.dataset = dataset
        self._ladder = climb(dataset, methods, engine, folder, entailment, watch=self._watch)
        self._deadline = time.monotonic() + seconds
        self._ended = ended
        self._stop = threading.Event()
        self._news: queue.SimpleQueue[Rung | Exception | None] = queue.SimpleQueue()
        self._step: Step | None = None
        self._method_since: tuple[Method, float] | None = None
        # Whether it was the time that ended it.
        self.overdue = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def events(self) -> Iterator[Rung | Step]:
        """Rungs as they are done, and steps in between."""
        while True:
            try:
                news = self._news.get(timeout=TICK)
            except queue.Empty:
                if self._step:
                    yield self._step
                continue
            if news is None:
                return
            if isinstance(news, Exception):
                raise news
            yield news

    def _run(self) -> None:
        try:
            for rung in self._ladder:
                self._news.put(rung)
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001  (raised where the events are read)
            self._news.put(error)
        finally:
            self._ended()
            self._news.put(None)

    def _watch(self, method: Method, fraction: float, note: str) -> bool:
        now = time.monotonic()
        if self._method_since is None or self._method_since[0] is not method:
            self._method_since = (method, now)
        passed = now - self._method_since[1]
        left = passed * (1 - fraction) / fraction if fraction > 0.05 else None
        self._step = Step(method, fraction, left)
        self.overdue = self.overdue or now > self._deadline
        return not (self._stop.is_set() or self.overdue)
