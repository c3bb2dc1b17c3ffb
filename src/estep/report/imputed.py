"""What imputation puts into a column, beside what is observed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.errors import UsageError
from estep.records import Array
from estep.report.canvas import PALE, PALETTE, axes, column_numbers, spell
from estep.report.density import edges

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def imputed(estimator: Any, X: Array, column: Any = None, ax: Axes | None = None) -> Axes:
    """Histograms, each of area 1, of the observed and of the imputed cells of a column.

    They need not agree: cells may be missing where values are high. But imputed values far outside what
    was observed ask for a look at the model (Abayomi, Gelman & Levy 2008).

    Parameters
    ----------
    estimator : fitted estimator that imputes
    X : array of shape (n, d)
        NaN = missing; what is imputed are the conditional means.
    column : int or str, optional
        That with the most missing cells by default.
    ax : matplotlib Axes, optional
    """
    if not hasattr(estimator, "impute"):
        raise UsageError(f"{type(estimator).__name__} does not impute; use kind='missing'")
    lost = np.isnan(X)
    most = int(lost.sum(axis=0).argmax()) if column is None else column
    (j,) = column_numbers(estimator, most, 1, "imputed")
    name = estimator.fitted_.columns[j].name
    seen, filled = X[~lost[:, j], j], estimator.impute(X)[lost[:, j], j]
    if not filled.size or not seen.size:
        what = "missing" if seen.size else "observed"
        raise UsageError(f"column {name!r} of X has no {what} cell; give a column that has some")
    both = edges(np.concatenate([seen, filled])).tolist()
    ax = axes(ax)
    look: dict[str, Any] = {"bins": both, "density": True}
    ax.hist(seen, color=PALE, edgecolor="white", label=f"observed ({seen.size})", **look)
    ax.hist(filled, histtype="step", color=PALETTE[5], lw=2, label=f"imputed ({filled.size})", **look)
    ax.plot(filled, np.zeros(filled.size), "|", color=PALETTE[5], ms=9, clip_on=False)
    ax.set(xlabel=spell(name), ylabel="density")
    ax.set_title("Observed cells, and conditional means of the missing ones")
    ax.legend(frameon=False, fontsize="small")
    return ax
