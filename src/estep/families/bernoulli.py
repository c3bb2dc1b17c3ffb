"""Bernoulli components: 0/1 columns, independent given the component.

log p(x | j) = sum_c x_c log p_jc + (1 - x_c) log(1 - p_jc): latent classes of binary items (Goodman 1974).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import xlog1py, xlogy

from estep.errors import DataError
from estep.families.cells import check_rows, column_means, ratio, soften
from estep.families.columns import require_seen, seen_and_values, standardise
from estep.records import Array, Block, Column, Int, Units
from estep.space import Unit


class BernoulliParams(NamedTuple):
    probabilities: Array  # (k, d) of a 1


class BernoulliSums(NamedTuple):
    counts: Array  # (k, d) sum of resp over the rows in which a cell is seen
    ones: Array  # (k, d) sum of resp * x over them


class BernoulliView:
    def __init__(self, probabilities: Array, block: Block) -> None:
        self._probabilities, self._block = probabilities, block
        self._seen, self._values = seen_and_values(block)

    @cached_property
    def log_density(self) -> Array:
        zeros = np.where(self._seen, 1.0 - self._values, 0.0)
        terms = (xlogy(self._values, p[:, None]) + xlog1py(zeros, -p[:, None]) for p in self._probabilities)
        return np.stack([term.sum(axis=0) for term in terms])

    def sums(self, resp: Array) -> BernoulliSums:
        return BernoulliSums(resp @ self._seen.T, resp @ self._values.T)

    def fill(self, resp: Array) -> Array:
        return np.where(self._seen, self._block.values, self._probabilities.T @ resp)


@dataclass(frozen=True)
class Bernoulli:
    """Independent 0/1 columns; missing cells allowed."""

    equivariance: ClassVar[Literal["none", "scalar", "column"]] = "none"

    def bind(self, columns: tuple[Column, ...]) -> Bernoulli:
        require_seen(columns)
        self.check(columns)
        return self

    def check(self, columns: tuple[Column, ...]) -> None:
        for column in columns:
            if column.low < 0 or column.high > 1 or not column.whole:
                raise DataError(
                    f"column {column.name!r} has values other than 0 and 1, from {column.low:g} to "
                    f"{column.high:g}; a Bernoulli law takes 0 and 1, 'categorical' takes more levels"
                )

    def embed(self, block: Block) -> Array:
        return standardise(block)

    def start(self, block: Block, resp: Array, rng: Generator, how: str) -> BernoulliParams:
        check_rows(resp)
        pooled = BernoulliParams(np.tile(column_means(block), (len(resp), 1)))
        return self.update(pooled, self.at(pooled, block).sums(soften(resp)))

    def prepare(self, params: BernoulliParams) -> BernoulliParams:
        return params

    def at(self, prep: BernoulliParams, block: Block) -> BernoulliView:
        return BernoulliView(prep.probabilities, block)

    def update(self, params: BernoulliParams, sums: BernoulliSums) -> BernoulliParams:
        # the ratio of two sums of the same terms can pass 1 by rounding
        return BernoulliParams(np.minimum(ratio(sums.ones, sums.counts, params.probabilities), 1.0))

    def log_prior(self, params: BernoulliParams) -> float:
        return 0.0

    def score(self, params: BernoulliParams, sums: BernoulliSums) -> BernoulliParams:
        p = params.probabilities
        return BernoulliParams(sums.ones / p - (sums.counts - sums.ones) / (1 - p))

    def guard(self, params: BernoulliParams, sums: BernoulliSums) -> str | None:
        return None  # the likelihood of 0/1 data is bounded

    def spaces(self) -> BernoulliParams:
        return BernoulliParams._make([Unit()])

    def rescale(self, params: BernoulliParams, units: Units) -> BernoulliParams:
        return params

    def take(self, params: BernoulliParams, order: Int) -> BernoulliParams:
        return BernoulliParams(params.probabilities[order])

    def canonical(self, params: BernoulliParams) -> BernoulliParams:
        return params

    def key(self, params: BernoulliParams) -> Array:
        return params.probabilities

    def mean(self, params: BernoulliParams) -> Array:
        """(k, d) of each column."""
        return params.probabilities

    def cdf(self, params: BernoulliParams, values: Array, *, above: bool = False) -> tuple[Array, Array]:
        """P(X < x) and P(X <= x) of each column by itself, (k, d, m); `above`: P(X >= x) and P(X > x)."""
        one = params.probabilities[:, :, None]
        unseen = np.where(np.isnan(values), np.nan, 0.0)
        if above:
            least, over = (np.where(ends, one, 1.0) for ends in (values > 0, values >= 0))
            return np.where(values > 1, 0.0, least) + unseen, np.where(values >= 1, 0.0, over) + unseen
        below, upto = (np.where(ends, 1 - one, 0.0) for ends in (values > 0, values >= 0))
        return np.where(values > 1, 1.0, below) + unseen, np.where(values >= 1, 1.0, upto) + unseen

    def sample(self, params: BernoulliParams, labels: Int, rng: Generator) -> Array:
        p = params.probabilities[labels]
        return (rng.random(p.shape) < p).T.astype(np.float64)
