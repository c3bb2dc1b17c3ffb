"""The operations of `reference/gaussian.py`, compiled: by a plan, or with holes pattern by pattern."""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from estep.errors import Degenerate
from estep.kernels.cpu import complete, filling, holes
from estep.kernels.cpu.complete import Sums
from estep.kernels.cpu.holes import Law
from estep.kernels.cpu.plan import Plan
from estep.kernels.cpu.products import DIAG, FULL, LINEAR
from estep.kernels.cpu.strips import PAD
from estep.kernels.reference.gaussian import Moments
from estep.records import Array, Block, Bool, Int, Patterns

# In float32 a row's rounding is of either sign: of a sum over rows about 2^-24 of that of |log-densities| is
# left, which the engine, in 64 eps of float64, reads as this many times that sum.
SINGLE = 2.0**-24 / (64 * 2.0**-52)

A = TypeVar("A", bound=NDArray[Any])
NO_WEIGHTS, NO_RESP = np.empty(0), np.empty((0, 0))
NO_RESP.flags.writeable = False


def log_density(plan: Plan, block: Block) -> Array:
    """(k, m)."""
    return complete.log_density(plan, block)


def moments(plan: Plan, block: Block, resp: Array) -> Moments:
    """Sums under resp (k, m), row weights in it; the second moments as the plan's kind stores them."""
    return _about_means(plan, complete.sweep(plan, block, resp)[1])


def mixture(plan: Plan, log_weights: Array, block: Block) -> tuple[Array, Moments]:
    """A mixture's whole E-step in one sweep: its terms (see `products.add_terms`) and moments."""
    terms, sums = complete.sweep(plan._replace(constant=plan.constant + log_weights), block)
    if plan.kind == LINEAR and not plan.centred:
        common = _common(plan, sums)
        terms += [-common, common]
    if plan.flat[0].dtype == np.float32:
        terms[1] *= SINGLE
    else:
        terms[1] += sums.total[:, 0].sum() * rounding(plan)
    return terms, _about_means(plan, sums)


def rounding(plan: Plan) -> float:
    """What a row of weight 1 adds to `magnitude` beyond the size of its log-density.

    The engine judges rounding by 64 eps times that sum; the product form's own is taken to grow with
    the root of the number of terms that are summed one by one, as a random walk does.
    """
    heads = 1 if plan.kind == LINEAR else len(plan.means)
    return plan.size * sqrt(plan.flat[0].size / heads) / 64


def log_density_of_holes(law: Law, block: Block, patterns: Patterns) -> Array:
    """(k, m), missing cells integrated out."""
    bad, logs = holes.log_density(law, *_arrays(patterns), frozen(block.values))
    _refuse(bad)
    return logs


def moments_of_holes(law: Law, block: Block, patterns: Patterns, resp: Array) -> Moments:
    """Expected sums under resp (k, m), row weights in it; dense second moments."""
    return _sweep(law, NO_WEIGHTS, block, patterns, resp)[1]


def mixture_of_holes(law: Law, log_weights: Array, block: Block, patterns: Patterns) -> tuple[Array, Moments]:
    """As `mixture`, with dense second moments."""
    return _sweep(law, log_weights, block, patterns, NO_RESP)


def conditional_mean(law: Law, block: Block, resp: Array) -> Array:
    """E[x | seen], (d, m), mixed over components by resp (k, m) that sums to 1; seen cells as they are."""
    if block.patterns is None:
        return block.values.copy()
    bad, filled = filling.conditional_mean(law, *_arrays(block.patterns), frozen(block.values), frozen(resp))
    _refuse(bad)
    return filled


def _sweep(
    law: Law, log_weights: Array, block: Block, patterns: Patterns, resp: Array
) -> tuple[Array, Moments]:
    bad, terms, sums = holes.sweep(
        law, log_weights, *_arrays(patterns), frozen(block.values), frozen(block.weights), frozen(resp)
    )
    _refuse(bad)
    return terms, Moments(*sums)


def frozen(array: A) -> A:
    """A contiguous, read-only view: compiled code is kept by type, and a writable array is another type."""
    view: Any = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    kept: A = view
    return kept


def _arrays(patterns: Patterns) -> tuple[Bool, Int, Int]:
    return patterns.seen, patterns.rows, patterns.edges


def _refuse(component: int) -> None:
    if component >= 0:
        raise Degenerate(component, "its covariance is not positive definite")


def _about_means(plan: Plan, sums: Sums) -> Moments:
    d, means = plan.means.shape[1], plan.means
    rows, first, rest = sums.total[:, 0].copy(), sums.total[:, 1 : 1 + d], sums.total[:, 1 + d : -PAD]
    if plan.centred:
        second = sums.dense[:, :, 1 : 1 + d]
        if plan.kind == FULL:
            return Moments(rows, first.copy(), second.copy())
        own = second[0] if plan.kind == LINEAR else rest if plan.kind == DIAG else rest[:, 0]
        return Moments(rows, first.copy(), own.copy())
    apart = first - rows[:, None] * means
    if plan.kind == FULL:
        return Moments(rows, apart, complete.unfold(sums.total, means))
    if plan.kind == LINEAR:
        cross = means.T @ first
        return Moments(rows, apart, sums.dense[0] - cross - cross.T + (means.T * rows) @ means)
    moved = means * (first + apart)  # 2 m s - n m^2
    return Moments(rows, apart, rest - moved if plan.kind == DIAG else rest[:, 0] - moved.sum(axis=1))


def _common(plan: Plan, sums: Sums) -> float:
    """The sum over rows of w x'Kx / 2, K the shared precision matrix, which a sweep leaves out of its terms.

    What overflows is +inf, K being positive definite, whatever signs stand in the way.
    """
    second = sums.dense[0]
    root = plan.flat[0].reshape(second.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        found = float((root @ second * root).sum())
    return found if isfinite(found) else inf
