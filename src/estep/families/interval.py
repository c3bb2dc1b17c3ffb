"""Normal components of which only intervals are seen: lower <= x <= upper, independent given the component.

log p(row | j) = sum_c log(Phi((upper_c - mean_jc) / sd_jc) - Phi((lower_c - mean_jc) / sd_jc)), a probability
and no density. The M-step takes the moments of x given its interval for those of x (Dempster, Laird & Rubin
1977, section 4.2; McLachlan & Jones 1988, Biometrics 44, 571-578): rounded, grouped and censored data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr

from estep.data.units import Equivariance, pooled
from estep.errors import DataError
from estep.families.cells import check_rows, ratio
from estep.families.columns import require_seen, seen_and_values, standardise
from estep.families.ends import bounded, check_ends, middles, require_even, thin
from estep.families.gaussian import FLOOR
from estep.families.truncated import Truncated, truncated
from estep.records import Array, Block, Column, Int, Units
from estep.space import Positive, Real

LEAST_KNOWN = 1.0  # rows' worth of information on the variance that a sound component has


class IntervalParams(NamedTuple):
    means: Array  # (k, p)
    variances: Array  # (k, p), not standard deviations


class IntervalSums(NamedTuple):
    rows: Array  # (k, p) sum of resp over the rows in which a pair is seen
    first: Array  # (k, p) sum of resp * E[x - mean | interval] over them, about the means of the pass
    second: Array  # (k, p) sum of resp * E[(x - mean)^2 | interval]
    lost: Array  # (k, p) rows' worth of information on the variance that the intervals do not show


class IntervalView:
    def __init__(self, params: IntervalParams, block: Block) -> None:
        self._params, self._block = params, block
        self._lower, self._upper = block.values[::2], block.values[1::2]
        self._seen = bounded(self._lower, self._upper)

    @cached_property
    def log_density(self) -> Array:
        found: Array = np.where(self._seen, self._inside.log_probability, 0.0).sum(axis=1)
        return found

    def sums(self, resp: Array) -> IntervalSums:
        inside, deviations = self._inside, np.sqrt(self._params.variances)
        rows = resp @ self._seen.T
        first, second, lost = (
            np.einsum("km,kpm->kp", resp, np.where(self._seen, part, 0.0))
            for part in (inside.mean, inside.square, inside.lost)
        )
        return IntervalSums(rows, first * deviations, second * self._params.variances, lost)

    def fill(self, resp: Array) -> Array:
        means = np.repeat(self._params.means.T @ resp, 2, axis=0)
        return np.where(np.isnan(self._block.values), means, self._block.values)

    @cached_property
    def _inside(self) -> Truncated:
        """(k, p, m) each; of pairs that say nothing, something finite."""
        means = self._params.means[:, :, None]
        deviations = np.sqrt(self._params.variances)[:, :, None]
        lower, upper = np.where(self._seen, self._lower, -1.0), np.where(self._seen, self._upper, 1.0)
        return truncated(
            (lower - means) / deviations, (upper - means) / deviations, (upper - lower) / deviations
        )


@dataclass(frozen=True, eq=False)
class IntervalNormal:
    """Normal components seen through intervals: rounded, grouped or censored numbers.

    Columns come in pairs, lower_1, upper_1, lower_2, upper_2, ...: each pair says that a number lies between
    the two. -inf below or inf above stands for no bound (censored on that side); a pair of NaN is missing,
    and is integrated out as a pair without any bound is. Pairs are independent given the component. A number
    rounded to the unit is the pair (x - 0.5, x + 0.5).

    `loglik_` is a log-probability: it does not change with the units. Variances are at least 1e-8 of that of
    all ends of a pair. A component that lies inside one interval, or on the border of two, has no variance
    of its own, since every smaller one does as well; such a fit is DEGENERATE.

    Imputing puts the mean into both cells of a missing pair. A sample has the number itself in both columns:
    the model knows nothing of how it would be rounded.

    Parameters
    ----------
    columns : tuple of Column
        Set by a fit.

    Attributes
    ----------
    means_, variances_ : array of shape (k, p)
        Of an estimator fitted with it: of p pairs, in the user's units; variances, not standard deviations.

    Raises
    ------
    DataError
        An odd number of columns, lower > upper, one end of a pair missing, all intervals of a pair open on
        the same side; and lower == upper: an exact number has a density, which does not go with the
        probabilities of the others. Give it the width to which it was rounded.

    References
    ----------
    Tallis, G. M. (1961). J. R. Statist. Soc. B 23, 223-229.
    Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). J. R. Statist. Soc. B 39, 1-38, section 4.2.
    McLachlan, G. J. & Jones, P. N. (1988). Biometrics 44, 571-578.

    Examples
    --------
    >>> import numpy as np
    >>> from estep import Mixture
    >>> from estep.datasets import load_geyser
    >>> minutes = load_geyser().select("waiting")
    >>> rounded = np.column_stack([minutes - 0.5, minutes + 0.5])
    >>> Mixture(2, "interval", random_state=0).fit(rounded).means_.round(1)
    array([[54.2],
           [80.4]])
    """

    columns: tuple[Column, ...] = ()
    equivariance: ClassVar[Equivariance] = "pair"

    def bind(self, columns: tuple[Column, ...]) -> IntervalNormal:
        require_even([column.name for column in columns])
        require_seen(columns)
        for lower, upper in zip(columns[::2], columns[1::2], strict=True):
            open_below, open_above = np.isneginf(lower.high), np.isposinf(upper.low)
            if open_below or open_above:
                side = "end" if open_below and open_above else "lower end" if open_below else "upper end"
                raise DataError(
                    f"no interval of {lower.name!r} and {upper.name!r} has a finite {side}, so that no mean "
                    "is too far on that side; give rows that have one, or drop the two columns"
                )
        return replace(self, columns=columns)

    def check(self, columns: tuple[Column, ...]) -> None:
        """Any intervals will do."""

    def check_cells(self, values: Array, names: tuple[str, ...]) -> None:
        """`DataError` for the first row of (n, d) values, infinities among them, that holds no interval."""
        check_ends(values, names)

    def embed(self, block: Block) -> Array:
        return standardise(block._replace(values=middles(block)))

    def start(self, block: Block, resp: Array, rng: Generator, how: str) -> IntervalParams:
        check_rows(resp)
        seen, values = seen_and_values(block._replace(values=middles(block)))
        counts = resp @ seen.T
        mean = (values @ block.weights) / np.maximum(seen @ block.weights, 1e-300)
        means = np.where(counts > 0, resp @ values.T / np.maximum(counts, 1e-300), mean)
        apart = (values - means[:, :, None]) ** 2 * seen
        width = np.where(
            np.isfinite(block.values[1::2] - block.values[::2]), block.values[1::2] - block.values[::2], 0.0
        )
        # too wide rather than too narrow: inside its interval a component hardly moves
        apart += width**2 / 12
        within = np.einsum("km,kpm->p", resp, apart) / np.maximum(counts.sum(axis=0), 1e-300)
        tame = IntervalParams(means, np.tile(np.maximum(within, self._variances() * FLOOR), (len(resp), 1)))
        return self.update(tame, self.at(tame, block).sums(resp))

    def prepare(self, params: IntervalParams) -> IntervalParams:
        return params

    def at(self, prep: IntervalParams, block: Block) -> IntervalView:
        narrow = thin(block.values[::2], block.values[1::2]).any(axis=1)
        if narrow.any():  # told with its row by `check_cells`, but for what vanishes beside other rows
            raise DataError(
                f"an interval of {self._named(int(narrow.argmax()))} has less width than float64 resolves "
                "beside the mean of the fit's rows; widen it, or fit rows of so unlike a size apart"
            )
        return IntervalView(prep, block)

    def update(self, params: IntervalParams, sums: IntervalSums) -> IntervalParams:
        shift = ratio(sums.first, sums.rows, np.zeros_like(params.means))
        variances = ratio(sums.second, sums.rows, params.variances) - shift**2
        return IntervalParams(params.means + shift, np.maximum(variances, self._variances() * FLOOR))

    def log_prior(self, params: IntervalParams) -> float:
        return 0.0

    def score(self, params: IntervalParams, sums: IntervalSums) -> IntervalParams:
        variances = (sums.second / params.variances - sums.rows) / (2 * params.variances)
        return IntervalParams(sums.first / params.variances, variances)

    def guard(self, params: IntervalParams, sums: IntervalSums) -> str | None:
        known = sums.rows - sums.lost
        j, c = (int(i) for i in np.unravel_index(known.argmin(), known.shape))
        if known[j, c] < LEAST_KNOWN:
            return (
                f"component {j} lies inside one interval of {self._named(c)}, or on the border of two, which "
                "do not tell its variance"
            )
        low = params.variances < self._variances() * FLOOR * (1 + 1e-6)
        if low.any():
            j, c = (int(i) for i in np.argwhere(low)[0])
            return f"component {j} lies on the floor of {FLOOR} of the variance of {self._named(c)}"
        return None

    def spaces(self) -> IntervalParams:
        return IntervalParams._make([Real(), Positive()])

    def rescale(self, params: IntervalParams, units: Units) -> IntervalParams:
        centre, scale = units.centre[::2], units.scale[::2]
        return IntervalParams(params.means * scale + centre, params.variances * scale**2)

    def take(self, params: IntervalParams, order: Int) -> IntervalParams:
        return IntervalParams(params.means[order], params.variances[order])

    def canonical(self, params: IntervalParams) -> IntervalParams:
        return params

    def key(self, params: IntervalParams) -> Array:
        return params.means

    def mean(self, params: IntervalParams) -> Array:
        """(k, d): of the number, in both columns of its pair."""
        return np.repeat(params.means, 2, axis=1)

    def cdf(self, params: IntervalParams, values: Array, *, above: bool = False) -> tuple[Array, Array]:
        """P(number < x) and P(number <= x), (k, d, m), x an end; `above`: the rest of 1."""
        deviations = np.repeat(np.sqrt(params.variances), 2, axis=1)
        z = (values - self.mean(params)[:, :, None]) / deviations[:, :, None]
        found = ndtr(-z if above else z)
        return found, found

    def sample(self, params: IntervalParams, labels: Int, rng: Generator) -> Array:
        x = rng.normal(params.means[labels], np.sqrt(params.variances[labels]))
        return np.repeat(x.T, 2, axis=0)

    def _variances(self) -> Array:
        """Of the ends of each pair; 1 unit of the fit where all are one number."""
        pairs = zip(self.columns[::2], self.columns[1::2], strict=True)
        return np.array([pooled(*pair)[1] or 1.0 for pair in pairs])

    def _named(self, c: int) -> str:
        return " and ".join(repr(column.name) for column in self.columns[2 * c : 2 * c + 2])
