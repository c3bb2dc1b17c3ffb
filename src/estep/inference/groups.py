"""Seen blocks of a covariance and moments of patterns, embedded among all columns so that they stack."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.errors import Degenerate
from estep.models.by_pattern import Groups
from estep.records import Array


class Spread(NamedTuple):
    """The rows of each pattern beside a normal; 0 wherever a cell is missing."""

    precisions: Array  # (g, d, d) inverse of the seen block of the covariance
    apart: Array  # (g, d) mean of the rows, about the normal's
    about: Array  # (g, d, d) scatter of the rows about the normal's mean


def spread(groups: Groups, mean: Array, covariance: Array) -> Spread:
    """The patterns of some groups under N(mean, covariance); `Degenerate` if a block has no inverse."""
    seen = groups.seen
    both = seen[:, :, None] & seen[:, None, :]
    place = np.maximum(np.cumsum(seen, axis=1) - 1, 0)  # of each seen cell among the seen ones
    apart = np.where(seen, np.take_along_axis(groups.means, place, axis=1) - mean, 0.0)
    scatter = np.take_along_axis(groups.scatters, place[:, :, None], axis=1)
    scatter = np.take_along_axis(scatter, place[:, None, :], axis=2)
    about = np.where(both, scatter, 0.0)
    about += groups.weights[:, None, None] * apart[:, :, None] * apart[:, None, :]
    blocks = np.where(both, covariance, np.eye(len(mean)))
    try:
        half = np.linalg.inv(np.linalg.cholesky(blocks))
    except np.linalg.LinAlgError:
        raise Degenerate(0, "its covariance is not positive definite") from None
    return Spread(np.where(both, np.swapaxes(half, 1, 2) @ half, 0.0), apart, about)
