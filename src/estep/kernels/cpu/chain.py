"""The recursions of `reference/chain.py`, compiled, for all sequences of a block at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.cpu import batches, logarithms
from estep.kernels.cpu.gaussian import frozen
from estep.kernels.cpu.recursions import SMALL, one
from estep.records import Array, Int


class Law(NamedTuple):
    """A chain prepared for one pass."""

    start: Array  # (K,)
    moves: Array  # (K, K) row i: from state i
    back: Array  # (K, K) its transpose
    log_start: Array
    log_moves: Array
    log_back: Array


class Smoothed(NamedTuple):
    loglik: Array  # (m,) log p(x_t | x_1..t-1); sums over a sequence to its log-likelihood
    states: Array  # (K, m) p(s_t = j | whole sequence), times the weight of its sequence
    moves: Array  # (K, K) expected transitions of all sequences, weighted


def make_law(start: Array, moves: Array) -> Law:
    with np.errstate(divide="ignore"):
        logs = np.log(start), np.log(moves), np.log(moves.T)
    return Law(*map(frozen, (start, moves, moves.T, *logs)))


def smooth(law: Law, logs: Array, edges: Int, weights: Array) -> Smoothed:
    """Posteriors of sequences [edges[s], edges[s + 1]) of log densities (K, m), each with its weight."""
    (k, m), count = logs.shape, edges.size - 1
    loglik, states, moves = np.empty(m), np.empty((k, m)), np.zeros((k, k))
    left = np.full(count, batches.ALONE)
    chain, rows, into = (law.start, law.moves, law.back), frozen(logs), (states, loglik, moves)
    if count > 1:
        order = np.argsort(edges[:-1] - edges[1:], kind="stable").astype(np.int64)
        left[:] = 0
        batches.smooth(*chain, rows, frozen(edges), frozen(order), frozen(weights), *into, left)
    for s in np.flatnonzero(left == batches.ALONE):
        trusted = one(*chain, rows, int(edges[s]), int(edges[s + 1]), float(weights[s]), *into)
        left[s] = 0 if trusted else batches.IN_LOGS
    moves *= law.moves
    for s in np.flatnonzero(left):
        first, last = int(edges[s]), int(edges[s + 1])
        found = logarithms.smooth(law.log_start, law.log_moves, law.log_back, rows, first, last)
        loglik[first:last], states[:, first:last] = found[0], found[1].T * weights[s]
        moves += found[2] * weights[s]
    moves[moves < SMALL * weights.sum()] = 0.0
    return Smoothed(loglik, states, moves)


def filtered(law: Law, logs: Array, edges: Int) -> Array:
    """p(s_t = j | x_1..t), (K, m): of the past only."""
    return logarithms.filtered(law.log_start, law.log_moves, frozen(logs), frozen(edges))


def drawn(law: Law, past: Array, edges: Int, uniforms: Array) -> Int:
    """Paths (draws, m) given the rows, from filtered laws `past` (K, m) and uniforms (draws, m)."""
    return logarithms.drawn(law.moves, frozen(past), frozen(edges), frozen(uniforms))


def best_paths(law: Law, logs: Array, edges: Int) -> tuple[Int, Array]:
    """The most probable path of each sequence, (m,), and their joint log-probabilities, (s,)."""
    return logarithms.best_paths(law.log_start, law.log_moves, frozen(logs), frozen(edges))
