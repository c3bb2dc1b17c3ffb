"""Missing cells by a known mechanism (Rubin, 1976; Little & Rubin, 2019, section 1.3).

mcar   missing completely at random:  P(cell missing) = c
mar    missing at random:             P(cell (i, j) missing) = expit(a + s z_i0), j >= 1, column 0 seen
mnar   missing not at random:         P(cell (i, j) missing) = expit(a + s z_ij)

z is the value less its column's mean, over its column's standard deviation; a is solved for.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from estep.datasets.arguments import RandomState, finite, generator
from estep.errors import UsageError
from estep.records import Array

SLOPE = 2.0  # a cell one standard deviation higher has e^2 = 7.4 times the odds of being missing


def make_missing(
    X: ArrayLike,
    fraction: float,
    mechanism: Literal["mcar", "mar", "mnar"] = "mcar",
    *,
    random_state: RandomState = None,
) -> Array:
    """A copy of a complete table with some of its cells missing.

    Every cell is drawn on its own, so the number of missing cells varies about `fraction * n * d`,
    and a row may lose all of its cells (never under "mar").

    Parameters
    ----------
    X : array-like of shape (n, d)
        Finite numbers; left as it is.
    fraction : float
        Expected share of *all* n * d cells that go missing, 0 <= fraction < 1.
    mechanism : {"mcar", "mar", "mnar"}
        "mcar": each cell with the same chance. "mar": the chance in columns 1 to d - 1 rises with
        the row's value in column 0, which stays fully seen; EM estimates stay valid. "mnar": the
        chance rises with the cell's own value; estimates that ignore the mechanism are biased.
    random_state : int, numpy.random.Generator or None
        The same integer takes the same cells; a generator is advanced; None is different every time.

    Returns
    -------
    ndarray of shape (n, d)
        float64, NaN where a cell is missing; every other cell is bit-unchanged.

    Raises
    ------
    UsageError
        X is not a complete 2-D table of numbers, the mechanism is unknown, or the fraction cannot be
        reached: "mar" can take less than (d - 1) / d of the cells, and none of a single column.

    References
    ----------
    Rubin, D. B. (1976), Biometrika 63, 581-592.
    Little, R. J. A. and Rubin, D. B. (2019), Statistical Analysis with Missing Data, 3rd edition, Wiley.

    Examples
    --------
    >>> import numpy as np
    >>> from estep.datasets import make_missing, make_normal
    >>> X = make_normal(2000, [0.0, 5.0], [[1.0, 0.8], [0.8, 1.0]], random_state=0)
    >>> holes = np.isnan(make_missing(X, 0.2, "mar", random_state=0))
    >>> bool(holes[:, 0].any()), round(float(holes.mean()), 1)
    (False, 0.2)
    """
    if np.ndim(X) == 1:
        raise UsageError("X is 1-D; use X.reshape(-1, 1) for one column, or X.reshape(1, -1) for one row")
    values = finite(X, "X", (2,))
    share = float(finite(fraction, "fraction", (0,)))
    if not 0.0 <= share < 1.0:
        raise UsageError(f"fraction={fraction}: a share of the cells, 0 <= fraction < 1, was expected")
    chance = _chance(values, share, mechanism)
    values[generator(random_state).random(values.shape) < chance] = np.nan
    return values


def _chance(values: Array, share: float, mechanism: str) -> Array:
    """The probability (n, d) that a cell goes missing, whose mean is `share`."""
    if mechanism not in ("mcar", "mar", "mnar"):
        raise UsageError(f"mechanism={mechanism!r}: 'mcar', 'mar' or 'mnar' was expected")
    if mechanism == "mcar" or share == 0.0:
        return np.full(values.shape, share)
    spread = values.std(axis=0)
    z = (values - values.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)  # a constant column: 0
    if mechanism == "mnar":
        return _logistic(z, share)
    d = values.shape[1]
    if share * d >= d - 1:
        raise UsageError(
            f"fraction={share} cannot be reached by mechanism='mar': column 0 of {d} stays seen, so the"
            f" fraction must be under {(d - 1) / d:.4g}"
        )
    chance = np.repeat(_logistic(z[:, :1], share * d / (d - 1)), d, axis=1)
    chance[:, 0] = 0.0
    return chance


def _logistic(z: Array, target: float) -> Array:
    from scipy.optimize import brentq  # takes as long to import as the rest of this package

    slope = SLOPE * z
    # at these two ends every chance is below, and above, the target; 1 more than covers rounding
    low, high = logit(target) - slope.max() - 1.0, logit(target) - slope.min() + 1.0
    intercept = brentq(lambda a: float(expit(a + slope).mean()) - target, low, high)
    chance: Array = expit(intercept + slope)
    return chance
