"""Safe factorisations, used by every room that meets a covariance."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.linalg import solve_triangular

from estep.errors import Degenerate
from estep.records import Array, Bool

LOG_2PI = float(np.log(2.0 * np.pi))


def cholesky(matrix: Array, component: int = 0) -> Array:
    """The lower factor of a covariance; `Degenerate` with the component's number if there is none."""
    try:
        factor: Array = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        raise Degenerate(component, "its covariance is not positive definite") from None
    if not np.isfinite(factor).all():
        raise Degenerate(component, "its covariance is not finite")
    return factor


def solve_lower(factor: Array, right: Array, *, transposed: bool = False) -> Array:
    """The solution of `factor @ x = right` for a lower triangular factor, or of `factor.T @ x = right`."""
    solution: Array = solve_triangular(
        factor, right, lower=True, trans="T" if transposed else "N", check_finite=False
    )
    return solution


def symmetric(matrix: Array) -> Array:
    """The symmetric part, exactly symmetric in its bits."""
    mean: Array = (matrix + np.swapaxes(matrix, -1, -2)) / 2
    return mean


def from_lower(stack: Array) -> Array:
    """The symmetric matrices of which (..., d, d) has the lower triangles."""
    found: Array = np.where(_lower(stack.shape[-1]), stack, np.swapaxes(stack, -1, -2))
    return found


@cache
def _lower(d: int) -> Bool:
    return np.arange(d)[:, None] >= np.arange(d)


def clip_to_floor(matrix: Array, floor: Array) -> Array:
    """The maximiser of a Gaussian likelihood with second moment `matrix` under covariance >= diag(floor).

    The generalised eigenvalues of (matrix, diag(floor)) below 1 are raised to 1 (Won, Lim, Kim &
    Rajaratnam 2013); a matrix already above the floor comes back with its bits unchanged.
    """
    own = np.diag(matrix)
    # a column correlated with none, such as a constant one, is its own eigenvector: raised without rounding
    apart = ~(matrix - np.diag(own)).any(axis=1)
    clipped = matrix.copy()
    clipped[apart, apart] = np.maximum(own, floor)[apart]
    if not apart.all():
        rest = np.ix_(~apart, ~apart)
        clipped[rest] = _clip(matrix[rest], floor[~apart])
    return clipped


def all_above(stack: Array, floor: Array) -> bool:
    """Whether every matrix of (k, d, d) exceeds diag(floor); far cheaper to ask than eigenvalues."""
    try:
        factors = np.linalg.cholesky(stack - np.diag(floor))
    except np.linalg.LinAlgError:
        return False
    return bool(np.isfinite(factors).all())


def _clip(matrix: Array, floor: Array) -> Array:
    if all_above(matrix, floor):
        return matrix
    root = np.sqrt(floor)
    relative = matrix / np.outer(root, root)
    values, vectors = np.linalg.eigh(symmetric(relative))
    if values[0] >= 1.0:
        return matrix
    low = values < 1.0
    # adding only the missing part leaves the directions above the floor as they are
    missing = (vectors[:, low] * (1.0 - values[low])) @ vectors[:, low].T
    return symmetric((relative + missing) * np.outer(root, root))


def weighted(logs: Array, weights: Array) -> Array:
    """Weighted terms of a log-likelihood; a row of weight 0 counts for nothing, even an impossible one."""
    terms: Array = np.where(weights > 0, logs, 0.0) * weights
    return terms


def log_sum_exp(logs: Array, axis: int) -> Array:
    """log of the sum of exponentials along an axis; -inf where every term is -inf."""
    top = np.max(logs, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total: Array = np.log(np.exp(logs - top).sum(axis=axis)) + np.squeeze(top, axis)
    return total
