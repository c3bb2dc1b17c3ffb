"""Whitened coordinates and a hierarchical partition in them.

In whitened coordinates the pooled covariance is the identity: long parallel clusters, which distances
between standardised columns would cut across, then lie side by side.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from estep.records import Array

DRAWN = 200  # rows a hierarchy is built on: its cost is their square
FLAT = 1e-10  # directions with less of the largest variance are left out


def whiten(points: Array, weights: Array) -> Array:
    """Points (p, m) in coordinates (q, m) whose weighted covariance is the identity; q <= p."""
    share = weights / weights.sum()
    centred = points - (points @ share)[:, None]
    variances, axes = np.linalg.eigh((centred * share) @ centred.T)
    kept = variances > FLAT * max(float(variances[-1]), np.finfo(np.float64).tiny)
    if not kept.any():
        return np.zeros((1, weights.size))
    found: Array = (axes[:, kept] / np.sqrt(variances[kept])).T @ centred
    return found


def ward(points: Array, weights: Array, k: int, rng: Generator) -> Array:
    """Centres (q, k') of Ward's k clusters (Ward 1963) of rows drawn by weight.

    Drawn with replacement, so that a weight of 2 is the row twice; k' < k where too few rows differ.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    cumulative = np.cumsum(weights)
    places = np.searchsorted(cumulative, np.sort(rng.random(DRAWN)) * cumulative[-1], side="right")
    drawn = points[:, places.clip(max=weights.size - 1)]
    labels = fcluster(linkage(drawn.T, "ward"), k, criterion="maxclust")
    return np.stack([drawn[:, labels == label].mean(axis=1) for label in np.unique(labels)], axis=1)
