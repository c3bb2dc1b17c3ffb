"""What is known of each column before a fit: range, mean and variance of its seen cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np

from estep.records import Array, Block, Column, Units

# Outside, squares of deviations leave float64's range in the user's units.
SMALLEST, LARGEST = 1e-151, 1e151


def describe(
    blocks: Callable[[], Iterable[Block]],
    names: tuple[str, ...],
    levels: tuple[tuple[str, ...] | None, ...],
) -> tuple[Column, ...]:
    """One `Column` each, in the user's units, from blocks of raw values. Rows of weight 0 do not count.

    Infinite cells, the open ends of intervals, count as seen and are among the extremes, and that is all.
    Three passes, each over blocks made anew, so that no second copy of the data is held; in a fixed order:
    the bits do not depend on how the rows arrived.
    """
    parts = [_ends(_counted(block)) for block in blocks()]
    seen = np.sum([part[0] for part in parts], axis=0)
    low = np.fmin.reduce([part[1] for part in parts])
    high = np.fmax.reduce([part[2] for part in parts])
    whole = np.all([part[3] for part in parts], axis=0)
    if np.isinf(low).any() or np.isinf(high).any():
        ends = zip(
            describe(lambda: map(_finite, blocks()), names, levels), seen, low, high, whole, strict=True
        )
        return tuple(
            column._replace(seen=float(s), low=float(a), high=float(b), whole=bool(w))
            for column, s, a, b, w in ends
        )
    found, varies = seen > 0, high > low
    low, high = np.where(found, low, 0.0), np.where(found, high, 0.0)
    # about the middle and in units of the half range, so that no square over- or underflows
    middle, half = low / 2 + high / 2, np.where(varies, high / 2 - low / 2, 1.0)
    half = np.ldexp(1.0, np.minimum(np.frexp(np.where(half > 0, half, 1.0))[1], 1023))
    weight = np.where(found, seen, 1.0)
    shift = _moment(blocks, middle, half, 1) / weight
    mean = np.where(varies, middle + shift * half, low)
    square = _moment(blocks, mean, half, 2) / weight
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


def _counted(block: Block) -> Block:
    """The block with rows of weight 0 blanked."""
    if block.weights.all():
        return block
    return Block(np.where(block.weights > 0, block.values, np.nan), block.weights)


def _finite(block: Block) -> Block:
    """The block with infinite cells blanked."""
    return block._replace(values=np.where(np.isfinite(block.values), block.values, np.nan))


def _ends(block: Block) -> tuple[Array, Array, Array, list[bool]]:
    """Weight of the seen cells, least, largest, and whether all are integers, of each column."""
    values = block.values
    seen = (~np.isnan(values) * block.weights).sum(axis=1)
    whole = [bool(((line == np.rint(line)) | np.isnan(line)).all()) for line in values]
    return seen, np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1), whole


def _moment(blocks: Callable[[], Iterable[Block]], centre: Array, unit: Array, power: Literal[1, 2]) -> Array:
    """Weighted sum over the seen cells of ((x - centre) / unit) ** power, (d,).

    Not by BLAS, which is not pinned yet. Of NaN and 0 both fmin and fmax make 0, faster than a mask does.
    """
    total = []
    for block in map(_counted, blocks()):
        terms = (block.values - centre[:, None]) / unit[:, None]
        terms = np.fmax(terms, 0.0) + np.fmin(terms, 0.0) if power == 1 else np.fmax(terms * terms, 0.0)
        total.append((terms * block.weights).sum(axis=1))
    found: Array = np.sum(total, axis=0)
    return found
