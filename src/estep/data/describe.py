"""What is known of each column before a fit: range, mean and variance of its seen cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from estep.records import Array, Block, Bool, Column, Units

# Outside, squares of deviations leave float64's range in the user's units.
SMALLEST, LARGEST = 1e-151, 1e151


def describe(
    blocks: list[Block], names: tuple[str, ...], levels: tuple[tuple[str, ...] | None, ...]
) -> tuple[Column, ...]:
    """One `Column` each, in the user's units, from blocks of raw values. Rows of weight 0 do not count.

    Two passes, block by block in a fixed order: the bits do not depend on how the rows arrived.
    """
    seen = _total(blocks, np.ones_like)
    low = np.min([np.where(_counted(b), b.values, np.inf).min(axis=1) for b in blocks], axis=0)
    high = np.max([np.where(_counted(b), b.values, -np.inf).max(axis=1) for b in blocks], axis=0)
    whole = np.all(
        [np.where(_counted(b), b.values == np.rint(b.values), True).all(axis=1) for b in blocks], axis=0
    )
    found, varies = seen > 0, high > low
    low, high = np.where(found, low, 0.0), np.where(found, high, 0.0)
    # about the middle and in units of the half range, so that no square over- or underflows
    middle, half = low / 2 + high / 2, np.where(varies, high / 2 - low / 2, 1.0)
    half = np.ldexp(1.0, np.minimum(np.frexp(np.where(half > 0, half, 1.0))[1], 1023))
    weight = np.where(found, seen, 1.0)
    shift = _total(blocks, lambda x: (x - middle[:, None]) / half[:, None]) / weight
    mean = np.where(varies, middle + shift * half, low)
    square = _total(blocks, lambda x: ((x - mean[:, None]) / half[:, None]) ** 2) / weight
    deviation = np.where(varies, np.sqrt(square) * half, 0.0)
    # NaN where a fit cannot square deviations: choosing units for one then says so
    fits = (deviation == 0) | ((deviation >= SMALLEST) & (deviation <= LARGEST))
    variance = np.where(fits, deviation, np.nan) ** 2
    return tuple(
        Column(
            name=name,
            seen=float(seen[j]),
            mean=float(mean[j]),
            variance=float(variance[j]),
            low=float(low[j]),
            high=float(high[j]),
            whole=bool(whole[j]),
            scale=1.0,
            levels=levels[j],
        )
        for j, name in enumerate(names)
    )


def in_units(columns: tuple[Column, ...], units: Units) -> tuple[Column, ...]:
    """Columns described in the user's units, in the fit's."""
    return tuple(
        Column(
            name=column.name,
            seen=column.seen,
            mean=(column.mean - c) / s,
            variance=column.variance / s / s,
            low=(column.low - c) / s,
            high=(column.high - c) / s,
            whole=column.whole,
            scale=s,
            levels=column.levels,
        )
        for column, c, s in zip(columns, units.centre.tolist(), units.scale.tolist(), strict=True)
    )


def _counted(block: Block) -> Bool:
    counted: Bool = ~np.isnan(block.values) & (block.weights > 0)
    return counted


def _total(blocks: list[Block], fn: Callable[[Array], Array]) -> Array:
    """Weighted sum over the seen cells of `fn` of the values, (d,); not by BLAS, which is not pinned yet."""
    parts = [(np.where(_counted(b), fn(b.values), 0.0) * b.weights).sum(axis=1) for b in blocks]
    found: Array = np.sum(parts, axis=0)
    return found
