"""The parameters of a fit as a data frame, a row a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from estep.errors import UsageError
from estep.report.grids import Grid, grids

Backend = Literal["pandas", "polars", "pyarrow"]
FIELDS = ("parameter", "component", "column", "other", "value")


def to_frame(estimator: Any, backend: Backend = "pandas") -> Any:
    """All fitted parameters, in the user's units, a row each; see `Face.to_frame`."""
    import pyarrow as pa

    if backend not in ("pandas", "polars", "pyarrow"):
        raise UsageError(f"backend must be 'pandas', 'polars' or 'pyarrow'; found {backend!r}")
    fitted = estimator._fitted()
    rows = [row for grid in grids(fitted) for row in _rows(grid)]
    columns = zip(FIELDS, zip(*rows, strict=True), strict=True)
    kinds = dict.fromkeys(FIELDS, pa.string()) | {"value": pa.float64()}
    table = pa.table({name: pa.array(cells, kinds[name]) for name, cells in columns})
    if backend == "pyarrow":
        return table
    try:
        if backend == "pandas":
            return table.to_pandas()
        import polars as pl
    except ImportError:
        raise UsageError(
            f"backend={backend!r} is not installed here; install {backend}, or use backend='pyarrow'"
        ) from None
    return pl.from_arrow(table)


def _rows(grid: Grid) -> Iterator[tuple[str | float | None, ...]]:
    """The cells of a table, each with what it is of; None where a field says nothing."""
    if not grid.heading:
        for place in np.ndindex(grid.values.shape):
            other = ", ".join(map(str, place)) or None
            yield grid.parameter, None, None, other, float(grid.values[place])
        return
    for row, cells in zip(grid.rows, grid.values, strict=True):
        for column, value in zip(grid.columns, cells, strict=True):
            of = dict([grid.of, (grid.axes[0], row), (grid.axes[1], column)])
            yield grid.parameter, of.get("component"), of.get("column"), of.get("other"), float(value)
