"""What all `estep fit` commands share: their options, and the course of a fit.

A model is written as a function of its own options that returns an estimator. `command` adds the options that
every model has, so that no two commands can differ in them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple, get_type_hints

import typer

from estep.cli import options as o
from estep.cli.progress import Progress, progress
from estep.cli.refusing import Command
from estep.cli.rows import read_rows
from estep.cli.saving import check_place, save
from estep.cli.source import Source, held
from estep.cli.streams import note, tell
from estep.cli.threads import at_most


class Climb(NamedTuple):
    """How every model is fitted; the names are the estimators' own."""

    tol: float
    max_iter: int


def _independent(weights: o.Weights = None) -> None: ...


def _sequential(groups: o.Groups = None) -> None: ...


def _shared(
    *,
    columns: o.Columns = None,
    na: o.Na = None,
    sep: o.Separator = None,
    decimal: o.Decimal = ".",
    inf_as_missing: o.InfAsMissing = False,
    tol: o.Tol = 1e-4,
    max_iter: o.MaxIter = 10_000,
    threads: o.Threads = None,
    verbose: o.Verbose = False,
    out: o.ModelOut = None,
    json: o.Json = False,
) -> None: ...


def command(
    app: typer.Typer, example: str, *, sequences: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a model: a function of a `Climb` and of its own options that returns an estimator."""

    def register(make: Callable[..., Any]) -> Callable[..., Any]:
        own = _parameters(make)[1:]

        def run(data: str, **words: Any) -> None:
            climb = Climb(words["tol"], words["max_iter"])
            estimator = make(climb, **{each.name: words[each.name] for each in own})
            how = (words[name] for name in ("columns", "na", "sep", "decimal", "inf_as_missing"))
            aside: dict[str, Any] = {name: words[name] for name in ("weights", "groups") if name in words}
            check_place(words["out"], data)
            course = progress(*_climbing(estimator), verbose=words["verbose"])
            with at_most(words["threads"]), course as watch:
                _fit(estimator, Source(data, *how), aside, words["out"], watch)
            try:
                save(estimator, words["out"])
            finally:  # a full disk does not lose the result of a long fit
                tell(told(estimator, json=words["json"]))

        data = inspect.Parameter("data", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=o.Data)
        aside = _parameters(_sequential if sequences else _independent)
        parameters = [data, *own, *aside, *_parameters(_shared)]
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        vars(run)["__signature__"] = inspect.Signature(parameters)  # what typer reads
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__doc__ = make.__doc__
        app.command(make.__name__.replace("_", "-"), cls=Command, epilog=o.example(example))(run)
        return make

    return register


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(function, include_extras=True)
    found = inspect.signature(function).parameters.values()
    return [each.replace(annotation=hints[each.name]) for each in found]


def _climbing(estimator: Any) -> tuple[int | None, str]:
    """How many starts the fit has, None where the search decides; and what climbs."""
    starts = getattr(estimator, "n_init", 1)
    climbs = "objective" if getattr(estimator, "prior_rows", 0) else "log-likelihood"
    return None if starts == "auto" else starts, climbs


def _fit(
    estimator: Any, source: Source, aside: dict[str, Any], out: str | None, course: Progress | None
) -> None:
    """Read and fit; on Ctrl-C the best point so far is saved."""
    from estep.engine import watched

    if course is not None:
        course.say(f"reading {source.path}")
    text = "categorical" in (getattr(estimator, "family", None), getattr(estimator, "emission", None))
    with held(source._replace(open_ends=estimator._check_cells() is not None)) as file:
        rows = read_rows(file, text=text, **aside)
    how = {"lengths": rows.lengths} if "groups" in aside else {"sample_weight": rows.weights}
    if course is not None:
        course.say("fitting")
    try:
        with nullcontext() if course is None else watched(course):
            estimator.fit(rows.table, **how)
    except KeyboardInterrupt:
        if out is None:
            note("note: the fit was stopped; -o FILE would have kept its best point so far")
        elif hasattr(estimator, "fitted_"):
            save(estimator, out)
            note("note: the fit was stopped; what is saved is its best point so far")
        else:
            note("note: the fit was stopped before its first point; nothing is saved")
        raise


def told(estimator: Any, *, json: bool) -> str:
    """The fit as a summary, or as JSON."""
    from estep.cli.describe import as_json

    return as_json(estimator) if json else estimator.summary().rstrip("\n")
