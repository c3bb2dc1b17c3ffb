"""A finite mixture of a family, which is itself a family.

log p(x | outer) = log sum_j weight[outer, j] p(x | inner component outer * k + j). Each of K outer
components has k inner ones of its own; with K = 1 this is the finite mixture (McLachlan & Peel 2000).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.random import Generator

from estep.data.units import Equivariance
from estep.errors import Degenerate
from estep.families.family import Family, Sweeping, View, keep, rounding
from estep.families.partition import partition
from estep.linalg import log_sum_exp, weighted
from estep.records import Array, Block, Column, Int, Units
from estep.space import Fixed, Simplex


class MixedParams(NamedTuple):
    weights: Array  # (K, k)
    inner: Any  # the family's, K * k components


class MixedSums(NamedTuple):
    counts: Array  # (K, k)
    inner: Any


class _Prep(NamedTuple):
    log_weights: Array  # (K, k)
    inner: Any


class MixedView:
    def __init__(self, prep: _Prep, inner: View, evidence: Array | None) -> None:
        self.inner = inner
        outer, k = prep.log_weights.shape
        logs = inner.log_density.reshape(outer, k, -1) + prep.log_weights[:, :, None]
        self._joint = logs if evidence is None else logs + evidence

    @property
    def rounding(self) -> float:
        return rounding(self.inner)

    @cached_property
    def log_density(self) -> Array:
        return log_sum_exp(self._joint, axis=1)

    @cached_property
    def shares(self) -> Array:
        """p(inner | outer, x), (K, k, m); uniform where a row is impossible under all of them."""
        top = np.where(np.isfinite(self.log_density), self.log_density, 0.0)[:, None, :]
        shares = np.exp(self._joint - top)
        impossible = np.broadcast_to(np.isneginf(self.log_density)[:, None, :], shares.shape)
        return np.where(impossible, 1.0 / shares.shape[1], shares)

    def sums(self, resp: Array) -> MixedSums:
        joint = resp[:, None, :] * self.shares
        return MixedSums(joint.sum(axis=2), self.inner.sums(joint.reshape(-1, resp.shape[1])))

    def fill(self, resp: Array) -> Array:
        joint = resp[:, None, :] * self.shares
        return self.inner.fill(joint.reshape(-1, resp.shape[1]))


@dataclass(frozen=True, eq=False)
class Mixed:
    """k components of `family` inside each component of whatever stands outside.

    Parameters
    ----------
    k : int
        Number of inner components.
    family : Family
        Their law.
    equal : bool
        Keep all weights at 1/k.
    fixed : bool
        Keep the weights where they start.
    """

    k: int
    family: Family
    equal: bool = False
    fixed: bool = False

    @property
    def equivariance(self) -> Equivariance:
        return self.family.equivariance

    def bind(self, columns: tuple[Column, ...]) -> Mixed:
        return replace(self, family=self.family.bind(columns))

    def check(self, columns: tuple[Column, ...]) -> None:
        self.family.check(columns)

    def embed(self, block: Block) -> Array:
        return self.family.embed(block)

    def start(self, block: Block, resp: Array, rng: Generator, how: str) -> MixedParams:
        thin = (resp > 0).sum(axis=1) < self.k
        if len(resp) > 1 and thin.any():  # another start may share the rows out better
            raise Degenerate(int(thin.argmax()), f"fewer than {self.k} distinct rows at the start")
        points = self.embed(block)
        parts = [partition(points, r, self.k, rng, how, evidence=block.evidence) for r in resp]
        joint = resp[:, None, :] * np.stack(parts)  # (K, k, m)
        inner = self.family.start(block.without_evidence(), joint.reshape(-1, resp.shape[1]), rng, how)
        return MixedParams(self._weights(joint.sum(axis=2)), inner)

    def prepare(self, params: MixedParams) -> _Prep:
        with np.errstate(divide="ignore"):
            return _Prep(np.log(params.weights), self.family.prepare(params.inner))

    def sweep(self, prep: _Prep, block: Block) -> tuple[Array, MixedSums]:
        """The E-step of a plain mixture: the sums of w log p and |w log p| over rows, (2,), and its sums."""
        inner = self.family.at(prep.inner, block.without_evidence())
        # asked of the class: a protocol's isinstance would compute every property of the view
        if block.evidence is None and hasattr(type(inner), "mixture"):
            terms, sums = cast("Sweeping", inner).mixture(prep.log_weights[0])
            return terms, MixedSums(sums.rows[None], sums)
        view = MixedView(prep, inner, block.evidence)
        rows = weighted(view.log_density[0], block.weights)
        size = np.abs(rows).sum() + block.weights.sum() * rounding(view)
        return np.array([rows.sum(), size]), view.sums(block.weights[None])

    def at(self, prep: _Prep, block: Block) -> MixedView:
        return MixedView(prep, self.family.at(prep.inner, block.without_evidence()), block.evidence)

    def update(self, params: MixedParams, sums: MixedSums) -> MixedParams:
        weights = self._weights(sums.counts)
        if self.fixed:
            weights = params.weights
        return MixedParams(weights, self.family.update(params.inner, sums.inner))

    def keep(self, params: MixedParams, sums: MixedSums) -> MixedSums:
        """Sums under which outer components without rows keep their parts."""
        empty = sums.counts.sum(axis=1, keepdims=True) == 0
        counts = np.where(empty, params.weights, sums.counts)
        return MixedSums(counts, keep(self.family, params.inner, sums.inner) if empty.any() else sums.inner)

    def log_prior(self, params: MixedParams) -> float:
        return self.family.log_prior(params.inner)

    def score(self, params: MixedParams, sums: MixedSums) -> MixedParams:
        """Gradient; that of the weights pairs with changes that sum to zero."""
        return MixedParams(sums.counts / params.weights, self.family.score(params.inner, sums.inner))

    def guard(self, params: MixedParams, sums: MixedSums) -> str | None:
        return self.family.guard(params.inner, sums.inner)

    def spaces(self) -> MixedParams:
        weights = Fixed(Simplex()) if self.equal or self.fixed else Simplex()
        return MixedParams._make([weights, self.family.spaces()])

    def rescale(self, params: MixedParams, units: Units) -> MixedParams:
        return MixedParams(params.weights, self.family.rescale(params.inner, units))

    def take(self, params: MixedParams, order: Int) -> MixedParams:
        inner = (order[:, None] * self.k + np.arange(self.k)).ravel()
        return MixedParams(params.weights[order], self.family.take(params.inner, inner))

    def key(self, params: MixedParams) -> Array:
        keys = self.family.key(params.inner)
        means: Array = np.einsum("Kk,Kkp->Kp", params.weights, keys.reshape(*params.weights.shape, -1))
        return means

    def canonical(self, params: MixedParams) -> MixedParams:
        """The inner components of each outer one in the order of their keys."""
        outer, k = params.weights.shape
        params = MixedParams(params.weights, self.family.canonical(params.inner))
        keys = self.family.key(params.inner).reshape(outer, k, -1)
        order = np.stack([np.lexsort(each.T[::-1]) for each in keys])
        flat = (np.arange(outer)[:, None] * k + order).ravel()
        weights = np.take_along_axis(params.weights, order, axis=1)
        return MixedParams(weights, self.family.take(params.inner, flat))

    def mean(self, params: MixedParams) -> Array:
        """(K, d) of each column, if the inner family has means."""
        return self._averaged(params, self.family.mean(params.inner))  # type: ignore[attr-defined]  # optional

    def cdf(self, params: MixedParams, values: Array, *, above: bool = False) -> tuple[Array, Array]:
        """P(X < x) and P(X <= x) of each column by itself, (K, d, m); `above`: P(X >= x) and P(X > x)."""
        below, upto = self.family.cdf(params.inner, values, above=above)  # type: ignore[attr-defined]  # as above
        return self._averaged(params, below), self._averaged(params, upto)

    def _averaged(self, params: MixedParams, inner: Array) -> Array:
        parts = inner.reshape(*params.weights.shape, *inner.shape[1:])
        found: Array = np.einsum("Kk,Kk...->K...", params.weights, parts)
        return found

    def sample(self, params: MixedParams, labels: Int, rng: Generator) -> Array:
        return self.family.sample(params.inner, self.draw_inner(params, labels, rng), rng)

    def draw_inner(self, params: MixedParams, labels: Int, rng: Generator) -> Int:
        """An inner component for each outer label."""
        cumulative = np.cumsum(params.weights, axis=1)[labels]
        inner = (rng.random(labels.size)[:, None] * cumulative[:, -1:] >= cumulative).sum(axis=1)
        drawn: Int = labels * self.k + np.minimum(inner, self.k - 1)
        return drawn

    def _weights(self, counts: Array) -> Array:
        totals = counts.sum(axis=1)
        if not totals.all():
            raise Degenerate(int(np.argmin(totals)), "no row belongs to it any more")
        return np.full(counts.shape, 1.0 / self.k) if self.equal else counts / totals[:, None]
