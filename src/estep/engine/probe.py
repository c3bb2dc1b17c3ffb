"""Whether a climb converged at a maximum, or at a saddle it walked into along a ridge of symmetry.

Near a fixed point EM's map M has the Jacobian dM = I - (complete information)^-1 (observed information),
with eigenvalues >= 0; one above 1 is a direction of positive curvature (McLachlan & Krishnan 2008,
sections 3.9 and 4.5). Arnoldi's method (1951) finds the largest in a few passes: each product with dM is
the difference of two EM steps. An eigenvalue proves nothing by itself, since slow convergence comes near 1
and equal components of a mixture have exactly 1: a saddle is only where EM from a point moved along
that direction rises above where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from estep.engine.loop import Trace, Way, resume
from estep.engine.pool import is_sound
from estep.engine.problem import Halted, Point, Problem
from estep.engine.verdict import ROUNDING, Info, Status, Verdict
from estep.errors import Degenerate, EstepError
from estep.records import Array
from estep.space import EDGE, Real

STEP = 2.0**-20  # of a difference, where coordinates are about 1
LEAST, MOST = 4, 10  # products with dM; all directions if they are fewer
SURE = 0.2  # an eigenvalue whose error bound is under this share of its distance to 1 needs no more of them
NEAR_ONE = 1e-4  # eigenvalues from 1 - NEAR_ONE on are tried
REACHES = (0.5, 0.05)  # lengths of a move: of its largest coordinate
TRIAL = 40  # iterations from a moved point, at most
DIRECTIONS = 2  # tried, at most
SADDLES = 4  # left one after the other, at most


class _Direction(NamedTuple):
    eigenvalue: float
    way: Array  # in free coordinates, its largest entry 1


def leave_saddles(problem: Problem, trace: Trace, way: Way) -> Trace:
    """The climb, led on from every saddle at which it converged; untouched where there is none.

    A saddle left is an iteration of its own in the history, of the kind "probe": its gain is how much
    higher EM came from the moved point, its passes are those of the whole probe. Where no iteration
    remains, the saddle is kept with the status `SADDLE`; where every way up ends at a degenerate point,
    the first of them is the climb's end, since a saddle is no optimum to prefer to it. A model that does
    not say where its parameters live (`spaces` is only `Real()`) is not probed: a moved point might be
    outside. The passes of a probe that finds nothing are in the verdict's message.
    """
    for _ in range(SADDLES):
        converged = trace.verdict.status is Status.CONVERGED
        if trace.probed or not converged or isinstance(problem.model.spaces(), Real):
            return trace
        counted = _Counted(problem)
        try:
            led = _led_on(counted, trace, way)
        except EstepError:  # a moved point without a density, or a user's function that fails there
            return _told(trace, f"a probe for a saddle broke off, after {_passes(counted)}")
        except (KeyboardInterrupt, Halted):
            problem.halt.set()
            return trace
        if led is None:
            return _told(trace, f"a probe of {_passes(counted)} found no saddle")
        trace = led
    return trace


def _passes(counted: _Counted) -> str:
    return f"{counted.passes} pass{'es' * (counted.passes != 1)}"


def _told(trace: Trace, what: str) -> Trace:
    verdict = trace.verdict._replace(message=f"{trace.verdict.message}; {what}")
    return trace._replace(verdict=verdict, probed=True)


def saddles(history: tuple[Info, ...]) -> list[str]:
    """A sentence on every saddle that was left."""
    return [
        f"the climb had converged at a saddle after iteration {n}; it was led {info.gain:.3g} nats higher, "
        f"in {info.passes} passes, and climbed on"
        for n, info in enumerate(history)
        if info.kind == "probe"
    ]


def _led_on(problem: _Counted, trace: Trace, way: Way) -> Trace | None:
    """The climb from here on if this is a saddle, SADDLE if no iteration remains, None if it is none."""
    degenerate: Trace | None = None
    for state, gain in _higher(problem, trace, way):
        point: Point = state.point
        change = float(np.linalg.norm(problem.pack(point.params) - problem.pack(trace.point.params)))
        noise = max(point.noise, trace.point.noise)
        info = Info(point.objective, gain, change, noise, problem.passes, "probe")
        history = (*trace.history, info)
        spent = way.stop((*trace.history[:-1], info))  # were this the last iteration there was
        if spent is not None and spent.status is Status.MAX_ITER:
            message = f"the objective rises by {gain:.3g} nats or more beside it, and no iterations remain"
            return trace._replace(verdict=Verdict(Status.SADDLE, message, len(trace.history), gain))
        way.watch(trace.start, len(history), info)
        led = resume(problem, Trace(trace.start, state, trace.verdict, history), way)
        if is_sound(led):
            return led
        degenerate = degenerate or led
    return degenerate


def _higher(problem: _Counted, trace: Trace, way: Way) -> Iterator[tuple[Any, float]]:
    """States of the step that stand above the point by more than tolerance and rounding, and by how much."""
    base = trace.point
    lift = max(10 * trace.verdict.amount, float(getattr(way.stop, "tol", 0.0)), ROUNDING * base.noise)
    x = problem.pack(base.params)
    for direction in _directions(problem, base, x):
        clear = direction.eigenvalue > 1 + NEAR_ONE
        for reach in REACHES if clear else REACHES[:1]:
            moved = [_measured(problem, base, x + sign * reach * direction.way) for sign in (1, -1)]
            # a moved point may lie under a floor, higher than any that is allowed; an M-step leads back
            sides = [problem.measure(problem.model.mstep(each.params, each.stats)) for each in moved]
            # of two sides that are alike the same one always, whatever the rounding
            if sides[1].height > sides[0].height + ROUNDING * sides[0].noise:
                sides.reverse()
            for side in sides if clear else sides[:1]:
                state = _climbed(problem, side, base.height + lift, way)
                if state is not None:
                    yield state, state.point.height - base.height


def _measured(problem: _Counted, base: Point, x: Array) -> Point:
    return problem.measure(problem.unpack(x, base.params))


def _climbed(problem: _Counted, point: Point, above: float, way: Way) -> Any:
    """The state when it comes above, None once falling gains show that it will not (Aitken's projection)."""
    state, before = way.step.init(problem, point), float("inf")
    try:
        for n in range(1, TRIAL + 1):
            state, info = way.step.advance(problem, state)
            height, gain = state.point.height, info.gain
            if height > above:
                return state
            rises = gain >= before > 0 or (before > gain > 0 and height + gain**2 / (before - gain) > above)
            if n >= 4 and not rises:
                return None
            before = gain
    except Degenerate:
        pass  # the other side, or a shorter move, may lead up
    return None


def _directions(problem: _Counted, base: Point, x: Array) -> list[_Direction]:
    """Those in which EM does not come nearer, by Arnoldi's method from a direction drawn once."""
    free = np.abs(x) != EDGE  # a probability of exactly 0 stays
    size = (1 + np.abs(x)) * free
    image = problem.pack(problem.model.mstep(base.params, base.stats))
    drawn = np.random.default_rng(0).standard_normal(x.size) * free  # generic: it breaks every symmetry
    if not drawn.any():
        return []
    basis, most = [drawn / np.linalg.norm(drawn)], min(int(free.sum()), MOST)
    products = np.zeros((most + 1, most))
    for j in range(most):
        there = _measured(problem, base, x + STEP * size * basis[j])
        fresh = np.zeros(x.size)
        fresh[free] = (problem.pack(problem.model.mstep(there.params, there.stats)) - image)[free]
        fresh[free] /= STEP * size[free]
        if not np.isfinite(fresh).all():
            return []
        for _ in range(2):  # once more: orthogonal to the last digit
            for i, one in enumerate(basis):
                part = float(one @ fresh)
                products[i, j] += part
                fresh = fresh - part * one
        products[j + 1, j] = np.linalg.norm(fresh)
        values, vectors = np.linalg.eig(products[: j + 1, : j + 1])
        top = int(values.real.argmax())
        error = products[j + 1, j] * abs(vectors[-1, top])
        if products[j + 1, j] < 1e-6 or (j + 1 >= LEAST and error < SURE * (1 - values[top].real)):
            break
        basis.append(fresh / products[j + 1, j])
    found: list[_Direction] = []
    for i in np.argsort(-values.real, kind="stable"):
        value = float(values[i].real)
        # an eigenvalue of several directions is found twice
        again = len(found) > 0 and found[-1].eigenvalue - value < 1e-5
        if value < 1 - NEAR_ONE or len(found) == DIRECTIONS or again:
            continue
        along = np.stack(basis[: len(values)], axis=1) @ vectors[:, i].real * size
        along *= 1.0 if vectors[0, i].real >= 0 else -1.0
        found.append(_Direction(value, along / np.abs(along).max()))
    return found


class _Counted(Problem):
    """The same problem, counting its passes."""

    def __init__(self, problem: Problem) -> None:
        self.__dict__.update(problem.__dict__)
        self.passes = 0

    def measure(self, params: Any) -> Point:
        self.passes += 1
        return super().measure(params)
