"""Writing a table with its missing cells filled, and every other cell as it was."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from estep.cli.sheet import Sheet, open_sheet
from estep.cli.source import Source
from estep.cli.streams import named, note
from estep.data.formats.opening import SUFFIXES, reason
from estep.data.formats.replacing import replacing
from estep.data.formats.write import FORMULA
from estep.errors import EstepError, ResourceError, SourceError, UsageError

if TYPE_CHECKING:
    from estep.data.table import Table
    from estep.records import Array


class Filling(NamedTuple):
    """The columns of the model, before and after."""

    before: Table
    after: Array  # (n, d)
    levels: tuple[tuple[str, ...] | None, ...]  # names of the codes in `after`

    def holes(self) -> Any:
        """Which cells were filled, (n, d)."""
        return np.isnan(self.before.values) & ~np.isnan(self.after)

    def changed(self) -> set[str]:
        """The names of the columns in which a cell was filled."""
        return set(itertools.compress(self.before.names, self.holes().any(axis=0)))

    def sentence(self) -> str:
        """How many cells were filled, and where."""
        holes = self.holes()
        counts = [f"{name} {n}" for name, n in zip(self.before.names, holes.sum(axis=0), strict=True) if n]
        if not counts:
            return f"note: no cell is missing in {named(self.before.names)}"
        cells, rows = _counted(holes.sum(), "cell"), _counted(holes.any(axis=1).sum(), "row")
        return f"note: filled {cells} in {rows}: {named(counts)}"

    def cells(self, row: int, decimal: str) -> Iterator[tuple[str, str]]:
        """The names and texts of the cells filled in this row."""
        for j in np.flatnonzero(np.isnan(self.before.values[row])):
            value, levels = self.after[row, j], self.levels[j]
            if not np.isnan(value):
                text = repr(float(value)).replace(".", decimal) if levels is None else levels[int(value)]
                yield self.before.names[j], text

    def columns(self) -> dict[str, Any]:
        """The columns of the model, for a file of typed columns."""
        found: dict[str, Any] = {}
        for name, values, levels in zip(self.before.names, self.after.T, self.levels, strict=True):
            found[name] = (
                values if levels is None else [None if np.isnan(v) else levels[int(v)] for v in values]
            )
        return found


def kind_of(out: str) -> str:
    """What is written to this place: csv, parquet or feather; UsageError for another suffix."""
    kind = "csv" if out == "-" else SUFFIXES.get(Path(out).suffix.lower())
    if kind is None:
        raise UsageError(f"-o {out}: give it one of the suffixes .csv, .tsv, .parquet, .feather")
    return kind


def write(out: str, source: Source, filling: Filling, *, raw: bool) -> None:
    """Write the table of `source` with its holes filled; the old file or the whole new one is there."""
    kind = kind_of(out)
    import pyarrow as pa

    sheet = open_sheet(source)
    try:
        with replacing(out) as sink:
            if kind == "csv":
                separator = "\t" if out.lower().endswith(".tsv") else source.separator or ","
                _write_csv(sink, sheet, filling, separator, source.decimal, raw=raw)
            elif kind == "parquet":
                import pyarrow.parquet as pq

                pq.write_table(
                    sheet.arrow(filling.columns(), filling.changed()), sink, write_page_checksum=True
                )
            else:
                import pyarrow.feather

                pyarrow.feather.write_feather(sheet.arrow(filling.columns(), filling.changed()), sink)
    except ResourceError as error:
        raise ResourceError(f"cannot write {out}: {error}") from error
    except (EstepError, BrokenPipeError):
        raise
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: a NUL in the path
        raise ResourceError(f"cannot write {out}: {reason(error)}") from error


def _write_csv(
    sink: BinaryIO, sheet: Sheet, filling: Filling, separator: str, decimal: str, *, raw: bool
) -> None:
    text = io.TextIOWrapper(sink, encoding="utf-8", newline="")
    try:
        # a number in the first line is data unless it stands in quotes
        writer = csv.writer(text, delimiter=separator, lineterminator="\n")
        quoted = csv.writer(text, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
        header = quoted if any(map(_is_number, sheet.names)) else writer
        header.writerow(sheet.names if raw else [_inert(name) for name in sheet.names])
        guarded = 0
        for row in _filled(sheet, filling, decimal):
            inert = row if raw else [_inert(cell) for cell in row]
            guarded += inert != row
            writer.writerow(inert)
    finally:
        text.detach()  # the sink is closed by the one who opened it
    if guarded:
        note(
            f"note: text that begins with = + - or @ got a leading ' (in {_counted(guarded, 'row')}), so "
            "that no spreadsheet runs it; --raw writes it as it is"
        )


def _filled(sheet: Sheet, filling: Filling, decimal: str) -> Iterator[list[str]]:
    """The rows as text, with what is filled put in."""
    place = {name: at for at, name in enumerate(sheet.names)}
    holed = filling.holes().any(axis=1).tolist()
    read = 0
    for row in sheet.rows():
        if read < len(holed) and holed[read]:
            for name, cell in filling.cells(read, decimal):
                row[place[name]] = cell
        read += 1
        yield row
    if read != len(holed):
        raise SourceError("the data changed while they were read; run the command again")


def _inert(cell: str) -> str:
    return "'" + cell if cell.startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _counted(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"
