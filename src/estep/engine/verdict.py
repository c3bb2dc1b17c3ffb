"""When to stop, and the honest word on why.

The gain still to come is projected by Aitken's extrapolation of the objective (McLachlan & Krishnan
2008, section 4.9): gains g with ratio r leave g * r / (1 - r). A small change alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import Literal, NamedTuple

# A change under this many times the rounding of the objective is neither a fall nor a gain.
ROUNDING = 64.0


class Status(Enum):
    """How a fit ended; only CONVERGED is converged."""

    CONVERGED = "the gain still to come is below the tolerance"
    MAX_ITER = "the iterations ran out before convergence"
    DECREASED = "the objective fell, and half steps did not help"
    SADDLE = "the objective still rises beside this point, which is a saddle"
    DEGENERATE = "a component has collapsed onto too few rows or directions"
    NONFINITE = "the objective is not a finite number"
    INTERRUPTED = "stopped from outside; this is the best point so far"


class Info(NamedTuple):
    """What one would like to know of one iteration."""

    objective: float
    gain: float
    change: float  # length of the step in free coordinates; its ratios tend to EM's linear rate
    noise: float  # rounding of the objective
    passes: int  # passes over the data this iteration took
    kind: Literal["plain", "fallback", "probe", "single"]  # probe: away from a saddle; single: in float32


class Verdict(NamedTuple):
    """The end of a climb: the status, a sentence, the iteration, and the amount it speaks of."""

    status: Status
    message: str
    iteration: int
    amount: float


Stop = Callable[[Sequence[Info]], Verdict | None]


@dataclass(frozen=True)
class Aitken:
    """Stop when two projections running leave less than `tol` nats of the summed objective to gain.

    `tol=0` never stops early: exactly `max_iter` iterations.
    """

    tol: float = 1e-4
    max_iter: int = 10_000

    def __call__(self, history: Sequence[Info]) -> Verdict | None:
        if not history:
            return None
        last, n = history[-1], len(history)
        if not isfinite(last.objective):
            return Verdict(
                Status.NONFINITE, f"the objective is {last.objective} at iteration {n}", n, last.objective
            )
        if last.gain < -ROUNDING * last.noise:
            message = (
                f"the objective fell by {-last.gain:.3g} at iteration {n}, at every length of step tried"
            )
            return Verdict(Status.DECREASED, message, n, last.gain)
        if self.tol > 0 and n >= 2:
            remaining = max(still_to_gain(history), still_to_gain(history[:-1]))
            if remaining <= max(self.tol, 8 * last.noise):
                message = f"about {remaining:.2g} nats are still to gain"
                return Verdict(Status.CONVERGED, message, n, remaining)
        if n >= self.max_iter:
            message = f"stopped at max_iter={self.max_iter} with a last gain of {last.gain:.3g} nats"
            return Verdict(Status.MAX_ITER, message, n, last.gain)
        return None


def still_to_gain(history: Sequence[Info]) -> float:
    """Projected gain still to come, in nats; inf where three falling gains in float64 do not show it."""
    if any(info.kind == "single" for info in history[-3:]):
        return float("inf")
    if abs(history[-1].gain) <= ROUNDING * history[-1].noise:
        return 0.0
    if len(history) < 3:
        return float("inf")
    first, second, third = (info.gain for info in history[-3:])
    if not first > second > third > 0:
        return float("inf")
    return third * third / (second - third)


def linear_rate(history: Sequence[Info]) -> float:
    """EM's linear rate: the ratio of the last two steps that stand clear of rounding.

    nan if there are none, or if steps do not shrink: a probability on its way to 0 takes steps of one
    length for ever in its free coordinate.
    """
    for before, after in zip(reversed(history[:-1]), reversed(history), strict=False):
        if before.kind == after.kind == "plain" and after.change > 1e-7 and before.change > 0:
            ratio = after.change / before.change
            return ratio if ratio < 1 else float("nan")
    return float("nan")
