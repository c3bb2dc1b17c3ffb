"""Every two of a few columns: densities on the diagonal, rows and ellipses below it."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.errors import UsageError
from estep.records import Array
from estep.report.canvas import column_label, column_numbers
from estep.report.components import components
from estep.report.density import density
from estep.report.ellipses import draw, latents

MOST = 6  # columns of one picture


def pairs(estimator: Any, X: Array, columns: Any = None) -> Any:
    """A figure of its own: histograms with the fitted densities, and rows coloured by component.

    Parameters
    ----------
    estimator : fitted estimator with normal laws
    X : array of shape (n, d)
        NaN = missing; a row is in the pictures of the columns that it shows.
    columns : 2 to 6 of int or str, optional
        The first ones by default, at most 6.

    Returns
    -------
    array of shape (columns, columns) of matplotlib Axes
        Those above the diagonal are empty.
    """
    import matplotlib.pyplot as plt

    d = len(estimator._fitted().columns)
    n = min(d, MOST) if columns is None else 1 if isinstance(columns, str | int) else len(list(columns))
    if not 2 <= n <= MOST:
        raise UsageError(f"kind='pairs' shows 2 to {MOST} columns; found {n}: give columns by number or name")
    chosen = column_numbers(estimator, columns, n, "pairs")
    parts, resp = components(estimator, X), latents(estimator, X)
    if parts.covariances is None:
        raise UsageError("pairs are drawn of normal laws, and these are Poisson; use kind='density'")
    names = [column_label(estimator, j) for j in chosen]
    grid: Any  # of Axes, of which NumPy's types know nothing
    figure, grid = plt.subplots(
        n, n, figsize=(2.1 * n + 0.8, 2.1 * n), layout="constrained", sharex="col", squeeze=False
    )
    for row, column in np.ndindex(n, n):
        ax = grid[row, column]
        if column > row:
            ax.set_axis_off()
            continue
        if column == row:
            density(estimator, X, column=chosen[row], ax=ax)
            ax.get_legend().remove()
            ax.set(title="", ylabel="", yticks=[])
        else:
            draw(ax, X, resp, parts, [chosen[column], chosen[row]])
        ax.set_xlabel(names[column] if row == n - 1 else "")
        ax.set_ylabel(names[row] if column == 0 else "")
        ax.tick_params(labelleft=0 == column < row, labelsize="small")
    if len(parts.labels) > 1:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles[1:], labels[1:], loc="upper right", frameon=False, fontsize="small")
    return grid
