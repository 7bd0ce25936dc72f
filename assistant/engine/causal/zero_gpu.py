"""ZeroGPU of Hugging Face Spaces: a graphics processor that is there only while a function under `spaces.GPU` runs.

Such a function runs in a process that is forked for it. So the model and its adapters are put on "cuda" before the page
opens, and what goes into the function and comes out of it are plain values, which are pickled. The package `spaces` is
there on Spaces; without ZeroGPU its decorator has no effect (https://huggingface.co/docs/hub/spaces-zerogpu).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

PACKAGE = "spaces"
# By this variable the package itself knows where it is.
VARIABLE = "SPACES_ZERO_GPU"

F = TypeVar("F", bound=Callable[..., Any])


def active() -> bool:
    """Whether this process has its graphics processor from ZeroGPU."""
    return find_spec(PACKAGE) is not None and os.environ.get(VARIABLE, "").lower() in ("1", "t", "true")


def announce() -> None:
    """Import `spaces`, if it is there: it has to come before CUDA is first asked for anything."""
    if find_spec(PACKAGE) is not None:
        import_module(PACKAGE)


def on_gpu(function: F) -> F:
    """`spaces.GPU` around the function, if the package is there."""
    if find_spec(PACKAGE) is None:
        return function
    decorated: F = import_module(PACKAGE).GPU(function)
    return decorated
