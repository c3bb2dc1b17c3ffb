"""Draws of the missing cells of a normal, for multiple imputation.

Given its seen cells a row's missing ones are normal (`kernels/reference/gaussian.py`). A proper draw takes
the parameters from a fit to a bootstrap of the rows first, so that draws vary as far as the parameters are
unknown (Honaker, King & Blackwell 2011, Amelia II, section 3). A draw outside the bounds of a column is made
anew, all missing cells of its row; what is still outside after 100 times is put on the bound, as in Amelia.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng

from estep.data.patterns import find_patterns
from estep.data.source import MemorySource
from estep.engine import Given, Status, fit
from estep.engine.verdict import Stop
from estep.errors import DataError
from estep.kernels.reference.gaussian import regression
from estep.models.normal import NormalParams
from estep.records import Array, Bool, Int, Units
from estep.run import Executor

REDRAWS = 100
BOOTSTRAPS = 100  # tried, until every column is seen in one


class Fit(NamedTuple):
    """The normal to draw from."""

    model: Any  # bound
    params: NormalParams  # in the units of the fit
    units: Units
    low: Array  # (d,) least values to draw, in the units of the rows
    high: Array  # (d,) greatest
    run: Executor  # entered, so that BLAS is pinned once for all draws


class Draw(NamedTuple):
    """One completed table."""

    values: Array  # (n, d), out of the units of the fit
    status: Status  # of the fit to the bootstrap


def draw(of: Fit, rows: MemorySource, weights: Array, seed: SeedSequence, stop: Stop | None) -> Draw:
    """One draw of the missing cells of `rows`.

    Parameters
    ----------
    weights : Array of shape (n,)
        How many times each row counts in the bootstrap.
    seed : SeedSequence
        Random numbers go to the rows in the order of their cells, so that the order of rows does not matter.
    stop : Stop or None
        When the fit to a bootstrap stops; None for a draw at the parameters of `of`.
    """
    framed = rows.framed(of.units)
    values = np.concatenate([framed.block(i).values for i in range(len(framed))], axis=1)
    order: Int = np.lexsort(values[::-1])
    params, status = of.params, Status.CONVERGED
    of_rows, of_cells = map(default_rng, seed.spawn(2))
    if stop is not None:
        counted = rows.weighted(_counts(rows, values, weights, order, of_rows))
        result = fit(of.model, counted, stop=stop, starts=Given(params), units=of.units, run=of.run)
        params, status = result.point.params, result.verdict.status
    low, high = ((limit - of.units.centre) / of.units.scale for limit in (of.low, of.high))
    drawn = _cells(values, params, (low[:, None], high[:, None]), order, of_cells)
    return Draw(of.units.undo(drawn).T, status)


def _counts(rows: MemorySource, values: Array, weights: Array, order: Int, rng: Generator) -> Array:
    """How often a bootstrap takes each row: as many rows as the weights sum to, by their weights."""
    total = max(1, round(float(weights.sum())))
    seen = ~np.isnan(values)
    counts = np.zeros(len(weights))
    for _ in range(BOOTSTRAPS):
        counts[order] = rng.multinomial(total, weights[order] / weights.sum())
        unseen = ~(seen @ counts > 0)
        if not unseen.any():
            return counts
    name = rows.columns[int(np.flatnonzero(unseen)[0])].name
    raise DataError(
        f"column {name!r} is seen in too few rows: {BOOTSTRAPS} bootstraps of {total} rows had none of them; "
        "give more rows, leave the column out, or set proper=False"
    )


def _cells(
    values: Array, params: NormalParams, limits: tuple[Array, Array], order: Int, rng: Generator
) -> Array:
    """The values (d, n) with every NaN drawn."""
    hidden: Bool = np.isnan(values)
    mean, covariance = params
    pieces = []
    for seen, rows in find_patterns(values) or ():
        if not seen.all():
            slope, left = regression(covariance, seen)
            centre = mean[~seen, None] + slope[~seen] @ (values[np.ix_(seen, rows)] - mean[seen, None])
            pieces.append((~seen, rows, centre, _root(left[np.ix_(~seen, ~seen)])))
    drawn, noise = values.copy(), np.empty_like(values)
    todo = _rows(hidden)
    for _ in range(1 + REDRAWS):
        places = order[todo[order]]
        noise[:, places] = rng.standard_normal((places.size, len(values))).T
        for missing, rows, centre, root in pieces:
            some = todo[rows]
            fresh = centre[:, some] + root @ noise[: len(root), rows[some]]
            drawn[np.ix_(missing, rows[some])] = fresh
        todo = _rows(hidden & ((drawn < limits[0]) | (drawn > limits[1])))
        if not todo.any():
            return drawn
    return np.where(hidden, np.clip(drawn, *limits), drawn)


def _rows(cells: Bool) -> Bool:
    """The rows with any of these cells of (d, n)."""
    return np.asarray(cells.any(axis=0))


def _root(covariance: Array) -> Array:
    """A matrix whose square is the covariance, which rounding may have left without a Cholesky factor."""
    try:
        factor: Array = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        factor = vectors * np.sqrt(np.maximum(values, 0.0))
    return factor
