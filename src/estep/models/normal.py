"""One multivariate normal with missing cells.

x ~ N(mean, covariance); cells are missing at random. EM of Little & Rubin (2019, section 11.2) on the
moments of each missingness pattern. `prior_rows` adds that many rows' worth of prior with the observed
variances and no correlation: -1/2 r (log|S D^-1| + tr(S^-1 D)), the ridge of Amelia (Honaker & King 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from estep.data.source import Source
from estep.data.units import Equivariance
from estep.families.gaussian import Gaussian, GaussianParams, GaussianSums
from estep.kernels.reference import gaussian as kernel
from estep.linalg import clip_to_floor, symmetric
from estep.models.by_pattern import Compressed, Group, compress, fit_of
from estep.records import Array, Block, Column, Int, Units
from estep.run import Executor
from estep.space import PosDef, Real


class NormalParams(NamedTuple):
    mean: Array  # (d,)
    covariance: Array  # (d, d) covariance, not standard deviation


class NormalStats(NamedTuple):
    loglik: float
    magnitude: float  # sum of the absolute terms
    rows: float
    first: Array  # (d,) sum of E[x - mean], about the mean of the pass
    second: Array  # (d, d) sum of E[(x - mean)(x - mean)']


class NormalPosterior(NamedTuple):
    loglik: Array  # (m,)


@dataclass(frozen=True, eq=False)
class Normal:
    """The normal model; see the module's docstring."""

    prior_rows: float = 0.0
    law: Gaussian = field(default_factory=Gaussian)

    equivariance: ClassVar[Equivariance] = "column"
    starts: ClassVar[tuple[str, ...]] = ()

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
        return compress(source, run)

    def prepare(self, params: NormalParams) -> NormalParams:
        return params

    def estep(self, params: NormalParams, groups: Sequence[Group]) -> NormalStats:
        d = params.mean.size
        loglik = magnitude = rows = 0.0
        first, second = np.zeros(d), np.zeros((d, d))
        for group in groups:
            apart, about, own, size = fit_of(group, params.mean, params.covariance)
            loglik += own
            magnitude += size
            slope, left = kernel.regression(params.covariance, group.seen)
            rows += group.weight
            first += group.weight * (slope @ apart)
            second += slope @ about @ slope.T + group.weight * left
        return NormalStats(loglik, magnitude, rows, first, second)

    def mstep(self, params: NormalParams, stats: NormalStats) -> NormalParams:
        shift = stats.first / stats.rows
        prior = self.prior_rows * np.diag(self._variances())
        scatter = stats.second - stats.rows * np.outer(shift, shift) + prior
        covariance = symmetric(scatter / (stats.rows + self.prior_rows))
        return NormalParams(params.mean + shift, clip_to_floor(covariance, self._floor()))

    def log_prior(self, params: NormalParams) -> float:
        if self.prior_rows == 0:
            return 0.0
        observed = np.diag(self._variances())
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

    def posterior(self, prep: NormalParams, block: Block) -> NormalPosterior:
        return NormalPosterior(kernel.log_density(block, prep.mean[None], prep.covariance[None])[0])

    def fill(self, prep: NormalParams, block: Block) -> Array:
        """E[x | seen], (d, m); seen cells bit-unchanged."""
        ones = np.ones((1, block.weights.size))
        return kernel.conditional_mean(block, prep.mean[None], prep.covariance[None], ones)

    def sample(self, params: NormalParams, n: int, rng: Generator) -> tuple[Array, Int]:
        """n draws as (d, n) values; all labels are 0."""
        labels = np.zeros(n, dtype=np.int64)
        return self.law.sample(_one(params), labels, rng), labels

    def _variances(self) -> Array:
        return np.array([column.variance or 1.0 for column in self.law.columns])

    def _floor(self) -> Array:
        return self._variances() * self.law.floor


def _one(params: NormalParams) -> GaussianParams:
    """As the only component of a Gaussian family."""
    return GaussianParams(params.mean[None], params.covariance[None])
