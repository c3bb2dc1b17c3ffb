"""Partitions of the rows of a sample into k parts, from which a start makes its parameters.

Draws are by weight and inverse CDF over distinct rows in lexicographic order, so that neither the order of
the data nor repeated rows change a start. Missing cells count as the column's mean.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from estep.errors import DataError, UsageError
from estep.families.hierarchy import projected, ward, whiten
from estep.families.known import Known
from estep.records import Array

KINDS = ("kmeans", "k-means++", "random_from_data", "random")
# in turn, by default: no one kind suits both round clusters and long ones
AUTO_KINDS = ("kmeans", "hierarchical", "random_from_data", "projected", "random", "whitened", "k-means++")
LLOYD = 10  # sweeps: EM goes on from there


def partition(
    points: Array, weights: Array, k: int, rng: Generator, how: str, *, evidence: Array | None = None
) -> Array:
    """Memberships (k, m) of m distinct points (p, m); every column sums to 1.

    `how` is one of KINDS: Lloyd's algorithm from a k-means++ seeding (Arthur & Vassilvitskii 2007), the
    seeding alone, nearest of k random rows, random memberships; in whitened coordinates, "whitened": Lloyd's
    algorithm, and "hierarchical": nearest of Ward's clusters of some rows; "projected": Lloyd's algorithm
    along one direction; or "pooled": 1/k everywhere.
    Rows that `evidence` (k, m) leaves a single component seed it, and are its members; not so in "pooled".
    """
    used = int((weights > 0).sum())
    if used < k:
        raise DataError(f"{used} distinct row{'s' * (used != 1)} for {k} components; ask for at most {used}")
    if how == "pooled" or k == 1:
        return np.full((k, weights.size), 1.0 / k)
    known = Known.of(evidence, k)
    if how == "random":
        return known.put(rng.dirichlet(np.ones(k), size=weights.size).T)
    filled = np.where(np.isnan(points), 0.0, points)
    if how == "random_from_data":
        centres = filled[:, _draw_distinct(weights, k, rng)]
        return known.matched(nearest(filled, centres), weights)
    if how == "hierarchical":
        white = whiten(filled, weights)
        centres = ward(white, weights, k, rng)
        if centres.shape[1] == k:
            return known.matched(nearest(white, centres), weights)
        how = "k-means++"  # the rows drawn were too few distinct ones
    if how == "whitened":
        filled, how = whiten(filled, weights), "kmeans"
    if how == "projected":
        filled, how = projected(filled, weights, rng)[None], "kmeans"
    if how not in KINDS:
        raise UsageError(f"init_params={how!r} is unknown; choose from 'auto', {', '.join(map(repr, KINDS))}")
    seeds = known.centres(filled, weights)
    parts = known.put(nearest(filled, _plus_plus(filled, weights, k, rng, seeds)))
    return _lloyd(filled, weights, parts, known) if how == "kmeans" else parts


def nearest(points: Array, centres: Array) -> Array:
    """Hard memberships (k, m) in the nearest of k centres (p, k)."""
    labels = _squared_distances(points, centres).argmin(axis=0)
    return np.eye(centres.shape[1])[:, labels]


def _lloyd(points: Array, weights: Array, parts: Array, known: Known) -> Array:
    for _ in range(LLOYD):
        mass = parts @ weights
        if not mass.all():
            break  # a part ran empty: the last full partition is kept
        moved = known.put(nearest(points, (points * weights) @ parts.T / mass))
        if np.array_equal(moved, parts) or not (moved @ weights).all():
            break
        parts = moved
    return parts


def _plus_plus(points: Array, weights: Array, k: int, rng: Generator, seeds: dict[int, Array]) -> Array:
    """Centres (p, k), those of `seeds` in their places."""
    centres = dict(seeds)
    for label in range(k):
        if label in seeds:
            continue
        odds = weights
        if centres:
            reach = _squared_distances(points, np.stack(list(centres.values()), axis=1)).min(axis=0) * weights
            odds = reach if reach.sum() > 0 else weights
        centres[label] = points[:, _draw(odds, rng)]
    return np.stack([centres[label] for label in range(k)], axis=1)


def _draw_distinct(weights: Array, k: int, rng: Generator) -> list[int]:
    left, chosen = weights.copy(), []
    for _ in range(k):
        chosen.append(_draw(left, rng))
        left[chosen[-1]] = 0.0
    return chosen


def _draw(weights: Array, rng: Generator) -> int:
    """An index drawn by inverse CDF."""
    cumulative = np.cumsum(weights)
    return int(
        np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right").clip(max=weights.size - 1)
    )


def _squared_distances(points: Array, centres: Array) -> Array:
    if len(points) <= 2:  # two products of so few terms would cost more than they save
        distances: Array = ((points[:, None, :] - centres[:, :, None]) ** 2).sum(axis=0)
        return distances
    middle = centres.mean(axis=1, keepdims=True)  # near the points: little is left to cancel
    points, centres = points - middle, centres - middle
    found: Array = (points**2).sum(axis=0) - 2.0 * centres.T @ points + (centres**2).sum(axis=0)[:, None]
    return np.maximum(found, 0.0)
