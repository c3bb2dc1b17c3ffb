"""The data as a table of float64: what every estimator and the command line read first.

Arrays, lists, data frames and files all become a `Table`. Nulls of every kind become NaN. What cannot be
taken is refused with the row and the column, and nothing is guessed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from estep.data.convert.cells import check_infinite, extremes, suspect_code
from estep.data.convert.columns import from_numbers, from_numpy
from estep.data.convert.intake import Frame, Inf, Intake, Text, find_columns, listed
from estep.data.convert.shape import as_array, check_shape, is_dataset
from estep.errors import DataError
from estep.records import Array


class Table(NamedTuple):
    """Rows of numbers with named columns."""

    values: Array  # (n, d) in any memory order, NaN = missing; may be the caller's array: never write to it
    names: tuple[str, ...]
    named: bool  # the names came with the data; otherwise they are x0, x1, ...
    levels: tuple[tuple[str, ...] | None, ...]  # per column the names of the codes 0, 1, ...; None = numbers
    notes: tuple[tuple[str, str], ...] = ()  # codes and sentences of the warnings given at reading

    def select(self, names: Sequence[str]) -> Table:
        """The columns with these names, in this order; DataError names those that are not there."""
        found = find_columns(names, self.names)
        if found == self.names:
            return self
        place = {name: j for j, name in enumerate(self.names)}
        where = [place[name] for name in found]
        return Table(
            self.values[:, where], found, self.named, tuple(self.levels[j] for j in where), self.notes
        )

    def numeric(self) -> Table:
        """The columns of numbers, without those of text."""
        names = [name for name, levels in zip(self.names, self.levels, strict=True) if levels is None]
        if not names:
            raise DataError(f"every column holds text: {listed(self.names)}; give at least one of numbers")
        return self.select(names)


def as_table(X: Any, *, text: Text = "refuse", inf: Inf = "refuse") -> Table:
    """The data as a table of float64.

    Parameters
    ----------
    X : (n, d) array, masked array, nested list, data frame, Arrow table, path or Table
        Numbers of any kind. None, NaN, NA, nulls and masked cells are missing. A path is read as by
        `read_table`. A data frame may be of pandas, polars, pyarrow or another library that narwhals knows.
    text : {"refuse", "codes"}
        With "codes", a column of strings becomes the codes 0, 1, ... of its sorted distinct strings, and
        `levels` keeps these. A column of dates is refused in any case.
    inf : {"refuse", "missing", "keep"}
        Whether an infinite cell is an error or a missing one, or stays: only intervals have a use for it.

    Returns
    -------
    Table
        `values` is `X` itself where this is a float64 array. Columns without names are x0, x1, ...

    Raises
    ------
    DataError
        The shape is not `n rows by d columns`, or cells are infinite, complex, dates, text or nested; the
        message lists up to 20 faults with the column and the first row, counted from 0.
    SourceError
        A path cannot be opened.

    Warns
    -----
    EstepWarning
        EM010: integers beyond 2**53 lose digits. EM011: a repeated -999 or the like may mean "missing".

    Examples
    --------
    >>> from estep.data.table import as_table
    >>> as_table([[1, None], [2, 0.5]]).values
    array([[1. , nan],
           [2. , 0.5]])
    """
    if isinstance(X, Table):
        if inf == "keep":
            return X
        intake = Intake(text, inf)
        values = check_infinite(intake, X.names, X.values, extremes(X.values))
        intake.raise_faults()
        return X._replace(values=values)
    if isinstance(X, str | os.PathLike):
        from estep.data.files import read_table  # files make tables, so they import this module

        return read_table(X, text=text, inf=inf)
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise DataError(
            "Sparse data was passed for X, but dense data is required. Use '.toarray()' to convert to a "
            "dense numpy array."
        )
    intake = Intake(text, inf)
    if is_dataset(X) or not isinstance(X, np.ndarray | Sequence):
        from estep.data.convert.frames import as_frame

        frame = as_frame(intake, X)
        if frame is not None:
            check_shape((frame.n_rows, len(frame.names)))
            return gather(intake, frame)
    array = as_array(X)
    check_shape(array.shape)
    names = tuple(f"x{j}" for j in range(array.shape[1]))
    if array.dtype.kind not in "biuf":
        if np.ma.isMaskedArray(array):
            mask, array = np.ma.getmaskarray(array), np.array(array, dtype=object)
            array[mask] = None
        columns = (from_numpy(intake, name, array[:, j]) for j, name in enumerate(names))
        return gather(intake, Frame(names, False, len(array), columns))
    values = from_numbers(intake, names, np.ma.filled(array, 0))  # what lies under a mask does not count
    if np.ma.isMaskedArray(array):
        values = np.where(np.ma.getmaskarray(array), np.nan, values)
    return finish(intake, names, values, (None,) * len(names), named=False)


def gather(intake: Intake, frame: Frame) -> Table:
    """A table of converted columns, copied one by one so that only one is held twice."""
    values = np.empty((len(frame.names), frame.n_rows))
    levels: list[tuple[str, ...] | None] = []
    for row, (numbers, names_of_codes) in zip(values, frame.columns, strict=True):
        row[:] = numbers
        levels.append(names_of_codes)
    return finish(intake, frame.names, values.T, tuple(levels), named=frame.named)


def finish(
    intake: Intake,
    names: tuple[str, ...],
    values: Array,
    levels: tuple[tuple[str, ...] | None, ...],
    *,
    named: bool,
) -> Table:
    """The table, after the last checks of its cells; all faults are raised here, then warnings given."""
    ends = extremes(values)
    values = check_infinite(intake, names, values, ends)
    intake.raise_faults()
    for j, of_codes in enumerate(levels):
        if of_codes is None:
            suspect_code(intake, names[j], values[:, j], (float(ends[0][j]), float(ends[1][j])))
    return Table(values, names, named, levels, intake.warn())
