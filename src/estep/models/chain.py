"""Hidden Markov model: a first-order chain of states, each with its own component of any family.

Baum & Welch's EM (Baum, Petrie, Soules & Weiss 1970): the E-step smooths each sequence, the M-step
normalises the expected starts and moves and gives the family its sums. Sequences are independent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.random import Generator

from estep.data.source import Source
from estep.data.units import Equivariance
from estep.engine.sampled import SAMPLE
from estep.families.family import Family, rounding
from estep.families.partition import AUTO_KINDS, partition
from estep.linalg import weighted
from estep.records import Array, Block, Column, Int, Units
from estep.run import Executor
from estep.space import Simplex

if TYPE_CHECKING:
    from estep.kernels.cpu.chain import Law, Smoothed

STAY = 0.9  # probability of staying in a state, at the start


class ChainParams(NamedTuple):
    start: Array  # (K,)
    moves: Array  # (K, K) row i: from state i
    emission: Any  # the family's, K components


class ChainStats(NamedTuple):
    loglik: float
    magnitude: float  # sum over rows of |w log p(x_t | x_1..t-1)|, and the rounding of densities
    start: Array  # (K,)
    moves: Array  # (K, K)
    emission: Any


class ChainPosterior(NamedTuple):
    loglik: Array  # (m,) log p(x_t | x_1..t-1); sums over a sequence to its log-likelihood
    resp: Array  # (K, m) p(state | whole sequence)


class Paths(NamedTuple):
    states: Int  # (m,) the most probable path of each sequence
    log_joint: Array  # (s,) its joint log-probability


@dataclass(frozen=True, eq=False)
class _Prep:
    start: Array
    moves: Array
    emission: Any

    @cached_property
    def law(self) -> Law:
        from estep.kernels.cpu.chain import make_law

        return make_law(self.start, self.moves)


@dataclass(frozen=True, eq=False)
class Chain:
    """K hidden states over a family."""

    k: int
    family: Family

    @property
    def equivariance(self) -> Equivariance:
        return self.family.equivariance

    @property
    def starts(self) -> tuple[str, ...]:
        return AUTO_KINDS if self.k > 1 or hasattr(self.family, "draw_inner") else ()

    @property
    def movable(self) -> bool:
        """Whether a search may go on from `start_from`: the parts of a mixture would all be alike there."""
        return self.k > 1 and not hasattr(self.family, "draw_inner")

    def bind(self, columns: tuple[Column, ...]) -> Chain:
        return replace(self, family=self.family.bind(columns))

    def check(self, columns: tuple[Column, ...]) -> None:
        self.family.check(columns)

    def start(self, sample: Block, rng: Generator, how: str) -> ChainParams:
        parts = partition(self.family.embed(sample), sample.weights, self.k, rng, how)
        moves = np.full((self.k, self.k), (1 - STAY) / max(self.k - 1, 1))
        np.fill_diagonal(moves, STAY if self.k > 1 else 1.0)
        emission = self.family.start(sample.without_evidence(), parts * sample.weights, rng, how)
        return ChainParams(np.full(self.k, 1.0 / self.k), moves, emission)

    def start_from(self, source: Source, run: Executor, resp: Array) -> ChainParams:
        """Parameters from responsibilities (k, n) of all rows: one M-step, moves from those of neighbours."""
        pooled = self.start(source.sample(SAMPLE, 0), np.random.default_rng(0), "pooled")
        prep = self.prepare(pooled)

        def gather(block: Block) -> ChainStats:
            shares = resp[:, block.first : block.first + block.weights.size]
            edges, joint = _edges(block), shares * block.weights
            inside = np.ones(block.weights.size, bool)
            inside[edges[1:] - 1] = False  # the last row of a sequence goes nowhere
            here = np.flatnonzero(inside)
            view = self.family.at(prep.emission, block.without_evidence())
            moves = joint[:, here] @ shares[:, here + 1].T
            return ChainStats(0.0, 0.0, joint[:, edges[:-1]].sum(axis=1), moves, view.sums(joint))

        return self.mstep(pooled, run.sum(gather, source))

    def compress(self, source: Source, run: Executor) -> Source:
        return source

    def prepare(self, params: ChainParams) -> _Prep:
        return _Prep(params.start, params.moves, self.family.prepare(params.emission))

    def estep(self, prep: _Prep, block: Block) -> ChainStats:
        view = self.family.at(prep.emission, block.without_evidence())
        found = _smooth(prep, block, view.log_density, block.weights)
        terms = weighted(found.loglik, block.weights)
        return ChainStats(
            float(terms.sum()),
            float(np.abs(terms).sum() + block.weights.sum() * rounding(view)),
            found.states[:, _edges(block)[:-1]].sum(axis=1),
            found.moves,
            view.sums(found.states),
        )

    def mstep(self, params: ChainParams, stats: ChainStats) -> ChainParams:
        left = stats.moves.sum(axis=1, keepdims=True)
        # a state that is never left keeps its row
        moves = np.where(left > 0, stats.moves / np.where(left > 0, left, 1.0), params.moves)
        emission = self.family.update(params.emission, stats.emission)
        return ChainParams(stats.start / stats.start.sum(), moves, emission)

    def log_prior(self, params: ChainParams) -> float:
        return self.family.log_prior(params.emission)

    def score(self, params: ChainParams, stats: ChainStats) -> ChainParams:
        """Gradient; those of start and moves pair with changes that sum to zero in each row."""
        emission = self.family.score(params.emission, stats.emission)
        return ChainParams(stats.start / params.start, stats.moves / params.moves, emission)

    def guard(self, params: ChainParams, stats: ChainStats) -> str | None:
        return self.family.guard(params.emission, stats.emission)

    def spaces(self) -> ChainParams:
        return ChainParams._make([Simplex(), Simplex(), self.family.spaces()])

    def rescale(self, params: ChainParams, units: Units) -> ChainParams:
        return ChainParams(params.start, params.moves, self.family.rescale(params.emission, units))

    def canonical(self, params: ChainParams) -> ChainParams:
        order: Int = np.lexsort(self.family.key(params.emission).T[::-1])
        emission = self.family.canonical(self.family.take(params.emission, order))
        return ChainParams(params.start[order], params.moves[np.ix_(order, order)], emission)

    def posterior(self, prep: _Prep, block: Block) -> ChainPosterior:
        density = self.family.at(prep.emission, block.without_evidence()).log_density
        found = _smooth(prep, block, density, np.ones(block.weights.size))
        return ChainPosterior(found.loglik, found.states)

    def filter(self, prep: _Prep, block: Block) -> Array:
        """p(state | the rows of its sequence so far), (K, m)."""
        from estep.kernels.cpu.chain import filtered

        density = self.family.at(prep.emission, block.without_evidence()).log_density
        return filtered(prep.law, _with_evidence(density, block), _edges(block))

    def decode(self, prep: _Prep, block: Block) -> Paths:
        """The most probable path of each sequence of a block."""
        from estep.kernels.cpu.chain import best_paths

        logs = _with_evidence(self.family.at(prep.emission, block.without_evidence()).log_density, block)
        return Paths(*best_paths(prep.law, logs, _edges(block)))

    def fill(self, prep: _Prep, block: Block) -> Array:
        """E[x | all seen cells of the sequence], (d, m); seen cells bit-unchanged."""
        view = self.family.at(prep.emission, block.without_evidence())
        found = _smooth(prep, block, view.log_density, np.ones(block.weights.size))
        return view.fill(found.states)

    def sample(self, params: ChainParams, n: int, rng: Generator) -> tuple[Array, Int]:
        """One sequence of n rows as (d, n) values and its states (n,)."""
        states = np.empty(n, dtype=np.int64)
        row = params.start
        for t in range(n):
            drawn = int(np.searchsorted(np.cumsum(row), rng.random(), side="right"))
            states[t] = min(drawn, self.k - 1)
            row = params.moves[states[t]]
        return self.family.sample(params.emission, states, rng), states


def _smooth(prep: _Prep, block: Block, density: Array, weights: Array) -> Smoothed:
    from estep.kernels.cpu.chain import smooth

    edges = _edges(block)
    return smooth(prep.law, _with_evidence(density, block), edges, weights[edges[:-1]])


def _with_evidence(density: Array, block: Block) -> Array:
    return density if block.evidence is None else density + block.evidence


def _edges(block: Block) -> Int:
    lengths = np.array([block.weights.size]) if block.lengths is None else block.lengths
    edges: Int = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return edges
