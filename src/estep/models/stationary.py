"""The stationary law of a Markov chain, and the most likely moves where sequences start from it.

With expected moves n_ij and starts s_i the M-step maximises Q(A) = sum n_ij log a_ij + sum s_i log delta_i,
delta = delta A, which has no closed form (Zucchini, MacDonald & Langrock 2016, chapter 4). With g_ij the
derivatives of the second sum, and that sum replaced by its tangent at A, each row is best at n_ij /
(lambda_i - g_ij): Q rises in that direction, and a step is halved until it does. Where sequences are long,
their starts weigh little, and a few rounds suffice.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import xlogy

from estep.records import Array, Bool

ROUNDS, HALVINGS = 200, 30
ENOUGH = 0.01  # of what Q has risen so far: the pass that follows is worth more than a further round
NOISE = 1e-14  # of Q


def recurrent(pattern: Bool) -> Bool | None:
    """The states (K,) that a chain with these moves (K, K) stays in for good; None if in several ways.

    One closed class of states means one stationary law.
    """
    if pattern.all():
        return np.ones(len(pattern), dtype=bool)
    count, labels = connected_components(pattern, directed=True, connection="strong")
    leaves = np.zeros(count, dtype=bool)
    sources, targets = np.nonzero(pattern)
    leaves[labels[sources[labels[sources] != labels[targets]]]] = True
    closed = np.flatnonzero(~leaves)
    if closed.size > 1:
        return None
    inside: Bool = labels == closed[0]
    return inside


def stationary(moves: Array) -> Array | None:
    """delta (K,) with delta = delta @ moves; None if there are several, or more than float64 can weigh.

    By elimination of state after state without a subtraction, so that every entry keeps its digits
    (Grassmann, Taksar & Heyman 1985).
    """
    kept = recurrent(moves > 0)
    if kept is None:
        return None
    _, weights = _eliminated(moves[np.ix_(kept, kept)])
    found = np.zeros(len(moves))
    with np.errstate(over="ignore", invalid="ignore"):
        found[kept] = weights / weights.sum()
    return found if np.isfinite(found).all() else None


def start_slope(moves: Array, starts: Array) -> Array:
    """Derivative (K, K) of sum starts log delta by the moves off the diagonal, those on it taking the rest.

    The elimination walked back (reverse differentiation), so that a chain which hardly ever changes its class
    of states has a slope as well, where a fundamental matrix would be singular.
    """
    slope: Array = np.zeros_like(moves)
    kept = recurrent(moves > 0)
    if kept is None:
        return slope
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        inner, weights = _eliminated(moves[np.ix_(kept, kept)])
        own, by = starts[kept], np.zeros_like(inner)
        of_weights = np.where(own > 0, own / weights, 0.0) - own.sum() / weights.sum()
        for n in range(len(inner) - 1, 0, -1):
            by[:n, n] += weights[:n] * of_weights[n]
            of_weights[:n] += inner[:n, n] * of_weights[n]
        for n in range(1, len(inner)):
            leaving = inner[n, :n].sum()
            of_column = by[:n, n] + by[:n, :n] @ inner[n, :n]
            by[n, :n] += inner[:n, n] @ by[:n, :n] - (of_column @ inner[:n, n]) / leaving
            by[:n, n] = of_column / leaving
    slope[np.ix_(kept, kept)] = by
    return slope


def _eliminated(moves: Array) -> tuple[Array, Array]:
    """The moves (k, k) of a chain that comes back everywhere, eliminated; and its law (k,), unscaled."""
    inner, k = moves.copy(), len(moves)
    weights = np.ones(k)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for n in range(k - 1, 0, -1):
            inner[:n, n] /= inner[n, :n].sum()
            inner[:n, :n] += np.outer(inner[:n, n], inner[n, :n])
        for n in range(1, k):
            weights[n] = weights[:n] @ inner[:n, n]
    return inner, weights


def likeliest(counts: Array, starts: Array, mass: Array, rows: Array, old: Array) -> Array:
    """Moves that maximise Q, from the better of `rows`, those without the start's term, and `old`.

    counts (K, K) are 0 where a move is held, mass (K,) is what is left to the others in each row.
    """
    free: Any = counts > 0
    used = free.any(axis=1)

    def height(moves: Array) -> float:
        law = stationary(moves)
        if law is None or (law[starts > 0] == 0).any():
            return -np.inf
        return float(xlogy(counts, moves).sum() + xlogy(starts, law).sum())

    lowest = height(old)
    best, top = max(((old, lowest), (rows, height(rows))), key=lambda pair: pair[1])
    for _ in range(ROUNDS):
        slope = start_slope(best, starts)
        if not np.isfinite(slope).all() or top == -np.inf:  # nothing to go by; the better of both it is
            return best
        goal = best.copy()
        goal[free] = _tangent(counts, free, slope, mass, used)[free]
        step, moved, risen = 1.0, goal, height(goal)
        for _ in range(HALVINGS):
            if risen > top:
                break
            step /= 2
            moved = best + step * (goal - best)
            risen = height(moved)
        if not risen > top:
            return best
        gain, best, top = risen - top, moved, risen
        if gain <= max(ENOUGH * (top - lowest), NOISE * abs(top)):
            return best
    return best


def _tangent(counts: Array, free: Bool, slope: Array, mass: Array, used: Bool) -> Array:
    """Rows n / (lambda - g) that sum to `mass`: lambda by Newton's method from the left, monotone there."""
    g = np.where(free, slope, -np.inf)
    share = np.where(used, mass, 1.0)[:, None]
    total = counts.sum(axis=1)
    lowest = np.where(free, slope, np.inf).min(axis=1)
    left = np.maximum(
        np.where(used, total / share[:, 0] + lowest, 1.0),
        np.where(used, (g + counts / share).max(axis=1), 1.0),
    )
    for _ in range(100):
        gap = _gap(left, g, counts / share, free)
        terms = np.where(free, counts / gap, 0.0)
        slack = terms.sum(axis=1) - share[:, 0]
        step = np.where(used, slack / np.where(used, (terms / gap).sum(axis=1), 1.0), 0.0)
        if not (step > 1e-15 * np.abs(left)).any():
            break
        left = left + np.maximum(step, 0.0)
    found = np.where(free, counts / _gap(left, g, counts / share, free), 0.0)
    return found / np.where(used, found.sum(axis=1), 1.0)[:, None] * share


def _gap(left: Array, g: Array, least: Array, free: Bool) -> Array:
    """lambda - g, which no term of a row lets fall under n / mass; 1 where nothing is free."""
    found: Array = np.where(free, np.maximum(left[:, None] - g, least), 1.0)
    return found
