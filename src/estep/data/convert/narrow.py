"""Whether data came in single precision, so that what is said of them may go out in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.records import Array


def is_float32(X: Any) -> bool:
    """True for an array of float32, and for a data frame of which every column is."""
    if isinstance(X, np.ndarray):
        return bool(X.dtype == np.float32)
    if isinstance(X, list | tuple) or not hasattr(X, "columns"):
        return False
    import narwhals as nw

    frame: Any = nw.from_native(X, pass_through=True)
    if not isinstance(frame, nw.DataFrame | nw.LazyFrame):
        return False
    dtypes = frame.collect_schema().dtypes()
    return bool(dtypes) and all(dtype == nw.Float32 for dtype in dtypes)


def as_float32(array: Array) -> Array:
    """The numbers in single precision; as they are where the largest finite one has no place there."""
    largest = np.abs(array[np.isfinite(array)]).max(initial=0.0)
    if largest > np.finfo(np.float32).max or 0 < largest < np.finfo(np.float32).tiny:
        return array
    return array.astype(np.float32)
