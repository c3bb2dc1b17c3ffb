"""A table with its missing cells filled, and every other cell as it was."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from estep.cli.sheet import Sheet, typed_columns
from estep.cli.streams import named
from estep.cli.writing import counted, in_step, number

if TYPE_CHECKING:
    from estep.data.table import Table
    from estep.records import Array


class Filling(NamedTuple):
    """The columns of the model, before and after."""

    before: Table
    after: Array  # (n, d)
    levels: tuple[tuple[str, ...] | None, ...]  # names of the codes in `after`

    def names(self, sheet: Sheet) -> tuple[str, ...]:
        """Those of the sheet."""
        return sheet.names

    def rows(self, sheet: Sheet, decimal: str) -> Iterator[list[str]]:
        """The rows as text, with what is filled put in."""
        place = {name: at for at, name in enumerate(sheet.names)}
        holed = self._holes().any(axis=1).tolist()
        for i, row in in_step(sheet, len(holed)):
            if holed[i]:
                for name, cell in self._cells(i, decimal):
                    row[place[name]] = cell
            yield row

    def arrow(self, sheet: Sheet) -> Any:
        """The table with the filled columns put in; the others keep their types."""
        changed = set(itertools.compress(self.before.names, self._holes().any(axis=0)))
        return sheet.arrow(
            typed_columns(self.before._replace(values=self.after, levels=self.levels)), changed
        )

    def sentence(self) -> str:
        """How many cells were filled, and where."""
        holes = self._holes()
        counts = [f"{name} {n}" for name, n in zip(self.before.names, holes.sum(axis=0), strict=True) if n]
        if not counts:
            return f"note: no cell is missing in {named(self.before.names)}"
        cells, rows = counted(holes.sum(), "cell"), counted(holes.any(axis=1).sum(), "row")
        return f"note: filled {cells} in {rows}: {named(counts)}"

    def _holes(self) -> Any:
        """Which cells were filled, (n, d)."""
        return np.isnan(self.before.values) & ~np.isnan(self.after)

    def _cells(self, row: int, decimal: str) -> Iterator[tuple[str, str]]:
        """The names and texts of the cells filled in this row."""
        for j in np.flatnonzero(np.isnan(self.before.values[row])):
            value, levels = self.after[row, j], self.levels[j]
            if not np.isnan(value):
                yield self.before.names[j], number(value, decimal) if levels is None else levels[int(value)]
