"""A table as it stands in its file, so that what is not filled is written as it was read.

Cells of a CSV file stay text: 0.10, 007, an identifier of twenty digits and a date come out as they went in.
"""

from __future__ import annotations

import csv
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estep.cli.source import Source
from estep.errors import DataError, SourceError

if TYPE_CHECKING:
    from estep.data.table import Table


class Sheet(ABC):
    """Abstract base: named columns of cells."""

    names: tuple[str, ...]

    @abstractmethod
    def rows(self) -> Iterator[list[str]]:
        """The rows as text, without the names."""

    @abstractmethod
    def arrow(self, typed: Mapping[str, Any], changed: Collection[str]) -> Any:
        """An Arrow table with the Arrow columns of `typed` put in; they are new where `changed`."""

    @abstractmethod
    def dates(self) -> tuple[str, ...]:
        """The columns that hold dates or times."""


def typed_columns(table: Table) -> dict[str, Any]:
    """Its columns as Arrow has them: numbers, or the names of the levels; NaN is null."""
    import numpy as np
    import pyarrow as pa

    found = {}
    for name, values, levels in zip(table.names, table.values.T, table.levels, strict=True):
        numbers = pa.array(np.ascontiguousarray(values), from_pandas=True)
        names = None if levels is None else pa.array(levels, pa.string())
        found[name] = numbers if names is None else names.take(numbers.cast(pa.int64()))
    return found


def open_sheet(source: Source) -> Sheet:
    """The sheet of a source that `Source.read` has found to be sound, or refused for its columns."""
    from estep.data.formats.arrowfiles import read_feather, read_folder, read_parquet
    from estep.data.formats.opening import is_folder, opened

    if is_folder(source.path):
        return ArrowSheet(read_folder(source.path, None))
    with opened(source.path) as (handle, kind):
        if kind != "csv":
            return ArrowSheet((read_parquet if kind == "parquet" else read_feather)(handle, None))
    return CsvSheet(source)


class CsvSheet(Sheet):
    """A CSV file, read anew each time: it need not fit in memory."""

    def __init__(self, source: Source) -> None:
        self._path = Path(source.path)
        self._separator = source.separator or ("\t" if self._path.suffix.lower() == ".tsv" else ",")
        self._na = source.na or ()
        self.names = tuple(next(self._lines(), ()))

    def rows(self) -> Iterator[list[str]]:
        """The rows as text; an empty cell where one is missing."""
        lines = self._lines()
        next(lines, None)
        return lines

    def arrow(self, typed: Mapping[str, Any], changed: Collection[str]) -> Any:
        """The table with these columns put in; the others stay text."""
        import pyarrow as pa

        columns = zip(*([cell or None for cell in row] for row in self.rows()), strict=True)
        kept = {name: pa.array(cells, pa.string()) for name, cells in zip(self.names, columns, strict=True)}
        return pa.table({**kept, **typed})

    def dates(self) -> tuple[str, ...]:
        """The columns that hold dates or times."""
        from estep.data.formats.csvcells import DATE, MISSING_WORDS

        missing, date = {*MISSING_WORDS, *self._na}, re.compile(DATE)
        possible, seen = set(range(len(self.names))), set()
        for row in self.rows():
            for j in tuple(possible):
                cell = row[j].strip()
                if cell not in missing:
                    seen.add(j)
                    if not date.match(cell):
                        possible.discard(j)
            if not possible:
                break
        return tuple(self.names[j] for j in sorted(possible & seen))

    def _lines(self) -> Iterator[list[str]]:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as handle:
                width = None
                for row in csv.reader(handle, delimiter=self._separator, strict=True):
                    if row:  # an empty line is no row
                        width = width or len(row)
                        if len(row) != width:
                            raise DataError(
                                f"{self._path}: a row has {len(row)} cells, the header has {width}; "
                                "give every row one cell a column"
                            )
                        yield row
        except (csv.Error, UnicodeError) as error:
            raise DataError(f"{self._path}: it cannot be read as CSV: {error}; save it again") from error
        except OSError as error:
            raise SourceError(
                f"{self._path}: it can no longer be read: {error.strerror}; run this again"
            ) from error


class ArrowSheet(Sheet):
    """A table of typed columns."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.names = tuple(table.column_names)

    def rows(self) -> Iterator[list[str]]:
        """The rows as text; an empty cell where one is missing."""
        columns = [column.to_pylist() for column in self._table.columns]
        return (["" if cell is None else str(cell) for cell in row] for row in zip(*columns, strict=True))

    def arrow(self, typed: Mapping[str, Any], changed: Collection[str]) -> Any:
        """The table with the changed columns put in; the others keep their types."""
        table = self._table
        for name, values in typed.items():
            if name in changed:
                table = table.set_column(self.names.index(name), name, values)
        return table

    def dates(self) -> tuple[str, ...]:
        """The columns that hold dates or times."""
        import pyarrow as pa

        return tuple(field.name for field in self._table.schema if pa.types.is_temporal(field.type))
