"""CSV as a table, with strict handling: a cell is a number, missing, or text, and never a guess.

First the whole file is parsed as numbers, on all cores. Where that fails it is parsed again as text on one
core, which knows the row numbers; every column is then judged and all faults are named.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from estep.data.convert.intake import LARGEST_EXACT, Frame, Intake, find_columns, shown
from estep.data.formats.csvcells import CsvOptions, from_cells, has_long_integer
from estep.data.formats.csvscan import scan
from estep.errors import DataError
from estep.records import Array

BLOCK = 2**20  # bytes parsed at a time, besides 64 for each column: no row can be longer
CELL = 64
BAD_ROWS = 1000  # rows of the wrong length after which reading stops


def read_csv(handle: BinaryIO, intake: Intake, options: CsvOptions, columns: Sequence[str] | None) -> Frame:
    """A seekable CSV file; only `columns` of it, if given."""
    names, quoted = scan(handle, options.separator)
    wanted = names if columns is None else find_columns(columns, names)
    parser = _Parser(handle, options, names, quoted=quoted)
    table = parser.numbers(wanted)
    if table is None:
        cells = parser.text(wanted)
        found = (from_cells(intake, name, cells[name], options) for name in wanted)
        return Frame(wanted, True, cells.num_rows, found)
    values = [table[name].to_numpy() for name in wanted]
    large = [name for name, column in zip(wanted, values, strict=True) if _largest(column) >= LARGEST_EXACT]
    if large:
        cells = parser.text(large)
        intake.long += [name for name in large if has_long_integer(cells[name])]
    return Frame(wanted, True, table.num_rows, ((column, None) for column in values))


def _largest(column: Array) -> float:
    return float(np.fmax.reduce(np.abs(column), initial=0.0))


class _View(io.RawIOBase):
    """A file from its start; closed, it never touches the file again.

    After a fault pyarrow's read-ahead may still be under way, and would move the file below the next parser.
    """

    def __init__(self, handle: BinaryIO) -> None:
        self.handle, self.busy = handle, threading.Lock()
        handle.seek(0)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        with self.busy:
            return b"" if self.closed else self.handle.read(size)

    def close(self) -> None:
        with self.busy:
            super().close()


class _Parser:
    """pyarrow's CSV reader on one file."""

    def __init__(
        self, handle: BinaryIO, options: CsvOptions, names: tuple[str, ...], *, quoted: bool
    ) -> None:
        self.handle, self.options, self.names, self.quoted = handle, options, names, quoted

    def numbers(self, wanted: Sequence[str]) -> Any:
        """The table of float64, or None if a cell or a row is no such thing."""
        import pyarrow as pa

        try:
            return self._read(wanted, pa.float64(), None)
        except MemoryError:
            raise
        except pa.ArrowException:
            return None

    def text(self, wanted: Sequence[str]) -> Any:
        """The table of text; DataError names the rows that are too short or too long."""
        import pyarrow as pa

        bad = Intake()

        def note(row: Any) -> str:
            found, expected = row.actual_columns, row.expected_columns
            commas = "; decimal commas need another separator" if found == 2 * expected else ""
            bad.fault(
                f"row {row.number - 2} (counted from 0) has {found} cell(s), the header has {expected}: "
                f"{shown(row.text)}{commas}"
            )
            return "skip" if len(bad.faults) < BAD_ROWS else "error"

        try:
            table = self._read(wanted, pa.string(), note)
        except MemoryError:
            raise
        except pa.ArrowException as error:
            if "straddling" in str(error):
                raise DataError(
                    f"a row is longer than {self._block()} bytes; a cell of that size is no number: look for "
                    "a quote that is not closed, or take its column out of the file"
                ) from error
            bad.raise_faults()
            raise DataError(
                f"it cannot be read as CSV: {str(error).splitlines()[0]}; save it again"
            ) from error
        bad.raise_faults()
        return table

    def _read(self, wanted: Sequence[str], kind: Any, bad_row: Any) -> Any:
        import pyarrow.csv as pacsv

        with _View(self.handle) as view:
            return pacsv.read_csv(
                view,
                pacsv.ReadOptions(use_threads=bad_row is None, block_size=self._block()),
                pacsv.ParseOptions(
                    delimiter=self.options.separator,
                    newlines_in_values=self.quoted,
                    invalid_row_handler=bad_row,
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(self.names, kind),
                    null_values=["", *self.options.na],
                    include_columns=list(wanted),
                    decimal_point=self.options.decimal,
                    strings_can_be_null=False,
                ),
            )

    def _block(self) -> int:
        return BLOCK + CELL * len(self.names)
