"""Arrays and nested lists as two-dimensional arrays, refused in the words that scikit-learn uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estep.errors import DataError

SHAPE = "n rows by d columns"


def as_array(X: Any) -> NDArray[Any]:
    """A two-dimensional array of any dtype; DataError with the shape that was expected."""
    array = _array(X)
    if array.ndim > 2:
        raise DataError(f"Found array with dim {array.ndim}, while dim <= 2 is required ({SHAPE}).")
    if array.ndim < 2:
        found = "scalar" if array.ndim == 0 else "1D"
        if hasattr(X, "to_frame"):
            raise DataError(
                "Expected 2D array, got 1D array instead. Reshape your data: a Series becomes a table of one "
                "column by .to_frame(), an array by reshape(-1, 1)."
            )
        raise DataError(
            f"Expected 2D array, got {found} array instead. Reshape your data either using array.reshape(-1, "
            "1) if your data has a single feature or array.reshape(1, -1) if it contains a single sample."
        )
    return array


def check_shape(shape: tuple[int, ...]) -> None:
    """DataError for a table without rows or without columns."""
    for count, what in zip(shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise DataError(f"Found array with 0 {what}(s) (shape={shape}) while a minimum of 1 is required.")


def is_dataset(X: Any) -> bool:
    """Whether it is a data set as `estep.datasets` ships them: a named tuple with values and columns."""
    return isinstance(X, tuple) and {"values", "columns"} <= set(getattr(X, "_fields", ()))


def _array(X: Any) -> NDArray[Any]:
    if is_dataset(X):
        X = X.values
    if isinstance(X, np.ndarray):
        return X if np.ma.isMaskedArray(X) else np.asarray(X)  # an np.matrix has rules of its own
    if isinstance(X, Sequence) and not isinstance(X, bytes | bytearray | memoryview):
        return _nested(X)
    if not (hasattr(X, "__array__") or np.isscalar(X)):
        kind = type(X).__name__
        raise DataError(f"Expected a 2D array ({SHAPE}), a data frame or a path, got {kind} instead")
    try:
        return np.asarray(X)
    except (RuntimeError, TypeError, ValueError) as error:  # a tensor on a GPU, for instance
        raise DataError(
            f"X, a {type(X).__name__}, cannot be turned into an array: {error}; give one of NumPy"
        ) from error


def _nested(X: Sequence[Any]) -> NDArray[Any]:
    """Cells stay the objects that they are: NumPy would turn numbers beside text into text."""
    lengths = [_length(row) for row in X]
    odd = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if odd is not None:
        raise DataError(
            f"Expected a 2D array ({SHAPE}), got a ragged list: row 0 has {_cells(lengths[0])} and row {odd} "
            f"(counted from 0) has {_cells(lengths[odd])}; put None where a cell is missing"
        )
    try:
        if X and all(isinstance(row, np.ndarray) for row in X):
            masked = any(np.ma.isMaskedArray(row) for row in X)
            return np.ma.stack(X) if masked else np.stack([np.asarray(row) for row in X])
        return np.array(X, dtype=object)
    except ValueError as error:
        raise DataError(f"Expected a 2D array ({SHAPE}), got a list that cannot be one: {error}") from error


def _length(row: Any) -> int | None:
    if isinstance(row, np.ndarray):
        return len(row) if row.ndim else None
    return len(row) if isinstance(row, Sequence) and not isinstance(row, str) else None


def _cells(length: int | None) -> str:
    return "a single cell" if length is None else f"{length} cells"
