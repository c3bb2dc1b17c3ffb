"""Pairs of columns as the ends of intervals: what a row may hold, and the middles that starts go by."""

from __future__ import annotations

import numpy as np

from estep.errors import DataError
from estep.records import Array, Block, Bool


def check_ends(values: Array, names: tuple[str, ...]) -> None:
    """`DataError` for the first row of (n, d) values, infinities among them, that holds no interval."""
    require_even(names)
    for j in range(0, len(names), 2):
        lower, upper = values[:, j], values[:, j + 1]
        _refuse(np.isnan(lower) != np.isnan(upper), lower, upper, names[j : j + 2], _HALF)
        _refuse(np.isposinf(lower) | np.isneginf(upper), lower, upper, names[j : j + 2], _AWAY)
        _refuse(lower > upper, lower, upper, names[j : j + 2], _CROSSED)
        _refuse(lower == upper, lower, upper, names[j : j + 2], _EXACT)
        _refuse(thin(lower, upper), lower, upper, names[j : j + 2], _THIN)


def bounded(lower: Array, upper: Array) -> Bool:
    """Where a pair says anything; a pair of NaN, or without a bound, does not."""
    found: Bool = np.isfinite(lower) | np.isfinite(upper)
    return found


def thin(lower: Array, upper: Array) -> Bool:
    """Intervals that are empty, or so narrow that their ends have lost the width."""
    finite = np.isfinite(lower) & np.isfinite(upper)
    low, high = np.where(finite, lower, 0.0), np.where(finite, upper, 1.0)
    found: Bool = high - low < 4 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
    return found


def middles(block: Block) -> Array:
    """(p, m) middles of the intervals, the finite end of those that have one; NaN = missing."""
    lower, upper = block.values[::2], block.values[1::2]
    seen = bounded(lower, upper)
    low = np.where(np.isfinite(lower), lower, upper)
    high = np.where(np.isfinite(upper), upper, lower)
    found: Array = np.where(seen, low, np.nan) / 2 + np.where(seen, high, np.nan) / 2
    return found


def require_even(names: tuple[str, ...] | list[str]) -> None:
    """`DataError` for an odd number of columns."""
    if len(names) % 2:
        raise DataError(
            f"intervals take two columns each, lower and upper, and there are {len(names)}; the last, "
            f"{names[-1]!r}, has none beside it; put the ends of each interval side by side"
        )


_HALF = "both its ends; make both NaN where nothing is known, or put -inf or inf in place of the open one"
_AWAY = "its ends at the right infinities; -inf stands for no lower bound, inf for no upper one"
_CROSSED = "its lower end below the upper; put them in order"
_EXACT = "a width, for an exact number has a density, no probability; give it that to which it was rounded"
_THIN = "more width than float64 loses there; subtract an offset before the data are rounded, or widen it"


def _refuse(bad: Bool, lower: Array, upper: Array, names: tuple[str, ...], need: str) -> None:
    if not bad.any():
        return
    row, count = int(bad.argmax()), int(bad.sum())
    more = f"; {count - 1} more like it" if count > 1 else ""
    raise DataError(
        f"the interval of {names[0]!r} and {names[1]!r} in row {row} (counted from 0{more}), from "
        f"{lower[row]:.17g} to {upper[row]:.17g}, needs {need}"
    )
