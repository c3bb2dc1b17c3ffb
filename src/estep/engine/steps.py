"""Steps: how a climb goes from one point to the next. State = what the next step needs."""

from __future__ import annotations

from math import isfinite
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from estep.engine.problem import Point, Problem
from estep.engine.verdict import ROUNDING, Info
from estep.records import Array

X = TypeVar("X")
HALVINGS = 12


class Step(Protocol[X]):
    """`init` makes a state with a `.point`; `advance` makes the next one."""

    def init(self, problem: Problem, point: Point) -> X: ...

    def advance(self, problem: Problem, state: X) -> tuple[X, Info]: ...


AnyStep = Step[Any]


class PlainState(NamedTuple):
    point: Point
    packed: Array  # its parameters in free coordinates


class Plain:
    """Expectation-Maximization as written (Dempster, Laird & Rubin 1977).

    A fall beyond rounding is retried at half the step, in free coordinates: any rise is a generalised
    EM step. If none of the halved steps rises, the state stays where it was and the fall is reported.
    """

    def init(self, problem: Problem, point: Point) -> PlainState:
        return PlainState(point, problem.pack(point.params))

    def advance(self, problem: Problem, state: PlainState) -> tuple[PlainState, Info]:
        here = state.point
        proposed = problem.model.mstep(here.params, here.stats)
        there, passes = problem.measure(proposed), 1
        start, end = state.packed, problem.pack(proposed)
        way = end - start
        while _worse(there, here) and passes <= HALVINGS:
            end = start + way * 0.5**passes
            there = problem.measure(problem.unpack(end, here.params))
            passes += 1
        info = Info(
            objective=there.objective,
            gain=there.height - here.height,
            change=float(np.linalg.norm(way)) * 0.5 ** (passes - 1),
            noise=max(here.noise, there.noise),
            passes=passes,
            kind="plain" if passes == 1 else "fallback",
        )
        return (state if _worse(there, here) else PlainState(there, end)), info


def _worse(there: Point, here: Point) -> bool:
    if not isfinite(there.height):
        return True
    return there.height < here.height - ROUNDING * max(here.noise, there.noise)
