"""The only EM loop: climb from one point until the stopping rule speaks."""

from __future__ import annotations

from math import isnan
from typing import Any, NamedTuple

from estep.engine.problem import Halted, Params, Point, Problem
from estep.engine.steps import AnyStep
from estep.engine.verdict import ROUNDING, Info, Status, Stop, Verdict
from estep.engine.watch import Watch
from estep.errors import Degenerate


class Trace(NamedTuple):
    """A climb so far; it can be taken up again where it stopped."""

    start: int  # which start it came from
    state: Any  # the step's own
    verdict: Verdict
    history: tuple[Info, ...]
    sound: bool = True  # inside the model's guard, where it stopped
    probed: bool = False  # for a saddle, where it stopped

    @property
    def point(self) -> Point:
        point: Point = self.state.point
        return point


class Way(NamedTuple):
    """How to climb: the same for every start of a fit."""

    step: AnyStep
    stop: Stop
    watch: Watch


def begin(problem: Problem, params: Params, way: Way, start: int) -> Trace:
    """Measure at `params` and climb; `Degenerate` if there is no density at the start itself."""
    state: Any = None
    history: tuple[Info, ...] = ()
    if problem.rough is not None:
        state, history = _hurry(problem.rough, params, way, start)
        params = state.point.params
    if not problem.halt.is_set():
        state = way.step.init(problem, _measured(problem, params))
    elif state is None:
        raise Halted
    return resume(problem, Trace(start, state, Verdict(Status.MAX_ITER, "", 0, 0.0), history), way)


def _measured(problem: Problem, params: Params) -> Point:
    point = problem.measure(params)
    if isnan(point.height):
        raise Degenerate(0, "no density at the start")
    return point


def _hurry(problem: Problem, params: Params, way: Way, start: int) -> tuple[Any, tuple[Info, ...]]:
    """Climb in float32 as far as it leads; no verdict, which float64 gives.

    Gains drown in rounding long before steps do: it goes on while steps become shorter, until what is left
    to gain, which goes with their squares, is within the tolerance.
    """
    state = way.step.init(problem, _measured(problem, params))
    history: list[Info] = []
    worth = 0.0  # nats a squared step, when gains were last seen
    while way.stop(history) is None:
        try:
            state, info = way.step.advance(problem, state)
        except Degenerate:  # float64 may see further
            break
        except (KeyboardInterrupt, Halted):
            problem.halt.set()
            break
        history.append(Info(**(info._asdict() | {"kind": "single"})))
        way.watch(start, len(history), history[-1])
        if info.gain > ROUNDING * info.noise:
            worth = info.gain / info.change**2
        elif info.kind != "plain" or len(history) < 2 or info.change >= history[-2].change:
            break
        else:
            rate = (info.change / history[-2].change) ** 2
            if worth * info.change**2 * rate / (1 - rate) <= getattr(way.stop, "tol", 0.0):
                break
    return state, tuple(history)


def resume(problem: Problem, trace: Trace, way: Way) -> Trace:
    """Climb on until `way.stop` speaks; a collapse or Ctrl-C keeps the last sound point."""
    state, history = trace.state, list(trace.history)
    verdict = way.stop(history)
    while verdict is None:
        try:
            state, info = way.step.advance(problem, state)
            history.append(info)
            way.watch(trace.start, len(history), info)
            verdict = way.stop(history)
        except Degenerate as reason:
            message = f"component {reason.component}: {reason.why}, at iteration {len(history) + 1}"
            verdict = Verdict(Status.DEGENERATE, message, len(history) + 1, float("nan"))
        except (KeyboardInterrupt, Halted):
            problem.halt.set()  # the other climbs of a search end as well
            verdict = interrupted(len(history))
    why = _guard(problem, state.point)
    # on the floor rounding is as large as any gain, so a fall there is no more than a sign of it
    if why is not None and verdict.status in (Status.CONVERGED, Status.DECREASED):
        verdict = Verdict(Status.DEGENERATE, why, len(history), float("nan"))
    return Trace(trace.start, state, verdict, tuple(history), why is None)


def _guard(problem: Problem, point: Point) -> str | None:
    try:
        return problem.model.guard(point.params, point.stats)
    except Degenerate as reason:  # missing cells need only blocks of a covariance; the guard needs all of it
        return str(reason)


def interrupted(iteration: int) -> Verdict:
    """The verdict on a climb that was cut short."""
    return Verdict(Status.INTERRUPTED, f"interrupted after iteration {iteration}", iteration, float("nan"))
