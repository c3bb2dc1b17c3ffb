"""The recursions of `reference/chain.py`, compiled, for all sequences of a block at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.cpu import batches, logarithms
from estep.kernels.cpu.gaussian import frozen
from estep.kernels.cpu.lanes import ACROSS, ROWS
from estep.kernels.cpu.recursions import SMALL, one, room_of
from estep.kernels.cpu.room import aligned, kept
from estep.records import Array, Int


class Law(NamedTuple):
    """A chain prepared for one pass."""

    moves: Array  # (K, K) row i: from state i
    log_start: Array
    log_moves: Array
    log_back: Array
    alone: Array  # as `recursions.one` takes it
    beside: Array  # as `batches.smooth` does


class Smoothed(NamedTuple):
    loglik: Array  # (m,) log p(x_t | x_1..t-1); sums over a sequence to its log-likelihood
    states: Array  # (K, m) p(s_t = j | whole sequence), times the weight of its sequence
    moves: Array  # (K, K) expected transitions of all sequences, weighted


def make_law(start: Array, moves: Array) -> Law:
    k, wide = len(start), _wide(len(start))
    with np.errstate(divide="ignore"):
        log_start, log_moves, log_back = (frozen(np.log(each)) for each in (start, moves, moves.T))
    alone, beside = aligned((2 + 2 * k) * wide).reshape(2 + 2 * k, wide), np.zeros((3, k, k))
    alone[:] = 0.0
    alone[0, :k], alone[1] = start, 1.0
    alone[2 : 2 + k, :k], alone[2 + k :, :k] = moves, moves.T
    beside[0, :, 0], beside[1], beside[2] = start, moves, moves.T
    return Law(frozen(moves), log_start, log_moves, log_back, alone.ravel(), beside.ravel())


def smooth(law: Law, logs: Array, edges: Int, weights: Array, *, passing: bool = False) -> Smoothed:
    """Posteriors of sequences [edges[s], edges[s + 1]) of log densities (K, m), each with its weight.

    Those that are `passing` lie where the next call of this thread puts its own.
    """
    (k, m), wide = logs.shape, _wide(len(logs))
    states = kept("states", k * m) if passing else np.empty(k * m)
    loglik, moves = np.empty(m), np.zeros(k * wide)
    left = scaled(law, logs, edges, weights, loglik, states, moves)
    resp, expected = states.reshape(k, m), moves.reshape(k, wide)[:, :k] * law.moves
    for s in np.flatnonzero(left):
        first, last = int(edges[s]), int(edges[s + 1])
        found = logarithms.smooth(law.log_start, law.log_moves, law.log_back, frozen(logs), first, last)
        loglik[first:last], resp[:, first:last] = found[0], found[1].T * weights[s]
        expected += found[2] * weights[s]
    expected[expected < SMALL * weights.sum()] = 0.0
    return Smoothed(loglik, resp, expected)


def scaled(
    law: Law, logs: Array, edges: Int, weights: Array, loglik: Array, states: Array, moves: Array
) -> Int:
    """Smooth by scaled recursions; which sequences (s,) these cannot do: IN_LOGS, the others 0.

    Into loglik (m,), states (K m,) and moves (K wide,), which are without their probabilities.
    """
    (k, m), count, wide = logs.shape, edges.size - 1, _wide(len(logs))
    rows, into = frozen(logs).ravel(), (loglik, states, moves)
    left = np.full(count, batches.ALONE)
    if count > 1:
        lengths = np.diff(edges)
        limit = batches.longest_of(k, wide)
        short = int(lengths[lengths <= limit].max(initial=0))
        left[:] = 0
        batches.smooth(
            k, wide, m, limit, law.beside, frozen(edges), np.argsort(-lengths, kind="stable"),
            frozen(weights), rows, *into, left, np.empty(ROWS, np.int64), np.empty(ROWS, np.int64),
            np.empty(ROWS), kept("room", batches.room_of(k, wide, short)),
        )  # fmt: skip
    alone = np.flatnonzero(left == batches.ALONE)
    room = kept("room", room_of(k, wide))
    for s in alone:
        ends = int(edges[s]), int(edges[s + 1])
        trusted = one(k, wide, m, *ends, float(weights[s]), law.alone, rows, *into, room)
        left[s] = 0 if trusted else batches.IN_LOGS
    return left


def _wide(k: int) -> int:
    """k states in whole registers."""
    return -(-k // ACROSS) * ACROSS


def filtered(law: Law, logs: Array, edges: Int) -> Array:
    """p(s_t = j | x_1..t), (K, m): of the past only."""
    return logarithms.filtered(law.log_start, law.log_moves, frozen(logs), frozen(edges))


def drawn(law: Law, past: Array, edges: Int, uniforms: Array) -> Int:
    """Paths (draws, m) given the rows, from filtered laws `past` (K, m) and uniforms (draws, m)."""
    return logarithms.drawn(law.moves, frozen(past), frozen(edges), frozen(uniforms))


def best_paths(law: Law, logs: Array, edges: Int) -> tuple[Int, Array]:
    """The most probable path of each sequence, (m,), and their joint log-probabilities, (s,)."""
    return logarithms.best_paths(law.log_start, law.log_moves, frozen(logs), frozen(edges))
