"""The recursions of `reference/chain.py`, compiled, for all sequences of a block at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.cpu import batches, logarithms
from estep.kernels.cpu.gaussian import frozen
from estep.kernels.cpu.lanes import ACROSS, ROWS
from estep.kernels.cpu.passes import ANOTHER, MORE, NOTHING, SMALL, room_of, state_of
from estep.kernels.cpu.recursions import down, up
from estep.kernels.cpu.room import aligned, kept
from estep.kernels.cpu.walks import FLOOR
from estep.records import Array, Int

MANY = 2**22  # posteriors: more are not kept from call to call


class Law(NamedTuple):
    """A chain prepared for one pass."""

    moves: Array  # (K, K) row i: from state i
    log_start: Array
    log_moves: Array
    log_back: Array
    alone: Array  # as `recursions.up` and `down` take it
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

    Those that are `passing` lie where the next call of this thread puts its own, unless there are many.
    """
    (k, m), wide = logs.shape, _wide(len(logs))
    states = kept("states", k * m) if passing and k * m <= MANY else np.empty(k * m)
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
    room, bad = kept("room", room_of(k, wide)), np.zeros(1)
    for s in alone:
        part, arrays = (k, wide, m, int(edges[s]), int(edges[s + 1]), 0), (law.alone, rows, states, room, bad)
        up(*part, 1, *arrays)
        if not bad[0]:
            down(*part, NOTHING, *arrays, np.array([weights[s]]), loglik, moves)
        left[s] = batches.IN_LOGS if bad[0] else 0
    return left


def _wide(k: int) -> int:
    """k states in whole registers."""
    return -(-k // ACROSS) * ACROSS


class Side:
    """The recursions of one sequence from one of its ends, a part of its rows at a time: first up, then down.

    From the right end, `backwards`, what comes after a row takes the place of what came before.
    """

    def __init__(self, law: Law, *, backwards: bool) -> None:
        self._law, self._backwards = law, backwards
        self._k, self._wide = len(law.moves), _wide(len(law.moves))
        self._room = aligned(room_of(self._k, self._wide))
        self._state, self._norms = state_of(self._room, self._wide)
        self._begins, self._beyond = True, MORE

    def up(self, logs: Array) -> Array | None:
        """alpha times its scales (K m,), of the next rows' log densities (K, m); None if too much is lost."""
        m = logs.shape[1]
        alpha, bad = np.empty(self._k * m), np.zeros(1)
        part = (self._k, self._wide, m, 0, m, int(self._backwards), int(self._begins))
        up(*part, self._law.alone, frozen(logs).ravel(), alpha, self._room, bad)
        self._begins = False
        return None if bad[0] else alpha

    @property
    def reached(self) -> Array:
        """p(state of the last row | the rows so far), (K,)."""
        law: Array = self._state[: self._k] / self._norms[0]
        return law

    def ready(self, brought: Array) -> None:
        """Turn round, with what is beyond the last row (K,), so scaled that the likelihood there is 1."""
        self._state[:] = 0.0
        self._state[: self._k] = brought
        self._norms[1] = FLOOR
        self._beyond = ANOTHER if self._backwards else MORE  # the move between the sides is counted once

    def down(self, logs: Array, alpha: Array, weight: float) -> Smoothed | None:
        """The rows of an `up`, the last ones first, alpha becoming posteriors; None if not to be trusted.

        moves are without their probabilities, and loglik sums to that of the rows.
        """
        m, moves = logs.shape[1], np.zeros(self._k * self._wide)
        loglik, bad = np.empty(m), np.zeros(1)
        part = (self._k, self._wide, m, 0, m, int(self._backwards), self._beyond)
        arrays = (self._law.alone, frozen(logs).ravel(), alpha, self._room, bad)
        down(*part, *arrays, np.array([weight]), loglik, moves)
        self._beyond = MORE
        if bad[0]:
            return None
        counts = moves.reshape(self._k, self._wide)[:, : self._k]
        return Smoothed(loglik, alpha.reshape(self._k, m), counts.T if self._backwards else counts)

    def hold(self) -> Array:
        """What the next part goes on from."""
        return np.concatenate([self._state, self._norms, [self._begins]])

    def go_on(self, held: Array) -> None:
        """Go on from there."""
        self._state[:], self._norms[:] = held[: self._wide], held[self._wide : -1]
        self._begins = bool(held[-1])


def filtered(law: Law, logs: Array, edges: Int) -> Array:
    """p(s_t = j | x_1..t), (K, m): of the past only."""
    found: Array = np.exp(logarithms.filtered(law.log_start, law.log_moves, frozen(logs), frozen(edges)))
    return found


def without_own(law: Law, logs: Array, edges: Int) -> Array:
    """p(s_t = j | all rows of the sequence but x_t), (K, m)."""
    return logarithms.without_own(law.log_start, law.log_moves, law.log_back, frozen(logs), frozen(edges))


def drawn(law: Law, logs: Array, edges: Int, uniforms: Array) -> Int:
    """Paths (draws, m) given the rows, from uniforms (draws, m)."""
    past = logarithms.filtered(law.log_start, law.log_moves, frozen(logs), frozen(edges))
    return logarithms.drawn(law.log_moves, past, frozen(edges), frozen(uniforms))


def best_paths(law: Law, logs: Array, edges: Int) -> tuple[Int, Array]:
    """The most probable path of each sequence, (m,), and their joint log-probabilities, (s,)."""
    return logarithms.best_paths(law.log_start, law.log_moves, frozen(logs), frozen(edges))
