"""One multivariate normal with missing cells.

x ~ N(mean, covariance); cells are missing at random. EM of Little & Rubin (2019, section 11.2) on the
moments of each missingness pattern. `prior_rows` adds that many rows' worth of prior with the observed
variances and no correlation: -1/2 r (log|S D^-1| + tr(S^-1 D)), the ridge of Amelia (Honaker & King 2010).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from estep.data.source import Source
from estep.data.units import Equivariance
from estep.errors import Degenerate
from estep.families.gaussian import Gaussian, GaussianParams, GaussianSums
from estep.linalg import cholesky, clip_to_floor, solve_lower, symmetric
from estep.models.by_pattern import Compressed, Groups
from estep.models.by_row import Loose, split
from estep.records import Array, Block, Column, Int, Units
from estep.run import Executor
from estep.space import PosDef, Real

# Above it, a normal goes by the seen blocks: the inverse of a covariance loses up to as many digits as its
# condition number has (in the 1-norm, free of units), and both ways are to agree to ten of sixteen.
WORST_CONDITION = 1e5


class NormalParams(NamedTuple):
    mean: Array  # (d,)
    covariance: Array  # (d, d) covariance, not standard deviation


class NormalStats(NamedTuple):
    loglik: float
    magnitude: float  # sum of the absolute terms
    rows: float
    first: Array  # (d,) sum of E[x - mean], about the mean of the pass
    second: Array  # (d, d) sum of E[(x - mean)(x - mean)']


class NormalPrep(NamedTuple):
    mean: Array  # (d,)
    covariance: Array  # (d, d)
    precision: Array | None  # (d, d); None where it would lose too many digits
    log_det: float  # of the covariance
    rows: Any  # what the Gaussian family prepares, for what is asked row by row


class NormalPosterior(NamedTuple):
    loglik: Array  # (m,)


@dataclass(frozen=True, eq=False)
class Normal:
    """The normal model; see the module's docstring."""

    prior_rows: float = 0.0
    law: Gaussian = field(default_factory=Gaussian)

    equivariance: ClassVar[Equivariance] = "column"
    starts: ClassVar[tuple[str, ...]] = ()
    rowless: ClassVar[bool] = True  # the start looks at no rows

    def bind(self, columns: tuple[Column, ...]) -> Normal:
        return replace(self, law=self.law.bind(columns))

    def check(self, columns: tuple[Column, ...]) -> None:
        """Any real numbers will do."""

    def start(self, sample: Block, rng: Generator, how: str) -> NormalParams:
        """Means and variances of all seen cells, no correlation."""
        mean = np.array([column.mean for column in self.law.columns])
        variance = np.array([column.variance for column in self.law.columns])
        return NormalParams(mean, np.diag(np.maximum(variance, self._floor())))

    def compress(self, source: Source, run: Executor) -> Compressed:
        return split(source, run)

    def prepare(self, params: NormalParams) -> NormalPrep:
        return NormalPrep(*params, *_precision(params.covariance), self.law.prepare(_one(params)))

    def estep(self, prep: NormalPrep, item: Groups | Loose) -> NormalStats:
        if isinstance(item, Groups):
            return _by_seen(prep, item)
        found = None if prep.precision is None else _by_missing(prep, prep.precision, item)
        return _by_seen(prep, item.grouped()) if found is None else found

    def mstep(self, params: NormalParams, stats: NormalStats) -> NormalParams:
        shift = stats.first / stats.rows
        prior = self.prior_rows * np.diag(self.variances())
        scatter = stats.second - stats.rows * np.outer(shift, shift) + prior
        covariance = symmetric(scatter / (stats.rows + self.prior_rows))
        return NormalParams(params.mean + shift, clip_to_floor(covariance, self._floor()))

    def log_prior(self, params: NormalParams) -> float:
        if self.prior_rows == 0:
            return 0.0
        observed = np.diag(self.variances())
        log_det = np.linalg.slogdet(params.covariance)[1] - np.log(np.diag(observed)).sum()
        trace = np.trace(np.linalg.solve(params.covariance, observed))
        return float(-0.5 * self.prior_rows * (log_det + trace))

    def score(self, params: NormalParams, stats: NormalStats) -> NormalParams:
        sums = GaussianSums(np.array([stats.rows]), stats.first[None], stats.second[None])
        gradient = self.law.score(_one(params), sums)
        return NormalParams(gradient.means[0], gradient.covariances[0])

    def guard(self, params: NormalParams, stats: NormalStats) -> str | None:
        return self.law.on_floor(_one(params))

    def spaces(self) -> NormalParams:
        return NormalParams._make([Real(), PosDef()])

    def rescale(self, params: NormalParams, units: Units) -> NormalParams:
        scaled = self.law.rescale(_one(params), units)
        return NormalParams(scaled.means[0], scaled.covariances[0])

    def canonical(self, params: NormalParams) -> NormalParams:
        return params

    def posterior(self, prep: NormalPrep, block: Block) -> NormalPosterior:
        return NormalPosterior(self.law.at(prep.rows, block).log_density[0])

    def fill(self, prep: NormalPrep, block: Block) -> Array:
        """E[x | seen], (d, m); seen cells bit-unchanged."""
        return self.law.at(prep.rows, block).fill(np.ones((1, block.weights.size)))

    def sample(self, params: NormalParams, n: int, rng: Generator) -> tuple[Array, Int]:
        """n draws as (d, n) values; all labels are 0."""
        labels = np.zeros(n, dtype=np.int64)
        return self.law.sample(_one(params), labels, rng), labels

    def variances(self) -> Array:
        """Of the seen cells of each column, (d,), 1 for a constant one; prior and floor go by them."""
        return np.array([column.variance or 1.0 for column in self.law.columns])

    def _floor(self) -> Array:
        return self.variances() * self.law.floor


def _precision(covariance: Array) -> tuple[Array | None, float]:
    """The inverse and log-determinant of a covariance; None where the inverse would lose too many digits."""
    try:
        factor = cholesky(covariance)
    except Degenerate:  # blocks of it may have a density all the same
        return None, 0.0
    half = solve_lower(factor, np.eye(len(factor)))
    precision = half.T @ half
    deviations = np.sqrt(np.diag(covariance))
    free = np.outer(deviations, deviations)  # of units, as the rounding of a Cholesky factor is (Demmel 1989)
    condition = np.abs(covariance / free).sum(axis=0).max() * np.abs(precision * free).sum(axis=0).max()
    log_det = 2.0 * float(np.log(np.diag(factor)).sum())
    return (precision if condition <= WORST_CONDITION else None), log_det


def _by_seen(prep: NormalPrep, groups: Groups) -> NormalStats:
    from estep.kernels.cpu.patterned import by_seen  # brings numba: only at the first fit

    moments = groups.weights, groups.means, groups.scatters
    found = by_seen(prep.mean, prep.covariance, groups.cells, groups.counts, *moments)
    if found is None:
        raise Degenerate(0, "its covariance is not positive definite")
    (loglik, magnitude, rows), first, second = found
    return NormalStats(loglik, magnitude, rows, first, second)


def _by_missing(prep: NormalPrep, precision: Array, item: Loose) -> NormalStats | None:
    """None if rounding left a block of the precision matrix without a factor."""
    from estep.kernels.cpu.normal_rows import sums_of_rows

    given = item.values, item.weights, item.hidden, item.counts
    found = sums_of_rows(prep.mean, precision, prep.log_det, *given)
    if found is None:
        return None
    (loglik, magnitude), first, second = found
    return NormalStats(loglik, magnitude, first[0], first[1:], second)


def _one(params: NormalParams) -> GaussianParams:
    """As the only component of a Gaussian family."""
    return GaussianParams(params.mean[None], params.covariance[None])
