"""The rows a start sees: distinct, with summed weights, in lexicographic order.

Order, repeats and chunking of the rows cannot matter to a draw by weight from such a sample. A larger
data set is thinned by a hash of each row, which belongs to the row and not to its place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from estep.records import Array, Block, Bool, Column

PIECE = 2**16  # rows that are hashed at a time: a long sequence is a single block
FAR = 2.0**61  # stands for infinity in a hash


def distinct_rows(
    blocks: list[Block], columns: tuple[Column, ...], m: int, seed: int
) -> tuple[Array, Array, Array | None]:
    """At most m distinct rows as (d, m') values and (m',) weights; rows of weight 0 are left out.

    Rows with evidence that differs are distinct, and come with it, (k, m'); those that it says something of
    are the last to be left out.
    """
    kept = [block.weights > 0 for block in blocks]
    if sum(int(rows.sum()) for rows in kept) > m:
        # block by block: of a large data set only the hashes are held, not a copy
        hashes = [_hash(block.values, columns, seed) >> _rank(block) for block in blocks]
        kept = _thin(hashes, kept, m)
    values = np.concatenate([block.values[:, rows] for block, rows in zip(blocks, kept, strict=True)], axis=1)
    weights = np.concatenate([block.weights[rows] for block, rows in zip(blocks, kept, strict=True)])
    keys = np.where(np.isnan(values), np.inf, values)  # a missing cell sorts last; no lower end is inf
    pieces = [b.evidence[:, rows] for b, rows in zip(blocks, kept, strict=True) if b.evidence is not None]
    evidence = np.concatenate(pieces, axis=1) if pieces else None
    if evidence is not None:
        keys = np.concatenate([keys, evidence])
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    new = np.ones(order.size, dtype=bool)
    new[1:] = np.any(keys[:, 1:] != keys[:, :-1], axis=0)
    summed = np.add.reduceat(weights[order], np.flatnonzero(new))
    first = order[new]
    return np.ascontiguousarray(values[:, first]), summed, None if evidence is None else evidence[:, first]


def _rank(block: Block) -> NDArray[np.uint64]:
    """By how many bits a row's hash is made less, so that rows with evidence are among the least."""
    said = False if block.evidence is None else block.evidence.any(axis=0)
    return np.where(said, np.uint64(32), np.uint64(0))


def _thin(hashes: list[NDArray[np.uint64]], kept: list[Bool], m: int) -> list[Bool]:
    """Of the rows kept, those with the m least distinct hashes."""
    rows = sum(int(each.sum()) for each in kept)
    for share in (4 * m / rows, 1.0):  # nearly always among the least few: no need to sort them all
        limit = np.uint64(min(share, 1.0) * (2.0**64 - 2**11))
        least = [each[some & (each <= limit)] for each, some in zip(hashes, kept, strict=True)]
        found = np.unique(np.concatenate(least))
        if found.size > m:
            return [some & (each < found[m]) for each, some in zip(hashes, kept, strict=True)]
    return kept


def _hash(values: Array, columns: tuple[Column, ...], seed: int) -> NDArray[np.uint64]:
    """A 64-bit hash of each standardised row rounded to 2^-20 (SplitMix64: Steele, Lea & Flood 2014)."""
    hashes = np.empty(values.shape[1], dtype=np.uint64)
    for begin in range(0, hashes.size, PIECE):
        hashes[begin : begin + PIECE] = _hash_of(values[:, begin : begin + PIECE], columns, seed)
    return hashes


def _hash_of(values: Array, columns: tuple[Column, ...], seed: int) -> NDArray[np.uint64]:
    state = np.full(values.shape[1], seed, dtype=np.uint64)
    for row, column in zip(values, columns, strict=True):
        standard = (row - column.mean) / np.sqrt(column.variance or 1.0)
        rounded = np.rint(np.clip(standard * 2.0**20, -FAR, FAR))
        cell = np.where(np.isnan(row), 2.0**60, rounded).astype(np.int64).view(np.uint64)
        state = _mix(state ^ cell)
    return state


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
