"""Hidden Markov model: a first-order chain of states, each with its own component of any family.

Baum & Welch's EM (Baum, Petrie, Soules & Weiss 1970): the E-step smooths each sequence, the M-step
normalises the expected starts and moves and gives the family its sums. Sequences are independent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.random import Generator

from estep.data.source import Source
from estep.data.units import Equivariance
from estep.engine.sampled import SAMPLE
from estep.families.family import Family, keep, rounding
from estep.families.known import Known
from estep.families.partition import AUTO_KINDS, partition
from estep.linalg import weighted
from estep.models.transitions import Transitions
from estep.records import Array, Block, Bool, Column, Int, Units
from estep.run import Executor
from estep.space import Fixed

if TYPE_CHECKING:
    from estep.kernels.cpu.chain import Law, Smoothed

STAY = 0.9  # probability of staying in a state, at the start
NEVER = 1e-6  # of one row


class ChainParams(NamedTuple):
    start: Array  # (K,); of a stationary chain it follows from the moves
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


@dataclass(frozen=True, eq=False)
class Prepared:
    start: Array
    moves: Array
    emission: Any
    done: dict[int, ChainStats] = field(default_factory=dict)  # of blocks, by their first row

    @cached_property
    def law(self) -> Law:
        from estep.kernels.cpu.chain import make_law

        return make_law(self.start, self.moves)


@dataclass(frozen=True, eq=False)
class Chain:
    """K hidden states over a family."""

    k: int
    family: Family
    transitions: Transitions = field(default_factory=Transitions)
    settled: bool = False  # the emissions stay where they start
    lean: bool = False  # of long sequences keep little more than the rows, for a third more work

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
        points, evidence = self.family.embed(sample), sample.evidence
        parts = partition(points, sample.weights, self.k, rng, how, evidence=evidence)
        moves = np.full((self.k, self.k), (1 - STAY) / max(self.k - 1, 1))
        np.fill_diagonal(moves, STAY if self.k > 1 else 1.0)
        start, moves = self.transitions.begin(np.full(self.k, 1.0 / self.k), moves)
        emission = self.family.start(sample.without_evidence(), parts * sample.weights, rng, how)
        return ChainParams(start, moves, emission)

    def start_from(self, source: Source, run: Executor, resp: Array) -> ChainParams:
        """Parameters from responsibilities (k, n) of all rows: one M-step, moves from those of neighbours."""
        pooled = self.start(source.sample(SAMPLE, 0), np.random.default_rng(0), "pooled")
        prep = self.prepare(pooled)

        def gather(block: Block) -> ChainStats:
            known = Known.of(block.evidence, self.k)
            shares = known.put(resp[:, block.first : block.first + block.weights.size])
            edges, joint = edges_of(block), shares * block.weights
            inside = np.ones(block.weights.size, bool)
            inside[edges[1:] - 1] = False  # the last row of a sequence goes nowhere
            here = np.flatnonzero(inside)
            view = self.family.at(prep.emission, block.without_evidence())
            moves = joint[:, here] @ shares[:, here + 1].T
            return ChainStats(0.0, 0.0, joint[:, edges[:-1]].sum(axis=1), moves, view.sums(joint))

        return self.mstep(pooled, run.sum(gather, source))

    def compress(self, source: Source, run: Executor) -> Source:
        return source

    def prepare(self, params: ChainParams) -> Prepared:
        start = self.transitions.start_of(params.start, params.moves)
        return Prepared(start, params.moves, self.family.prepare(params.emission))

    def ahead_of(self, prep: Prepared, source: Source, run: Executor) -> None:
        """Long sequences, each done before all others by all threads: a block by itself is one thread's."""
        from estep.models.halves import FEWEST, sums_of

        for i in range(len(source)):
            block = source.block(i)
            if block.weights.size < FEWEST or (block.lengths is not None and block.lengths.size > 1):
                continue
            found = sums_of(prep.law, self.family, prep.emission, block, run, lean=self.lean)
            if found is not None:
                prep.done[block.first] = found

    def estep(self, prep: Prepared, block: Block) -> ChainStats:
        if block.first in prep.done:
            return prep.done[block.first]
        view = self.family.at(prep.emission, block.without_evidence())
        edges = edges_of(block)
        found = _smooth(prep, block, view.log_density, block.weights[edges[:-1]], edges, passing=True)
        terms = weighted(found.loglik, block.weights)
        return ChainStats(
            float(terms.sum()),
            float(np.abs(terms).sum() + block.weights.sum() * rounding(view)),
            found.states[:, edges[:-1]].sum(axis=1),
            found.moves,
            view.sums(found.states),
        )

    def mstep(self, params: ChainParams, stats: ChainStats) -> ChainParams:
        start, moves = self.transitions.update(params.start, params.moves, stats.start, stats.moves)
        if self.settled:
            return ChainParams(start, moves, params.emission)
        sums = keep(self.family, params.emission, stats.emission)  # of states that no row is in
        return ChainParams(start, moves, self.family.update(params.emission, sums))

    def log_prior(self, params: ChainParams) -> float:
        own = self.transitions.log_prior(params.start, params.moves)
        return own + self.family.log_prior(params.emission)

    def score(self, params: ChainParams, stats: ChainStats) -> ChainParams:
        """Gradient; those of start and moves pair with changes that sum to zero in each row."""
        start = self.transitions.start_of(params.start, params.moves)
        start, moves = self.transitions.score(start, params.moves, stats.start, stats.moves)
        return ChainParams(start, moves, self.family.score(params.emission, stats.emission))

    def findings(self, stats: ChainStats) -> tuple[tuple[str, str], ...]:
        """Codes and sentences of what the last pass shows."""
        entered = stats.start + stats.moves.sum(axis=0) >= NEVER
        final = entered & (stats.moves.sum(axis=1) < NEVER) & self.transitions.open(self.k)
        found = []
        if not entered.all():
            found.append(
                f"{_states(~entered, 'is', 'are')} never visited, and what is said of such a state is its "
                "start's; ask for fewer states, or allow a way there"
            )
        if final.any():
            found.append(
                f"no row follows one in {_states(final)}, and where such a state leads is its start's, or a "
                "prior's, to say; give longer sequences, or hold these moves by transmat_fixed"
            )
        return tuple(("EM016", sentence) for sentence in found)

    def guard(self, params: ChainParams, stats: ChainStats) -> str | None:
        return None if self.settled else self.family.guard(params.emission, stats.emission)

    def spaces(self) -> ChainParams:
        emission = self.family.spaces()
        if self.settled:
            emission = type(emission)._make(map(Fixed, emission))
        return ChainParams._make([*self.transitions.spaces(), emission])

    def rescale(self, params: ChainParams, units: Units) -> ChainParams:
        start = self.transitions.start_of(params.start, params.moves)
        return ChainParams(start, params.moves, self.family.rescale(params.emission, units))

    def canonical(self, params: ChainParams) -> ChainParams:
        if not self.transitions.alike:
            return params._replace(emission=self.family.canonical(params.emission))
        order: Int = np.lexsort(self.family.key(params.emission).T[::-1])
        emission = self.family.canonical(self.family.take(params.emission, order))
        return ChainParams(params.start[order], params.moves[np.ix_(order, order)], emission)

    def posterior(self, prep: Prepared, block: Block) -> ChainPosterior:
        density = self.family.at(prep.emission, block.without_evidence()).log_density
        edges = edges_of(block)
        found = _smooth(prep, block, density, np.ones(edges.size - 1), edges)
        return ChainPosterior(found.loglik, found.states)

    def filter(self, prep: Prepared, block: Block) -> Array:
        """p(state | the rows of its sequence so far), (K, m)."""
        from estep.kernels.cpu.chain import filtered

        return filtered(prep.law, self.logs(prep, block), edges_of(block))

    def logs(self, prep: Prepared, block: Block) -> Array:
        """Log-densities of the states (K, m), with what is known of them."""
        return _with_evidence(self.family.at(prep.emission, block.without_evidence()).log_density, block)

    def fill(self, prep: Prepared, block: Block) -> Array:
        """E[x | all seen cells of the sequence], (d, m); seen cells bit-unchanged."""
        view = self.family.at(prep.emission, block.without_evidence())
        edges = edges_of(block)
        found = _smooth(prep, block, view.log_density, np.ones(edges.size - 1), edges)
        return view.fill(found.states)

    def sample(self, params: ChainParams, n: int, rng: Generator) -> tuple[Array, Int]:
        """One sequence of n rows as (d, n) values and its states (n,)."""
        states = np.empty(n, dtype=np.int64)
        row = self.transitions.start_of(params.start, params.moves)
        for t in range(n):
            drawn = int(np.searchsorted(np.cumsum(row), rng.random(), side="right"))
            states[t] = min(drawn, self.k - 1)
            row = params.moves[states[t]]
        return self.family.sample(params.emission, states, rng), states


def _smooth(
    prep: Prepared, block: Block, density: Array, weights: Array, edges: Int, *, passing: bool = False
) -> Smoothed:
    from estep.kernels.cpu.chain import smooth

    return smooth(prep.law, _with_evidence(density, block), edges, weights, passing=passing)


def _with_evidence(density: Array, block: Block) -> Array:
    return density if block.evidence is None else density + block.evidence


def _states(which: Bool, one: str = "", many: str = "") -> str:
    names = ", ".join(map(str, np.flatnonzero(which)))
    return (f"states {names} {many}" if which.sum() > 1 else f"state {names} {one}").rstrip()


def edges_of(block: Block) -> Int:
    """(s + 1,) where the block's sequences begin and end."""
    lengths = np.array([block.weights.size]) if block.lengths is None else block.lengths
    edges: Int = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return edges
