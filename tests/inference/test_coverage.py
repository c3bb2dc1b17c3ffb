"""Intervals from proper draws cover as often as they say; those from improper draws do not.

y = 1 + 0.7 x + noise, with y missing the more often the larger x is: at random, not completely at random. The
quantity is the slope of y on x by least squares in each completed table, combined by Rubin's rules.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from estep import combine
from estep.data.source import MemorySource
from estep.engine import Aitken, fit
from estep.inference.imputation import Fit, draw
from estep.models import Normal
from estep.run import Local

REPETITIONS, ROWS, DRAWS, SLOPE = 60, 60, 4, 0.7


def covers(x: np.ndarray, completed: np.ndarray) -> bool:
    """Whether the combined 95 % interval of the slope holds the true one."""
    gap = x - x.mean()
    square = gap @ gap
    slopes = completed @ gap / square
    left = completed - completed.mean(axis=1, keepdims=True) - slopes[:, None] * gap
    errors = (left**2).sum(axis=1) / (len(x) - 2) / square
    low, high = combine(slopes, errors, df_complete=len(x) - 2).interval(0.95)
    return bool(low <= SLOPE <= high)


def test_intervals_of_proper_draws_cover_and_others_are_too_short() -> None:
    rng = np.random.default_rng(1)
    stop, nothing = Aitken(tol=1e-2), np.full(2, np.inf)
    covered = {True: 0, False: 0}
    with Local(threads=1) as run:
        for repetition in range(REPETITIONS):
            x = rng.standard_normal(ROWS)
            y = 1 + SLOPE * x + 0.7 * rng.standard_normal(ROWS)
            unseen = rng.random(ROWS) < 1 / (1 + np.exp(-(0.8 + x)))
            X = np.column_stack([x, np.where(unseen, np.nan, y)])
            source = MemorySource(X, ("x", "y"))
            result = fit(Normal(), source, run=run, stop=stop)
            of = Fit(result.model, result.point.params, result.units, -nothing, nothing, run)
            for proper in (True, False):
                seeds = np.random.SeedSequence(repetition).spawn(DRAWS)
                draws = [draw(of, source, np.ones(ROWS), one, stop if proper else None) for one in seeds]
                completed = np.array([np.where(unseen, one.values[:, 1], y) for one in draws])
                covered[proper] += covers(x, completed)
    # of 60 intervals that cover with 95 %, fewer than 51 do so once in a thousand times
    least = int(binom.ppf(1e-3, REPETITIONS, 0.95))
    assert covered[True] >= least
    assert covered[False] < least
