"""Tables into files: the old file or the whole new one is there, whatever happens."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from estep.data.convert.frames import check_labels
from estep.data.formats.opening import SUFFIXES, reason
from estep.data.formats.replacing import replacing
from estep.errors import ResourceError, UsageError
from estep.records import Array

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that begins so


def write_table(
    path: str | os.PathLike[str],
    names: Sequence[str],
    values: ArrayLike,
    *,
    levels: Sequence[Sequence[str] | None] | None = None,
    raw: bool = False,
) -> None:
    """Write a table to a CSV, Parquet or Feather file, chosen by the suffix.

    Parameters
    ----------
    path : path
        `.csv`, `.tsv`, `.txt`, `.parquet` or `.feather`; "-" is CSV on standard output.
    names : d distinct names
    values : (n, d) array
        Written so that `read_table` gives the same bits. NaN becomes an empty cell or a null.
    levels : d sequences of names or None, optional
        Where not None, the column holds the codes 0, 1, ... of these names, and the names are written.
    raw : bool
        Names and levels in CSV that begin with = + - @, a tabulator or a line end, and are no numbers, are
        written with a leading ' so that no spreadsheet runs them. With True they are written as they are.

    Raises
    ------
    ResourceError
        The file cannot be written. A file that was there is then unchanged.
    UsageError
        The names, values and levels do not fit each other, or the suffix is not known.

    Examples
    --------
    >>> from estep.data.files import write_table
    >>> write_table("-", ["height", "age"], [[1.8, float("nan")], [1.6, 30]])  # doctest: +SKIP
    height,age
    1.8,
    1.6,30
    """
    place = os.fsdecode(os.fspath(path))
    kind = "csv" if place == "-" else SUFFIXES.get(Path(place).suffix.lower())
    if kind is None:
        raise UsageError(f"cannot write {place}: give it one of the suffixes .csv, .tsv, .parquet, .feather")
    table = _table(list(names), values, levels)
    try:
        with replacing(place) as sink:
            if kind == "csv":
                _write_csv(sink, table, "\t" if place.lower().endswith(".tsv") else ",", raw=raw)
            elif kind == "parquet":
                import pyarrow.parquet as pq

                pq.write_table(table, sink, write_page_checksum=True)
            else:
                import pyarrow.feather

                pyarrow.feather.write_feather(table, sink)
    except (OSError, ValueError, MemoryError) as error:  # ValueError: a closed stream, a NUL in the path
        raise ResourceError(
            f"cannot write {place}: {reason(error)}; make room there, or give another path"
        ) from error


def _table(names: list[str], values: ArrayLike, levels: Sequence[Sequence[str] | None] | None) -> Any:
    import pyarrow as pa

    try:
        array = np.asarray(values, dtype=np.float64)
        labels, _ = check_labels(names)
        levels = _check_fit(labels, array, levels)
        columns = [_column(array[:, j], of_codes) for j, of_codes in enumerate(levels)]
        return pa.table(columns, names=list(labels))
    except (TypeError, ValueError, pa.ArrowException) as error:  # UnicodeError too, for half a character
        raise UsageError(
            f"the table cannot be written: {error}; give names, and a row of numbers each"
        ) from error


def _check_fit(
    names: tuple[str, ...], values: Array, levels: Sequence[Sequence[str] | None] | None
) -> Sequence[Sequence[str] | None]:
    """The levels of every column, where names, values and levels fit each other."""
    levels = [None] * len(names) if levels is None else levels
    if values.ndim != 2 or not len(names) == values.shape[1] == len(levels):
        raise UsageError(
            f"{len(names)} names and {len(levels)} levels for values of shape {values.shape}; give one of "
            "each for every column"
        )
    for j, name in enumerate(names):
        if not name.strip():
            raise UsageError(f"the name of column {j} (counted from 0) is blank; name every column")
        codes, known = values[~np.isnan(values[:, j]), j], levels[j]
        if known is not None and not np.isin(codes, np.arange(len(known))).all():
            raise UsageError(
                f"column {name!r} holds other numbers than the codes of its {len(known)} levels; give codes "
                f"from 0 to {len(known) - 1}"
            )
    return levels


def _column(values: Array, levels: Sequence[str] | None) -> Any:
    import pyarrow as pa

    numbers = pa.array(np.ascontiguousarray(values), from_pandas=True)  # NaN becomes null
    if levels is None:
        return numbers
    return pa.array(list(levels), pa.string()).take(numbers.cast(pa.int64()))


def _write_csv(sink: BinaryIO, table: Any, separator: str, *, raw: bool) -> None:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    guard: Callable[[str], str] = str if raw else _inert
    header = separator.join(_quoted(guard(name), separator) for name in table.column_names)
    sink.write((header + "\n").encode())
    columns = [
        pa.array([None if c is None else guard(c) for c in column.to_pylist()], pa.string())
        if pa.types.is_string(column.type)
        else column
        for column in table.columns
    ]
    if len(columns) == 1 and columns[0].null_count:
        columns = [columns[0].cast(pa.string()).fill_null("")]  # an empty line would be no row
    options = pacsv.WriteOptions(include_header=False, delimiter=separator)
    pacsv.write_csv(pa.table(columns, names=table.column_names), sink, options)


def _inert(text: str) -> str:
    return "'" + text if text.startswith(FORMULA) and not _is_number(text) else text


def _quoted(name: str, separator: str) -> str:
    """A name in quotes where it needs them; a number does, or it would be taken for data."""
    needs = _is_number(name) or name != name.strip() or any(c in name for c in (separator, '"', "\r", "\n"))
    return '"' + name.replace('"', '""') + '"' if needs else name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
