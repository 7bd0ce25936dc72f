"""One forward pass for what all visitors ask within a few milliseconds.

Callers hand over rows and wait; one thread gathers what has come, orders it by length and runs it in batches whose
rows may carry different adapters. While a batch runs, the next one gathers by itself.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from assistant.errors import EngineError

T = TypeVar("T")

# How long the first row waits for company. Seconds.
WINDOW = 0.002
# Bounds of one forward pass: beyond about a thousand tokens a larger batch is no faster per token.
MAX_ROWS = 32
MAX_TOKENS = 1024


@dataclass(frozen=True)
class Item(Generic[T]):
    """One row: what to compute, its length in tokens, a kind by which rows are ordered within a batch, and a depth:
    rows of different depths never share a batch."""

    work: T
    length: int
    kind: int = 0
    depth: int = 0


class Batcher(Generic[T]):
    """Runs `forward` on batches of works; `submit` may be called from any thread."""

    def __init__(self, forward: Callable[[Sequence[T]], Sequence[Any]]) -> None:
        self._forward = forward
        # One entry a call: the rows of a call are gathered together, so that alone it always runs the same batches.
        self._queue: queue.SimpleQueue[list[tuple[Item[T], Future[Any]]] | None] = queue.SimpleQueue()
        self._closed = False
        # Nothing is put after the end: nobody would ever take it.
        self._open = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, items: Sequence[Item[T]]) -> list[Any]:
        """Results in the order of `items`. Raises what `forward` raised for a batch, or EngineError once closed."""
        rows: list[tuple[Item[T], Future[Any]]] = [(item, Future()) for item in items]
        with self._open:
            if self._closed:
                raise EngineError("The engine has been closed.")
            if rows:
                self._queue.put(rows)
        return [future.result() for _, future in rows]

    def close(self) -> None:
        """Finish what was handed over and end the thread."""
        with self._open:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while gathered := self._gather():
            for batch in _split(gathered):
                self._compute(batch)

    def _gather(self) -> list[tuple[Item[T], Future[Any]]]:
        """Wait for a row, then for company; an empty list once closed."""
        first = self._queue.get()
        if first is None:
            return []
        gathered = list(first)
        try:
            while len(gathered) < 8 * MAX_ROWS:
                following = self._queue.get(timeout=WINDOW)
                if following is None:
                    self._queue.put(None)  # finish these rows, then end
                    break
                gathered += following
        except queue.Empty:
            pass
        return gathered

    def _compute(self, batch: list[tuple[Item[T], Future[Any]]]) -> None:
        try:
            results = self._forward([item.work for item, _ in batch])
        except BaseException as error:  # noqa: BLE001  (it crosses threads: whoever waits has to get it)
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)


def _split(rows: list[tuple[Item[T], Future[Any]]]) -> list[list[tuple[Item[T], Future[Any]]]]:
    """Batches of one depth and of similar length within the bounds, each ordered by kind."""
    batches: list[list[tuple[Item[T], Future[Any]]]] = [[]]
    for row in sorted(rows, key=lambda row: (row[0].depth, row[0].length)):
        batch = batches[-1]
        full = len(batch) == MAX_ROWS or (len(batch) + 1) * row[0].length > MAX_TOKENS
        if batch and (full or batch[-1][0].depth != row[0].depth):
            batches.append(batch := [])
        batch.append(row)
    return [sorted(batch, key=lambda row: row[0].kind) for batch in batches]
