"""Memory that a thread keeps from call to call: fresh pages would cost as much as some of the arithmetic."""

from __future__ import annotations

import threading

import numpy as np

from estep.records import Array

LINE = 64  # bytes of a line of the cache
_kept = threading.local()


def aligned(size: int) -> Array:
    """So many zeros of float64, from the beginning of a line on: no register lies across two."""
    numbers = np.zeros(size + LINE // 8)
    first = -(numbers.ctypes.data // 8) % (LINE // 8)
    return numbers[first : first + size]


def kept(name: str, size: int) -> Array:
    """The same, with what was left there; it is the caller's until this thread asks for the name again."""
    array: Array | None = getattr(_kept, name, None)
    if array is None or array.size < size:
        array = aligned(size)
        setattr(_kept, name, array)
    return array[:size]
