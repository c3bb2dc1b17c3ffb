"""Missingness patterns: the rows of a block grouped by which cells are seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from estep.records import Array, Bool, Int, Patterns


def find_patterns(values: Array) -> Patterns | None:
    """The patterns of a (d, m) array in the order of their bits; None if nothing is missing."""
    missing: Bool = np.isnan(values)
    if not missing.any():
        return None
    keys, order = _sorted(missing)
    ordered = keys[order]
    new = np.concatenate([[0], np.flatnonzero((ordered[1:] != ordered[:-1]).any(axis=1)) + 1])
    edges = np.append(new, order.size)
    return Patterns(np.ascontiguousarray(~missing[:, order[new]].T), order, edges)


def _sorted(missing: Bool) -> tuple[NDArray[Any], Int]:
    """A key (m, words) of each column of (d, m), in the order of its bits, and what sorts them, stably."""
    if len(missing) > 16:
        words = pattern_words(missing.T)
        return words, np.lexsort(words.T[::-1])
    keys: NDArray[Any] = np.zeros(missing.shape[1], dtype=np.uint8 if len(missing) <= 8 else np.uint16)
    for cells in missing:
        keys <<= 1
        keys |= cells
    return keys[:, None], np.argsort(keys, kind="stable")  # so short, they are sorted by their digits


def pattern_words(missing: Bool) -> NDArray[np.uint64]:
    """The bits of each row of (m, d) as words (m, words); their order is that of the bits."""
    m, d = missing.shape
    padded = np.zeros((m, -(-d // 64) * 64), dtype=bool)  # whole words, so that all rows are packed in one go
    padded[:, :d] = missing
    return np.packbits(padded.ravel()).view(">u8").astype(np.uint64).reshape(m, padded.shape[1] // 64)
