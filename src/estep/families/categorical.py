"""Categorical components: codes 0, 1, ..., independent over columns given the component.

log p(x | j) = sum_c log p_jc[x_c]: latent class analysis (Lazarsfeld & Henry 1968; Goodman 1974). Columns may
have different numbers of levels; probabilities of levels a column does not have are exactly 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.random import Generator

from estep.errors import DataError
from estep.families.cells import check_rows, ratio, soften
from estep.families.columns import require_seen, require_whole
from estep.records import Array, Block, Bool, Column, Int, Units
from estep.space import Simplex

MOST_LEVELS = 10_000  # a column with more is an identifier


class CategoricalParams(NamedTuple):
    probabilities: Array  # (k, d, L) L = most levels of any column


class CategoricalSums(NamedTuple):
    counts: Array  # (k, d, L) sum of resp over the rows that show a level


class CategoricalView:
    def __init__(self, probabilities: Array, block: Block) -> None:
        self._probabilities, self._block = probabilities, block
        self._shown = one_hot(block.values, probabilities.shape[2])  # (d, L, m)

    @cached_property
    def log_density(self) -> Array:
        with np.errstate(divide="ignore"):
            logs = np.log(self._probabilities)
        finite = np.where(np.isfinite(logs), logs, 0.0)
        density = np.einsum("kdl,dlm->km", finite, self._shown)
        impossible = np.einsum("kdl,dlm->km", np.isneginf(logs).astype(np.float64), self._shown) > 0
        return np.where(impossible, -np.inf, density)

    def sums(self, resp: Array) -> CategoricalSums:
        return CategoricalSums(np.einsum("km,dlm->kdl", resp, self._shown))

    def fill(self, resp: Array) -> Array:
        """The most probable level: a mean of codes would mean nothing."""
        likely = np.einsum("km,kdl->dlm", resp, self._probabilities).argmax(axis=1)
        return np.where(np.isnan(self._block.values), likely, self._block.values)


@dataclass(frozen=True, eq=False)
class Categorical:
    """Independent categorical columns; missing cells allowed.

    Parameters
    ----------
    levels : tuple of int, optional
        Number of levels of each column; by default one more than the largest code, or the number of names.
    """

    levels: tuple[int, ...] | None = None

    equivariance: ClassVar[Literal["none", "scalar", "column"]] = "none"

    def bind(self, columns: tuple[Column, ...]) -> Categorical:
        require_seen(columns)
        self.check(columns)
        return self if self.levels is not None else replace(self, levels=tuple(map(_levels, columns)))

    def check(self, columns: tuple[Column, ...]) -> None:
        require_whole(columns, "a categorical law")
        known = self.levels or (MOST_LEVELS,) * len(columns)
        for column, levels in zip(columns, known, strict=True):
            if column.seen > 0 and _levels(column) > levels:
                most = _levels(column) - 1
                raise DataError(f"column {column.name!r} has the code {most}; give codes up to {levels - 1}")

    def embed(self, block: Block) -> Array:
        """One coordinate a level: codes have no distances."""
        shown = one_hot(block.values, self._allowed().shape[1])
        missing = np.isnan(block.values)[:, None, :]
        points: Array = np.where(missing, np.nan, shown).reshape(-1, block.weights.size)
        return points

    def start(self, block: Block, resp: Array, rng: Generator, how: str) -> CategoricalParams:
        check_rows(resp)
        uniform = self._allowed() / self._allowed().sum(axis=1, keepdims=True)
        pooled = CategoricalParams(np.tile(uniform, (len(resp), 1, 1)))
        return self.update(pooled, self.at(pooled, block).sums(soften(resp)))

    def prepare(self, params: CategoricalParams) -> CategoricalParams:
        return params

    def at(self, prep: CategoricalParams, block: Block) -> CategoricalView:
        return CategoricalView(prep.probabilities, block)

    def update(self, params: CategoricalParams, sums: CategoricalSums) -> CategoricalParams:
        totals = sums.counts.sum(axis=2, keepdims=True)
        return CategoricalParams(ratio(sums.counts, totals, params.probabilities))

    def log_prior(self, params: CategoricalParams) -> float:
        return 0.0

    def score(self, params: CategoricalParams, sums: CategoricalSums) -> CategoricalParams:
        """Gradient; it pairs with changes that sum to zero over a column's levels."""
        p = params.probabilities
        return CategoricalParams(np.where(p > 0, sums.counts / np.where(p > 0, p, 1.0), 0.0))

    def guard(self, params: CategoricalParams, sums: CategoricalSums) -> str | None:
        return None  # the likelihood of categories is bounded

    def spaces(self) -> CategoricalParams:
        return CategoricalParams._make([Simplex(self._allowed())])

    def rescale(self, params: CategoricalParams, units: Units) -> CategoricalParams:
        return params

    def take(self, params: CategoricalParams, order: Int) -> CategoricalParams:
        return CategoricalParams(params.probabilities[order])

    def canonical(self, params: CategoricalParams) -> CategoricalParams:
        return params

    def key(self, params: CategoricalParams) -> Array:
        return -params.probabilities.reshape(len(params.probabilities), -1)

    def sample(self, params: CategoricalParams, labels: Int, rng: Generator) -> Array:
        cumulative = np.cumsum(params.probabilities, axis=2)[labels]  # (n, d, L)
        drawn = (rng.random(cumulative.shape[:2])[:, :, None] * cumulative[:, :, -1:] >= cumulative).sum(
            axis=2
        )
        found: Array = drawn.T.astype(np.float64)
        return found

    def _allowed(self) -> Bool:
        levels = np.array(self.levels)
        allowed: Bool = np.arange(levels.max()) < levels[:, None]
        return allowed


def _levels(column: Column) -> int:
    return int(column.high) + 1 if column.levels is None else len(column.levels)


def one_hot(codes: Array, levels: int) -> Array:
    """(d, L, m) 1.0 where a cell shows a level; a missing cell shows none."""
    shown: Array = (codes[:, None, :] == np.arange(levels)[None, :, None]).astype(np.float64)
    return shown
