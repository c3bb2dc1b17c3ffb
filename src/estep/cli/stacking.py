"""A table filled several times, one below the other, with a column that says which time it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from estep.cli.filling import Filling
from estep.cli.sheet import Sheet
from estep.cli.streams import named
from estep.errors import UsageError

if TYPE_CHECKING:
    from estep.data.table import Table
    from estep.records import Array

Levels = tuple[tuple[str, ...] | None, ...]


class Stacking(NamedTuple):
    """The columns of the model before, and after each draw."""

    before: Table
    draws: Array  # (m, n, d)
    levels: Levels
    name: str  # of the column that counts the draws, from 1

    def names(self, sheet: Sheet) -> tuple[str, ...]:
        """The count first, then those of the sheet; UsageError if it has such a column already."""
        if self.name in sheet.names:
            raise UsageError(
                f"the data have a column {named((self.name,))} already; name the new one with --name"
            )
        return (self.name, *sheet.names)

    def rows(self, sheet: Sheet, decimal: str) -> Iterator[list[str]]:
        """The rows as text, all of a draw together."""
        for count, filling in enumerate(self._fillings(), 1):
            for row in filling.rows(sheet, decimal):
                yield [str(count), *row]

    def arrow(self, sheet: Sheet) -> Any:
        """The tables one below the other; the columns keep their types."""
        import pyarrow as pa

        tables = [filling.arrow(sheet) for filling in self._fillings()]
        counts = [pa.array([count] * len(table)) for count, table in enumerate(tables, 1)]
        return pa.concat_tables(
            table.add_column(0, self.name, each) for table, each in zip(tables, counts, strict=True)
        )

    def sentence(self) -> str:
        """How many cells were filled, where, and how often."""
        once = next(self._fillings()).sentence()
        return f"{once}; {len(self.draws)} times" if once.startswith("note: filled") else once

    def _fillings(self) -> Iterator[Filling]:
        return (Filling(self.before, after, self.levels) for after in self.draws)
