"""Calls that are given up when they take too long.

Python cannot stop a thread from outside. A call past its deadline is left behind in its daemon thread, which
costs what the call costs but never keeps the process alive, and whoever waited goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")
_END = object()


class Overdue(Exception):  # noqa: N818  (it reads as what it is)
    """The call was not ready within its time; it may still be running."""


def call(function: Callable[[], T], seconds: float, when_back: Callable[[], object] | None = None) -> T:
    """The result of `function()`, or what it raises, within `seconds`.

    Raises Overdue after that. `when_back` is called if the overdue call does come back one day.
    """
    worker = _Worker(seconds)
    last = []
    try:
        return worker.call(function)
    except Overdue:
        if when_back:
            last.append(when_back)
        raise
    finally:
        worker.finish(last)


def stream(
    make: Callable[[], Iterable[T]],
    seconds: float,
    when_back: Callable[[], object] | None = None,
    renews: Callable[[T], bool] = lambda item: False,
) -> Generator[T, None, None]:
    """The items of `make()`, which may spend `seconds` on them in all, the consumer's own time not counted.

    An item that `renews` the time starts it anew: long work that shows how it gets on is not stuck.

    One thread makes all items, so that what a generator holds across its yields (a lock, torch's inference
    mode) stays where it was taken. The source is closed when the consumer stops. Raises Overdue like `call`.
    """
    worker = _Worker(seconds)
    last: list[Callable[[], object]] = []
    try:
        source = worker.call(lambda: iter(make()))
        if close := getattr(source, "close", None):
            last.append(close)
        while (item := worker.call(lambda: next(source, _END))) is not _END:
            if renews(item):  # type: ignore[arg-type]  # not the end mark, hence an item
                worker.seconds = seconds
            yield item  # type: ignore[misc]  # not the end mark, hence an item
    except Overdue:
        if when_back:
            last.append(when_back)
        raise
    finally:
        worker.finish(last)


class _Worker:
    """A daemon thread for calls one after the other, which may take `seconds` in all."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._finished = False
        self._calls: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        # In the caller's context: what it knows of the visitor is known there, too.
        work = copy_context().run
        threading.Thread(target=work, args=(self._work,), name="deadline", daemon=True).start()

    def call(self, function: Callable[[], T]) -> T:
        """What the function returns or raises. Not to be called again after Overdue."""
        started = time.monotonic()
        self._calls.put(function)
        try:
            result, error = self._outcomes.get(timeout=max(self.seconds, 0))
        except Empty:
            raise Overdue("The call was not ready within its time.") from None
        self.seconds -= time.monotonic() - started
        if error is None:
            return result  # type: ignore[no-any-return]
        if isinstance(error, Exception):
            raise error
        # A SystemExit of the called code must not end the caller.
        raise RuntimeError(f"{type(error).__name__} was raised") from error

    def finish(self, last: Iterable[Callable[[], object]]) -> None:
        """Let the thread end when it is free, after the `last` calls; does not wait for it."""
        self._finished = True
        for function in last:
            self._calls.put(function)
        self._calls.put(None)

    def _work(self) -> None:
        while (function := self._calls.get()) is not None:
            result, error = None, None
            try:
                result = function()
            except BaseException as raised:  # noqa: BLE001  (the stream crosses threads: handed to the caller)
                error = raised
            if error and self._finished:
                logger.warning("A call that nobody waits for any more failed.", exc_info=error)
            self._outcomes.put((result, error))
