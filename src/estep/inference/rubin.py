"""Rubin's rules: one answer from the analyses of several completed data sets.

With estimates Q_i and their variances U_i, i = 1..m: estimate mean(Q), within W = mean(U), between
B = var(Q), total T = W + (1 + 1/m) B (Rubin 1987, equations 3.1.2 to 3.1.5). (Q - estimate)/sqrt(T) is taken
as t with v = (m - 1)/g^2 degrees of freedom, g = (1 + 1/m) B/T (3.1.6). Where the analysis of complete data
has v_c of them, 1/(1/v + 1/v_o) with v_o = (v_c + 1)/(v_c + 3) v_c (1 - g) (Barnard & Rubin 1999, eq. 3).
The fraction of missing information is (r + 2/(v + 3))/(r + 1), r = (1 + 1/m) B/W (3.1.10).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from estep.data.weights import numbers
from estep.errors import UsageError
from estep.records import Array


class Combined(NamedTuple):
    """The combined answer; each field is a number, or an array with an entry a quantity."""

    estimate: Any
    variance: Any  # total: within + (1 + 1/m) between; not a standard deviation
    within: Any  # mean of the variances
    between: Any  # variance of the estimates, divisor m - 1
    df: Any  # degrees of freedom; inf where the estimates do not differ
    fraction_missing_information: Any  # between 0 and 1

    @property
    def standard_error(self) -> Any:
        """Square root of the total variance."""
        return np.sqrt(self.variance)

    def interval(self, level: float = 0.95) -> Array:
        """The two ends of a confidence interval, (2,), or (2, p) for p quantities."""
        from scipy.stats import t

        if not 0 < level < 1:
            raise UsageError(f"level must lie between 0 and 1; found {level!r}")
        # a t of infinitely many degrees of freedom is the normal
        half = t.ppf(0.5 + level / 2, self.df) * self.standard_error
        return np.array([self.estimate - half, self.estimate + half])


def combine(estimates: Any, variances: Any, df_complete: Any = None) -> Combined:
    """Combine the estimates from m completed data sets by Rubin's rules.

    Parameters
    ----------
    estimates : array-like of shape (m,) or (m, p)
        What each of the m >= 2 data sets gave for one quantity, or for p of them.
    variances : array-like of the same shape
        Squared standard errors of these estimates.
    df_complete : float or array-like of shape (p,), optional
        Degrees of freedom the analysis would have without missing data, such as n - 2 for a regression on one
        variable; it matters for small n. Infinity by default.

    Returns
    -------
    Combined
        `estimate`, `variance` (total), `within`, `between`, `df`, `fraction_missing_information`,
        `standard_error` and `interval(level)`.

    Raises
    ------
    UsageError
        Fewer than two estimates, shapes that differ, or a number that is not finite, or a variance below 0.

    References
    ----------
    Rubin, D. B. (1987). Multiple Imputation for Nonresponse in Surveys, section 3.1.
    Barnard, J. & Rubin, D. B. (1999). Biometrika 86, 948-955.

    Examples
    --------
    >>> from estep import combine
    >>> found = combine([47.01, 47.24, 47.50, 47.15, 47.00], [0.92, 0.87, 1.02, 0.91, 0.93], df_complete=30)
    >>> round(found.estimate, 2), round(found.df, 1)
    (47.18, 26.3)
    >>> found.interval(0.95).round(2)
    array([45.15, 49.21])
    """
    q, u = numbers(estimates, "estimates"), numbers(variances, "variances")
    if q.ndim not in (1, 2) or len(q) < 2 or q.size == 0:
        raise UsageError(
            f"estimates must have shape (m,) or (m, p), m >= 2 data sets; found {q.shape}; ask for more draws"
        )
    if u.shape != q.shape:
        raise UsageError(f"variances must have the shape of the estimates, {q.shape}; found {u.shape}")
    for name, array, least in (("estimates", q, -np.inf), ("variances", u, 0.0)):
        bad = np.argwhere(~np.isfinite(array) | (array < least))
        if bad.size:
            what = "finite" if name == "estimates" else "finite and >= 0 (squared standard errors)"
            raise UsageError(f"{name} must be {what}; data set {bad[0][0]} has {array[tuple(bad[0])]}")
    m = len(q)
    within, between = u.mean(axis=0), q.var(axis=0, ddof=1)
    total = within + (1 + 1 / m) * between
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(between > 0, (1 + 1 / m) * between / total, 0.0)
        large = (m - 1) / share**2
    df = large if df_complete is None else _small(large, share, _complete(df_complete, q.shape[1:]))
    # (r + 2/(v + 3))/(r + 1) with r/(r + 1) = share
    fraction = share + (1 - share) * 2 / (large + 3)
    found = (q.mean(axis=0), total, within, between, df, fraction)
    return Combined(*(each if q.ndim == 2 else float(each) for each in found))


def _complete(df: Any, shape: tuple[int, ...]) -> Array:
    array = numbers(df, "df_complete")
    if array.shape not in ((), shape) or not np.all(array > 0):
        raise UsageError(f"df_complete must be > 0, one number or one a quantity; found {df!r}")
    return array


def _small(large: Array, share: Array, complete: Array) -> Array:
    """Barnard & Rubin's degrees of freedom, at most those of complete data."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shrunk = np.where(np.isinf(complete), 1.0, (complete + 1) / (complete + 3))
        observed = shrunk * complete * (1 - share)
        # with no variance within, only the spread of the estimates is left to go by
        df: Array = np.where(share < 1, 1 / (1 / large + 1 / observed), large)
    return df
