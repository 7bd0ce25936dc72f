"""Memory of forward passes: they allocate the same few megabytes again and again, and a kernel for each new shape."""

from __future__ import annotations

import ctypes
import os
import sys

# Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
KEEP_BYTES = 512 * 1024 * 1024
LARGEST_KEPT = 32 * 1024 * 1024  # what glibc allows
KERNELS = 128


def keep_freed_memory() -> bool:
    """Tell glibc not to give freed blocks back to the system at once; True where that was done.

    By default every temporary above 128 kB is mapped anew and its pages are zeroed by the kernel, which took two
    thirds of the time of a quantized linear layer on 1,024 rows. Elsewhere than on glibc nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_MMAP_THRESHOLD, LARGEST_KEPT), (_TRIM_THRESHOLD, KEEP_BYTES), (_ARENA_MAX, 1))
    done = [mallopt(parameter, value) for parameter, value in settings]
    return all(done)


def keep_few_kernels() -> None:
    """Have oneDNN keep at most `KERNELS` kernels, unless the environment says how many.

    It makes one for each shape that it multiplies and keeps 1,024 of them by default. On texts of all lengths that was
    290 MB more than with so few, which took no longer, in inference or in training.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(KERNELS))


def give_back_freed_memory() -> None:
    """Return the pages of freed blocks to the system, where glibc kept them."""
    if sys.platform.startswith("linux") and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
