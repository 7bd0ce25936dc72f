"""Comparing the speed of models on a machine that also does other things."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def taking_turns(
    models: Sequence[Callable[[T], object]], inputs: Sequence[T], rounds: int = 3
) -> list[float]:
    """Seconds of each model over all inputs.

    Each input goes to one model after the other, in several rounds, and of each its fastest run counts: what else the
    machine does slows all models alike, and interruptions fall out. The first round also warms them.
    """
    fastest = [[math.inf] * len(inputs) for _ in models]
    for _ in range(rounds):
        for place, each in enumerate(inputs):
            for model, times in zip(models, fastest, strict=True):
                started = time.perf_counter()
                model(each)
                times[place] = min(times[place], time.perf_counter() - started)
    return [sum(times) for times in fastest]
