"""Row weights, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.errors import DataError
from estep.records import Array


def check_weights(weights: Any, n: int, name: str = "sample_weight") -> Array:
    """Weights as a float64 vector of n entries; `DataError` naming the first bad row."""
    array = np.asarray(weights, dtype=np.float64)
    if array.ndim == 0:
        array = np.full(n, array)
    if array.shape != (n,):
        raise DataError(f"{name} must have shape ({n},), one weight a row; found {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if bad.size:
        raise DataError(f"{name} must be finite and >= 0; row {bad[0]} has {array[bad[0]]}")
    if not array.sum() > 0:
        raise DataError(f"{name} is zero on every row; at least one row must count")
    return array
