"""What a pass over complete rows needs of normal components, and which of the two paths it takes.

The product form sums terms of the size of |K_ab| X_a X_b, K the precision matrix and X the reach of the
component from the frame's origin (its mean and three deviations); its log-densities are off by about eps
times that sum. Where this exceeds TOLERANCE for any component, or there are too many features, the pass is
centred.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from estep.errors import Degenerate
from estep.kernels.cpu.complete import Plan
from estep.kernels.cpu.products import DIAG, FULL, LINEAR, SPHERE
from estep.linalg import LOG_2PI, cholesky
from estep.records import Array, Int

TOLERANCE = 1e-11  # bound on the error of a row's log-density, in nats; what is seen is some 20 times smaller
CACHE = (
    2**16
)  # float64 numbers of features a tile holds: half a megabyte, of the 1 MiB usual in a core's cache
TILE = (128, 1024)  # least and most rows; below 128 a BLAS product loses more than the cache gains
WIDEST = 4096  # features a product is worth; at more (d >= 90, full) one factor a component is cheaper
NOTHING = np.empty((0, 0))
KINDS = {"full": FULL, "tied": LINEAR, "diag": DIAG, "spherical": SPHERE}


def make_plan(kind: str, means: Array, covariances: Array, *, centred: bool | None = None) -> Plan:
    """The plan for means (k, d) and covariances as their kind stores them; `centred` overrules the choice."""
    if kind in ("full", "tied"):
        return _dense(KINDS[kind], means, covariances, centred)
    return _separate(KINDS[kind], means, covariances, centred)


def _dense(kind: int, means: Array, covariances: Array, centred: bool | None) -> Plan:
    (k, d), stack = means.shape, covariances.reshape(-1, *covariances.shape[-2:])
    factors = _factors(stack)
    whiten = np.linalg.inv(factors)
    precisions = np.swapaxes(whiten, 1, 2) @ whiten
    log_det = 2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    constant = -0.5 * (d * LOG_2PI + log_det) * np.ones(k)
    lean = np.einsum("kab,kb->ka", np.broadcast_to(precisions, (k, d, d)), means)
    reach = np.abs(means) + 3.0 * np.sqrt(np.diagonal(stack, axis1=1, axis2=2))
    terms = np.einsum("ka,kab,kb->k", reach, np.abs(np.broadcast_to(precisions, (k, d, d))), reach)
    width = d + d * (d + 1) // 2 if kind == FULL else d
    if _centre(centred, terms, width):
        return Plan(kind, True, 0.0, _tile(2 * d), means, np.empty((k, d)), constant, whiten, NOTHING)
    natural = lean
    if kind == FULL:
        rows, columns, halves = _triangle(d)
        natural = np.concatenate([lean, precisions[:, rows, columns] * halves], axis=1)
    constant = constant - 0.5 * (lean * means).sum(axis=1)
    return Plan(kind, False, float(terms.max()), _tile(width), means, natural, constant, whiten, NOTHING)


@cache
def _triangle(d: int) -> tuple[Int, Int, Array]:
    """Rows and columns of the upper triangle, and what a precision there is multiplied by."""
    rows, columns = np.triu_indices(d)
    return rows, columns, np.where(rows == columns, -0.5, -1.0)


def _separate(kind: int, means: Array, variances: Array, centred: bool | None) -> Plan:
    k, d = means.shape
    spread = np.broadcast_to(variances.reshape(variances.shape[0], -1), (k, d))
    bad = ~(spread > 0) | ~np.isfinite(spread)
    if bad.any():
        raise Degenerate(int(bad.any(axis=1).argmax()), "its covariance is not positive definite")
    precisions = 1.0 / spread
    constant = -0.5 * (d * LOG_2PI + np.log(spread).sum(axis=1))
    terms = ((np.abs(means) + 3.0 * np.sqrt(spread)) ** 2 * precisions).sum(axis=1)
    own = precisions if kind == DIAG else precisions[:, :1]
    no_factor = np.empty((0, 0, 0))
    if _centre(centred, terms, d + own.shape[1]):
        width = np.empty((k, d + own.shape[1]))
        return Plan(
            kind, True, 0.0, _tile(2 * d), means, width, constant, no_factor, np.ascontiguousarray(own)
        )
    natural = np.concatenate([precisions * means, -0.5 * own], axis=1)
    constant = constant - 0.5 * (precisions * means**2).sum(axis=1)
    return Plan(
        kind, False, float(terms.max()), _tile(natural.shape[1]), means, natural, constant, no_factor, NOTHING
    )


def _centre(centred: bool | None, terms: Array, width: int) -> bool:
    if centred is not None:
        return centred
    return bool(np.finfo(np.float64).eps * terms.max() > TOLERANCE) or width > WIDEST


def _tile(width: int) -> int:
    return int(np.clip(2 ** np.floor(np.log2(CACHE / width)), *TILE))


def _factors(stack: Array) -> Array:
    try:
        factors: Array = np.linalg.cholesky(stack)
    except np.linalg.LinAlgError:
        factors = np.full(stack.shape, np.nan)
    if np.isfinite(factors).all():
        return factors
    return np.stack([cholesky(matrix, j) for j, matrix in enumerate(stack)])
