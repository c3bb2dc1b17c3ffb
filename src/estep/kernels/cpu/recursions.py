"""Scaled forward and backward recursions of a hidden Markov chain, and when their result is to be trusted.

Densities are divided by each row's largest; alpha_t sums to 1 and beta_t is such that alpha_t . beta_t = 1
(Rabiner 1989, section V.A). The backward recursion is fused with the statistics: only alpha and its scales
c_t are stored, and expected moves are A * (alpha[:-1]' W), W_t = b_t+1 beta_t+1 / c_t+1, a product a tile.

Numbers that underflow are lost in one direction and kept too large in the other, so no loss goes unseen.
An alpha under LOST, before its division by their sum, becomes 0; a beta is held up at a floor that no path
which it could have lost exceeds, and so bounds the true one from above. That sum is c_t or more than FAR c_t,
so what the zeros of alpha lose of the likelihood is at most LOST / (FAR c_t) * beta_t(j) of it at each step:
where that passes TRUST, and where c_t is under LEAST, the sequence is given back, to be done in logs. What
floors add of the likelihood is under T K 1e-80.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.passes import ascent, descent
from estep.records import Array

ZERO: Any = np.int64(0)  # a bare 0 is a type of its own, for which everything is compiled once more
ONE: Any = np.int64(1)


@jit
def up(
    k: int,
    wide: int,
    m: int,
    first: int,
    last: int,
    backwards: int,
    begins: int,
    chain: Array,
    logs: Array,
    out: Array,
    room: Array,
    bad: Array,
) -> None:
    """alpha of the rows `first` to `last` of logs (k, m), times their scales, into out (k, m).

    bad[0] counts scales that leave the range. Of one sequence, or of a part that goes on from the state that
    the last call left in `room`. Backwards, from the last row on, what comes after a row takes the place of
    what came before. All arrays are flat; chain is the start and ones, (wide,) each, then the moves and their
    transpose, (k, wide) each.
    """
    ascent(
        k, wide, m, first, last, backwards, begins, chain, ZERO, logs, ZERO, out, ZERO, room, ZERO, bad, ZERO
    )


@jit
def down(
    k: int,
    wide: int,
    m: int,
    first: int,
    last: int,
    backwards: int,
    beyond: int,
    chain: Array,
    logs: Array,
    out: Array,
    room: Array,
    bad: Array,
    weight: Array,
    loglik: Array,
    total: Array,
) -> None:
    """After `up`, the other way: out (k, m) becomes posteriors times weight[0].

    bad[0] counts what cannot be trusted. loglik (m,) gets the logarithms of the scales times the rows'
    largest densities; total (k, wide) grows by expected moves without their probabilities, from row to
    column, or backwards from column to row. Of what is `beyond` the rows, `room` holds the state.
    """
    descent(
        k, wide, m, first, last, backwards, beyond, weight, ZERO, chain, ZERO, logs, ZERO, loglik, ZERO,
        out, ZERO, total, ZERO, room, ZERO, bad, ZERO,
    )  # fmt: skip
