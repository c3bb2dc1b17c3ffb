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
from estep.kernels.cpu.lanes import ACROSS
from estep.kernels.cpu.lifting import fetch, lift, log_of, lower
from estep.kernels.cpu.walks import LEAST, ascend, descend, divide, tally
from estep.records import Array

ZERO: Any = np.int64(0)  # a bare 0 is a type of its own, for which everything is compiled once more
ONE: Any = np.int64(1)
TILE = (
    120  # steps, whole registers of them; no power of two, whose strides would fall on few sets of the cache
)
SMALL = 1e-70  # expected counts below are none
# what is beyond the rows of `down`: a part done before; nothing; or another side, whose last move is its own
MORE, NOTHING, ANOTHER = 0, 1, 2


def room_of(k: int, wide: int) -> int:
    """Numbers that `up` and `down` need room for."""
    return 3 * TILE * wide + wide + 3 * TILE + 4 + k * wide


def state_of(room: Array, wide: int) -> tuple[Array, Array]:
    """Where `room` holds the state, (wide,), and its size and the floor of beta, (2,)."""
    begin = 3 * TILE * wide
    return room[begin : begin + wide], room[begin + wide + 3 * TILE :][:2]


@jit
def up(
    k: int,
    wide: int,
    m: int,
    first: int,
    last: int,
    backwards: bool,
    begins: bool,
    chain: Array,
    logs: Array,
    out: Array,
    room: Array,
) -> bool:
    """alpha of the rows `first` to `last` of logs (k, m), times their scales, into out (k, m).

    False if they leave the range. Of one sequence, or of a part that goes on from the state that the last
    call left in `room`. Backwards, from the last row on, what comes after a row takes the place of what came
    before. All arrays are flat; chain is the start and ones, (wide,) each, then the moves and their
    transpose, (k, wide) each.
    """
    head, matrix = (wide, (2 + k) * wide) if backwards else (ZERO, 2 * wide)
    alpha, state = TILE * wide, 3 * TILE * wide
    top = state + wide
    scale, by = top + TILE, top + 2 * TILE
    size, least = by + TILE, by + TILE + 3
    for i in range(2 * TILE * wide):  # densities and alphas of no state
        room[i] = 0.0
    if begins:
        for j in range(wide):
            room[state + j] = 0.0
        room[state], room[size] = 1.0, 1.0
    room[least] = 0.0
    begun = ONE if begins else ZERO
    for i in range(0, last - first, TILE):
        n = min(TILE, last - first - i)
        a = last - i - n if backwards else first + i
        start, step = ((n - 1) * wide, -wide) if backwards else (ZERO, wide)
        lift(logs, a, m, k, n, room, top, room, start, step, ONE)
        if begun > 0:
            ascend(
                room, ZERO, ONE, wide, ONE, chain, head,
                room, state, room, size, room, alpha, room, scale, room, by,
            )  # fmt: skip
        at = begun * wide
        ascend(
            room, at, n - begun, wide, k, chain, matrix,
            room, state, room, size, room, alpha + at, room, scale + begun,
            room, by + begun,
        )  # fmt: skip
        begun = ZERO
        for t in range(n):
            c = room[scale + t]
            if not c >= LEAST:
                return False
            room[by + t] = c / room[by + t]
        if backwards:
            for t in range(n // 2):
                kept = room[by + t]
                room[by + t] = room[by + n - 1 - t]
                room[by + n - 1 - t] = kept
        lower(room, alpha + start, step, ONE, n, k, room, by, room, least, out, a, m)
    return True


@jit
def down(
    k: int,
    wide: int,
    m: int,
    first: int,
    last: int,
    backwards: bool,
    beyond: int,
    weight: float,
    chain: Array,
    logs: Array,
    loglik: Array,
    out: Array,
    total: Array,
    room: Array,
) -> bool:
    """After `up`, the other way: out (k, m) becomes posteriors times the weight.

    False if these cannot be trusted. loglik (m,) gets the logarithms of the scales times the rows' largest
    densities; total (k, wide) grows by expected moves without their probabilities, from row to
    column, or backwards from column to row. Of what is `beyond` the rows, `room` holds the state.
    """
    matrix = 2 * wide if backwards else (2 + k) * wide
    alpha, ahead = TILE * wide, 2 * TILE * wide
    state = 3 * TILE * wide
    top = state + wide
    scale, by = top + TILE, top + 2 * TILE
    low, over, least, sums = by + TILE + 1, by + TILE + 2, by + TILE + 3, by + TILE + 4
    for i in range(sums, sums + k * wide):
        room[i] = 0.0
    room[over], room[least] = 0.0, SMALL
    for t in range(TILE):
        room[by + t] = weight
    tiles = (last - first + TILE - 1) // TILE
    for tile in range(tiles - 1, -1, -1):
        i = tile * TILE
        n = min(TILE, last - first - i)
        a = last - i - n if backwards else first + i
        start, step = ((n - 1) * wide, -wide) if backwards else (ZERO, wide)
        lift(logs, a, m, k, n, room, top, room, start, step, ONE)
        fetch(out, a, m, k, n, room, alpha + start, step)
        divide(room, alpha, n, wide, room, scale)
        begun = n
        if beyond == NOTHING and tile == tiles - 1:
            begun = n - 1
            at = begun * wide
            for j in range(wide):
                room[state + j] = 0.0
            room[state], room[low] = 1.0, 0.0
            descend(
                room, at, ONE, wide, ONE, chain, wide,
                room, state, room, low, room, alpha + at, room, scale + begun, room, ahead + at, room, over,
            )  # fmt: skip
            for j in range(wide):
                room[ahead + at + j] = 0.0
        descend(
            room, ZERO, begun, wide, k, chain, matrix,
            room, state, room, low, room, alpha, room, scale, room, ahead, room, over,
        )  # fmt: skip
        if room[over] > 0.0:
            return False
        if beyond == ANOTHER and tile == tiles - 1:
            for j in range(wide):
                room[ahead + (n - 1) * wide + j] = 0.0
        tally(room, alpha, room, ahead, n, wide, k, room, sums)
        lower(room, start, step, ONE, n, k, room, by, room, least, out, a, m)
        log_of(room, scale, (n + ACROSS - 1) // ACROSS)
        for t in range(n):
            loglik[a + t] = room[top + t] + room[scale + (n - 1 - t if backwards else t)]
    for i in range(k * wide):
        total[i] += weight * room[sums + i]
    return True
