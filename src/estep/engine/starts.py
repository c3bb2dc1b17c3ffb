"""Where to start from, and which of several climbs to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.random import Generator

from estep.engine.loop import Trace, Way, begin, interrupted
from estep.engine.pool import ranked
from estep.engine.problem import Halted, Params, Problem
from estep.engine.sampled import SAMPLE
from estep.engine.search import Explorer
from estep.engine.verdict import Status, Verdict
from estep.errors import Degenerate
from estep.records import Block

__all__ = ["SAMPLE", "Given", "Search", "Starts", "ranked"]


class Starts(Protocol):
    """A way to find climbs; `given` is true if something the user gave is indexed by component."""

    @property
    def given(self) -> bool: ...

    def climb(self, problem: Problem, way: Way) -> list[Trace | Verdict]:
        """One entry a start: the climb, or why it never began."""
        ...


@dataclass(frozen=True)
class Given:
    """The one start the user gave; no search."""

    params: Params
    given: bool = True

    def climb(self, problem: Problem, way: Way) -> list[Trace | Verdict]:
        return [begin(problem, self.params, way, 0)]


@dataclass(frozen=True)
class Search:
    """Several random starts: an integer `n_init` is that many full runs, "auto" is `search.Explorer`."""

    n_init: int | Literal["auto"] = "auto"
    kinds: tuple[str, ...] | None = None  # kinds of start to take in turn; None = all of the model's
    seed: int = 0
    adjust: Callable[[Params], Params] = lambda params: params  # puts in what the user gave
    given: bool = False

    def climb(self, problem: Problem, way: Way) -> list[Trace | Verdict]:
        kinds = self.kinds or problem.model.starts

        def draw(sample: Block, rng: Generator, i: int) -> Params:
            how = kinds[i % len(kinds)] if kinds else ""
            return problem.model.start(sample, rng, how)

        if problem.model.starts and self.n_init == "auto":
            return Explorer(problem, way, self.seed, draw, self.adjust).run()
        count = 1 if not problem.model.starts else int(self.n_init)
        # a model that starts from what is known of its columns says so, and no rows are drawn for it
        rowless = getattr(problem.model, "rowless", False)
        sample = problem.source.block(0) if rowless else problem.source.sample(SAMPLE, self.seed)
        found: list[Trace | Verdict] = [interrupted(0)] * count

        def attempt(i: int) -> None:
            alone = problem if count == 1 else problem.alone()
            rng = np.random.default_rng([self.seed, i])
            try:
                found[i] = begin(alone, self.adjust(draw(sample, rng, i)), way, i)
            except Degenerate as reason:
                found[i] = Verdict(Status.DEGENERATE, f"start {i + 1}: {reason}", 0, float("nan"))
            except Halted:
                pass  # the entry says so already

        try:
            problem.run.map(attempt, range(count))
        except KeyboardInterrupt:
            problem.halt.set()  # each climb then ends by itself, at its best point
            problem.run.drain()
        return found
