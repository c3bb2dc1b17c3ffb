"""What a user knows of the rows' components: labels of some, or responsibilities of all to start from."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.data.source import MemorySource
from estep.data.weights import numbers
from estep.errors import DataError, UsageError
from estep.models import Alone
from estep.records import Array
from estep.run import Local


def evidence_of(labels: Any, n: int, k: int, name: str = "labels") -> Array | None:
    """Labels (n,), -1 where unknown, as (k, n) evidence of 0 and -inf; None if nothing is known."""
    array = numbers(labels, name, DataError)
    if array.shape != (n,):
        raise DataError(f"{name} must have shape ({n},), one a row, -1 where unknown; found {array.shape}")
    bad = np.flatnonzero(~np.isin(array, np.arange(-1, k)))
    if bad.size:
        raise DataError(
            f"{name} must be 0 to {k - 1}, or -1 where unknown; row {bad[0]} (counted from 0) "
            f"has {array[bad[0]]:g}"
        )
    if not (array >= 0).any():
        return None
    return np.where((array == np.arange(k)[:, None]) | (array < 0), 0.0, -np.inf)


def start_from_resp(model: Alone, source: MemorySource, resp: Array) -> Any:
    """Parameters, in the fit's units, from responsibilities (n, k) or labels (n,) of all rows."""
    framed = source.framed(source.natural_units(model.equivariance))
    bound = model.bind(framed.columns)
    with Local() as run:
        return bound.start_from(framed, run, memberships(resp, source.n_rows, bound.family.k))


def memberships(resp: Any, n: int, k: int) -> Array:
    """Labels (n,) or responsibilities (n, k), as (k, n) responsibilities."""
    array = numbers(resp, "resp_init")
    if array.shape == (n,):
        if not np.isin(array, np.arange(k)).all():
            raise UsageError(f"resp_init as labels must hold the integers 0 to {k - 1}, one a row")
        array = np.eye(k)[array.astype(np.int64)]
    if array.shape != (n, k):
        raise UsageError(f"resp_init must have shape ({n},) or ({n}, {k}); found {array.shape}")
    bad = np.flatnonzero(~(np.isfinite(array).all(axis=1) & (array >= 0).all(axis=1)))
    if bad.size or not np.allclose(array.sum(axis=1), 1, atol=1e-6):
        row = bad[0] if bad.size else np.abs(array.sum(axis=1) - 1).argmax()
        raise UsageError(f"resp_init must be >= 0 and sum to 1 in every row; row {row} is {array[row]}")
    empty = np.flatnonzero(array.sum(axis=0) == 0)
    if empty.size:
        raise UsageError(f"resp_init gives component {empty[0]} no row; each of the {k} needs one")
    return np.ascontiguousarray(array.T)
