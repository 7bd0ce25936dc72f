"""Comparing the speed of models on a machine that also does other things."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def taking_turns(models: Sequence[Callable[[T], object]], inputs: Sequence[T]) -> list[float]:
    """Seconds of each model over all inputs. Each input goes to one model after the other, so that whatever else the
    machine does slows all of them alike; every model sees the first one once before, so that it is loaded and warm."""
    for model in models:
        model(inputs[0])
    seconds = [0.0] * len(models)
    for each in inputs:
        for number, model in enumerate(models):
            started = time.perf_counter()
            model(each)
            seconds[number] += time.perf_counter() - started
    return seconds
