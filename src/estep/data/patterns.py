"""Missingness patterns: the rows of a block grouped by which cells are seen."""

from __future__ import annotations

import numpy as np

from estep.records import Array, Bool, Patterns


def find_patterns(values: Array) -> Patterns | None:
    """The patterns of a (d, m) array in the order of their bits; None if nothing is missing."""
    missing: Bool = np.isnan(values)
    if not missing.any():
        return None
    bits = np.packbits(missing, axis=0)
    # eight columns to a byte, eight bytes to a word: one sort of words where there are at most 64 columns
    words = np.zeros((-(-len(bits) // 8) * 8, bits.shape[1]), dtype=np.uint8)
    words[: len(bits)] = bits
    keys = np.ascontiguousarray(words.T).view(">u8").astype(np.uint64)
    order = np.lexsort(keys.T[::-1])
    ordered = keys[order]
    new = np.concatenate([[0], np.flatnonzero((ordered[1:] != ordered[:-1]).any(axis=1)) + 1])
    edges = np.append(new, order.size)
    return Patterns(np.ascontiguousarray(~missing[:, order[new]].T), order, edges)
