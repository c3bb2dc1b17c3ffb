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

from estep.kernels.cpu.exponential import exp_nonpositive, log_from_one
from estep.kernels.cpu.jit import jit, jit_sums
from estep.records import Array

ZERO: Any = np.int64(0)  # a bare 0 is a type of its own, for which everything is compiled once more
LANES = 8  # sequences side by side
TILE = 120  # steps; no power of two, whose strides would fall on few sets of the cache
LOST = 1e-250
TRUST = 1e-30
LEAST = 1e-50
FAINT, FLOOR = 1e-140, 1e-130  # densities and betas below are not multiplied: subnormals cost 100 times more
SMALL = 1e-70  # expected counts below are none
SHARE = 3  # lanes that must be filled for a batch to be worth it


@jit
def shift(logs: Array, first: int, rows: int, top: Array, out: Array, at: int) -> None:
    """out[:, at:] = exp(logs - top) and top[at:] of rows from `first`; 0 only where logs are -inf."""
    k = len(logs)
    for t in range(rows):
        top[at + t] = logs[0, first + t]
    for j in range(1, k):
        for t in range(rows):
            top[at + t] = max(top[at + t], logs[j, first + t])
    for j in range(k):
        for t in range(rows):
            base = top[at + t] if top[at + t] > -np.inf else 0.0
            x = logs[j, first + t] - base
            e = exp_nonpositive(max(x, -708.0)) if x <= 0.0 else np.nan
            out[j, at + t] = 0.0 if x == -np.inf else e


@jit_sums
def move(states: Array, row: int, matrix: Array, out: Array) -> None:
    """out (k,) = states[row] @ matrix."""
    k = out.size
    a = states[row, 0]
    for j in range(k):
        out[j] = a * matrix[0, j]
    i = 1
    while i + 3 <= k:
        a, b, c = states[row, i], states[row, i + 1], states[row, i + 2]
        for j in range(k):
            out[j] += a * matrix[i, j] + b * matrix[i + 1, j] + c * matrix[i + 2, j]
        i += 3
    while i < k:
        a = states[row, i]
        for j in range(k):
            out[j] += a * matrix[i, j]
        i += 1


@jit_sums
def weigh(ahead: Array, inverse: float, dense: Array, t: int, states: Array, row: int) -> float:
    """states[row] = ahead * inverse * dense[:, t], what is lost as 0; their sum."""
    total = 0.0
    for j in range(ahead.size):
        b = dense[j, t]
        u = ahead[j] * inverse * (0.0 if b < LOST else b)
        u = 0.0 if u < LOST else u  # NaN stays
        states[row, j] = u
        total += u
    return total


@jit_sums
def meet(alpha: Array, t: int, beta: Array, low: float, limit: float) -> tuple[float, float]:
    """Hold beta up at `low`; (alpha[t] . beta, how far beta passes `limit` where alpha is 0)."""
    total = over = 0.0
    for i in range(beta.size):
        value = max(beta[i], low)
        beta[i] = value
        a = alpha[t, i]
        total += a * value
        over += 1.0 if a == 0.0 and not value <= limit else 0.0
    return total, over


@jit
def one(
    start: Array, moves: Array, back: Array, logs: Array, first: int, last: int, weight: float,
    out: Array, loglik: Array, total: Array,
) -> bool:  # fmt: skip
    """Smooth the rows from `first` to `last` of one sequence; whether the result is to be trusted."""
    k = len(moves)
    dense, top = np.empty((k, TILE)), np.empty(TILE)
    alpha, ahead, shares = np.empty((TILE, k)), np.empty((TILE, k)), np.empty((TILE, k))
    beta, w, part, sums = np.empty(k), np.empty((1, k)), np.empty((k, k)), np.zeros((k, k))
    inverse, norm = np.empty(TILE), 1.0
    for j in range(k):
        beta[j] = start[j]
    for a in range(first, last, TILE):
        n = min(TILE, last - a)
        shift(logs, a, n, top, dense, 0)
        for t in range(n):
            if a + t > first:
                move(alpha, t - 1 if t > 0 else TILE - 1, moves, beta)
            c = weigh(beta, norm, dense, t, alpha, t)
            if not c >= LEAST:
                return False
            norm = 1.0 / c
            inverse[t] = norm
            loglik[a + t] = c
        for j in range(k):
            for t in range(n):
                out[j, a + t] = alpha[t, j] * inverse[t]
    low, trusted = 0.0, True
    a = first + (last - first - 1) // TILE * TILE
    while a >= first:
        n = min(TILE, last - a)
        shift(logs, a, n, top, dense, 0)
        for j in range(k):
            for t in range(n):
                alpha[t, j] = out[j, a + t]
        for t in range(n - 1, -1, -1):
            if a + t == last - 1:
                for j in range(k):
                    beta[j], w[0, j] = 1.0, 0.0
            else:
                move(w, ZERO, back, beta)
            c = loglik[a + t]
            d, over = meet(alpha, t, beta, low, c * (TRUST / LOST))
            if over > 0.0:
                trusted = False
                break
            scale, norm = 1.0 / d, 1.0 / c
            low = FLOOR + FAINT * norm
            for j in range(k):
                ahead[t, j] = w[0, j] * scale
                shares[t, j] = alpha[t, j] * beta[j] * scale
                b = dense[j, t]
                w[0, j] = (b if b >= FAINT or beta[j] >= 1.0 else 0.0) * beta[j] * norm
            if t == 0:  # so that rounding does not pile up in the scale of beta
                for j in range(k):
                    w[0, j] *= scale
        if not trusted:
            return False
        for t in range(n, TILE):
            for j in range(k):
                ahead[t, j] = 0.0
                alpha[t, j] = 0.0
        np.dot(alpha.T, ahead, part)
        for i in range(k):
            for j in range(k):
                sums[i, j] += part[i, j]
        for j in range(k):
            for t in range(n):
                g = shares[t, j]
                out[j, a + t] = weight * (g if g >= SMALL else 0.0)
        for t in range(n):
            loglik[a + t] = top[t] + log_from_one(loglik[a + t])
        a -= TILE
    for i in range(k):
        for j in range(k):
            total[i, j] += weight * sums[i, j]
    return True
