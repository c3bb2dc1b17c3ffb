"""Where to start from, and which of several climbs to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from estep.engine.loop import Trace, Way, begin, interrupted, resume
from estep.engine.problem import Halted, Params, Problem
from estep.engine.verdict import Status, Stop, Verdict
from estep.errors import Degenerate
from estep.records import Block

SAMPLE = 20_000  # rows a start sees at most
AUTO_STARTS = 20
AUTO_KEPT = 5
SHORT_RUN = 20  # iterations that tell a hopeless start from a good one
SET_ASIDE = "set aside after a short run"


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
    """Several random starts.

    An integer `n_init` is that many full runs. "auto" makes twenty short runs and takes the best
    five to their end, and then others for as long as one that was set aside stands above those.
    """

    n_init: int | Literal["auto"] = "auto"
    kinds: tuple[str, ...] | None = None  # kinds of start to take in turn; None = all of the model's
    seed: int = 0
    adjust: Callable[[Params], Params] = lambda params: params  # puts in what the user gave
    given: bool = False

    def climb(self, problem: Problem, way: Way) -> list[Trace | Verdict]:
        kinds = self.kinds or problem.model.starts
        count = 1 if not problem.model.starts else AUTO_STARTS if self.n_init == "auto" else self.n_init
        sample = problem.source.sample(SAMPLE, self.seed)
        if count == 1:
            return [self._begin(problem, sample, way, 0, kinds)]
        auto = self.n_init == "auto"
        first = Way(way.step, _Short(way.stop), way.watch) if auto else way
        found: list[Trace | Verdict] = [interrupted(0)] * count

        def attempt(i: int) -> None:
            found[i] = self._begin(problem.alone(), sample, first, i, kinds)

        def finish(trace: Trace) -> None:
            found[trace.start] = resume(problem.alone(), trace, way)

        try:
            problem.run.map(attempt, range(count))
            if auto:
                problem.run.map(finish, ranked(found)[:AUTO_KEPT])
            while auto and (best := ranked(found)) and best[0].verdict.message == SET_ASIDE:
                resumed = resume(problem, best[0], way)
                found[resumed.start] = resumed
        except KeyboardInterrupt:
            problem.halt.set()  # each climb then ends by itself, at its best point
            problem.run.drain()
        return found

    def _begin(
        self, problem: Problem, sample: Block, way: Way, i: int, kinds: tuple[str, ...]
    ) -> Trace | Verdict:
        rng = np.random.default_rng([self.seed, i])
        try:
            how = kinds[i % len(kinds)] if kinds else ""
            params = self.adjust(problem.model.start(sample, rng, how))
            trace = begin(problem, params, way, i)
        except Degenerate as reason:
            return Verdict(Status.DEGENERATE, f"start {i + 1}: {reason}", 0, float("nan"))
        except Halted:
            return interrupted(0)
        return trace


def ranked(found: list[Trace | Verdict]) -> list[Trace]:
    """Climbs from best to worst: sound before degenerate, then by height, then by order of start."""
    traces = [trace for trace in found if isinstance(trace, Trace)]
    bad = (Status.DEGENERATE, Status.NONFINITE)
    return sorted(traces, key=lambda t: (not t.sound or t.verdict.status in bad, -_value(t), t.start))


def _value(trace: Trace) -> float:
    height = trace.point.height
    return height if np.isfinite(height) else -np.inf


@dataclass(frozen=True)
class _Short:
    """The stopping rule of a full run, cut after a few iterations."""

    stop: Stop

    def __call__(self, history: Any) -> Verdict | None:
        verdict = self.stop(history)
        if verdict is None and len(history) >= SHORT_RUN:
            return Verdict(Status.MAX_ITER, SET_ASIDE, len(history), history[-1].gain)
        return verdict
