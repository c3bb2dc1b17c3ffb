"""Normal components: x | j ~ N(mean_j, covariance_j), in any shape of `covariance.py`.

M-step (McLachlan & Peel 2000, section 3.2): mean = origin + first / N, covariance = (second / N - shift
shift') from expected moments about the means of the pass. The floor, covariance >= floor * diag(column
variance), is a constraint met exactly; a ridge is a fixed prior -1/2 tr(covariance^-1 ridge) and enters
`log_prior`. Missing cells are integrated out, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr

from estep.errors import Degenerate
from estep.families.columns import require_seen, seen_and_values, standardise
from estep.families.covariance import SHAPES, Shape
from estep.families.soundness import on_floor, too_thin
from estep.linalg import cholesky
from estep.records import Array, Block, Column, Int, Units
from estep.space import Fixed, Real, Space

if TYPE_CHECKING:  # numba is loaded by a first pass, not by an import of this package
    from estep.kernels.cpu.incomplete import Law
    from estep.kernels.cpu.plan import Plan
    from estep.kernels.reference.gaussian import Moments

FLOOR = 1e-8  # of each column's variance
LEAST = 1e-200  # rows of a component that has none


class GaussianParams(NamedTuple):
    means: Array  # (k, d)
    covariances: Array  # covariances, not standard deviations: (k, d, d), (d, d), (k, d), (k,) or ()


class GaussianSums(NamedTuple):
    rows: Array  # (k,)
    first: Array  # (k, d) about the means of the pass
    second: Array  # about the means of the pass, reduced to the shape


@dataclass(frozen=True, eq=False)
class _Prep:
    """One point, in the two forms that blocks with and without holes need, each made when first asked for."""

    params: GaussianParams
    shape: Shape

    @cached_property
    def dense(self) -> Array:
        """All k covariances, (k, d, d)."""
        return self.shape.dense(self.params.covariances, *self.params.means.shape)

    @cached_property
    def law(self) -> Law:
        from estep.kernels.cpu.incomplete import Law

        return Law(self.params.means, np.ascontiguousarray(self.dense))

    @cached_property
    def plan(self) -> Plan:
        from estep.kernels.cpu.plan import make_plan

        means = self.params.means
        return make_plan(self.shape.kind, means, self.shape.plain(self.params.covariances, len(means)))

    @cached_property
    def rough(self) -> Plan:
        """For blocks of float32."""
        from estep.kernels.cpu.plan import rounded

        means = self.params.means
        return rounded(self.shape.kind, means, self.shape.plain(self.params.covariances, len(means)))

    def plan_for(self, block: Block) -> Plan:
        return self.rough if block.values.dtype == np.float32 else self.plan


@dataclass(frozen=True)
class GaussianView:
    block: Block
    prep: _Prep

    @property
    def log_density(self) -> Array:
        from estep.kernels.cpu import gaussian as kernel

        holes = self.block.patterns
        if holes is None:
            return kernel.log_density(self.prep.plan_for(self.block), self.block)
        return kernel.log_density_of_holes(self.prep.law, self.block, holes)

    @property
    def rounding(self) -> float:
        from estep.kernels.cpu import gaussian as kernel

        return kernel.rounding(self.prep.plan_for(self.block)) if self.block.patterns is None else 0.0

    def sums(self, resp: Array) -> GaussianSums:
        from estep.kernels.cpu import gaussian as kernel

        holes = self.block.patterns
        if holes is None:
            return self._complete(kernel.moments(self.prep.plan_for(self.block), self.block, resp))
        return self._reduced(kernel.moments_of_holes(self.prep.law, self.block, holes, resp))

    def mixture(self, log_weights: Array) -> tuple[Array, GaussianSums]:
        from estep.kernels.cpu import gaussian as kernel

        holes = self.block.patterns
        if holes is None:
            terms, found = kernel.mixture(self.prep.plan_for(self.block), log_weights, self.block)
            return terms, self._complete(found)
        terms, found = kernel.mixture_of_holes(self.prep.law, log_weights, self.block, holes)
        return terms, self._reduced(found)

    def fill(self, resp: Array) -> Array:
        from estep.kernels.cpu import gaussian as kernel

        return kernel.conditional_mean(self.prep.law, self.block, resp)

    def _complete(self, found: Moments) -> GaussianSums:
        return GaussianSums(found.rows, found.first, self.prep.shape.gather(found.second))

    def _reduced(self, found: Moments) -> GaussianSums:
        return GaussianSums(found.rows, found.first, self.prep.shape.reduce(found.second))


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Multivariate normal components.

    Parameters
    ----------
    shape : {"full", "tied", "diag", "spherical"} or Shape
        How the k covariances are parametrised.
    floor : float
        Least variance in any direction, as a fraction of each column's variance.
    ridge : float
        Diagonal of the prior's scatter matrix, in the user's squared units.
    fixed : tuple of {"means", "covariances"}
        What stays where it starts.
    """

    shape: Shape | Literal["full", "tied", "diag", "spherical"] = "full"
    floor: float = FLOOR
    ridge: float = 0.0
    fixed: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    takes_single: ClassVar[bool] = True  # blocks of float32

    @property
    def law(self) -> Shape:
        return SHAPES[self.shape] if isinstance(self.shape, str) else self.shape

    @property
    def equivariance(self) -> Literal["none", "scalar", "column"]:
        return self.law.equivariance

    def bind(self, columns: tuple[Column, ...]) -> Gaussian:
        require_seen(columns)
        return replace(self, columns=columns)

    def check(self, columns: tuple[Column, ...]) -> None:
        """Any real numbers will do."""

    def embed(self, block: Block) -> Array:
        return standardise(block)

    def start(self, block: Block, resp: Array, rng: Generator, how: str) -> GaussianParams:
        seen, values = seen_and_values(block)
        counts = resp @ seen.T  # (k, d) rows of each component in which each cell is seen
        if not resp.sum(axis=1).all():
            raise Degenerate(int(np.argmin(resp.sum(axis=1))), "no row belongs to it at the start")
        column_means = np.array([column.mean for column in self.columns])
        means = np.where(counts > 0, resp @ values.T / np.maximum(counts, 1e-300), column_means)
        deviations = (((values - mean[:, None]) ** 2 * seen) @ r for mean, r in zip(means, resp, strict=True))
        within = np.sum(list(deviations), axis=0) / np.maximum(counts.sum(axis=0), 1e-300)
        tame = GaussianParams(
            means, self.law.spread(np.maximum(within, self._variances() * FLOOR), len(resp))
        )
        return self.update(tame, self.at(self.prepare(tame), block).sums(resp))

    def prepare(self, params: GaussianParams) -> _Prep:
        return _Prep(params, self.law)

    def at(self, prep: _Prep, block: Block) -> GaussianView:
        return GaussianView(block, prep)

    def update(self, params: GaussianParams, sums: GaussianSums) -> GaussianParams:
        if not sums.rows.all():
            raise Degenerate(int(np.argmin(sums.rows)), "no row belongs to it any more")
        shift = sums.first / sums.rows[:, None]
        if "means" in self.fixed:  # the best covariances are then about these means
            shift = np.zeros_like(shift)
        means = params.means + shift
        if isinstance(self._space, Fixed):
            return GaussianParams(means, params.covariances)
        moved = sums.rows[:, None, None] * shift[:, :, None] * shift[:, None, :]
        scatter = sums.second - self.law.reduce(moved)
        floor, ridge = self._variances() * self.floor, self._ridge()
        return GaussianParams(means, self.law.maximise(scatter, sums.rows, ridge, floor))

    def keep(self, params: GaussianParams, sums: GaussianSums) -> GaussianSums:
        """Sums under which components without rows stay as they are: next to no rows, of their covariance."""
        if sums.rows.all() or self.ridge:  # under that prior the best covariance of no rows is infinite
            return sums
        rows = np.where(sums.rows == 0, LEAST, sums.rows)
        own = self.prepare(params).dense * np.where(sums.rows == 0, LEAST, 0.0)[:, None, None]
        return GaussianSums(rows, sums.first, sums.second + self.law.reduce(own))

    def log_prior(self, params: GaussianParams) -> float:
        if self.ridge == 0:
            return 0.0
        inverse = np.linalg.inv(self.law.distinct(params.covariances, params.means.shape[1]))
        return float(-0.5 * (np.diagonal(inverse, axis1=1, axis2=2) * self._ridge()).sum())

    def score(self, params: GaussianParams, sums: GaussianSums) -> GaussianParams:
        """Gradient; the covariance part is symmetric, and pairs with a symmetric change entry by entry."""
        precisions = np.linalg.inv(self.prepare(params).dense)
        means = np.einsum("kij,kj->ki", precisions, sums.first)
        volume = self.law.reduce(sums.rows[:, None, None] * precisions)
        return GaussianParams(means, 0.5 * (self.law.sandwich(params.covariances, sums.second) - volume))

    def guard(self, params: GaussianParams, sums: GaussianSums) -> str | None:
        if "covariances" in self.fixed:
            return None
        needed = self.law.rows_needed(params.means.shape[1])
        return too_thin(sums.rows, self.prepare(params).dense, needed) or self.on_floor(params)

    def on_floor(self, params: GaussianParams) -> str | None:
        """Which component only the floor, or rounding, holds up; constant columns do not count."""
        varies = np.array([column.variance > 0 for column in self.columns])
        if not varies.any() or isinstance(self._space, Fixed):
            return None
        inside = self.prepare(params).dense[:, varies][:, :, varies]
        return on_floor(inside, self._variances()[varies], self.floor)

    def spaces(self) -> GaussianParams:
        return GaussianParams._make([Fixed() if "means" in self.fixed else Real(), self._space])

    def rescale(self, params: GaussianParams, units: Units) -> GaussianParams:
        means = params.means * units.scale + units.centre
        return GaussianParams(means, self.law.rescale(params.covariances, units.scale))

    def take(self, params: GaussianParams, order: Int) -> GaussianParams:
        return GaussianParams(params.means[order], self.law.take(params.covariances, order))

    def canonical(self, params: GaussianParams) -> GaussianParams:
        return params

    def key(self, params: GaussianParams) -> Array:
        return params.means

    def mean(self, params: GaussianParams) -> Array:
        """(k, d) of each column."""
        return params.means

    def cdf(self, params: GaussianParams, values: Array, *, above: bool = False) -> tuple[Array, Array]:
        """P(X < x) and P(X <= x) of each column by itself, (k, d, m); `above`: P(X >= x) and P(X > x)."""
        deviations = np.sqrt(np.diagonal(self.prepare(params).dense, axis1=1, axis2=2))
        z = (values - params.means[:, :, None]) / deviations[:, :, None]
        found = ndtr(-z if above else z)
        return found, found

    def sample(self, params: GaussianParams, labels: Int, rng: Generator) -> Array:
        factors = np.stack([cholesky(c, j) for j, c in enumerate(self.prepare(params).dense)])
        z = rng.standard_normal((labels.size, params.means.shape[1]))
        found: Array = (params.means[labels] + np.einsum("nij,nj->ni", factors[labels], z)).T
        return found

    @property
    def _space(self) -> Space:
        """Of the covariances."""
        return Fixed(self.law.space) if "covariances" in self.fixed else self.law.space

    def _variances(self) -> Array:
        """Column variances; 1 unit of the fit for a constant column, whose density has no scale."""
        return np.array([column.variance or 1.0 for column in self.columns])

    def _ridge(self) -> Array:
        return np.array([self.ridge / column.scale**2 for column in self.columns])
