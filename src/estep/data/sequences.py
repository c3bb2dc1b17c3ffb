"""Which rows form a sequence: given lengths, or a column that names the sequence of each row."""

from __future__ import annotations

from collections.abc import Hashable
from operator import ne
from typing import Any

import numpy as np

from estep.data.convert.intake import Inf, listed
from estep.data.table import Table, as_table
from estep.errors import DataError, UsageError
from estep.records import Array, Int

EXACT = 2.0**53  # integers from here on are not all float64


def split(X: Any, lengths: Any, groups: Any, *, text: bool, inf: Inf = "refuse") -> tuple[Any, Int | None]:
    """The data without the column that names the sequences, and their lengths; None for a single sequence.

    Parameters
    ----------
    X : as `as_table` takes
    lengths : array-like of int of shape (s,) or None
    groups : str, array-like of shape (n,) or None
        The name of a column of X that is no data, or the name or number of the sequence of each row.
    text : bool
        Whether the other columns may hold text.
    inf : {"refuse", "missing", "keep"}
        What becomes of infinite cells.
    """
    if groups is None:
        return X, None if lengths is None else _checked(lengths)
    if lengths is not None:
        raise UsageError("lengths and groups say the same twice; give one of them")
    if not isinstance(groups, str):
        names = np.asarray(groups, dtype=object)
        if names.ndim != 1 or not names.size:
            raise DataError(f"groups must be one name a row, of shape (n,); found {names.shape}")
        for row, name in enumerate(names):
            if not isinstance(name, Hashable):
                raise DataError(
                    f"groups hold a {type(name).__name__} in row {row} (counted from 0), which is no name; "
                    "give text or numbers"
                )
            if _missing(name):
                raise DataError(f"groups name no group in row {row} (counted from 0); give every row one")
        codes = {name: float(code) for code, name in enumerate(dict.fromkeys(names))}
        return X, _runs(np.array([codes[name] for name in names]), list(codes), "groups")
    whole = as_table(X, text="codes", inf=inf)
    found = lengths_of(whole, groups)
    others = [name for name in whole.names if name != groups]
    if not others:
        raise DataError(f"X has no column but {groups!r}, which names the sequences; give the data beside it")
    rest = whole.select(others)
    words = [name for name, levels in zip(rest.names, rest.levels, strict=True) if levels is not None]
    if words and not text:
        raise DataError(f"columns of text cannot be data of this model: {listed(words)}; leave them out")
    return rest, found


def lengths_of(table: Table, name: str) -> Int:
    """The lengths of the runs of equal cells in a column; every value must make one run."""
    codes = table.select([name]).values[:, 0]
    if np.isnan(codes).any():
        row = int(np.isnan(codes).argmax())
        raise DataError(f"column {name!r} names no group in row {row} (counted from 0); give every row one")
    large = np.abs(codes) >= EXACT
    if large.any() and table.levels[table.names.index(name)] is None:
        row = int(large.argmax())
        raise DataError(
            f"column {name!r} holds {codes[row]:.17g} in row {row} (counted from 0): numbers so large are "
            "not told apart in float64; give the names of the sequences as text"
        )
    return _runs(codes, table.levels[table.names.index(name)], name)


def _missing(name: Any) -> bool:
    """None, pandas' NA, and NaN and NaT of any kind, which alone are unlike themselves."""
    return name is None or type(name).__name__ == "NAType" or bool(ne(name, name))


def _checked(lengths: Any) -> Int:
    runs = np.asarray(lengths)
    if runs.ndim != 1 or not np.issubdtype(runs.dtype, np.integer) or (runs < 1).any():
        raise DataError("lengths must be a vector of integers >= 1, one a sequence")
    return runs.astype(np.int64)


def _runs(codes: Array, levels: Any, name: str) -> Int:
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    first = np.unique(codes[starts], return_index=True)[1]
    if first.size < starts.size:
        again = int(starts[np.setdiff1d(np.arange(starts.size), first)[0]])
        label = f"{codes[again]:g}" if levels is None else repr(levels[int(codes[again])])
        raise DataError(
            f"the rows of group {label} are not together: after other groups it begins again in row {again} "
            f"(counted from 0); sort the rows by {name!r}, and by time within it"
        )
    return np.diff(starts, append=codes.size).astype(np.int64)
