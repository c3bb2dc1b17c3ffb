"""Climbs side by side: which is best, which are one and the same, how far each may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from estep.engine.loop import Trace
from estep.engine.verdict import ROUNDING, Aitken, Info, Status, Stop, Verdict

SET_ASIDE = "set aside after a short run"
DUPLICATE = "dropped: another start leads the same way"
LOWER, AGAIN = "came to a lower optimum", "came to the best optimum as well"
NEAR = 0.05  # nats: climbs that end within them have met the same optimum
LOOSE = 1 / 5  # of NEAR: a gain still to come that ends a climb of the search; the winner's goes on
COARSE = 1 / 10  # of the depth below the best optimum known: how near is near enough down there
MEETINGS = 3  # of the best optimum
NEWS = 0.1  # probability that one more climb would meet a new optimum
STOPPED = (Status.DEGENERATE, Status.NONFINITE)


def ranked(found: Sequence[Trace | Verdict]) -> list[Trace]:
    """Climbs from best to worst: sound before degenerate, then by height, then by order of start.

    Of those as high as the best but for rounding and for what they had still to gain, the first start
    leads: another order of the rows, or repeated rows for weights, must not choose another of equal optima.
    """
    traces = [trace for trace in found if isinstance(trace, Trace)]
    traces.sort(key=lambda t: (not is_sound(t), -_value(t), t.start))
    if traces:
        first = min((t for t in traces if _level(t, traces[0])), key=lambda t: t.start)
        traces.remove(first)
        traces.insert(0, first)
    return traces


def _level(trace: Trace, best: Trace) -> bool:
    if trace is best:
        return True
    left = sum(t.verdict.amount for t in (trace, best) if t.verdict.status is Status.CONVERGED)
    slack = ROUNDING * (trace.point.noise + best.point.noise) + left
    return is_sound(trace) == is_sound(best) and _value(best) - _value(trace) <= slack


def is_sound(trace: Trace) -> bool:
    """Whether it stands inside the guard."""
    return trace.sound and trace.verdict.status not in STOPPED


def is_open(trace: Trace) -> bool:
    """Whether it was set aside before it reached an optimum."""
    return trace.verdict.message == SET_ASIDE


def same(one: Trace, other: Trace) -> bool:
    """Whether two short runs are at one point but for rounding: their heights and last gains agree."""
    if not one.history or not other.history:
        return False
    a, b = one.history[-1], other.history[-1]
    slack = ROUNDING * (a.noise + b.noise)
    return abs(one.point.height - other.point.height) <= slack and abs(a.gain - b.gain) <= slack


@dataclass(frozen=True)
class Leg:
    """A part of a climb: the user's rule and the search's own, cut after `limit` iterations in all.

    What ends clearly below `best`, the objective of the best optimum known, need not be known as finely.
    Not `loose`: the user's rule alone.
    """

    stop: Stop
    limit: int
    best: float = -np.inf
    loose: bool = True

    def __call__(self, history: Sequence[Info]) -> Verdict | None:
        verdict = self.stop(history)
        if verdict is None and history and self.loose:
            verdict = Aitken(LOOSE * NEAR)(history) or Aitken(
                COARSE * max(0.0, self.best - history[-1].objective)
            )(history)
        if verdict is None and len(history) >= self.limit:
            return Verdict(Status.MAX_ITER, SET_ASIDE, len(history), history[-1].gain if history else 0.0)
        return verdict


@dataclass
class Optimum:
    best: Trace
    met: int = 1


@dataclass
class Optima:
    """What the finished climbs of a search have met."""

    known: list[Optimum] = field(default_factory=list)  # best first

    @property
    def best(self) -> Trace | None:
        return self.known[0].best if self.known else None

    def meet(self, trace: Trace, base: float | None) -> None:
        """Enter a finished climb; falling back to the optimum, of height `base`, it left is no meeting."""
        height = trace.point.height
        top = max(height, self.known[0].best.point.height) if self.known else height
        for each in self.known:
            depth = top - max(height, each.best.point.height)
            if abs(each.best.point.height - height) <= max(NEAR, COARSE * depth):
                each.met += base is None or abs(base - height) > NEAR
                if height > each.best.point.height:
                    each.best = trace
                return
        self.known.append(Optimum(trace))
        self.known.sort(key=lambda each: -each.best.point.height)

    @property
    def enough(self) -> bool:
        """The best was met often, and a new optimum is unlikely.

        After r climbs to w optima its probability is w (w + 1) / (r (r - 1)) (Boender & Rinnooy Kan 1987).
        """
        if not self.known or self.known[0].met < MEETINGS:
            return False
        w, r = len(self.known), sum(each.met for each in self.known)
        return w * (w + 1) <= NEWS * r * (r - 1)


def _value(trace: Trace) -> float:
    height = trace.point.height
    return height if np.isfinite(height) else -np.inf
