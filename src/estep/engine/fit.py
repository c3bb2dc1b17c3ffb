"""`estep.fit`: a model and a source in, the best climb out, with an honest verdict."""

from __future__ import annotations

from typing import Any, NamedTuple

from estep.data.single import singles
from estep.data.source import Source
from estep.engine.loop import Trace, Way, interrupted
from estep.engine.probe import leave_saddles
from estep.engine.problem import Model, Params, Point, Problem
from estep.engine.starts import Search, Starts, ranked
from estep.engine.steps import AnyStep, Plain
from estep.engine.verdict import Aitken, Info, Stop, Verdict
from estep.engine.watch import Watch, silent
from estep.errors import Degenerate
from estep.records import Column, Units
from estep.run import Executor, Local


class Result(NamedTuple):
    """A finished fit."""

    params: Params  # in the user's units
    units: Units  # of `point.params`
    point: Point  # in the fit's units: what scoring and files use
    verdict: Verdict
    history: tuple[Info, ...]
    starts: tuple[Verdict, ...]  # one a start
    model: Any  # bound to the columns
    columns: tuple[Column, ...]  # in the fit's units


def fit(
    model: Model,
    source: Source,
    *,
    step: AnyStep | None = None,
    stop: Stop | None = None,
    starts: Starts | None = None,
    run: Executor | None = None,
    watch: Watch = silent,
    units: Units | None = None,
) -> Result:
    """Fit a model by Expectation-Maximization.

    Parameters
    ----------
    model : Model
        The latent structure, e.g. ``Alone(Mixed(3, Gaussian("full")))``.
    source : Source
        Blocks of rows in the user's units; see ``estep.data``.
    step : Step, optional
        How to go from point to point; plain EM by default.
    stop : callable, optional
        Maps the history to a verdict or None; ``Aitken(tol=1e-4, max_iter=10000)`` by default.
    starts : Starts, optional
        ``Search()`` by default; ``Given(params)`` (in the fit's units) for one start and no search.
    run : Executor, optional
        ``Local()`` by default. It changes the time taken, never a bit of the answer.
    watch : callable, optional
        Called with (start, iteration, info) after every iteration.
    units : Units, optional
        The frame to fit in; by default the one the model's equivariance allows.

    Returns
    -------
    Result
        `loglik` and `objective` in `result.point` belong to the returned parameters.

    Raises
    ------
    DataError
        Columns the model cannot take.
    Degenerate
        No start had a density.
    """
    source = source.framed(units or source.natural_units(model.equivariance))
    bound = model.bind(source.columns)
    where = starts or Search()
    with run or Local() as executor:
        problem = Problem(bound, source, executor)
        single = singles(source) if getattr(bound, "takes_single", False) else None
        if single is not None:
            problem.rough = Problem(bound, single, executor)
            problem.rough.halt = problem.halt
        way = Way(step or Plain(), stop or Aitken(), watch)
        found = where.climb(problem, way)
        first = _best(found)
        best = first if problem.halt.is_set() else leave_saddles(problem, first, way)
        found = [best if each is first else each for each in found]
        ended = interrupted(len(best.history)) if problem.halt.is_set() else best.verdict
        problem.halt.clear()
        params = best.point.params if where.given else bound.canonical(best.point.params)
        # without a search, which may look at a sample, what is in order already was measured on all rows
        measured = params is best.point.params and not bound.starts
        point = best.point if measured else problem.measure(params)
    verdicts = tuple(each.verdict if isinstance(each, Trace) else each for each in found)
    user = bound.rescale(params, source.units)
    return Result(user, source.units, point, ended, best.history, verdicts, bound, source.columns)


def _best(found: list[Trace | Verdict]) -> Trace:
    climbs = ranked(found)
    if climbs:
        return climbs[0]
    reasons = [verdict.message for verdict in found if isinstance(verdict, Verdict)]
    if any("interrupted" in reason for reason in reasons):
        raise KeyboardInterrupt
    raise Degenerate(0, f"every start failed; the first: {reasons[0]}")
