"""Independent rows: log L = sum_i w_i log p(x_i), with p a mixture of any family.

E-step: responsibilities p(j | x_i); M-step: the family's own, from sums weighted by them (Dempster, Laird &
Rubin 1977, section 4.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from estep.data.source import Source
from estep.data.units import Equivariance
from estep.engine.sampled import SAMPLE
from estep.families.known import Known
from estep.families.mixed import Mixed, MixedParams, MixedSums
from estep.families.partition import AUTO_KINDS
from estep.records import Array, Block, Column, Int, Units
from estep.run import Executor


class AloneStats(NamedTuple):
    loglik: float
    magnitude: float  # sum of |w l|
    sums: MixedSums


class AlonePosterior(NamedTuple):
    loglik: Array  # (m,) of each row, unweighted
    resp: Array  # (k, m) p(component | row)


@dataclass(frozen=True, eq=False)
class Alone:
    """The finite mixture."""

    family: Mixed

    @property
    def equivariance(self) -> Equivariance:
        return self.family.equivariance

    @property
    def starts(self) -> tuple[str, ...]:
        return AUTO_KINDS if self.family.k > 1 else ()

    @property
    def movable(self) -> bool:
        """Whether a search may go on from `start_from`."""
        return self.family.k > 1

    @property
    def takes_single(self) -> bool:
        """Whether blocks may hold float32."""
        return bool(getattr(self.family.family, "takes_single", False))

    def bind(self, columns: tuple[Column, ...]) -> Alone:
        return replace(self, family=self.family.bind(columns))

    def check(self, columns: tuple[Column, ...]) -> None:
        self.family.check(columns)

    def start(self, sample: Block, rng: Generator, how: str) -> MixedParams:
        return self.family.start(sample, sample.weights[None], rng, how)

    def start_from(self, source: Source, run: Executor, resp: Array) -> MixedParams:
        """Parameters from responsibilities (k, n) of all rows: one M-step from the pooled law."""
        return self.start_by(
            source, run, lambda block: resp[:, block.first : block.first + block.weights.size]
        )

    def start_by(self, source: Source, run: Executor, share: Callable[[Block], Array]) -> MixedParams:
        """The same, the responsibilities (k, m) of a block given by `share`."""
        pooled = self.start(source.sample(SAMPLE, 0), np.random.default_rng(0), "pooled")
        prep = self.prepare(pooled)

        def gather(block: Block) -> MixedSums:
            known = Known.of(block.evidence, self.family.k)
            joint = known.put(share(block)) * block.weights
            view = self.family.family.at(prep.inner, block.without_evidence())
            return MixedSums(joint.sum(axis=1)[None], view.sums(joint))

        return self.family.update(pooled, run.sum(gather, source))

    def compress(self, source: Source, run: Executor) -> Source:
        return source

    def prepare(self, params: MixedParams) -> Any:
        return self.family.prepare(params)

    def estep(self, prep: Any, block: Block) -> AloneStats:
        (loglik, magnitude), sums = self.family.sweep(prep, block)
        return AloneStats(float(loglik), float(magnitude), sums)

    def mstep(self, params: MixedParams, stats: AloneStats) -> MixedParams:
        return self.family.update(params, stats.sums)

    def log_prior(self, params: MixedParams) -> float:
        return self.family.log_prior(params)

    def score(self, params: MixedParams, stats: AloneStats) -> MixedParams:
        return self.family.score(params, stats.sums)

    def guard(self, params: MixedParams, stats: AloneStats) -> str | None:
        return self.family.guard(params, stats.sums)

    def spaces(self) -> MixedParams:
        return self.family.spaces()

    def rescale(self, params: MixedParams, units: Units) -> MixedParams:
        return self.family.rescale(params, units)

    def canonical(self, params: MixedParams) -> MixedParams:
        return self.family.canonical(params)

    def posterior(self, prep: Any, block: Block) -> AlonePosterior:
        view = self.family.at(prep, block)
        return AlonePosterior(view.log_density[0], view.shares[0])

    def fill(self, prep: Any, block: Block) -> Array:
        """E[x | seen], (d, m); seen cells bit-unchanged."""
        return self.family.at(prep, block).fill(np.ones((1, block.weights.size)))

    def sample(self, params: MixedParams, n: int, rng: Generator) -> tuple[Array, Int]:
        """n draws as (d, n) values and their components (n,)."""
        labels = self.family.draw_inner(params, np.zeros(n, dtype=np.int64), rng)
        return self.family.family.sample(params.inner, labels, rng), labels
