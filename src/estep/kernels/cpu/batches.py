"""Many sequences of a hidden Markov chain: those of like length side by side, the others one by one.

A batch holds up to LANES sequences in falling order of length; the lane is the fast axis of every array. What
a lane computes after the end of its sequence, or without one, is finite and has no weight.
"""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.exponential import log_from_one
from estep.kernels.cpu.jit import jit, jit_sums
from estep.kernels.cpu.recursions import (
    FAINT,
    FLOOR,
    LANES,
    LEAST,
    LOST,
    SHARE,
    SMALL,
    TILE,
    TRUST,
    ZERO,
    shift,
)
from estep.records import Array, Bool, Int

IN_LOGS, ALONE = 1, 2  # what is left to do of a sequence


@jit_sums
def step(matrix: Array, states: Array, at: int, out: Array) -> None:
    """out (k, lanes) = matrix @ states[:, at : at + lanes]."""
    k = len(matrix)
    for j in range(k):
        a = matrix[j, 0]
        for s in range(LANES):
            out[j, s] = a * states[0, at + s]
        i = 1
        while i + 3 <= k:
            a, b, c = matrix[j, i], matrix[j, i + 1], matrix[j, i + 2]
            for s in range(LANES):
                out[j, s] += a * states[i, at + s] + b * states[i + 1, at + s] + c * states[i + 2, at + s]
            i += 3
        while i < k:
            a = matrix[j, i]
            for s in range(LANES):
                out[j, s] += a * states[i, at + s]
            i += 1


@jit
def gather(dense: Array, at: Int, span: Int, t: int, out: Array) -> None:
    """out (k, lanes) = the densities of step t; 1 after the end of a lane."""
    for s in range(LANES):
        if t < span[s]:
            for j in range(len(out)):
                out[j, s] = dense[j, at[s] + t]
        else:
            for j in range(len(out)):
                out[j, s] = 1.0


@jit
def batch(
    start: Array, moves: Array, back: Array, at: Int, span: Int, weight: Array, store: Array,
    out: Array, scale: Array, total: Array, bad: Bool,
) -> None:  # fmt: skip
    """Smooth the sequences that begin at rows `at` and have `span` rows, 0 for none; `bad` lanes cannot be.

    out holds densities and gets posteriors; scale gets c_t. Nothing is added to total if a lane is bad.
    """
    k, longest = len(moves), span[0]
    tiles = (longest + TILE - 1) // TILE
    size = (longest + tiles - 1) // tiles
    alpha = store[: tiles * k * size * LANES].reshape(tiles, k, size * LANES)
    w, beta, dense = np.zeros((k, LANES)), np.empty((k, LANES)), np.empty((k, LANES))
    c, d, over, low = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.zeros(LANES)
    for s in range(LANES):
        bad[s] = False
    for t in range(longest):
        tile, column = alpha[t // size], t % size * LANES
        gather(out, at, span, t, dense)
        if t == 0:
            for j in range(k):
                for s in range(LANES):
                    beta[j, s] = start[j]
        else:
            step(back, alpha[(t - 1) // size], (t - 1) % size * LANES, beta)
        for s in range(LANES):
            c[s] = 0.0
        for j in range(k):
            for s in range(LANES):
                b = dense[j, s]
                u = beta[j, s] * (0.0 if b < LOST else b)
                u = 0.0 if u < LOST else u
                beta[j, s] = u
                c[s] += u
        for s in range(LANES):
            if t < span[s]:
                scale[at[s] + t] = c[s]
                if not c[s] >= LEAST:
                    bad[s] = True
            c[s] = 1.0 / c[s]
        for j in range(k):
            for s in range(LANES):
                tile[j, column + s] = beta[j, s] * c[s]
    for s in range(LANES):
        if bad[s]:
            return
    ahead, part, sums = np.zeros((k, size * LANES)), np.empty((k, k)), np.zeros((k, k))
    for s in range(LANES):
        over[s] = 0.0
    for t in range(longest - 1, -1, -1):
        tile, column = alpha[t // size], t % size * LANES
        step(moves, w, ZERO, beta)
        gather(out, at, span, t, dense)
        for s in range(LANES):
            d[s] = 0.0
            c[s] = scale[at[s] + t] if t < span[s] else 1.0
            if t == span[s] - 1:
                for j in range(k):
                    beta[j, s] = 1.0
        for j in range(k):
            for s in range(LANES):
                value = max(beta[j, s], low[s])
                beta[j, s] = value
                a = tile[j, column + s]
                d[s] += a * value
                over[s] += 1.0 if a == 0.0 and not value <= c[s] * (TRUST / LOST) else 0.0
        for s in range(LANES):
            d[s] = 1.0 / d[s]
            c[s] = 1.0 / c[s]
            low[s] = FLOOR + FAINT * c[s]
        for j in range(k):
            for s in range(LANES):
                ahead[j, column + s] = w[j, s] * d[s] * weight[s] if t < span[s] - 1 else 0.0
                value = beta[j, s] * d[s]
                b = dense[j, s]
                w[j, s] = (b if b >= FAINT or value >= 1.0 else 0.0) * value * c[s]
                g = tile[j, column + s] * value
                dense[j, s] = weight[s] * (g if g >= SMALL else 0.0)
        for s in range(LANES):
            if t < span[s]:
                for j in range(k):
                    out[j, at[s] + t] = dense[j, s]
        if column == 0:
            np.dot(tile, ahead.T, part)
            for i in range(k):
                for j in range(k):
                    sums[i, j] += part[i, j]
                for s in range(size * LANES):
                    ahead[i, s] = 0.0
    any_bad = False
    for s in range(LANES):
        bad[s] = over[s] > 0.0
        any_bad = any_bad or bad[s]
    if not any_bad:
        for i in range(k):
            for j in range(k):
                total[i, j] += sums[i, j]


@jit
def smooth(
    start: Array, moves: Array, back: Array, logs: Array, edges: Int, order: Int, weights: Array,
    out: Array, loglik: Array, total: Array, left: Int,
) -> None:  # fmt: skip
    """Of every sequence of a block: loglik (m,), weighted posteriors (k, m), moves (k, k) into out and so on.

    `order` has the sequences from the longest to the shortest; `back` is the transpose of `moves`. left (s,)
    becomes IN_LOGS of those that scaling cannot do, ALONE of those that find too few others of their length.
    """
    (k, m), count = logs.shape, order.size
    bad, top = np.zeros(LANES, np.bool_), np.empty(m)
    at, span, who = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    weight, store = np.zeros(LANES), np.empty(0)
    n = 0
    while n < count:
        longest, rows, full = edges[order[n] + 1] - edges[order[n]], 0, min(LANES, count - n)
        for s in range(full):
            rows += edges[order[n + s] + 1] - edges[order[n + s]]
        if rows < SHARE * longest:
            left[order[n]] = ALONE
            n += 1
            continue
        if store.size == 0:
            store = np.zeros((longest + TILE) * k * LANES)  # what no lane reaches is multiplied by 0
        for s in range(full):
            who[s] = order[n + s]
        n += full
        again = True
        while again and full > 0:
            for s in range(LANES):
                here = who[s] if s < full else who[0]
                at[s] = edges[here]
                span[s] = edges[here + 1] - edges[here] if s < full else 0
                weight[s] = weights[here] if s < full else 0.0
                if s < full:
                    shift(logs, at[s], span[s], top, out, at[s])
            batch(start, moves, back, at, span, weight, store, out, loglik, total, bad)
            kept = 0
            for s in range(full):
                if bad[s]:
                    left[who[s]] = IN_LOGS
                else:
                    who[kept] = who[s]
                    kept += 1
            again = kept < full
            full = kept
        for s in range(full):
            for t in range(at[s], at[s] + span[s]):
                loglik[t] = top[t] + log_from_one(loglik[t])
