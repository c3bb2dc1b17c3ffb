"""Row weights, checked."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np

from estep.errors import DataError, EstepError, UsageError
from estep.records import Array


def numbers(value: Any, name: str, fault: type[EstepError] = UsageError) -> Array:
    """A float64 array; an error for what holds no numbers, or rows of unlike lengths."""
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise fault(f"{name} must hold numbers, in rows of one length; found {reprlib.repr(value)}") from None


def check_weights(weights: Any, n: int, name: str = "sample_weight", of: str = "row") -> Array:
    """Weights, one a row or sequence, as a float64 vector; `DataError` naming the first bad one."""
    array = numbers(weights, name, DataError)
    if array.ndim == 0:
        array = np.full(n, array)
    if array.shape != (n,):
        raise DataError(f"{name} must have shape ({n},), one weight a {of}; found {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if bad.size:
        raise DataError(
            f"{name} must be finite and >= 0; {of} {bad[0]} (counted from 0) has {array[bad[0]]}; give 0 to "
            f"leave a {of} out"
        )
    if not array.sum() > 0:
        raise DataError(f"{name} is zero on every {of}; at least one must count")
    return array
