"""Expected sums of rows of a normal by the missing block of the precision matrix: products around a loop."""

from __future__ import annotations

import threading

import numpy as np

from estep.kernels.cpu.normal import by_missing
from estep.records import Array, Int


class _Scratch(threading.local):
    """Kept from item to item: fresh pages for each would cost as much as the arithmetic."""

    room: Array = np.empty(0)

    def take(self, d: int, m: int) -> Array:
        if self.room.size < 2 * d * m:
            self.room = np.empty(2 * d * m)
        return self.room[: 2 * d * m].reshape(2, d, m)


_scratch = _Scratch()


def sums_of_rows(
    mean: Array,
    precision: Array,
    log_det: float,
    values: Array,
    weights: Array,
    holes: Int,
    hidden: Int,
    counts: Int,
) -> tuple[Array, Array, Array] | None:
    """((loglik, magnitude, rows), first (d,), second (d, d)); None if a block has no Cholesky factor.

    `values` (d, m) are 0 at the `holes` (places in it when flat); `hidden` and `counts` as in `by_missing`.
    """
    apart, reach = _scratch.take(*values.shape)
    np.subtract(values, mean[:, None], out=apart)
    apart.reshape(-1)[holes] = 0.0
    np.matmul(precision, apart, out=reach)
    well, sums, left = by_missing(precision, log_det, hidden, counts, weights, reach, apart)
    if not well:
        return None
    first = apart @ weights
    apart *= np.sqrt(weights)
    second = apart @ apart.T
    second += left
    second += np.tril(left, -1).T
    return sums, first, second
