"""Forward and backward recursions of a hidden Markov chain, in logarithms.

alpha_t(j) = p(x_1..t, s_t = j), beta_t(j) = p(x_t+1..T | s_t = j) (Baum, Petrie, Soules & Weiss 1970).
Plain arrays in and out; rows of time last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.linalg import log_sum_exp
from estep.records import Array, Int


class Smoothed(NamedTuple):
    loglik: Array  # (T,) log p(x_t | x_1..t-1); the sum is the sequence's
    states: Array  # (K, T) p(s_t = j | all)
    moves: Array  # (K, K) expected transitions


def smooth(log_start: Array, log_moves: Array, logs: Array) -> Smoothed:
    """Posterior of one sequence from log start (K,), log transitions (K, K) and log densities (K, T)."""
    k, steps = logs.shape
    alpha, beta = np.empty((k, steps)), np.zeros((k, steps))
    alpha[:, 0] = log_start + logs[:, 0]
    for t in range(1, steps):
        alpha[:, t] = log_sum_exp(alpha[:, t - 1, None] + log_moves, axis=0) + logs[:, t]
    for t in range(steps - 2, -1, -1):
        beta[:, t] = log_sum_exp(log_moves + logs[:, t + 1] + beta[:, t + 1], axis=1)
    so_far = log_sum_exp(alpha, axis=0)
    before = np.concatenate([[0.0], so_far[:-1]])
    loglik = np.zeros(steps)  # 0 after an impossible row, so that the sum is -inf
    np.subtract(so_far, before, out=loglik, where=np.isfinite(before))
    total = so_far[-1]
    if not np.isfinite(total):  # impossible under these parameters: no posterior to speak of
        return Smoothed(loglik, np.full((k, steps), 1.0 / k), np.zeros((k, k)))
    states = np.exp(alpha + beta - total)
    ahead = (logs + beta)[:, 1:]  # (K, T-1)
    moves = np.exp(alpha[:, None, :-1] + log_moves[:, :, None] + ahead[None] - total).sum(axis=2)
    return Smoothed(loglik, states / states.sum(axis=0), moves)


def best_path(log_start: Array, log_moves: Array, logs: Array) -> tuple[Int, float]:
    """The most probable path of one sequence and its joint log-probability (Viterbi 1967)."""
    steps = logs.shape[1]
    back = np.zeros(logs.shape, dtype=np.int64)
    value = log_start + logs[:, 0]
    for t in range(1, steps):
        ways = value[:, None] + log_moves
        back[:, t] = ways.argmax(axis=0)
        value = ways.max(axis=0) + logs[:, t]
    path = np.empty(steps, dtype=np.int64)
    path[-1] = value.argmax()
    for t in range(steps - 1, 0, -1):
        path[t - 1] = back[path[t], t]
    return path, float(value.max())
