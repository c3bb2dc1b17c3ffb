"""Expected sums of probabilistic principal components on one block, missing cells integrated out.

With W_o the loadings of the seen cells and M = W_o' W_o + noise I: E[z | x_o] = M^-1 W_o' (x_o - m_o), and
what is left of the covariance is noise M^-1 (Tipping & Bishop 1999, section 3.2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.reference import gaussian
from estep.linalg import cholesky, solve_lower
from estep.records import Array, Block


class Sums(NamedTuple):
    latent: Array  # (d, q+1, q+1) sum of w E[(z, 1)(z, 1)'] over the rows in which a column is seen
    cross: Array  # (d, q+1) sum of w (x - mean) E[(z, 1)] over them
    square: Array  # (d,) sum of w (x - mean)^2 over them
    cells: Array  # (d,) their weight


def log_density(block: Block, mean: Array, loadings: Array, noise: float) -> Array:
    """(m,): x_o ~ N(m_o, W_o W_o' + noise I)."""
    covariance = loadings @ loadings.T + noise * np.eye(mean.size)
    logs: Array = gaussian.log_density(block, mean[None], covariance[None])[0]
    return logs


def sums(block: Block, mean: Array, loadings: Array, noise: float) -> Sums:
    """Of rows with their weights."""
    d, q = loadings.shape
    found = Sums(np.zeros((d, q + 1, q + 1)), np.zeros((d, q + 1)), np.zeros(d), np.zeros(d))
    for seen, rows in gaussian.groups(block):
        gain, left = _gain(loadings[seen], noise)
        w, y = block.weights[rows], block.values[np.ix_(seen, rows)] - mean[seen, None]
        z = np.vstack([gain @ y, np.ones(rows.size)])
        own = (z * w) @ z.T
        own[:q, :q] += w.sum() * left
        found.latent[seen] += own
        found.cross[seen] += (y * w) @ z.T
        found.square[seen] += (y * y) @ w
        found.cells[seen] += w.sum()
    return found


def latent_means(block: Block, mean: Array, loadings: Array, noise: float) -> Array:
    """E[z | x_o], (q, m)."""
    z = np.zeros((loadings.shape[1], block.weights.size))
    for seen, rows in gaussian.groups(block):
        z[:, rows] = _gain(loadings[seen], noise)[0] @ (block.values[np.ix_(seen, rows)] - mean[seen, None])
    return z


def _gain(loadings: Array, noise: float) -> tuple[Array, Array]:
    """E[z | y] = gain (q, o) @ y, and the covariance (q, q) that is left."""
    factor = cholesky(loadings.T @ loadings + noise * np.eye(loadings.shape[1]))
    inverse = solve_lower(factor, np.eye(len(factor)))
    precision = inverse.T @ inverse
    return precision @ loadings.T, noise * precision
