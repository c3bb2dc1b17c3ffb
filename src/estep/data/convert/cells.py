"""Checks of numeric cells: infinities, and codes that stand for a missing value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from estep.data.convert.intake import Intake
from estep.records import Array

SLAB = 2**15  # cells looked at together: they fit in a core's cache
NINES = frozenset(sign * float(nines) for nines in (99, 999, 9999, 99999, 999999) for sign in (-1, 1))


def extremes(values: Array) -> tuple[Array, Array]:
    """Smallest and largest seen cell of each column of an (n, d) array; NaN where nothing is seen."""
    n, d = values.shape
    low, high = np.full(d, np.nan), np.full(d, np.nan)
    rows = max(1, SLAB // d)
    for first in range(0, n, rows):
        slab = np.ascontiguousarray(values[first : first + rows].T)
        np.fmin(low, np.fmin.reduce(slab, axis=1), out=low)
        np.fmax(high, np.fmax.reduce(slab, axis=1), out=high)
    return low, high


def check_infinite(intake: Intake, names: Sequence[str], values: Array, ends: tuple[Array, Array]) -> Array:
    """The values, or a copy with NaN for infinities where these are missing; else a fault, unless kept."""
    if intake.inf == "keep":
        return values
    columns = np.flatnonzero(np.isinf(ends[0]) | np.isinf(ends[1]))
    if columns.size and intake.inf == "missing":
        return np.where(np.isinf(values), np.nan, values)
    for j in columns.tolist():
        infinite = np.isinf(values[:, j])
        count, row = int(infinite.sum()), int(infinite.argmax())
        cells = "1 infinite cell" if count == 1 else f"{count} infinite cells"
        intake.fault(
            f"column {names[j]!r} holds {cells} (inf, -inf or beyond float64), the first in row {row} "
            "(counted from 0); replace them by NaN to have them taken as missing"
        )
    return values


def suspect_code(intake: Intake, name: str, column: Array, ends: tuple[float, float]) -> None:
    """Note a column, (n,), in which a number such as -999 repeats, far outside the other cells."""
    for code in NINES.intersection(ends):
        others = column[(column != code) & ~np.isnan(column)]
        count = int((column == code).sum())
        if count < 2 or not others.size:
            continue
        low, high = others.min(), others.max()
        if max(low - code, code - high) > high - low:  # farther off than the others are wide
            intake.codes[name] = (code, count)
