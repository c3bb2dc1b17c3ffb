"""The operations of `reference/gaussian.py`, compiled: by a plan, or with holes pattern by pattern."""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from estep.kernels.cpu import complete, incomplete
from estep.kernels.cpu.complete import Sums
from estep.kernels.cpu.incomplete import Law
from estep.kernels.cpu.plan import Plan
from estep.kernels.cpu.products import DIAG, FULL, LINEAR
from estep.kernels.cpu.strips import PAD
from estep.kernels.reference.gaussian import Moments
from estep.records import Array, Block, Patterns

# In float32 a row's rounding is of either sign: of a sum over rows about 2^-24 of that of |log-densities| is
# left, which the engine, in 64 eps of float64, reads as this many times that sum.
SINGLE = 2.0**-24 / (64 * 2.0**-52)

A = TypeVar("A", bound=NDArray[Any])


def log_density(plan: Plan, block: Block) -> Array:
    """(k, m)."""
    return complete.log_density(plan, block)


def moments(plan: Plan, block: Block, resp: Array) -> Moments:
    """Sums under resp (k, m), row weights in it; the second moments as the plan's kind stores them."""
    return _about_means(plan, complete.sweep(plan, block, resp)[1])


def mixture(plan: Plan, log_weights: Array, block: Block) -> tuple[Array, Moments]:
    """A mixture's whole E-step in one sweep: its terms (see `share_out`) and moments."""
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
    return incomplete.log_density(law, block, patterns)


def moments_of_holes(law: Law, block: Block, patterns: Patterns, resp: Array) -> Moments:
    """Expected sums under resp (k, m), row weights in it; dense second moments."""
    return _parted(incomplete.sweep(law, np.zeros(len(law.means)), block, patterns, resp)[1])


def mixture_of_holes(law: Law, log_weights: Array, block: Block, patterns: Patterns) -> tuple[Array, Moments]:
    """As `mixture`, with dense second moments."""
    terms, sums = incomplete.sweep(law, log_weights, block, patterns)
    return terms, _parted(sums)


def conditional_mean(law: Law, block: Block, resp: Array) -> Array:
    """E[x | seen], (d, m), mixed over components by resp (k, m) that sums to 1; seen cells as they are."""
    if block.patterns is None:
        return block.values.copy()
    return incomplete.conditional_mean(law, block, block.patterns, resp)


def frozen(array: A) -> A:
    """A contiguous, read-only view: compiled code is kept by type, and a writable array is another type."""
    view: Any = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    kept: A = view
    return kept


def _parted(sums: Array) -> Moments:
    return Moments(sums[:, 0, 0].copy(), sums[:, 0, 1:].copy(), sums[:, 1:, 1:].copy())


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
        return Moments(rows, apart, sums.dense)
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
