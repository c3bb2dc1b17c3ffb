"""From one optimum to the neighbourhood of another: merge two components and split a third, or reseed one.

Ueda, Nakano, Ghahramani & Hinton (2000), "SMEM algorithm for mixture models", with random choices in
place of their criteria. A move acts on memberships alone, so it suits any family.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from estep.families.partition import nearest
from estep.records import Array

SOFT = 0.01  # of every row is shared by all: a probability of exactly 0 would never be left


def move(resp: Array, points: Array, weights: Array, rng: Generator) -> Array:
    """New memberships (k, m) from those of an optimum, for points (p, m) with no cell missing."""
    changed = _swap if rng.random() < 0.5 else _reseed
    return (1 - SOFT) * changed(resp, points, weights, rng) + SOFT / len(resp)


def _swap(resp: Array, points: Array, weights: Array, rng: Generator) -> Array:
    """Two components become one, and one of the k - 1 left becomes two."""
    first, second = rng.permutation(len(resp))[:2]
    merged = np.delete(resp, second, axis=0)
    merged[first - (second < first)] += resp[second]
    split = int(rng.integers(len(merged)))
    own = merged[split] * weights
    one = _draw(own, rng)
    gaps = ((points - points[:, [one]]) ** 2).sum(axis=0)
    other = _draw(own * gaps, rng)
    halves = merged[split] * nearest(points, points[:, [one, other]])
    return np.concatenate([np.delete(merged, split, axis=0), halves])


def _reseed(resp: Array, points: Array, weights: Array, rng: Generator) -> Array:
    """One component gives its rows to the others and takes those around a row drawn at random."""
    k = len(resp)
    left = np.delete(resp, int(rng.integers(k)), axis=0)
    shares = left.sum(axis=0)
    left = np.where(shares > 1e-12, left / np.maximum(shares, 1e-12), 1.0 / (k - 1))
    centre = points[:, [_draw(weights, rng)]]
    order = np.argsort(((points - centre) ** 2).sum(axis=0), kind="stable")
    reached = np.cumsum(weights[order]) <= weights.sum() * rng.uniform(0.2, 1.0) / k
    taken = np.zeros(weights.size)
    taken[order[reached]] = 1.0
    taken[order[0]] = 1.0
    return np.concatenate([left * (1 - taken), taken[None]])


def _draw(weights: Array, rng: Generator) -> int:
    cumulative = np.cumsum(weights)
    place = np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")
    return int(place.clip(max=weights.size - 1))
