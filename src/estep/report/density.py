"""One column: the histogram of its seen values, and the fitted density with its components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm, poisson

from estep.errors import UsageError
from estep.records import Array
from estep.report.canvas import INK, LEGEND, PALE, axes, colour, column_label, column_numbers
from estep.report.components import Components, components

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 60  # at most
REACH = 3.5  # standard deviations of each component that are shown


def density(estimator: Any, X: Array, column: Any = None, ax: Axes | None = None) -> Axes:
    """The marginal density of one column over a histogram of area 1.

    Parameters
    ----------
    estimator : fitted estimator with normal or Poisson laws
    X : array of shape (n, d)
        NaN = missing; missing cells are not in the histogram.
    column : int or str, optional
        The first by default.
    ax : matplotlib Axes, optional
    """
    (j,) = column_numbers(estimator, column, 1, "density")
    parts = components(estimator, X)
    seen = X[~np.isnan(X[:, j]), j]
    if not seen.size:
        name = estimator.fitted_.columns[j].name
        raise UsageError(f"column {name!r} of X has no seen value; give rows in which it is seen")
    if parts.covariances is None:
        x, curves = _counts(parts, j, seen)
    else:
        x, curves = _normal(parts, np.sqrt(parts.covariances[:, j, j]), j, seen)
    count = parts.covariances is None
    ax = axes(ax)
    bins = (whole_edges(seen) if count else edges(seen)).tolist()
    ax.hist(seen, bins=bins, density=True, color=PALE, edgecolor="white", label="data")
    marker = "." if count and x.size <= 100 else None
    ax.plot(x, curves.sum(axis=0), color=INK, marker=marker, lw=2, label="fitted")
    if len(curves) > 1:
        for i, (label, weight, curve) in enumerate(zip(parts.labels, parts.weights, curves, strict=True)):
            named = f"{label} ({weight:.0%})" if i < LEGEND else None
            ax.plot(x, curve, color=colour(i), ls="--", marker=marker, lw=1.5, label=named)
    ax.set(xlabel=column_label(estimator, j), ylabel="probability" if count else "density")
    ax.set_title("Data and fitted " + ("probabilities" if count else "density"))
    rows = -(-len(ax.get_legend_handles_labels()[1]) // 2)
    ax.set_ylim(0, ax.get_ylim()[1] * (1 + 0.08 * rows))  # room for the legend above the curves
    ax.legend(frameon=False, fontsize="small", loc="upper center", ncols=2)
    return ax


def _normal(parts: Components, deviations: Array, j: int, seen: Array) -> tuple[Array, Array]:
    """Points, and each component's weighted density there."""
    means = parts.means[:, j]
    told = parts.weights > 0.001
    low = min(seen.min(), (means - REACH * deviations)[told].min())
    high = max(seen.max(), (means + REACH * deviations)[told].max())
    # a narrow component would fall between the points of an even grid
    near = means[:, None] + deviations[:, None] * np.linspace(-6, 6, 121)
    x = np.unique(np.concatenate([np.linspace(low, high, 401), near[(near >= low) & (near <= high)]]))
    return x, parts.weights[:, None] * norm.pdf(x, means[:, None], deviations[:, None])


def _counts(parts: Components, j: int, seen: Array) -> tuple[Array, Array]:
    """Whole numbers, and each component's weighted probability of them."""
    rates = parts.means[:, j]
    low = min(seen.min(), (rates - REACH * np.sqrt(rates)).min())
    high = max(seen.max(), (rates + REACH * np.sqrt(rates)).max())
    x = np.unique(np.rint(np.linspace(max(np.floor(low), 0), np.ceil(high), 1001)))
    return x, parts.weights[:, None] * poisson.pmf(x, rates[:, None])


def whole_edges(seen: Array) -> Array:
    """Bins of whole numbers, as wide as a picture needs."""
    low, high = float(seen.min()), float(seen.max())
    step = np.ceil((high - low + 1) / BINS)
    return np.arange(low - 0.5, high + step, step)


def edges(seen: Array) -> Array:
    """Bins as narrow as Freedman & Diaconis (1981) say, at least sqrt(n), not more than a picture shows."""
    low, high = float(seen.min()), float(seen.max())
    if low == high:
        return np.array([low - 0.5, high + 0.5])
    lower, upper = np.quantile(seen, [0.25, 0.75])
    wide = 2 * (upper - lower) / np.cbrt(seen.size)
    n = np.clip(max((high - low) / wide if wide > 0 else 0.0, np.sqrt(seen.size)), 8, BINS)
    return np.linspace(low, high, int(np.ceil(n)) + 1)
