"""What of the data of a normal is compressed by pattern, and what stays rows.

A pattern costs one factorisation of its seen block, however many rows it has. A row of a rare pattern costs
two products with its deviations and a small factorisation of the missing block of the precision matrix. Each
pattern goes where its estimated cost is lower: a function of the numbers of cells and rows alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from estep.models.by_pattern import Compressed, Groups, Keys, keys_of, merge, moments, patterns_of
from estep.records import Array, Block, Bool, Int, Patterns
from estep.run import Executor
from estep.run.local import Blocks

CELLS = 2**15  # of an item of rows: four such arrays stay in the L2 cache
ITEM = 30_000.0  # nanoseconds that an item costs by itself
GROUP_ITEM = 400_000.0  # nanoseconds of an item of groups
MOMENTS = 8  # times the numbers of the rows that compressed patterns may take


class Loose(NamedTuple):
    """Rows whose patterns are too rare to compress, those that miss fewest cells first."""

    values: Array  # (d, m), 0 where missing
    weights: Array  # (m,) > 0
    hidden: Int  # (m, most) the missing cells of each row
    counts: Int  # (m,) how many those are
    patterns: Patterns  # of these rows

    def grouped(self) -> Groups:
        """The same rows compressed by pattern, for covariances whose inverse has too few digits."""
        return moments(Block(self.values, self.weights), self.patterns)


class Census(NamedTuple):
    """The patterns of all rows, with the number of rows of each."""

    keys: Keys  # (g,) ascending
    missing: Int  # (g,) cells that a row of it misses
    rows: Int  # (g,) of weight > 0


Choice = Callable[[int, Census, int], Bool]


def take_census(block: Block) -> Census:
    """The patterns of one block."""
    patterns = patterns_of(block)
    counted = np.add.reduceat((block.weights > 0)[patterns.rows], patterns.edges[:-1], dtype=np.int64)
    return Census(keys_of(patterns.seen), (~patterns.seen).sum(axis=1), counted)


def join(a: Census, b: Census) -> Census:
    """The patterns of two."""
    keys, first, inverse = np.unique(np.concatenate([a.keys, b.keys]), return_index=True, return_inverse=True)
    rows = np.bincount(inverse, np.concatenate([a.rows, b.rows])).astype(np.int64)
    return Census(keys, np.concatenate([a.missing, b.missing])[first], rows)


def cost_compressed(d: int, missing: Int) -> Array:
    """Nanoseconds a pass for a pattern, however many its rows (fitted to timings; only ratios matter)."""
    u = missing.astype(float)
    o = d - u
    found: Array = 600 + 35 * d + d * u + 0.13 * o**2 + 0.35 * o**3 + 0.35 * u * o**2 + 0.57 * u**2 * o
    return found


def cost_loose(d: int, missing: Int) -> Array:
    """Nanoseconds a pass for one row by the missing block of the precision matrix."""
    u = missing.astype(float)
    found: Array = 5 + 0.6 * d + 0.08 * d**2 + 2.5 * u + 2 * u**2 + 0.02 * u**3
    return found


def choose(d: int, census: Census, blocks: int) -> Bool:
    """Which patterns stay rows, (g,)."""
    gain = cost_compressed(d, census.missing) - census.rows * cost_loose(d, census.missing)
    rare: Bool = (gain > 0) & (census.rows > 0)
    if gain[rare].sum() <= ITEM * blocks:
        rare[:] = False
    # d^2 numbers a pattern may be far more than its rows are: then those of few rows stay rows at any cost
    scant = ~rare & (census.rows > 0) & (MOMENTS * census.rows < d)
    if scant.sum() * d > MOMENTS * census.rows.sum():
        rare |= scant
    return rare


def choose_for_latent(d: int, census: Census, blocks: int) -> Bool:
    """The same for q latent dimensions, few: a row costs 3 o q, the moments of a pattern o^2 q."""
    rare: Bool = (census.rows > 0) & (3 * census.rows < d - census.missing)
    return rare


def split(source: Blocks[Block], run: Executor, choice: Choice = choose) -> Compressed:
    """Items of `Groups` and of `Loose` rows. Rows of weight 0 leave no trace."""
    census = run.sum(take_census, source, join)
    d = len(source.block(0).values)
    loose_keys = census.keys[choice(d, census, len(source))]

    def part(block: Block) -> tuple[Groups, list[Loose]]:
        patterns = patterns_of(block)
        apart = np.isin(keys_of(patterns.seen), loose_keys)
        return moments(block, _some(patterns, ~apart)), list(_loosened(block, _some(patterns, apart)))

    def both(a: tuple[Groups, list[Loose]], b: tuple[Groups, list[Loose]]) -> tuple[Groups, list[Loose]]:
        return merge(a[0], b[0]), a[1] + b[1]

    packed, loose = run.sum(part, source, both)
    size = max(1, int(GROUP_ITEM / cost_compressed(d, np.zeros(1, dtype=np.int64))[0]))
    return Compressed([*packed.cut(size), *loose])


def _some(patterns: Patterns, which: Bool) -> Patterns:
    """Some of the patterns of a block."""
    if which.all():
        return patterns
    sizes = np.diff(patterns.edges)
    rows = patterns.rows[np.repeat(which, sizes)]
    return Patterns(patterns.seen[which], rows, np.concatenate([[0], np.cumsum(sizes[which])]))


def _loosened(block: Block, patterns: Patterns) -> Iterator[Loose]:
    sizes = np.diff(patterns.edges)
    counts = np.repeat((~patterns.seen).sum(axis=1), sizes)
    which = np.repeat(np.arange(len(sizes)), sizes)
    order = np.argsort(counts, kind="stable")
    order = order[block.weights[patterns.rows[order]] > 0]
    pieces = -(-order.size * patterns.seen.shape[1] // CELLS)
    for some in np.array_split(order, pieces) if pieces else ():
        yield _item(block, patterns.rows[some], patterns.seen, which[some], counts[some])


def _item(block: Block, rows: Int, seen: Bool, which: Int, counts: Int) -> Loose:
    edges = np.append(np.flatnonzero(np.diff(which, prepend=-1)), which.size)
    patterns = Patterns(seen[which[edges[:-1]]], np.arange(which.size), edges)
    missing = ~seen[which]
    values = np.take(block.values, rows, axis=1)  # in C order, which an index need not give
    values[missing.T] = 0.0
    row, cell = np.nonzero(missing)
    hidden = np.zeros((rows.size, int(counts[-1])), dtype=np.int64)
    hidden[row, np.arange(row.size) - np.repeat(np.cumsum(counts) - counts, counts)] = cell
    weights = block.weights[rows]
    values.flags.writeable = weights.flags.writeable = False  # as a block's are: no kernel is compiled anew
    return Loose(values, weights, hidden, counts, patterns)
