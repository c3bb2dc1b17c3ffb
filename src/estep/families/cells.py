"""Starts and sums shared by the families whose columns are independent given the component.

A missing cell then drops out of its row's density, and of the sums of its column.
"""

from __future__ import annotations

import numpy as np

from estep.errors import Degenerate
from estep.records import Array, Block

SHRINK = 0.1  # towards the pooled law, at the start


def soften(resp: Array) -> Array:
    """Responsibilities moved a little towards equal shares, row weights kept.

    A hard partition gives counts of exactly 0, and EM never leaves a probability of exactly 0.
    """
    softened: Array = (1 - SHRINK) * resp + SHRINK * resp.mean(axis=0)
    return softened


def check_rows(resp: Array) -> None:
    """`Degenerate` for a component to which no row belongs."""
    rows = resp.sum(axis=1)
    if not rows.all():
        raise Degenerate(int(np.argmin(rows)), "no row belongs to it")


def ratio(sums: Array, counts: Array, kept: Array) -> Array:
    """sums / counts; where a component has no seen cell, the value it had."""
    some = counts > 0
    return np.where(some, sums / np.where(some, counts, 1.0), kept)


def column_means(block: Block) -> Array:
    """Weighted mean of the seen cells of each column, (d,)."""
    seen = ~np.isnan(block.values)
    count = np.maximum(seen @ block.weights, 1e-300)
    means: Array = np.where(seen, block.values, 0.0) @ block.weights / count
    return means
