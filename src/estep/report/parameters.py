"""The fitted parameters in lines of text."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.report.grids import Grid, grids
from estep.report.tables import numbers, table
from estep.report.words import clean

MATRICES = 400  # numbers in covariance matrices that are still printed whole
SHORT = 8  # numbers of the user's own parameter that are printed
APART = "  * no row shows both columns: not an estimate (EM009)"


def told(fitted: Any) -> list[Grid]:
    """The tables of a fit as a reader wants them: of covariances that would fill pages, the deviations."""
    found = grids(fitted)
    wide = [grid for grid in found if grid.axes == ("column", "other")]
    if sum(grid.values.size for grid in wide) <= MATRICES or len(wide[0].rows) == 1:
        return found
    deviations = np.sqrt(np.stack([np.diag(grid.values) for grid in wide], axis=1))
    labels = [grid.of[1] or grid.heading.split(" (")[0] for grid in wide]
    heading = "Standard deviations (the covariances are too many to print)"
    axes = ("column", "component")
    spread = Grid("deviations", heading, deviations, wide[0].rows, labels, axes)
    return [*(grid for grid in found if grid.axes != ("column", "other")), spread]


def marks(grid: Grid, apart: tuple[tuple[int, int], ...]) -> Any:
    """Which cells of a covariance matrix are of columns never seen together, or None."""
    if not apart or grid.axes != ("column", "other"):
        return None
    marked = np.zeros(grid.values.shape, dtype=bool)
    for i, j in apart:
        marked[i, j] = marked[j, i] = True
    return marked


def sections(fitted: Any) -> list[str]:
    """Headings and tables of all parameters."""
    found, apart = told(fitted), fitted.seen_in_rows.apart
    lines: list[str] = []
    for grid in found:
        if not grid.heading:
            continue
        if grid.axes == ("", ""):
            lines += ["", f"{grid.heading}: {numbers(grid.values[0])[0]}"]
            continue
        marked = marks(grid, apart)
        cells = table(grid.values, grid.rows, grid.columns, alike=grid.alike, marked=marked)
        lines += ["", grid.heading, *cells, *([] if marked is None else [APART])]
    leaves = [f"  {clean(grid.parameter)}: {leaf(grid)}" for grid in found if not grid.heading]
    return lines + (["", "Parameters", *leaves] if leaves else [])


def leaf(grid: Grid) -> str:
    """A parameter of which nothing is known but its name."""
    if grid.values.ndim > 1 or grid.values.size > SHORT:
        return f"array of shape {grid.values.shape}"
    return "  ".join(numbers(grid.values.ravel()))
