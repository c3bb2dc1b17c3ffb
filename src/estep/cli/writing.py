"""Writing the table of a command: what it was given, with cells filled or columns added."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from estep.cli.sheet import Sheet, open_sheet
from estep.cli.source import Source
from estep.cli.streams import note
from estep.data.formats.opening import SUFFIXES, reason
from estep.data.formats.replacing import replacing
from estep.data.formats.write import FORMULA
from estep.errors import EstepError, ResourceError, SourceError


class Change(Protocol):
    """What a command makes of a sheet."""

    def names(self, sheet: Sheet) -> tuple[str, ...]:
        """The columns that are written; UsageError if two have one name."""
        ...

    def rows(self, sheet: Sheet, decimal: str) -> Iterator[list[str]]:
        """The rows as text."""
        ...

    def arrow(self, sheet: Sheet) -> Any:
        """The table for a file of typed columns."""
        ...


def write(out: str, source: Source, change: Change, *, raw: bool) -> None:
    """Write the changed table of `source`; the old file or the whole new one is there."""
    kind = "csv" if out == "-" else SUFFIXES[Path(out).suffix.lower()]
    import pyarrow as pa

    sheet = open_sheet(source)
    change.names(sheet)  # refused before a file is made
    try:
        with replacing(out) as sink:
            if kind == "csv":
                separator = "\t" if out.lower().endswith(".tsv") else source.separator or ","
                _write_csv(sink, sheet, change, separator, source.decimal, raw=raw)
            elif kind == "parquet":
                import pyarrow.parquet as pq

                pq.write_table(change.arrow(sheet), sink, write_page_checksum=True)
            else:
                import pyarrow.feather

                pyarrow.feather.write_feather(change.arrow(sheet), sink)
            source.require_unchanged()
    except ResourceError as error:
        raise ResourceError(f"cannot write {out}: {error}") from error
    except (EstepError, BrokenPipeError):
        raise
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: a NUL in the path
        raise ResourceError(
            f"cannot write {out}: {reason(error)}; make room there, or give another path"
        ) from error
    if out != "-":
        note(f"wrote {out}")


def number(value: float, decimal: str) -> str:
    """A number as CSV has it, to the last bit."""
    return repr(float(value)).replace(".", decimal)


def counted(n: int, thing: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def in_step(sheet: Sheet, n: int) -> Iterator[tuple[int, list[str]]]:
    """The rows with their numbers; SourceError unless there are `n`, as when the data were read."""
    read = 0
    for read, row in enumerate(sheet.rows(), 1):
        if read > n:
            break
        yield read - 1, row
    if read != n:
        raise SourceError("the data changed while they were read; run the command again")


def _write_csv(
    sink: BinaryIO, sheet: Sheet, change: Change, separator: str, decimal: str, *, raw: bool
) -> None:
    text = io.TextIOWrapper(sink, encoding="utf-8", newline="")
    try:
        # a number in the first line is data unless it stands in quotes
        writer = csv.writer(text, delimiter=separator, lineterminator="\n")
        quoted = csv.writer(text, delimiter=separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
        names = change.names(sheet)
        header = quoted if any(map(_is_number, names)) else writer
        header.writerow(names if raw else [inert(name) for name in names])
        guarded = 0
        for row in change.rows(sheet, decimal):
            safe = row if raw else [inert(cell) for cell in row]
            guarded += safe != row
            writer.writerow(safe)
    finally:
        text.detach()  # the sink is closed by the one who opened it
    if guarded:
        note(
            f"note: text that begins with = + - or @ got a leading ' (in {counted(guarded, 'row')}), so "
            "that no spreadsheet runs it; --raw writes it as it is"
        )


def inert(cell: str) -> str:
    """The cell, with a leading ' where a spreadsheet would run it; numbers as they are."""
    return "'" + cell if cell.startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True
