"""Expected sums of rows of a normal by the missing block of the precision matrix: the room that takes."""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.lanes import ROWS
from estep.kernels.cpu.missing import by_missing
from estep.kernels.cpu.plan import in_line, padded
from estep.kernels.cpu.room import kept
from estep.linalg import from_lower
from estep.records import Array, Int

STRIPS = 8  # of a tile


def sums_of_rows(
    mean: Array, precision: Array, log_det: float, values: Array, weights: Array, hidden: Int, counts: Int
) -> tuple[Array, Array, Array] | None:
    """((loglik, magnitude), (rows, first (d,)), second (d, d)); None if a block has no Cholesky factor.

    Of rows `values` (d, m); `hidden` and `counts` as in `by_missing`.
    """
    d, most, high = len(values), hidden.shape[1], padded(1 + len(values))
    terms, left, total = np.zeros(2), np.zeros((d, d)), np.zeros((1 + d, high))
    room = kept("rows", (2 * STRIPS * high + d + most * (most + 1) + 4) * ROWS)
    well = by_missing(
        d,
        most,
        STRIPS,
        log_det,
        in_line(mean),
        in_line(precision),
        in_line(values),
        in_line(weights),
        in_line(hidden),
        in_line(counts),
        room,
        left.reshape(-1),
        total.reshape(-1),
        terms,
    )
    if not well:
        return None
    second = from_lower(total[1:, 1 : 1 + d].T)
    second += from_lower(left)
    return terms, total[0, : 1 + d], second
