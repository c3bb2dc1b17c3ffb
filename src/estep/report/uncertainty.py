"""Where the rows' components are uncertain: 1 minus the largest responsibility (Fraley & Raftery 2002)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.errors import UsageError
from estep.records import Array
from estep.report.canvas import INK, PALETTE, axes, column_numbers, shown_rows, spell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 0.05  # uncertainty that is drawn as large: below, all rows are certain


def uncertainty(estimator: Any, X: Array, columns: Any = None, ax: Axes | None = None) -> Axes:
    """The uncertain rows of two columns, larger and darker; of one column, the uncertainty by its values.

    Parameters
    ----------
    estimator : fitted mixture or hidden Markov model
    X : array of shape (n, d)
        NaN = missing; rows that miss a cell of the columns shown are left out.
    columns : int, str, or two of them, optional
        The first two by default, or the only one.
    ax : matplotlib Axes, optional
    """
    if not hasattr(estimator, "predict_proba"):
        raise UsageError("uncertainty is drawn of mixtures and hidden Markov models; use kind='density'")
    single = len(estimator._fitted().columns) == 1 or isinstance(columns, str | int)
    from matplotlib.colors import LinearSegmentedColormap

    chosen = column_numbers(estimator, columns, 1 if single else 2, "uncertainty")
    doubt = 1.0 - estimator.predict_proba(X).max(axis=1)
    rows, said = shown_rows(X, chosen)
    rows = rows[np.argsort(doubt[rows], kind="stable")]  # the uncertain ones on top
    names = [spell(estimator.fitted_.columns[j].name) for j in chosen]
    shades = LinearSegmentedColormap.from_list("doubt", [PALETTE[4], PALETTE[5], INK])
    ax = axes(ax)
    across = X[rows, chosen[0]]
    up = doubt[rows] if single else X[rows, chosen[1]]
    most = max(float(doubt.max()), LEAST)
    dots = ax.scatter(
        across,
        up,
        s=10 + 60 * doubt[rows] / most,
        c=doubt[rows],
        cmap=shades,
        vmin=0,
        vmax=most,
        linewidths=0,
    )
    ax.set(xlabel=names[0], ylabel="uncertainty" if single else names[1])
    ax.set_title("Uncertainty: 1 - the largest p(component | row)" + said)
    if not single:
        ax.figure.colorbar(dots, ax=ax, label="uncertainty")
    return ax
