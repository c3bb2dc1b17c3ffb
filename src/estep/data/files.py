"""Tables in files: CSV, Parquet and Feather (Arrow IPC), read whole and written at once or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

import numpy as np

from estep.data.convert.frames import as_frame
from estep.data.convert.intake import Frame, Inf, Intake, Numbers, Text
from estep.data.convert.shape import check_shape
from estep.data.formats.arrowfiles import read_feather, read_folder, read_parquet
from estep.data.formats.csvcells import MISSING_WORDS, CsvOptions
from estep.data.formats.csvread import read_csv
from estep.data.formats.opening import is_folder, opened, reason
from estep.data.formats.write import write_table
from estep.data.table import Table, gather
from estep.errors import EstepError, ResourceError, SourceError, UsageError

__all__ = ["read_table", "write_table"]


def read_table(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    na: Sequence[str] = (),
    text: Text = "refuse",
    inf: Inf = "refuse",
    separator: str | None = None,
    decimal: str = ".",
) -> Table:
    r"""A table from a file.

    Parameters
    ----------
    path : path
        `.csv`, `.tsv`, `.txt`: text in UTF-8 with a header; empty lines are skipped, lines may end in any
        way. `.parquet`, `.feather`, `.arrow`. A folder: its Parquet files as one data set, in the order of
        their paths. "-": CSV on standard input. A named pipe works.
    columns : names, optional
        The columns to read, in this order; what the others hold does not matter. Default: all.
    na : words
        Cells of a CSV file that mean "missing", besides the empty cell, NA, N/A, #N/A, NaN, nan, NULL, null
        and None, in quotes or not. A number among them, such as "-999", is missing in every kind of file.
    text, inf
        As for `as_table`. In CSV, a column that is mostly numbers is refused with either `text`, and true
        and false are 1 and 0.
    separator : str, optional
        Between the cells of a CSV file. Default: a tabulator for `.tsv`, else a comma.
    decimal : {".", ","}
        The decimal sign of a CSV file.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        The file is damaged, or its contents cannot be used; rows are counted from 0, without the header.
    SourceError
        The file cannot be opened or read.
    ResourceError
        Memory does not suffice.
    UsageError
        `separator` or `decimal` makes no sense.

    Warns
    -----
    EstepWarning
        As `as_table`; EM011 also where a CSV column of numbers holds "?" or the like, which is then missing.

    Examples
    --------
    >>> from estep.data.files import read_table, write_table
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "heights.csv")
    ...     _ = path.write_text("height,age\n1.8,NA\n1.6,30\n")
    ...     read_table(path).values
    array([[ 1.8,  nan],
           [ 1.6, 30. ]])
    """
    place = os.fsdecode(os.fspath(path))
    label = "standard input" if place == "-" else place
    separator = separator or ("\t" if place.lower().endswith(".tsv") else ",")
    plain = len(separator) == 1 and separator.isascii() and not separator.isalnum()
    if not plain or separator in '"\r\n+-' or decimal not in {".", ","}:
        raise UsageError(f"separator={separator!r}, decimal={decimal!r}: give one character, and '.' or ','")
    if separator == decimal:
        raise UsageError(f"separator and decimal are both {decimal!r}; decimal commas need another separator")
    na = (na,) if isinstance(na, str) else tuple(na)
    options = CsvOptions(separator, decimal, (*MISSING_WORDS, *na))
    intake = Intake(text, inf)
    try:
        frame = _read(place, intake, options, columns)
        check_shape((frame.n_rows, len(frame.names)))
        return gather(intake, frame._replace(columns=_without(frame.columns, na)))
    except EstepError as error:
        raise type(error)(f"{label}: {error}") from error
    except MemoryError as error:
        raise ResourceError(
            f"{label}: there is not enough memory to read it, or it is damaged; read fewer columns"
        ) from error
    except OSError as error:
        raise SourceError(f"{label}: it cannot be read: {reason(error)}; check the file") from error


def _read(place: str, intake: Intake, options: CsvOptions, columns: Sequence[str] | None) -> Frame:
    if is_folder(place):
        table = read_folder(place, columns)
    else:
        with opened(place) as (handle, kind):
            if kind == "csv":
                return read_csv(handle, intake, options, columns)
            table = (read_parquet if kind == "parquet" else read_feather)(handle, columns)
    frame = as_frame(intake, table)
    assert frame is not None
    return frame


def _without(columns: Iterable[Numbers], na: Sequence[str]) -> Iterator[Numbers]:
    """The columns with NaN for the numbers among the words that mean "missing"."""
    codes = []
    for word in na:
        with suppress(ValueError):
            codes.append(float(word))
    for values, levels in columns:
        hit = np.isin(values, codes) if codes and levels is None else None
        yield (values if hit is None else np.where(hit, np.nan, values)), levels
