"""What a pass over complete rows needs of normal components, and which of the two paths it takes.

The product form sums terms of the size of |K_ab| X_a X_b, K the precision matrix and X the reach of the
component from the frame's origin (its mean and three deviations); its log-densities are off by about eps
times that sum. Where this exceeds TOLERANCE for any component, or there are too many features, the pass is
centred.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dtrtri

from estep.errors import Degenerate
from estep.kernels.cpu.lanes import ROWS
from estep.kernels.cpu.products import DIAG, FULL, LINEAR, SPHERE
from estep.kernels.cpu.strips import PAD
from estep.linalg import LOG_2PI, cholesky
from estep.records import Array, Int

TOLERANCE = 1e-11  # bound on the error of a row's log-density, in nats; what is seen is some 20 times smaller
A = TypeVar("A", bound=NDArray[Any])
STRIPS = 16  # of a tile
CACHE = 2**16  # float64 numbers of features a tile holds: half a megabyte, of the 1 MiB of a core's cache
ROUGH = 1e-2  # the same in float32, whose errors the end of a climb in float64 mends
WIDEST = 4096  # features a product is worth; at more (d >= 90, full) one factor a component is cheaper
NOTHING, NO_EDGES, HALF = np.empty((0, 0)), np.empty(0, np.int64), np.array([-0.5])
KINDS = {"full": FULL, "tied": LINEAR, "diag": DIAG, "spherical": SPHERE}


class Plan(NamedTuple):
    """Normal components, prepared for one pass."""

    kind: int  # of features
    centred: bool
    size: float  # of the terms a log-density is summed from, beyond its own; 0 on the centred path
    edges: Int  # columns at which chunks of features begin and end
    parts: Int  # how many features each chunk has
    means: Array  # (k, d)
    constant: Array  # (k,)
    flat: tuple[Array, ...]  # what else the sweep takes, each in a line and read-only:
    # natural (k, P), of features 1, x, and so on, that of 1 being 0; of a shared covariance a root of half
    # the precision matrix, (d, d), and linear (k, d), of x; centred, the means, whiten (k, d, d) or, shared,
    # (1, d, d) inverse Cholesky factors, or (k, d) their diagonals, and -1/2

    @property
    def width(self) -> int:
        """Of the widest chunk, in features."""
        return int(self.parts.max(initial=0))


def padded(count: int) -> int:
    """With the zeros that follow so many features."""
    return (count + PAD - 1) // PAD * PAD


def rounded(kind: str, means: Array, covariances: Array) -> Plan:
    """The plan for rows of float32, which is centred where the product form would lose too much there."""
    full = make_plan(kind, means, covariances, centred=False)
    if full.size * float(np.finfo(np.float32).eps) > ROUGH:
        full = make_plan(kind, means, covariances, centred=True)
    flat = tuple(in_line(array.astype(np.float32)) for array in full.flat)
    return full._replace(means=full.means.astype(np.float32), flat=flat)


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
    products = d * (d + 1) // 2
    if _centre(centred, terms, d + products if kind == FULL else d):
        return _centred(kind, means, constant, whiten)
    constant = constant - 0.5 * (lean * means).sum(axis=1)
    if kind == LINEAR:
        edges, parts = in_line(np.array([0, d])), in_line(np.array([d]))
        flat = in_line(np.sqrt(0.5) * whiten), in_line(lean)
    else:
        rows, columns, halves = triangle(d)
        edges, parts = _chunks(d)
        natural = np.hstack([np.zeros((k, 1)), lean, precisions[:, rows, columns] * halves])
        flat = in_line(natural), in_line(NOTHING)
    return Plan(kind, False, float(terms.max()), edges, parts, means, constant, flat)


def _centred(kind: int, means: Array, constant: Array, whiten: Array) -> Plan:
    flat = (in_line(means), in_line(whiten), in_line(HALF))
    return Plan(kind, True, 0.0, NO_EDGES, NO_EDGES, means, constant, flat)


def in_line(array: A) -> A:
    """Read-only and in a line: compiled code is kept by type, and each type takes its time to compile."""
    view: Any = array.reshape(-1)
    view.flags.writeable = False
    line: A = view
    return line


def _chunks(d: int) -> tuple[Int, Int]:
    """Edges between chunks of features, of whole columns and few enough for the cache; their sizes."""
    most, before = CACHE // (STRIPS * ROWS), 1 + d
    if before + d * (d + 1) // 2 <= most:
        return in_line(np.array([0, d])), in_line(np.array([before + d * (d + 1) // 2]))
    edges, widths = [0], [before]
    for a in range(d):
        if widths[-1] + d - a > most // 2 and a > edges[-1]:
            edges.append(a)
            widths.append(0)
        widths[-1] += d - a
    return in_line(np.array([*edges, d])), in_line(np.array(widths))


@cache
def triangle(d: int) -> tuple[Int, Int, Array]:
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
    p = 1 + d + own.shape[1]
    if _centre(centred, terms, p):
        return _centred(kind, means, constant, np.sqrt(precisions))
    natural = np.hstack([np.zeros((k, 1)), precisions * means, -0.5 * own])
    constant = constant - 0.5 * (precisions * means**2).sum(axis=1)
    edges, parts, flat = (
        in_line(np.array([0, d])),
        in_line(np.array([p])),
        (in_line(natural), in_line(NOTHING)),
    )
    return Plan(kind, False, float(terms.max()), edges, parts, means, constant, flat)


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
