"""Normal densities and expected moments of one block, missing cells integrated out.

With o the seen and h the missing cells of a row, x_o ~ N(m_o, S_oo) and
x_h | x_o ~ N(m_h + B (x_o - m_o), S_hh - B S_oh), B = S_ho S_oo^-1 (Little & Rubin 2019, section 11.2).
Moments are about the means of the pass, so that nothing cancels however far the data lie from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from estep.linalg import LOG_2PI, cholesky, solve_lower
from estep.records import Array, Block, Bool, Int


class Moments(NamedTuple):
    rows: Array  # (k,) sum of resp
    first: Array  # (k, d) sum of resp * E[x - mean]
    second: Array  # (k, d, d) sum of resp * E[(x - mean)(x - mean)']


def log_density(block: Block, means: Array, covariances: Array) -> Array:
    """log N(x_o; m_o, S_oo) of each row under each of k components, (k, m); 0 for a row with nothing seen."""
    logs = np.zeros((len(means), block.weights.size))
    for seen, rows in groups(block):
        for j, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
            factor = cholesky(covariance[np.ix_(seen, seen)], j)
            z = solve_lower(factor, block.values[np.ix_(seen, rows)] - mean[seen, None])
            log_det = 2.0 * np.log(np.diag(factor)).sum()
            logs[j, rows] = -0.5 * ((z * z).sum(axis=0) + log_det + seen.sum() * LOG_2PI)
    return logs


def moments(block: Block, means: Array, covariances: Array, resp: Array) -> Moments:
    """Expected sums under responsibilities resp (k, m), row weights already in it."""
    first, second = np.zeros(means.shape), np.zeros(covariances.shape)
    for seen, rows in groups(block):
        for j, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
            slope, left = regression(covariance, seen, j)
            r = resp[j, rows]
            deviation = slope @ (block.values[np.ix_(seen, rows)] - mean[seen, None])
            first[j] += deviation @ r
            weighted = deviation * np.sqrt(r)
            second[j] += weighted @ weighted.T + r.sum() * left
    return Moments(resp.sum(axis=1), first, second)


def conditional_mean(block: Block, means: Array, covariances: Array, resp: Array) -> Array:
    """E[x | x_o], (d, m), mixed over components by resp (k, m) that sums to 1; seen cells as they are."""
    filled = block.values.copy()
    for seen, rows in groups(block):
        hidden = np.ix_(~seen, rows)
        filled[hidden] = 0.0
        for j, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
            slope, _ = regression(covariance, seen, j)
            deviation = slope[~seen] @ (block.values[np.ix_(seen, rows)] - mean[seen, None])
            filled[hidden] += resp[j, rows] * (mean[~seen, None] + deviation)
    return filled


def regression(covariance: Array, seen: Bool, component: int = 0) -> tuple[Array, Array]:
    """E[x - m | x_o] = slope (d, o) @ (x_o - m_o), and what is left of the covariance (d, d)."""
    hidden = ~seen
    slope, left = np.zeros((seen.size, int(seen.sum()))), np.zeros(covariance.shape)
    slope[seen] = np.eye(slope.shape[1])
    if hidden.any():
        factor = cholesky(covariance[np.ix_(seen, seen)], component)
        half = solve_lower(factor, covariance[np.ix_(seen, hidden)])  # L^-1 S_oh
        slope[hidden] = solve_lower(factor, half, transposed=True).T
        left[np.ix_(hidden, hidden)] = covariance[np.ix_(hidden, hidden)] - half.T @ half
    return slope, left


def groups(block: Block) -> Iterator[tuple[Bool, Int]]:
    """(seen, rows) of each missingness pattern of a block."""
    if block.patterns is None:
        yield np.ones(len(block.values), dtype=bool), np.arange(block.weights.size)
    else:
        yield from block.patterns
