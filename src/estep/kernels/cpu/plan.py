"""What a pass over complete rows needs of normal components, and which of the two paths it takes.

The product form sums terms of the size of |K_ab| X_a X_b, K the precision matrix and X the reach of the
component from the frame's origin (its mean and three deviations); its log-densities are off by about eps
times that sum. Where this exceeds TOLERANCE for any component, or there are too many features, the pass is
centred.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.linalg.lapack import dtrtri

from estep.errors import Degenerate
from estep.kernels.cpu.lanes import ROWS
from estep.kernels.cpu.products import DIAG, FULL, LINEAR, SPHERE
from estep.kernels.cpu.tile import STRIPS, Plan
from estep.linalg import LOG_2PI, cholesky
from estep.records import Array, Int

TOLERANCE = 1e-11  # bound on the error of a row's log-density, in nats; what is seen is some 20 times smaller
CACHE = (
    2**16
)  # float64 numbers of features a tile holds: half a megabyte, of the 1 MiB usual in a core's cache
ROUGH = 1e-2  # the same in float32, whose errors the end of a climb in float64 mends
WIDEST = 4096  # features a product is worth; at more (d >= 90, full) one factor a component is cheaper
NOTHING = np.empty((0, 0))
KINDS = {"full": FULL, "tied": LINEAR, "diag": DIAG, "spherical": SPHERE}


def rounded(kind: str, means: Array, covariances: Array) -> Plan:
    """The plan for rows of float32, which is centred where the product form would lose too much there."""
    full = make_plan(kind, means, covariances, centred=False)
    if full.size * float(np.finfo(np.float32).eps) > ROUGH:
        full = make_plan(kind, means, covariances, centred=True)
    cast = ("means", "natural", "halves", "whiten", "precision")
    return full._replace(**{name: getattr(full, name).astype(np.float32) for name in cast})


def make_plan(kind: str, means: Array, covariances: Array, *, centred: bool | None = None) -> Plan:
    """The plan for means (k, d) and covariances as their kind stores them; `centred` overrules the choice."""
    if kind in ("full", "tied"):
        return _dense(KINDS[kind], means, covariances, centred)
    return _separate(KINDS[kind], means, covariances, centred)


def _dense(kind: int, means: Array, covariances: Array, centred: bool | None) -> Plan:
    (k, d), stack = means.shape, covariances.reshape(-1, *covariances.shape[-2:])
    factors = _factors(stack)
    whiten = np.stack([dtrtri(factor, lower=1)[0] for factor in factors])
    precisions = np.swapaxes(whiten, 1, 2) @ whiten
    log_det = 2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    constant = -0.5 * (d * LOG_2PI + log_det) * np.ones(k)
    lean = (precisions @ means[:, :, None])[:, :, 0]
    reach = np.abs(means) + 3.0 * np.sqrt(np.diagonal(stack, axis1=1, axis2=2))
    terms = ((np.abs(precisions) @ reach[:, :, None])[:, :, 0] * reach).sum(axis=1)
    rows, columns, halves = _triangle(d)
    if _centre(centred, terms, d + rows.size if kind == FULL else d):
        return _plan(kind, True, 0.0, means, np.empty((k, 1 + d)), constant, whiten, NOTHING)
    natural = [np.zeros((k, 1)), lean]
    if kind == FULL:
        natural.append(precisions[:, rows, columns] * halves)
    constant = constant - 0.5 * (lean * means).sum(axis=1)
    return _plan(kind, False, terms.max(), means, np.hstack(natural), constant, whiten, NOTHING)


def _plan(
    kind: int,
    centred: bool,
    size: float,
    means: Array,
    natural: Array,
    constant: Array,
    whiten: Array,
    precision: Array,
) -> Plan:
    """With its features cut into chunks: of whole columns, and few enough for the cache."""
    d, p = means.shape[1], natural.shape[1]
    edges, most = [0, d], CACHE // (STRIPS * ROWS)
    widths = [p]
    if kind == FULL and p > most:
        edges, widths = [0], [1 + d]
        for a in range(d):
            if widths[-1] + d - a > most // 2 and a > edges[-1]:
                edges.append(a)
                widths.append(0)
            widths[-1] += d - a
        edges.append(d)
    return Plan(
        kind,
        centred,
        float(size),
        np.array(edges),
        max(widths),
        means,
        natural,
        np.full(len(means), -0.5),
        constant,
        whiten,
        precision,
    )


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
    own = np.ascontiguousarray(precisions if kind == DIAG else precisions[:, :1])
    no_factor = np.empty((0, 0, 0))
    p = 1 + d + own.shape[1]
    if _centre(centred, terms, p):
        return _plan(kind, True, 0.0, means, np.empty((k, p)), constant, no_factor, own)
    natural = np.hstack([np.zeros((k, 1)), precisions * means, -0.5 * own])
    constant = constant - 0.5 * (precisions * means**2).sum(axis=1)
    return _plan(kind, False, terms.max(), means, natural, constant, no_factor, NOTHING)


def _centre(centred: bool | None, terms: Array, width: int) -> bool:
    if centred is not None:
        return centred
    return bool(np.finfo(np.float64).eps * terms.max() > TOLERANCE) or width > WIDEST


def _factors(stack: Array) -> Array:
    try:
        factors: Array = np.linalg.cholesky(stack)
    except np.linalg.LinAlgError:
        factors = np.full(stack.shape, np.nan)
    if np.isfinite(factors).all():
        return factors
    return np.stack([cholesky(matrix, j) for j, matrix in enumerate(stack)])
