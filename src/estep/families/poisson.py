"""Poisson components: counts, independent over columns given the component.

log p(x | j) = sum_c x_c log rate_jc - rate_jc - log x_c!; the M-step's rates are weighted means of the seen
counts (McLachlan & Peel 2000, section 5.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import gammaln, pdtr, pdtrc, xlogy

from estep.families.cells import check_rows, column_means, ratio, soften
from estep.families.columns import require_seen, require_whole, seen_and_values, standardise
from estep.records import Array, Block, Column, Int, Units
from estep.space import Positive


class PoissonParams(NamedTuple):
    rates: Array  # (k, d)


class PoissonSums(NamedTuple):
    counts: Array  # (k, d) sum of resp over the rows in which a cell is seen
    events: Array  # (k, d) sum of resp * x over them


class PoissonView:
    def __init__(self, rates: Array, block: Block) -> None:
        self._rates, self._block = rates, block
        self._seen, self._values = seen_and_values(block)

    @cached_property
    def log_density(self) -> Array:
        fixed = np.where(self._seen, gammaln(self._values + 1), 0.0).sum(axis=0)
        # xlogy: no event at rate 0 is certain, any event impossible
        events = np.stack([xlogy(self._values, rate[:, None]).sum(axis=0) for rate in self._rates])
        found: Array = events - self._rates @ self._seen - fixed
        return found

    def sums(self, resp: Array) -> PoissonSums:
        return PoissonSums(resp @ self._seen.T, resp @ self._values.T)

    def fill(self, resp: Array) -> Array:
        return np.where(self._seen, self._block.values, self._rates.T @ resp)


@dataclass(frozen=True)
class Poisson:
    """Independent Poisson counts; missing cells allowed."""

    equivariance: ClassVar[Literal["none", "scalar", "column"]] = "none"

    def bind(self, columns: tuple[Column, ...]) -> Poisson:
        require_seen(columns)
        self.check(columns)
        return self

    def check(self, columns: tuple[Column, ...]) -> None:
        require_whole(columns, "a Poisson law")

    def embed(self, block: Block) -> Array:
        return standardise(block)

    def start(self, block: Block, resp: Array, rng: Generator, how: str) -> PoissonParams:
        check_rows(resp)
        pooled = PoissonParams(np.tile(column_means(block), (len(resp), 1)))
        return self.update(pooled, self.at(pooled, block).sums(soften(resp)))

    def prepare(self, params: PoissonParams) -> PoissonParams:
        return params

    def at(self, prep: PoissonParams, block: Block) -> PoissonView:
        return PoissonView(prep.rates, block)

    def update(self, params: PoissonParams, sums: PoissonSums) -> PoissonParams:
        return PoissonParams(ratio(sums.events, sums.counts, params.rates))

    def log_prior(self, params: PoissonParams) -> float:
        return 0.0

    def score(self, params: PoissonParams, sums: PoissonSums) -> PoissonParams:
        return PoissonParams(sums.events / params.rates - sums.counts)

    def guard(self, params: PoissonParams, sums: PoissonSums) -> str | None:
        return None  # the likelihood of counts is bounded

    def spaces(self) -> PoissonParams:
        return PoissonParams._make([Positive()])

    def rescale(self, params: PoissonParams, units: Units) -> PoissonParams:
        return params

    def take(self, params: PoissonParams, order: Int) -> PoissonParams:
        return PoissonParams(params.rates[order])

    def canonical(self, params: PoissonParams) -> PoissonParams:
        return params

    def key(self, params: PoissonParams) -> Array:
        return params.rates

    def mean(self, params: PoissonParams) -> Array:
        """(k, d) of each column."""
        return params.rates

    def cdf(self, params: PoissonParams, values: Array, *, above: bool = False) -> tuple[Array, Array]:
        """P(X < x) and P(X <= x) of each column by itself, (k, d, m); `above`: P(X >= x) and P(X > x)."""
        rates = params.rates[:, :, None]
        return _cdf(np.ceil(values) - 1, rates, above), _cdf(np.floor(values), rates, above)

    def sample(self, params: PoissonParams, labels: Int, rng: Generator) -> Array:
        return rng.poisson(params.rates[labels]).T.astype(np.float64)


def _cdf(counts: Array, rates: Array, above: bool) -> Array:
    """P(X <= count), 0 of a negative one; `above`: P(X > count)."""
    inside = (pdtrc if above else pdtr)(np.maximum(counts, 0.0), rates)
    found: Array = np.where(counts < 0, float(above), inside)
    return np.where(np.isnan(counts), np.nan, found)
