"""Marginal and conditional laws of a normal or of a mixture of normals.

Of x ~ sum_j w_j N(m_j, S_j), some columns c have the law sum_j w_j N(m_jc, S_jcc). Given x_o, the others
have sum_j w'_j N(m_jh + B_j (x_o - m_jo), S_jhh - B_j S_joh), B_j = S_jho S_joo^-1 (Anderson 2003,
Multivariate Statistical Analysis, section 2.5), w'_j proportional to w_j N(x_o; m_jo, S_joo) by Bayes.
One normal is k = 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from estep.data.convert.intake import find_columns, listed
from estep.data.patterns import find_patterns
from estep.data.weights import numbers
from estep.errors import DataError, UsageError
from estep.kernels.reference import gaussian as kernel
from estep.linalg import log_sum_exp
from estep.records import Array, Block, Int


class Law(NamedTuple):
    """The law of some columns: a normal (k = 1) or a mixture of k normals.

    `mean` and `covariance` are those of the whole law, `means` and `covariances` of its components. All are
    in the user's units and in the order of `columns`.
    """

    columns: tuple[str, ...]
    weights: Array  # (k,)
    means: Array  # (k, c)
    covariances: Array  # (k, c, c) covariances, not standard deviations

    @property
    def mean(self) -> Array:
        """The mean of the columns, (c,)."""
        mean: Array = self.weights @ self.means
        return mean

    @property
    def covariance(self) -> Array:
        """The covariance of the columns, (c, c): within the components and between them."""
        apart = self.means - self.mean
        covariance: Array = np.einsum(
            "k,kcd->cd", self.weights, self.covariances + apart[:, :, None] * apart[:, None, :]
        )
        return covariance


def marginal(law: Law, places: Int) -> Law:
    """The law of the columns at these places, in this order."""
    means = law.means[:, places]
    covariances = law.covariances[:, places[:, None], places]
    return Law(tuple(law.columns[j] for j in places), law.weights, means, covariances)


def conditional(law: Law, given: Array) -> Law:
    """The law of the columns that are NaN in `given` (d,), given the others.

    Raises
    ------
    DataError
        The given values are so far from the law that their density cannot be computed.
    Degenerate
        The covariance of the given columns is singular.
    """
    seen = ~np.isnan(given)
    column = given[:, None]
    block = Block(column, np.ones(1), patterns=find_patterns(column))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        logs = np.log(law.weights) + kernel.log_density(block, law.means, law.covariances)[:, 0]
    if not np.isfinite(logs.max()):
        far = ", ".join(f"{law.columns[j]}={given[j]:g}" for j in np.flatnonzero(seen))
        raise DataError(f"given {far} is too far from the fit's values to be squared; look for a slip in it")
    means, covariances = [], []
    for j, (mean, covariance) in enumerate(zip(law.means, law.covariances, strict=True)):
        slope, left = kernel.regression(covariance, seen, j)
        means.append(mean[~seen] + slope[~seen] @ (given[seen] - mean[seen]))
        covariances.append(left[np.ix_(~seen, ~seen)])
    names = tuple(law.columns[j] for j in np.flatnonzero(~seen))
    weights = np.exp(logs - log_sum_exp(logs, axis=0))
    return Law(names, weights / weights.sum(), np.array(means), np.array(covariances))


def read_columns(columns: Any, names: tuple[str, ...]) -> Int:
    """The places of columns given by name or number, one or several; an error unless there and distinct."""
    each = [columns] if isinstance(columns, str | Integral) or not isinstance(columns, Iterable) else columns
    wanted = [_name(one, names) for one in each]
    return np.array([names.index(name) for name in find_columns(wanted, names)], dtype=np.int64)


def read_given(given: Any, names: tuple[str, ...]) -> Array:
    """What is given of each column, (d,), NaN = asked for.

    Parameters
    ----------
    given : mapping of column (name or number, from 0) to value; or array-like of shape (d,)
        In a row, NaN or None stands for the columns that are asked for.
    names : tuple of str
        All columns.
    """
    row = np.full(len(names), np.nan)
    if hasattr(given, "keys"):
        if len(given) > 0:
            places = read_columns(list(given.keys()), names)
            row[places] = [_number(given[key], key) for key in given.keys()]  # noqa: SIM118  a pandas Series
    else:
        found = numbers(given, "given")
        if found.shape != row.shape:
            raise UsageError(
                f"given must be a dict of columns, or a row of shape {row.shape} with NaN where a column is "
                f"asked for; found shape {found.shape}"
            )
        row[:] = found
    if np.isinf(row).any():
        where = listed(names[j] for j in np.flatnonzero(np.isinf(row)))
        raise UsageError(f"given must hold finite numbers; {where} is infinite")
    if not np.isnan(row).any():
        raise UsageError("given holds every column, and nothing is left to ask for; leave some out")
    return row


def _name(column: Any, names: tuple[str, ...]) -> str:
    """A column's name by its name or number."""
    if isinstance(column, str):
        return column
    if isinstance(column, bool) or not isinstance(column, Integral) or not 0 <= int(column) < len(names):
        raise UsageError(
            f"a column must be given by its name or a number from 0 to {len(names) - 1}; found {column!r}"
        )
    return names[int(column)]


def _number(value: Any, key: Any) -> float:
    if not isinstance(value, Real) or np.isnan(float(value)):
        raise UsageError(
            f"given must have a number for {key!r}; found {value!r}; leave out what is asked for"
        )
    return float(value)
