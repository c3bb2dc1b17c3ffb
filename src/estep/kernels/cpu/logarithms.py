"""Recursions of a hidden Markov chain in logarithms: nothing underflows; for what scaling cannot do.

Smoothing of the sequences that `recursions.py` gives back, the filter, whose losses no later row can show,
what all rows but one say of a state, paths drawn, and the most probable path (Viterbi 1967).
"""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.exponential import exp_nonpositive
from estep.kernels.cpu.jit import jit
from estep.records import Array, Int


@jit
def sum_ways(states: Array, t: int, matrix: Array, top: Array, out: Array) -> None:
    """out_j = log sum_i exp(states[t, i] + matrix[i, j])."""
    k = out.size
    for j in range(k):
        top[j], out[j] = -np.inf, 0.0
    for i in range(k):
        a = states[t, i]
        for j in range(k):
            top[j] = max(top[j], a + matrix[i, j])
    for j in range(k):
        top[j] = top[j] if top[j] > -np.inf else 0.0
    for i in range(k):
        a = states[t, i]
        for j in range(k):
            out[j] += exp_nonpositive(a + matrix[i, j] - top[j])
    for j in range(k):
        out[j] = np.log(out[j]) + top[j]


@jit
def total_of(states: Array, t: int) -> float:
    """log sum_j exp(states[t, j])."""
    top, total = -np.inf, 0.0
    for j in range(states.shape[1]):
        top = max(top, states[t, j])
    base = top if top > -np.inf else 0.0
    for j in range(states.shape[1]):
        total += exp_nonpositive(states[t, j] - base)
    found: float = np.log(total) + base
    return found


@jit
def forward(log_start: Array, log_moves: Array, logs: Array, first: int, last: int) -> tuple[Array, Array]:
    """Of rows first to last: (T,) log p(x_t | x_1..t-1), and (T, k) log p(s_t = j | x_1..t).

    From an impossible row on all of the second are -inf; the first is -inf there and 0 after it, so that its
    sum is -inf.
    """
    k, steps = len(logs), last - first
    alpha, loglik = np.empty((steps, k)), np.zeros(steps)
    ahead, top, possible = np.empty(k), np.empty(k), True
    for t in range(steps):
        if t > 0:
            sum_ways(alpha, t - 1, log_moves, top, ahead)
        unknown = 0.0  # or NaN, which a maximum passes over
        for j in range(k):
            unknown = np.nan if np.isnan(logs[j, first + t]) else unknown
            alpha[t, j] = (log_start[j] if t == 0 else ahead[j]) + logs[j, first + t]
        found = total_of(alpha, t) + unknown
        loglik[t] = found if possible else 0.0
        possible = possible and found > -np.inf
        for j in range(k):
            alpha[t, j] = alpha[t, j] - found if possible else -np.inf
    return loglik, alpha


@jit
def filtered(log_start: Array, log_moves: Array, logs: Array, edges: Int) -> Array:
    """(k, m) log p(s_t = j | x_1..t); equal shares from an impossible row on."""
    k, m = logs.shape
    out = np.empty((k, m))
    for s in range(edges.size - 1):
        _, alpha = forward(log_start, log_moves, logs, edges[s], edges[s + 1])
        for t in range(len(alpha)):
            impossible = not total_of(alpha, t) > -np.inf
            for j in range(k):
                out[j, edges[s] + t] = -np.log(k) if impossible else alpha[t, j]
    return out


@jit
def without_own(log_start: Array, log_moves: Array, log_back: Array, logs: Array, edges: Int) -> Array:
    """(k, m) p(s_t = j | all rows of the sequence but x_t); equal shares where those are impossible.

    The posterior over the row's own density would not do: what that density makes small is lost in it.
    """
    k, m = logs.shape
    out = np.empty((k, m))
    before, beta, ahead, top = np.empty(k), np.empty(k), np.empty((1, k)), np.empty(k)
    for s in range(edges.size - 1):
        first, steps = edges[s], edges[s + 1] - edges[s]
        _, alpha = forward(log_start, log_moves, logs, first, edges[s + 1])
        beta[:] = 0.0
        for t in range(steps - 1, -1, -1):
            if t < steps - 1:
                for j in range(k):
                    ahead[0, j] = beta[j] + logs[j, first + t + 1]
                sum_ways(ahead, 0, log_back, top, beta)
            if t > 0:
                sum_ways(alpha, t - 1, log_moves, top, before)
            for j in range(k):
                ahead[0, j] = (before[j] if t > 0 else log_start[j]) + beta[j]
            total = total_of(ahead, 0)
            for j in range(k):
                out[j, first + t] = np.exp(ahead[0, j] - total) if total > -np.inf else 1.0 / k
            largest = -np.inf
            for j in range(k):
                largest = max(largest, beta[j])
            for j in range(k):
                beta[j] -= largest if largest > -np.inf else 0.0
    return out


@jit
def smooth(
    log_start: Array, log_moves: Array, log_back: Array, logs: Array, first: int, last: int
) -> tuple[Array, Array, Array]:
    """Of rows first to last: loglik (T,), posteriors (T, k) and expected moves (k, k).

    Equal shares and no moves for an impossible sequence; `log_back` is the transpose of `log_moves`.
    """
    loglik, alpha = forward(log_start, log_moves, logs, first, last)
    k, moves = len(logs), np.zeros((len(logs), len(logs)))
    if not np.isfinite(total_of(alpha, len(alpha) - 1)):
        for t in range(len(alpha)):
            for j in range(k):
                alpha[t, j] = 1.0 / k
        return loglik, alpha, moves
    beta, ahead, top = np.zeros(k), np.empty((1, k)), np.empty(k)
    for t in range(len(alpha) - 1, -1, -1):
        if t < len(alpha) - 1:
            for j in range(k):
                ahead[0, j] = beta[j] + logs[j, first + t + 1] - loglik[t + 1]
            sum_ways(ahead, 0, log_back, top, beta)
            for i in range(k):
                for j in range(k):
                    moves[i, j] += np.exp(alpha[t, i] + log_moves[i, j] + ahead[0, j])
        total = 0.0
        for j in range(k):
            alpha[t, j] = np.exp(alpha[t, j] + beta[j])
            total += alpha[t, j]
        for j in range(k):
            alpha[t, j] /= total
    return loglik, alpha, moves


@jit
def best_paths(log_start: Array, log_moves: Array, logs: Array, edges: Int) -> tuple[Int, Array]:
    """The most probable path of each sequence, (m,), and their joint log-probabilities, (s,)."""
    k, m = logs.shape
    path, joint = np.empty(m, np.int64), np.empty(edges.size - 1)
    longest = 0
    for s in range(edges.size - 1):
        longest = max(longest, edges[s + 1] - edges[s])
    came = np.zeros((longest, k), np.int32)
    value, best = np.empty(k), np.empty(k)
    for s in range(edges.size - 1):
        first, last = edges[s], edges[s + 1]
        for j in range(k):
            value[j] = log_start[j] + logs[j, first]
        for t in range(1, last - first):
            for j in range(k):
                best[j], came[t, j] = value[0] + log_moves[0, j], 0
            for i in range(1, k):
                for j in range(k):
                    way = value[i] + log_moves[i, j]
                    came[t, j] = i if way > best[j] else came[t, j]
                    best[j] = max(best[j], way)
            for j in range(k):
                value[j] = best[j] + logs[j, first + t]
        state = 0
        for j in range(1, k):
            state = j if value[j] > value[state] else state
        joint[s] = value[state]
        for t in range(last - first - 1, -1, -1):
            path[first + t] = state
            state = came[t, state]
    return path, joint


@jit
def drawn(log_moves: Array, past: Array, edges: Int, uniforms: Array) -> Int:
    """Paths (draws, m): the last state by its filtered law, those before it by p(s_t | x_1..t, s_t+1).

    past (k, m) are logarithms of filtered laws. Where no state leads to the next, as may be in an impossible
    sequence, the filtered law alone is drawn from.
    """
    k, path = len(log_moves), np.empty(uniforms.shape, np.int64)
    share, ways = np.empty(k), np.empty((1, k))
    for s in range(edges.size - 1):
        for draw in range(len(uniforms)):
            ahead = -1
            for t in range(edges[s + 1] - 1, edges[s] - 1, -1):
                for i in range(k):
                    ways[0, i] = past[i, t] + (log_moves[i, ahead] if ahead >= 0 else 0.0)
                whole = total_of(ways, 0)
                total = 0.0
                for i in range(k):
                    total += np.exp(ways[0, i] - whole if whole > -np.inf else past[i, t])
                    share[i] = total
                state, place = 0, uniforms[draw, t] * total
                while state < k - 1 and not place < share[state]:
                    state += 1
                path[draw, t] = state
                ahead = state
    return path
