"""Missingness patterns: the rows of a block grouped by which cells are seen."""

from __future__ import annotations

import numpy as np

from estep.records import Array, Bool, Pattern


def find_patterns(values: Array) -> tuple[Pattern, ...] | None:
    """The patterns of a (d, m) array in the order of their bits; None if nothing is missing."""
    missing: Bool = np.isnan(values)
    if not missing.any():
        return None
    keys = np.packbits(missing, axis=0).T
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    inverse = inverse.ravel()
    order = np.argsort(inverse, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
    return tuple(Pattern(~missing[:, i], rows) for i, rows in zip(first, groups, strict=True))
