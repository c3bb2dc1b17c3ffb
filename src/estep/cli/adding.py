"""A table with new columns beside those it has, or the new columns alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from estep.cli.sheet import Sheet, typed_columns
from estep.cli.streams import named
from estep.cli.writing import in_step, number
from estep.errors import UsageError

if TYPE_CHECKING:
    from estep.data.table import Table
    from estep.records import Array, Int


class Adding(NamedTuple):
    """New columns of n rows each."""

    columns: dict[str, Array | Int]
    table: Table  # the columns of the model, which have types even in a file of text
    only: bool  # without the columns of the sheet

    def names(self, sheet: Sheet) -> tuple[str, ...]:
        """Those of the sheet and the new ones; UsageError if the sheet has one of the new already."""
        if self.only:
            return tuple(self.columns)
        twice = [name for name in self.columns if name in sheet.names]
        if twice:
            raise UsageError(
                f"the data have a column {named(twice)} already; name the new one with --name, or write it "
                "alone with --only"
            )
        return (*sheet.names, *self.columns)

    def rows(self, sheet: Sheet, decimal: str) -> Iterator[list[str]]:
        """The rows as text, the new cells last."""
        new = list(zip(*map(np.ndarray.tolist, self.columns.values()), strict=True))
        for i, row in in_step(sheet, len(new)):
            cells = [str(cell) if isinstance(cell, int) else number(cell, decimal) for cell in new[i]]
            yield cells if self.only else row + cells

    def arrow(self, sheet: Sheet) -> Any:
        """The table with the new columns last; the others keep their types."""
        import pyarrow as pa

        new = pa.table({name: pa.array(values) for name, values in self.columns.items()})
        if self.only:
            return new
        table = sheet.arrow(typed_columns(self.table), ())
        for name in new.column_names:
            table = table.append_column(name, new[name])
        return table
