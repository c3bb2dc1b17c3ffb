"""What every family asks of columns and cells."""

from __future__ import annotations

import numpy as np

from estep.errors import DataError
from estep.records import Array, Block, Bool, Column


def require_seen(columns: tuple[Column, ...]) -> None:
    """`DataError` for a column in which no cell is seen: nothing can be estimated from it."""
    empty = [repr(column.name) for column in columns if column.seen == 0]
    if empty:
        if len(empty) == 1:
            raise DataError(f"column {empty[0]} has no seen value; drop it")
        raise DataError(f"columns {', '.join(empty)} have no seen value; drop them")


def require_whole(columns: tuple[Column, ...], law: str) -> None:
    """`DataError` for a column that is not made of whole numbers >= 0."""
    for column in columns:
        if column.seen == 0:
            continue
        if column.low < 0 or not column.whole:
            found = f"a value of {column.low:g}" if column.low < 0 else "values that are not whole numbers"
            raise DataError(f"column {column.name!r} has {found}; {law} takes whole numbers >= 0")


def seen_and_values(block: Block) -> tuple[Bool, Array]:
    """Which cells are seen, (d, m), and the values with 0 in the missing ones."""
    seen = ~np.isnan(block.values)
    return seen, np.where(seen, block.values, 0.0)


def standardise(block: Block) -> Array:
    """(d, m) values with weighted mean 0 and variance 1 in each row of the array; NaN stays NaN."""
    seen, values = seen_and_values(block)
    count = np.maximum(seen @ block.weights, 1e-300)
    mean = values @ block.weights / count
    centred = np.where(seen, block.values - mean[:, None], 0.0)
    deviation = np.sqrt(centred**2 @ block.weights / count)
    scaled = centred / np.where(deviation > 0, deviation, 1.0)[:, None]
    return np.where(seen, scaled, np.nan)
