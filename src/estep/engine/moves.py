"""From one optimum to the neighbourhood of another: merge two components and split a third, or reseed one.

Ueda, Nakano, Ghahramani & Hinton (2000), "SMEM algorithm for mixture models". Half of the moves choose at
random; half by criterion, but drawn in proportion to it, not its maximum: components that share rows are
merged or given up, one whose rows lie far apart is split, rows far from every component are seeds. A move
acts on memberships alone, so it suits any family.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from estep.families.hierarchy import projected
from estep.families.partition import nearest
from estep.records import Array

SOFT = 0.01  # of every row is shared by all: a probability of exactly 0 would never be left


def move(resp: Array, points: Array, weights: Array, rng: Generator) -> Array:
    """New memberships (k, m) from those of an optimum, for points (p, m) with no cell missing."""
    changed = _swap if rng.random() < 0.5 else _reseed
    return (1 - SOFT) * changed(resp, points, weights, rng, rng.random() < 0.5) + SOFT / len(resp)


def _swap(resp: Array, points: Array, weights: Array, rng: Generator, chosen: bool) -> Array:
    """Two components become one, and one of the k - 1 left becomes two."""
    first, second = rng.permutation(len(resp))[:2]
    if chosen:
        first, second = divmod(_draw(_shared(resp, weights).ravel(), rng), len(resp))
    merged = np.delete(resp, second, axis=0)
    merged[first - (second < first)] += resp[second]
    split = int(rng.integers(len(merged)))
    if chosen:
        split = _draw((merged * weights * _gaps(merged, points, weights)).sum(axis=1), rng)
    halves = merged[split] * _halved(points, merged[split] * weights, rng, chosen and rng.random() < 0.5)
    return np.concatenate([np.delete(merged, split, axis=0), halves])


def _halved(points: Array, own: Array, rng: Generator, along: bool) -> Array:
    """Hard memberships (2, m): along one direction, or in the nearer of two points drawn far apart."""
    if along and own.any():
        beyond = projected(points, own, rng) > 0
        if 0 < float(own[beyond].sum()) < float(own.sum()):
            return np.stack([beyond, ~beyond]).astype(np.float64)
    one = _draw(own, rng)
    other = _draw(own * ((points - points[:, [one]]) ** 2).sum(axis=0), rng)
    return nearest(points, points[:, [one, other]])


def _reseed(resp: Array, points: Array, weights: Array, rng: Generator, chosen: bool) -> Array:
    """One component gives its rows to the others and takes those around a row drawn at random."""
    k = len(resp)
    gone = _draw(_shared(resp, weights).sum(axis=1), rng) if chosen else int(rng.integers(k))
    left = np.delete(resp, gone, axis=0)
    shares = left.sum(axis=0)
    left = np.where(shares > 1e-12, left / np.maximum(shares, 1e-12), 1.0 / (k - 1))
    seeds = weights * _gaps(left, points, weights).min(axis=0) if chosen else weights
    centre = points[:, [_draw(seeds, rng)]]
    order = np.argsort(((points - centre) ** 2).sum(axis=0), kind="stable")
    reached = np.cumsum(weights[order]) <= weights.sum() * rng.uniform(0.2, 1.0) / k
    taken = np.zeros(weights.size)
    taken[order[reached]] = 1.0
    taken[order[0]] = 1.0
    return np.concatenate([left * (1 - taken), taken[None]])


def _shared(resp: Array, weights: Array) -> Array:
    """How far two components hold the same rows (k, k): the cosine of their memberships, 0 with itself."""
    products = (resp * weights) @ resp.T
    sizes = np.sqrt(np.diagonal(products).clip(min=np.finfo(np.float64).tiny))
    found: Array = products / np.outer(sizes, sizes)
    np.fill_diagonal(found, 0.0)
    return found + 1e-3 * (1 - np.eye(len(resp)))


def _gaps(resp: Array, points: Array, weights: Array) -> Array:
    """Squared distances (k, m) of the points from the centres of the components."""
    own = resp * weights
    mass = own.sum(axis=1).clip(min=np.finfo(np.float64).tiny)
    centres = points @ own.T / mass
    return np.stack([((points - centre[:, None]) ** 2).sum(axis=0) for centre in centres.T])


def _draw(weights: Array, rng: Generator) -> int:
    """An index drawn by inverse CDF; of equal ones where all weights are 0."""
    cumulative = np.cumsum(weights if weights.any() else np.ones_like(weights))
    place = np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")
    return int(place.clip(max=weights.size - 1))
