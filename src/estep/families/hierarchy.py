"""Whitened coordinates, and partitions that need them: hierarchical, and along one direction.

In whitened coordinates the pooled covariance is the identity: long parallel clusters, which distances
between standardised columns would cut across, then lie side by side.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from estep.records import Array

DRAWN = 200  # rows a hierarchy is built on: its cost is their square
TURNS = 10  # of a direction
FLAT = 1e-10  # directions with less of the largest variance are left out


def whiten(points: Array, weights: Array) -> Array:
    """Points (p, m) in coordinates (q, m) whose weighted covariance is the identity; q <= p."""
    return whiten_within(points, weights[None])


def whiten_within(points: Array, parts: Array) -> Array:
    """Points (p, m) in coordinates (q, m) where the pooled covariance within weighted parts (k, m) is I."""
    weights = parts.sum(axis=0)
    points = points - (points @ weights / weights.sum())[:, None]
    scatter = (points * weights) @ points.T
    for part in parts:
        total = points @ part
        scatter -= np.outer(total, total) / max(float(part.sum()), np.finfo(np.float64).tiny)
    variances, axes = np.linalg.eigh(scatter / weights.sum())
    kept = variances > FLAT * max(float(variances[-1]), np.finfo(np.float64).tiny)
    if not kept.any():
        return np.zeros((1, weights.size))
    found: Array = (axes[:, kept] / np.sqrt(variances[kept])).T @ points
    return found


def projected(points: Array, weights: Array, rng: Generator) -> Array:
    """One coordinate (m,), of mean 0, along which weighted points (p, m) look least like a normal law.

    Clusters side by side are a low kurtosis there, an outlying one is a high kurtosis (Pena & Prieto 2001,
    "Cluster identification using projections"). Found by the fixed-point iteration of Hyvarinen & Oja (1997)
    from a direction drawn at random, so that several are met where there are several.
    """
    white, share = whiten(points, weights), weights / weights.sum()
    way = rng.standard_normal(len(white))
    for _ in range(TURNS):
        way /= max(float(np.linalg.norm(way)), np.finfo(np.float64).tiny)
        way = (white * share) @ (way @ white) ** 3 - 3.0 * way
    found: Array = way @ white
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
