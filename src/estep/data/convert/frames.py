"""Data frames of any library that narwhals knows, or that speaks the Arrow C interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from estep.data.convert.arrow import from_arrow
from estep.data.convert.columns import from_numpy, from_objects
from estep.data.convert.intake import Frame, Intake, Numbers, listed
from estep.data.convert.shape import is_dataset
from estep.errors import DataError


def as_frame(intake: Intake, X: Any) -> Frame | None:
    """The parts of a data frame or a shipped data set, or None where `X` is neither."""
    if is_dataset(X):
        values = np.asarray(X.values)
        names, named = check_labels(X.columns)
        columns = (from_numpy(intake, name, values[:, j]) for j, name in enumerate(names))
        return Frame(names, named, len(values), columns)
    import narwhals as nw

    if isinstance(X, nw.Series) or nw.dependencies.is_into_series(X):
        return None
    if isinstance(X, nw.DataFrame | nw.LazyFrame):
        X = X.to_native()
    if nw.dependencies.is_pandas_like_dataframe(X):
        check_labels(X.columns.tolist())  # narwhals says less of duplicates, and nothing of other labels
    elif nw.dependencies.is_pyarrow_table(X):
        check_labels(X.column_names)
    frame: Any = nw.from_native(X, pass_through=True)
    if not isinstance(frame, nw.DataFrame | nw.LazyFrame):
        table = _stream(X)
        return None if table is None else as_frame(intake, table)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect("pyarrow")
    names, named = check_labels(frame.columns)
    columns = (from_series(intake, name, s) for name, s in zip(names, frame.iter_columns(), strict=True))
    return Frame(names, named, len(frame), columns)


def check_labels(labels: Sequence[Any]) -> tuple[tuple[str, ...], bool]:
    """The column names, and whether they were given; DataError unless they are distinct strings."""
    if all(type(label) is int and label == j for j, label in enumerate(labels)):
        return tuple(f"x{j}" for j in range(len(labels))), False
    if any(isinstance(label, tuple) for label in labels):
        raise DataError(
            "the column labels are tuples (a MultiIndex), and names must be strings; join them first: "
            "df.columns = ['_'.join(map(str, label)) for label in df.columns]"
        )
    odd = [label for label in labels if not isinstance(label, str)]
    if odd:
        kinds = listed(sorted({type(label).__name__ for label in odd}), quote=False)
        raise DataError(
            f"column names must be strings; found {listed(map(repr, odd), quote=False)} ({kinds}); rename "
            "them, with pandas by df.columns = df.columns.astype(str)"
        )
    twice = [name for name, count in Counter(labels).items() if count > 1]
    if twice:
        raise DataError(f"duplicate column names: {listed(twice)}; rename or drop the repeated columns")
    return tuple(map(str, labels)), True


def from_series(intake: Intake, name: str, series: Any) -> Numbers:
    """One narwhals column."""
    import narwhals as nw
    import pyarrow as pa

    native = series.to_native()
    if isinstance(native, pa.ChunkedArray):
        return from_arrow(intake, name, native)
    if isinstance(getattr(native, "dtype", None), np.dtype):
        return from_numpy(intake, name, np.asarray(native))
    if series.dtype != nw.Object:
        try:
            column = series.to_arrow()
        except (pa.ArrowException, NotImplementedError, TypeError, ValueError):
            pass  # a type without an Arrow twin, such as a 128-bit integer or a sparse column
        else:
            return from_arrow(intake, name, column)
    return from_objects(intake, name, series.to_list())


def _stream(X: Any) -> Any:
    """A pyarrow table of what offers the Arrow C interface; None if nothing here does."""
    if not (hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__")):
        return None
    import pyarrow as pa

    try:
        return pa.table(X)
    except (pa.ArrowException, TypeError, ValueError):
        return None  # an array, not a table
