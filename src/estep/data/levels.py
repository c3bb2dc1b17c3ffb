"""Codes of categorical columns in new data, by the names known from the fit."""

from __future__ import annotations

import numpy as np

from estep.data.table import Table
from estep.errors import DataError
from estep.records import Array


def recode(table: Table, known: tuple[tuple[str, ...] | None, ...]) -> Table:
    """The table with each text column coded as at the fit; `DataError` naming a level that is new."""
    columns: list[Array] = []
    for j, (name, found, before) in enumerate(zip(table.names, table.levels, known, strict=True)):
        codes = table.values[:, j]
        if (found is None) != (before is None):
            kinds = "text" if found is None else "numbers", "numbers" if found is None else "text"
            raise DataError(
                f"column {name!r} held {kinds[0]} at the fit and holds {kinds[1]} now; give {kinds[0]} there"
            )
        if found is None or before is None:
            columns.append(codes)
            continue
        new = sorted(set(found) - set(before))
        if new:
            raise DataError(
                f"column {name!r} holds {new[0]!r}, which was not among its levels at the fit; "
                f"give one of {before}"
            )
        place = np.array([before.index(level) for level in found], dtype=np.float64)
        missing = np.isnan(codes)
        columns.append(np.where(missing, np.nan, place[np.where(missing, 0, codes).astype(np.int64)]))
    if all(levels is None for levels in known):
        return table
    return Table(np.column_stack(columns), table.names, table.named, known, table.notes)
