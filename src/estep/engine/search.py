"""The search by default: many short climbs on a fixed sample of the rows, the best of them carried on.

Waves of starts of every kind; from the second on most of them are changes of the best optimum so far
(`moves`). A wave is a race: duplicates are dropped, the best few go on, the best two to an optimum. It
ends when the best was met often enough (`pool.Optima`) or the work is spent (`work`). Nothing here
depends on time, or on the order in which climbs end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator

from estep.engine.loop import Trace, Way, begin, interrupted, resume
from estep.engine.moves import move
from estep.engine.pool import AGAIN, DUPLICATE, LOWER, NEAR, Leg, Optima, is_open, is_sound, ranked, same
from estep.engine.probe import leave_saddles
from estep.engine.problem import Halted, Params, Point, Problem
from estep.engine.sampled import Sampled, independent
from estep.engine.verdict import Status, Verdict
from estep.engine.work import LEAST_FINAL, MEASURED, START, Cost, cost_of
from estep.errors import Degenerate
from estep.families.hierarchy import whiten, whiten_within
from estep.records import Array, Block

WAVE = 8  # starts
SHORT, LONGER, FARTHEST = 12, 60, 1000  # iterations: every start's, the best few's, an optimum's at most
FEW, BEST = 3, 2  # climbs of a wave that go so far
FINALISTS = 3  # optima of a sample that are measured on all rows
FRESH = 3  # from the second wave on, one start in so many is none of the moves

Draw = Callable[[Block, Generator, int], Params]
Adjust = Callable[[Params], Params]  # puts in what the user gave


class Explorer:
    """One search. `found` has an entry a start; `bases` the height of the optimum it is a change of."""

    def __init__(self, problem: Problem, way: Way, seed: int, draw: Draw, adjust: Adjust) -> None:
        self.problem, self.way, self.seed = problem, way, seed
        self.draw, self.adjust = draw, adjust
        self.sample = Sampled(problem.source, seed)
        self.apart = independent(problem.source)
        self.look = problem
        if self.apart:
            self.look = Problem(problem.model, self.sample, problem.run)
            self.look.halt = problem.halt
        self.found: list[Trace | Verdict] = []
        self.bases: list[float | None] = []
        self.optima = Optima()
        self.twins: dict[int, list[float | None]] = {}  # bases of the starts that led the way of this one
        self.ridges: list[float] = []  # heights that looked like optima and were none
        self.cost: Cost | None = None
        self.spent = 0.0  # units of work

    def run(self) -> list[Trace | Verdict]:
        """Search, then climb on all rows from the best; the other entries say what became of them."""
        try:
            while not self.optima.enough and (size := self._affordable()):
                self._wave(size)
            self._finish()
        except KeyboardInterrupt:
            self.problem.halt.set()  # each climb then ends by itself, at its best point
            self.problem.run.drain()
        return self.found

    def _wave(self, size: int) -> None:
        first = len(self.found)
        fresh = range(first, first + size)
        base = self.optima.best if self._movable else None
        height = None if base is None else base.point.height
        self.found += [interrupted(0)] * size
        self.bases += [height if i % FRESH else None for i in fresh]
        shares = None if base is None else self._shares(base.point.params)
        turns = np.cumsum([each is None for each in self.bases])  # so that every kind has its turn

        def attempt(i: int) -> None:
            self.found[i] = self._begin(i, int(turns[i]) - 1, None if self.bases[i] is None else shares)

        self._each(attempt, fresh)
        if self.cost is None and (begun := ranked(self.found)):
            self.cost = self._price(begun[0].point.params)
        self._charge(sum(START + _passes(self.found[i]) for i in fresh))
        self._drop_duplicates(first)
        if first == 0 and self._large:
            return  # what there is to spend is better spent on the best of several
        self._go_on(self._racing(first)[:FEW], LONGER)
        self._go_on(self._racing(first)[:BEST], FARTHEST)
        best = self.optima.best  # a climb that was set aside may stand above it
        self._go_on(
            [i for i in self._racing(0) if best and self._height(i) > best.point.height][:1], FARTHEST
        )

    def _begin(self, i: int, turn: int, shares: Array | None) -> Trace | Verdict:
        rng, look = np.random.default_rng([self.seed, i]), self.look.alone()
        try:
            rows = self.sample.rows
            params = self.draw(rows, rng, turn) if shares is None else self._moved(look, shares, rng)
            return begin(look, self.adjust(params), self._leg(SHORT), i)
        except Degenerate as reason:
            return Verdict(Status.DEGENERATE, f"start {i + 1}: {reason}", 0, float("nan"))
        except Halted:
            return interrupted(0)

    @property
    def _movable(self) -> bool:
        """Whether an optimum can be changed: memberships of all rows that the search sees are one array."""
        source = self.look.source
        plain = len(source) == 1 and source.block(0).evidence is None
        return plain and getattr(self.problem.model, "movable", False)

    @property
    def _rows(self) -> Block:
        return self.look.source.block(0)

    def _shares(self, params: Params) -> Array:
        model: Any = self.look.model
        shares: Array = model.posterior(model.prepare(params), self._rows).resp
        return shares

    def _moved(self, look: Problem, shares: Array, rng: Generator) -> Params:
        model: Any = look.model
        rows = self._rows
        points = np.nan_to_num(model.family.embed(rows))
        metric = rng.random()
        if metric < 0.5:  # the parts' own: it tells neighbours apart that are close by all rows' measure
            points = whiten_within(points, shares * rows.weights)
        elif metric < 0.75:
            points = whiten(points, rows.weights)
        return model.start_from(look.source, look.run, move(shares, points, rows.weights, rng))

    def _leg(self, limit: int) -> Way:
        best = self.optima.best
        leg = Leg(self.way.stop, limit, best.point.objective if best else -np.inf)
        return self.way._replace(stop=leg)

    def _each(self, fn: Callable[[int], None], which: Iterable[int]) -> None:
        self.problem.run.map(fn, which)
        if self.problem.halt.is_set():
            raise KeyboardInterrupt

    def _go_on(self, which: Sequence[int], limit: int) -> None:
        """Climb on, each within its part of what is left; those who arrive are entered in order."""
        if not which:
            return
        part = self._left() // len(which)
        before = sum(_passes(self.found[i]) for i in which)

        def climb(i: int) -> None:
            trace = self.found[i]
            assert isinstance(trace, Trace)
            leg = self._leg(min(limit, len(trace.history) + part))
            self.found[i] = resume(self.look.alone(), trace, leg)

        self._each(climb, which)
        self._charge(sum(_passes(self.found[i]) for i in which) - before)
        for i in which:
            self._enter(i)

    def _enter(self, i: int) -> None:
        trace = self.found[i]
        if not isinstance(trace, Trace) or not _arrived(trace):
            return
        best, height = self.optima.best, trace.point.height
        exact = self.sample.whole or not self.apart
        if exact and (best is None or height > best.point.height + NEAR):
            # a new best may be no more than a ridge to a degenerate point: on by the user's own rule
            if any(abs(ridge - height) <= NEAR for ridge in self.ridges):
                return
            leg = Leg(self.way.stop, len(trace.history) + min(FARTHEST, self._left() // 4), loose=False)
            led = resume(self.look.alone(), trace, self.way._replace(stop=leg))
            self._charge(_passes(led) - _passes(trace))
            # out of work it stands where it came to, but does not race on
            trace = self.found[i] = led._replace(verdict=trace.verdict) if is_open(led) else led
            if not _arrived(led):
                self.ridges.append(height)
                return
        for base in (self.bases[i], *self.twins.pop(i, ())):
            self.optima.meet(trace, base)

    def _racing(self, first: int) -> list[int]:
        """Starts that may go on, best first; a degenerate one only where nothing sound is known."""
        running = [t for t in ranked(self.found) if t.start >= first and is_open(t)]
        sound = [t.start for t in running if is_sound(t)]
        return sound if sound or self.optima.best else [t.start for t in running]

    def _drop_duplicates(self, first: int) -> None:
        seen: list[Trace] = []
        for i, trace in enumerate(self.found):
            if not isinstance(trace, Trace):
                continue
            if i >= first:
                twin = next((other for other in seen if same(trace, other)), None)
                if twin is not None:
                    self.found[i] = Verdict(Status.MAX_ITER, DUPLICATE, len(trace.history), float("nan"))
                    self._met_by(i, trace, twin)
                    continue
                self._enter(i)
            seen.append(trace)

    def _met_by(self, i: int, trace: Trace, twin: Trace) -> None:
        """What the twin meets, start i has met as well, unless both were one start from the beginning."""
        if trace.history[0].objective == twin.history[0].objective:
            return
        if _arrived(twin):
            self.optima.meet(twin, self.bases[i])
        else:
            self.twins.setdefault(twin.start, []).append(self.bases[i])

    def _height(self, i: int) -> float:
        trace = self.found[i]
        return trace.point.height if isinstance(trace, Trace) else -np.inf

    def _price(self, params: Params) -> Cost:
        """Distinct rows are counted, so that a weight of 2 costs what the row twice costs."""
        seen = self.sample.n_rows
        rows = seen / self.sample.share if self.apart else max(seen, self.problem.source.weight)
        chained = self.problem.source.block(0).lengths is not None
        return cost_of(self.look.pack(params).size, rows, seen if self.apart else rows, chained=chained)

    def _charge(self, passes: int) -> None:
        self.spent += passes * (self.cost.search if self.cost else 0.0)

    def _left(self) -> int:
        """Passes over the sample that may still be spent."""
        if self.cost is None:  # no start had a density: a few more are tried
            return (4 * WAVE - len(self.found)) * (SHORT + START)
        reserve = MEASURED * self.cost.final if self._large else 0.0
        return max(0, int((self._budget(self.cost) - reserve - self.spent) / self.cost.search))

    @property
    def _large(self) -> bool:
        return self.apart and self.cost is not None and self.cost.large

    def _budget(self, cost: Cost) -> float:
        best = self.optima.best or next(iter(ranked(self.found)))
        least = min(LEAST_FINAL, getattr(self.way.stop, "max_iter", LEAST_FINAL))
        return cost.budget(len(best.history), least)

    def _affordable(self) -> int:
        """Starts in the next wave; the first is one, to learn what a pass and a climb cost."""
        if not self.found:
            return 1
        # of large data half of what is left takes the best of them farther
        return min(WAVE, (self._left() // 2 if self._large else self._left()) // (SHORT + START))

    def _finish(self) -> None:
        """Climb on all rows from the best; the heights of a sample are not to be compared with these."""
        reached: list[Trace] = []
        for trace, point in self._finalists():
            # here and not after: a saddle whose every way up is degenerate makes room for the next best
            reached.append(leave_saddles(self.problem, self._last(trace, point), self.way))
            if is_sound(reached[-1]) or self.problem.halt.is_set():
                break
        best = self.optima.best
        for trace in ranked(self.found):
            verdict = trace.verdict
            if best is not None and _arrived(trace):
                near = best.point.height - trace.point.height <= NEAR
                verdict = verdict._replace(message=AGAIN if near else LOWER)
            self.found[trace.start] = verdict
        for trace in reached:
            self.found[trace.start] = trace

    def _finalists(self) -> list[tuple[Trace, Point | None]]:
        """Climbs to take to the end, best first, and what all rows say of them where that was asked."""
        climbs = ranked(self.found)
        heads = [each.best for each in self.optima.known[:FINALISTS]]
        if heads and is_sound(climbs[0]) and climbs[0].point.height > heads[0].point.height:
            heads = [climbs[0], *heads][:FINALISTS]  # set aside, but already above every optimum
        heads = heads or ([t for t in climbs if not is_open(t) and not self._large] or climbs)[:1]
        if self.sample.whole or not self.apart:
            return [(trace, None) for trace in heads]
        if self._large and self.cost is not None:
            heads = heads[: 1 + int((self._budget(self.cost) - self.spent) / self.cost.final)]
        points = [self.problem.measure(t.point.params) for t in heads]
        if self.cost is not None:
            self.spent += (len(points) - 1) * self.cost.final  # one of them is the final run's own
        order = sorted(range(len(heads)), key=lambda n: -points[n].height)
        return [(heads[n], points[n]) for n in order]

    def _last(self, trace: Trace, point: Point | None) -> Trace:
        if not self.apart:
            return resume(self.problem, trace, self.way)
        state = self.way.step.init(self.problem, point or self.problem.measure(trace.point.params))
        history = trace.history if self.sample.whole else ()
        return resume(self.problem, Trace(trace.start, state, trace.verdict, history), self.way)


def _arrived(trace: Trace) -> bool:
    return is_sound(trace) and not is_open(trace)


def _passes(entry: Trace | Verdict) -> int:
    return sum(info.passes for info in entry.history) if isinstance(entry, Trace) else 0
