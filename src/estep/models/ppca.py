"""Probabilistic principal components with missing cells.

x = mean + loadings z + noise, z ~ N(0, I_q), noise ~ N(0, noise I) (Tipping & Bishop 1999). EM on the
moments of each missingness pattern: each column is regressed on (z, 1) over the rows in which it is seen.
The loadings are free up to a rotation; canonical order turns them to the principal axes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from estep.data.source import Source
from estep.data.units import Equivariance
from estep.errors import DataError, Degenerate
from estep.families.columns import require_seen, seen_and_values
from estep.families.gaussian import FLOOR, Gaussian, GaussianParams
from estep.models.by_pattern import Compressed, Groups, patterns_of
from estep.models.by_row import Loose, choose_for_latent, split
from estep.records import Array, Block, Column, Int, Units
from estep.run import Executor
from estep.space import Loadings, Positive, Real

if TYPE_CHECKING:  # numba is loaded by a first pass, not by an import of this package
    from estep.kernels.cpu.latent import Law

NORMAL = Gaussian()  # what x is when z is integrated out


class PPCAParams(NamedTuple):
    mean: Array  # (d,)
    loadings: Array  # (d, q)
    noise: Array  # () variance


class PPCAStats(NamedTuple):
    loglik: float
    magnitude: float  # sum of the absolute terms
    latent: Array  # (d, q+1, q+1) sum of E[(z, 1)(z, 1)'] over the rows in which a column is seen
    cross: Array  # (d, q+1) sum of (x - mean) E[(z, 1)] over them, about the mean of the pass
    square: Array  # (d,) sum of (x - mean)^2 over them
    cells: Array  # (d,) their weight


class PPCAPrep(NamedTuple):
    law: Law
    rows: Any  # what the Gaussian family prepares, for densities and conditional means


class PPCAPosterior(NamedTuple):
    loglik: Array  # (m,)
    latent: Array  # (q, m) E[z | seen]


@dataclass(frozen=True, eq=False)
class PPCA:
    """q principal components."""

    q: int
    columns: tuple[Column, ...] = ()

    equivariance: ClassVar[Equivariance] = "scalar"
    starts: ClassVar[tuple[str, ...]] = ()

    def bind(self, columns: tuple[Column, ...]) -> PPCA:
        require_seen(columns)
        if self.q >= len(columns):
            raise DataError(
                f"n_components={self.q} must be below the number of columns, n_features={len(columns)}"
            )
        return replace(self, columns=columns)

    def check(self, columns: tuple[Column, ...]) -> None:
        """Any real numbers will do."""

    def start(self, sample: Block, rng: Generator, how: str) -> PPCAParams:
        """The closed form (Tipping & Bishop 1999, eq. 7-8) at the covariance of available pairs."""
        seen, values = seen_and_values(sample)
        w = sample.weights
        mean = np.array([column.mean for column in self.columns])
        centred = np.where(seen, values - mean[:, None], 0.0)
        pairs = (seen * w) @ seen.T
        moments = (centred * w) @ centred.T / np.where(pairs > 0, pairs, 1.0)
        np.fill_diagonal(moments, [column.variance for column in self.columns])
        variances, axes = np.linalg.eigh(moments)
        top = variances[::-1][: self.q]
        noise = max(variances[::-1][self.q :].mean(), self._floor())
        loadings = axes[:, ::-1][:, : self.q] * np.sqrt(np.maximum(top - noise, noise * FLOOR))
        return PPCAParams(mean, loadings, np.asarray(noise))

    def compress(self, source: Source, run: Executor) -> Compressed:
        return split(source, run, choose_for_latent)

    def prepare(self, params: PPCAParams) -> PPCAPrep:
        from estep.kernels.cpu.latent import Law  # brings numba: only at the first fit

        mean, loadings = np.ascontiguousarray(params.mean), np.ascontiguousarray(params.loadings)
        covariance = loadings @ loadings.T + params.noise * np.eye(mean.size)
        rows = NORMAL.prepare(GaussianParams(mean[None], covariance[None]))
        return PPCAPrep(Law(mean, loadings, float(params.noise)), rows)

    def estep(self, prep: PPCAPrep, item: Groups | Loose) -> PPCAStats:
        from estep.kernels.cpu import latent as kernel

        if isinstance(item, Groups):
            found = kernel.by_moments(prep.law, item.seen, item.weights, item.means, item.scatters)
        else:
            patterns = item.patterns
            found = kernel.by_rows(
                prep.law, patterns.seen, patterns.rows, patterns.edges, item.values, item.weights
            )
        well, ((loglik, magnitude), *sums) = found
        _refuse(well)
        return PPCAStats(float(loglik), float(magnitude), *sums)

    def mstep(self, params: PPCAParams, stats: PPCAStats) -> PPCAParams:
        try:
            slopes = np.linalg.solve(stats.latent, stats.cross[:, :, None])[:, :, 0]  # (d, q+1)
        except np.linalg.LinAlgError:
            raise Degenerate(0, "a column is seen in too few rows for this many components") from None
        noise = (stats.square - (slopes * stats.cross).sum(axis=1)).sum() / stats.cells.sum()
        return PPCAParams(
            params.mean + slopes[:, -1], slopes[:, :-1], np.asarray(max(float(noise), self._floor()))
        )

    def log_prior(self, params: PPCAParams) -> float:
        return 0.0

    def score(self, params: PPCAParams, stats: PPCAStats) -> PPCAParams:
        slopes = np.column_stack([params.loadings, np.zeros(params.mean.size)])  # about the mean of the pass
        fitted = np.einsum("iab,ib->ia", stats.latent, slopes)
        pull = (stats.cross - fitted) / params.noise
        error = (stats.square - 2 * (slopes * stats.cross).sum(axis=1) + (slopes * fitted).sum(axis=1)).sum()
        noise = -0.5 * stats.cells.sum() / params.noise + 0.5 * error / params.noise**2
        return PPCAParams(pull[:, -1], pull[:, :-1], np.asarray(noise))

    def guard(self, params: PPCAParams, stats: PPCAStats) -> str | None:
        if params.noise <= self._floor() * (1 + 1e-6):
            return f"the noise variance lies on the floor of {FLOOR} of the mean column variance"
        return None

    def spaces(self) -> PPCAParams:
        return PPCAParams._make([Real(), Loadings(), Positive()])

    def rescale(self, params: PPCAParams, units: Units) -> PPCAParams:
        s = units.scale[0]  # one scale for all columns
        return PPCAParams(
            params.mean * s + units.centre, params.loadings * s, np.asarray(params.noise * s**2)
        )

    def canonical(self, params: PPCAParams) -> PPCAParams:
        """Loadings along the principal axes, largest first; the largest entry of each is positive."""
        axes, sizes, _ = np.linalg.svd(params.loadings, full_matrices=False)
        signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(self.q)])
        return PPCAParams(params.mean, axes * (sizes * signs), params.noise)

    def posterior(self, prep: PPCAPrep, block: Block) -> PPCAPosterior:
        from estep.kernels.cpu import latent as kernel

        patterns = patterns_of(block)
        well, latent = kernel.latent_means(
            prep.law, patterns.seen, patterns.rows, patterns.edges, block.values
        )
        _refuse(well)
        return PPCAPosterior(NORMAL.at(prep.rows, block).log_density[0], latent)

    def fill(self, prep: PPCAPrep, block: Block) -> Array:
        """E[x | seen], (d, m); seen cells bit-unchanged."""
        return NORMAL.at(prep.rows, block).fill(np.ones((1, block.weights.size)))

    def sample(self, params: PPCAParams, n: int, rng: Generator) -> tuple[Array, Int]:
        """n draws as (d, n) values; all labels are 0."""
        latent = rng.standard_normal((self.q, n))
        noise = rng.standard_normal((params.mean.size, n)) * np.sqrt(params.noise)
        return params.mean[:, None] + params.loadings @ latent + noise, np.zeros(n, dtype=np.int64)

    def _floor(self) -> float:
        mean = float(np.mean([column.variance for column in self.columns]))
        return FLOOR * (mean or 1.0)


def _refuse(well: bool) -> None:
    if not well:
        raise Degenerate(0, "its covariance is not positive definite")
