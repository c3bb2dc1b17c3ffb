"""Little's test of whether cells are missing completely at random.

If they are, the mean of the rows of every pattern j estimates the same mean: d2 = sum_j n_j a_j' S_j^-1 a_j,
a_j = mean of the seen cells - their maximum likelihood mean, S_j the seen block of the maximum likelihood
covariance, is asymptotically chi-squared with sum_j o_j - d degrees of freedom (Little 1988, equation 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from estep.data.source import Source
from estep.engine import Aitken, Given, Info, Status, Verdict, fit
from estep.errors import DataError
from estep.inference.groups import spread
from estep.models.by_pattern import Compressed
from estep.records import Array, Units

STILL = 1e-11  # of a fit's unit: the way that EM has still to go


class McarTest(NamedTuple):
    """Little's test; a small `p_value` speaks against missing completely at random, not against at random."""

    statistic: float  # d2
    df: int
    p_value: float
    n_patterns: int  # with a seen cell


def mcar_test(patterns: Compressed, mean: Array, covariance: Array) -> McarTest:
    """Little's test of compressed rows at their maximum likelihood parameters.

    Raises
    ------
    DataError
        No degree of freedom is left: nothing is missing, or no cell is seen in two patterns.
    """
    from scipy.stats import chi2

    statistic, df, count = 0.0, -len(mean), 0
    for i in range(len(patterns)):
        groups = patterns.block(i)
        found = spread(groups, mean, covariance)
        distance = np.einsum("gc,gcd,gd->g", found.apart, found.precisions, found.apart)
        statistic += float(groups.weights @ distance)
        df += int(groups.seen.sum())
        count += int(groups.seen.any(axis=1).sum())
    if df <= 0:
        raise DataError(
            f"there is nothing to test: the rows have {count} pattern(s) of seen cells, which leave no "
            "degree of freedom; give rows of several patterns that share columns, whose means it compares"
        )
    return McarTest(statistic, df, float(chi2.sf(statistic, df)), count)


def led_to_the_end(model: Any, source: Source, params: Any, units: Units) -> Any:
    """The parameters (in the fit's units) to which EM goes from these, until it hardly moves.

    d2 is not flat at the maximum, as the likelihood is: where gains are lost in rounding, parameters are
    right to half of the digits only.
    """
    return fit(model, source, stop=_still, starts=Given(params), units=units).point.params


def _still(history: Sequence[Info]) -> Verdict | None:
    verdict = Aitken(tol=0.0)(history)
    if verdict is None and len(history) > 1:
        before, last = history[-2].change, history[-1].change
        ahead = last * last / (before - last) if last < before else last and np.inf
        if ahead <= STILL:
            return Verdict(Status.MAX_ITER, "", len(history), ahead)  # and no probe for saddles
    return verdict
