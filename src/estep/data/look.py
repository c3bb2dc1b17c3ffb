"""What a fit should know of its rows that the moments of the columns do not tell.

A value that holds more than a third of a column's rows holds more than a third of some block of them. There
it is the value at one third or two thirds of the sorted column, and meets itself one or two rows on: so
columns without such repeats, which are most, are never sorted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.data.source import MemorySource
from estep.records import Array, Block, Bool

SHARE = 1 / 3  # of a column's weight: one value with more is a heavy tie
FEW = 20  # distinct values at most, each met as often as there are values: the column is discrete
FEWEST = 50  # rows, by weight, from which on ties and discrete columns are looked for
COARSE = 0.01  # standard deviations between neighbouring float64 numbers: digits are lost to an offset


class Look(NamedTuple):
    """Columns by number; nothing here is a cell of the data."""

    once: tuple[int, ...] = ()  # seen in one row only
    apart: tuple[tuple[int, int], ...] = ()  # pairs never seen in one row, though each is seen
    tied: tuple[tuple[int, float], ...] = ()  # and the share of the largest value
    discrete: tuple[tuple[int, int], ...] = ()  # and how many distinct values there are
    coarse: tuple[tuple[int, int], ...] = ()  # and how many distinct values its offset has left


def look(source: MemorySource, *, ties: bool) -> Look:
    """One look at the rows of weight > 0, block by block; it stops as soon as nothing more can be found.

    Ties and discrete columns are looked for only if they matter, since that may take as long as a pass of EM.
    """
    once, apart = _coverage(source)
    varies = [j for j, column in enumerate(source.columns) if column.variance > 0]
    if not ties or source.weight < FEWEST:
        return Look(once, apart, coarse=_coarse(source, varies))
    return Look(once, apart, _ties(source, varies), _discrete(source, varies), _coarse(source, varies))


def _coverage(source: MemorySource) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    d = len(source.columns)
    rows, together = np.zeros(d), np.zeros((d, d))
    for i in range(len(source)):
        block = source.block(i)
        kept = (block.weights > 0).astype(np.float64)
        if block.patterns is None:
            seen, counts = np.ones((1, d)), kept.sum(keepdims=True)
        else:
            seen = block.patterns.seen.astype(np.float64)
            counts = np.add.reduceat(kept[block.patterns.rows], block.patterns.edges[:-1])
        rows += counts @ seen
        together += (seen.T * np.minimum(counts, 1.0)) @ seen
        if together.all() and rows.min() > 1:
            return (), ()
    once = np.flatnonzero(rows == 1) if source.n_rows > 1 else np.zeros(0, dtype=np.int64)
    unseen = np.triu(np.outer(rows > 0, rows > 0).astype(np.float64) * (together == 0), 1)
    pairs = zip(*(axis.tolist() for axis in np.nonzero(unseen)), strict=True)
    return tuple(once.tolist()), tuple((i, j) for i, j in pairs)


def _ties(source: MemorySource, columns: list[int]) -> tuple[tuple[int, float], ...]:
    suspects: dict[int, set[float]] = {}
    for i in range(len(source)):
        values, weights = _counted(source.block(i))
        for j in _repeating(values, weights, columns):
            suspects.setdefault(j, set()).update(_thirds(values[j], weights))
    found: dict[int, float] = {}
    for j, candidates in sorted(suspects.items()):
        totals = dict.fromkeys(sorted(candidates), 0.0)
        for i in range(len(source)):
            values, weights = _counted(source.block(i))
            for value in totals:
                totals[value] += float(weights[values[j] == value].sum())
        share = max(totals.values(), default=0.0) / source.columns[j].seen
        if share > SHARE:
            found[j] = share
    return tuple(found.items())


def _discrete(source: MemorySource, columns: list[int]) -> tuple[tuple[int, int], ...]:
    most = {j: min(FEW, int(np.sqrt(source.columns[j].seen))) for j in columns}
    found: dict[int, set[float]] = {j: set() for j in columns}
    for i in range(len(source)):
        values, _ = _counted(source.block(i))
        for j, distinct in list(found.items()):
            for part in (values[j, : 4 * FEW], values[j]):  # a few cells tell it of most columns
                distinct.update(np.unique(part[~np.isnan(part)]).tolist())
                if len(distinct) > most[j]:
                    del found[j]
                    break
    return tuple((j, len(distinct)) for j, distinct in found.items())


def _counted(block: Block) -> tuple[Array, Array]:
    """Values (d, m) and weights (m,) of the rows of weight > 0."""
    if (block.weights > 0).all():
        return block.values, block.weights
    kept = block.weights > 0
    return block.values[:, kept], block.weights[kept]


def _repeating(values: Array, weights: Array, columns: list[int]) -> list[int]:
    """The columns in which a heavy tie is possible."""
    m = weights.size
    if m == 0:
        return []
    if m < 6 or weights.min() < weights.max():
        return columns
    around = np.concatenate([values, values[:, :2]], axis=1)
    repeats: Bool = np.any((around[:, 1:-1] == values) | (around[:, 2:] == values), axis=1)
    holes: Bool = np.any(np.isnan(values), axis=1)  # a hole parts two equal neighbours
    return [j for j in columns if repeats[j] or holes[j]]


def _thirds(x: Array, weights: Array) -> set[float]:
    """The values that can have more than a third of the weight of x: at most two, if any."""
    seen = ~np.isnan(x)
    x, weights = x[seen], weights[seen]
    if not x.size:
        return set()
    if weights.min() == weights.max():
        marks = [x.size // 3, 2 * x.size // 3]
        candidates = np.partition(x, marks)[marks]
    else:
        order = np.argsort(x, kind="stable")
        running = np.cumsum(weights[order])
        candidates = x[order[np.searchsorted(running, running[-1] * np.array([1 / 3, 2 / 3]))]]
    return {float(c) for c in candidates if weights[x == c].sum() > SHARE * weights.sum()}


def _coarse(source: MemorySource, columns: list[int]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for j in columns:
        column, scale = source.columns[j], float(source.units.scale[j])
        ends = np.array([column.low, column.high]) * scale + source.units.centre[j]
        if np.spacing(np.abs(ends).max()) > COARSE * scale * np.sqrt(column.variance):
            blocks = (_counted(source.block(i))[0][j] for i in range(len(source)))
            distinct = np.unique(np.concatenate([np.unique(x[~np.isnan(x)]) for x in blocks]))
            found.append((j, distinct.size))
    return tuple(found)
