"""Scaled forward and backward recursions of a hidden Markov chain, and when their result is to be trusted.

Densities are divided by each row's largest; alpha_t sums to 1 and beta_t is such that alpha_t . beta_t = 1
(Rabiner 1989, section V.A). The backward recursion is fused with the statistics: only alpha and its scales
c_t are stored, and expected moves are A * (alpha[:-1]' W), W_t = b_t+1 beta_t+1 / c_t+1, a product a tile.

Numbers that underflow are lost in one direction and kept too large in the other, so no loss goes unseen.
An alpha under LOST, before its division by c_t, becomes 0; a beta is held up at a floor that no path which it
could have lost exceeds, and so bounds the true one from above. What the zeros of alpha lose of the likelihood
is then at most LOST / c_t * beta_t(j) of it at each step: where that passes TRUST, and where c_t is under
LEAST, the sequence is given back, to be done in logs. What floors add of the likelihood is under T K 1e-80.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import ACROSS
from estep.kernels.cpu.lifting import fetch, lift, log_of, lower
from estep.kernels.cpu.walks import LEAST, ascend, descend, tally
from estep.records import Array

ZERO: Any = np.int64(0)  # a bare 0 is a type of its own, for which everything is compiled once more
ONE: Any = np.int64(1)
TILE = (
    120  # steps, whole registers of them; no power of two, whose strides would fall on few sets of the cache
)
SMALL = 1e-70  # expected counts below are none


def room_of(k: int, wide: int) -> int:
    """Numbers that `one` needs room for."""
    return 3 * TILE * wide + wide + 3 * TILE + 4 + k * wide


@jit
def one(
    k: int,
    wide: int,
    m: int,
    first: int,
    last: int,
    weight: float,
    chain: Array,
    logs: Array,
    loglik: Array,
    out: Array,
    total: Array,
    room: Array,
) -> bool:
    """Smooth rows `first` to `last` of logs (k, m), one sequence; whether the result is to be trusted.

    out (k, m) gets posteriors times the weight, loglik (m,); total (k, wide) grows. All arrays are flat;
    chain is the start and ones, (wide,) each, then the moves and their transpose, (k, wide) each.
    """
    ones, moves = wide, 2 * wide
    back = moves + k * wide
    alpha, ahead = TILE * wide, 2 * TILE * wide
    state = 3 * TILE * wide
    top = state + wide
    scale, by = top + TILE, top + 2 * TILE
    norm = by + TILE
    low, over, least, sums = norm + 1, norm + 2, norm + 3, norm + 4
    for i in range(sums, sums + k * wide):
        room[i] = 0.0
    for i in range(ahead):  # densities and alphas of no state
        room[i] = 0.0
    for j in range(wide):
        room[state + j] = 0.0
    room[state], room[norm], room[least] = 1.0, 1.0, 0.0
    for a in range(first, last, TILE):
        n, begun = min(TILE, last - a), 0
        lift(logs, a, m, k, n, room, top, room, ZERO, wide, ONE)
        if a == first:
            ascend(room, ZERO, ONE, wide, ONE, chain, ZERO, room, state, room, norm, room, alpha, room, scale)
            begun = 1
        ascend(
            room, begun * wide, n - begun, wide, k, chain, moves,
            room, state, room, norm, room, alpha + begun * wide, room, scale + begun,
        )  # fmt: skip
        for t in range(n):
            c = room[scale + t]
            if not c >= LEAST:
                return False
            loglik[a + t] = c
            room[by + t] = 1.0 / c
        lower(room, alpha, wide, ONE, n, k, room, by, room, least, out, a, m)
    for j in range(wide):
        room[state + j] = 0.0
    room[state], room[low], room[over], room[least] = 1.0, 0.0, 0.0, SMALL
    a = first + (last - first - 1) // TILE * TILE
    while a >= first:
        n = min(TILE, last - a)
        begun = n
        lift(logs, a, m, k, n, room, top, room, ZERO, wide, ONE)
        fetch(out, a, m, k, n, room, alpha, wide)
        for t in range(n):
            room[scale + t] = loglik[a + t]
            room[by + t] = weight
        if a + n == last:
            begun = n - 1
            at = begun * wide
            descend(
                room, at, ONE, wide, ONE, chain, ones,
                room, state, room, low, room, alpha + at, room, scale + begun, room, ahead + at, room, over,
            )  # fmt: skip
            for j in range(wide):
                room[ahead + at + j] = 0.0
        descend(
            room, ZERO, begun, wide, k, chain, back,
            room, state, room, low, room, alpha, room, scale, room, ahead, room, over,
        )  # fmt: skip
        if room[over] > 0.0:
            return False
        tally(room, alpha, room, ahead, n, wide, k, room, sums)
        lower(room, ZERO, wide, ONE, n, k, room, by, room, least, out, a, m)
        log_of(room, scale, (n + ACROSS - 1) // ACROSS)
        for t in range(n):
            loglik[a + t] = room[top + t] + room[scale + t]
        a -= TILE
    for i in range(k * wide):
        total[i] += weight * room[sums + i]
    return True
