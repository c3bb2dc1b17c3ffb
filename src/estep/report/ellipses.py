"""Two columns: the rows, coloured by component, and the components' ellipses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.errors import UsageError
from estep.records import Array
from estep.report.canvas import LEGEND, PALETTE, axes, colour, column_label, column_numbers, shown_rows
from estep.report.components import Components, components

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def ellipses(estimator: Any, X: Array, columns: Any = None, ax: Axes | None = None) -> Axes:
    """Ellipses of 1 and 2 standard deviations over the rows in which both columns are seen.

    A row's colour mixes those of the components by their responsibilities for it.

    Parameters
    ----------
    estimator : fitted estimator with normal laws
    X : array of shape (n, d)
        NaN = missing.
    columns : two of int or str, optional
        The first two by default.
    ax : matplotlib Axes, optional
    """
    pair = column_numbers(estimator, columns, 2, "ellipses")
    parts = components(estimator, X)
    if parts.covariances is None:
        raise UsageError("ellipses are drawn of normal laws, and these are Poisson; use kind='density'")
    ax = axes(ax)
    hidden = draw(ax, X, latents(estimator, X), parts, pair)
    names = [column_label(estimator, j) for j in pair]
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.set_title("1 and 2 standard deviations" + hidden)
    ax.legend(frameon=False, fontsize="small")
    return ax


def draw(ax: Axes, X: Array, resp: Array, parts: Components, pair: list[int]) -> str:
    """Rows and ellipses; what is not shown, in words. `resp` is p(component | row), (n, k)."""
    assert parts.covariances is not None
    rows, hidden = shown_rows(X, pair)
    size = float(np.clip(4000 / max(rows.size, 1), 3, 22))
    x, y = X[rows][:, pair].T
    ax.scatter(x, y, s=size, c=_colours(resp[rows]), alpha=0.75, linewidths=0)
    outer = len(parts.labels) // resp.shape[1]  # inner components have their state's colour
    for i, (label, mean, covariance) in enumerate(
        zip(parts.labels, parts.means, parts.covariances, strict=True)
    ):
        own = colour(i // outer)
        _ellipse(ax, mean[pair], covariance[np.ix_(pair, pair)], own, label if i < LEGEND else None)
    ax.autoscale_view()
    return hidden


def latents(estimator: Any, X: Array) -> Array:
    """p(component | row), (n, k); ones for a model of one law."""
    if hasattr(estimator, "predict_proba"):
        resp: Array = estimator.predict_proba(X)
        return resp
    return np.ones((len(X), 1))


def _colours(resp: Array) -> Array:
    from matplotlib.colors import to_rgb

    palette = np.array([to_rgb(PALETTE[j % len(PALETTE)]) for j in range(resp.shape[1])])
    mixed: Array = np.clip(resp @ palette, 0.0, 1.0)
    return mixed


def _ellipse(ax: Axes, mean: Array, covariance: Array, own: str, label: str | None) -> None:
    from matplotlib.patches import Ellipse

    variances, axes_ = np.linalg.eigh(covariance)
    height, width = np.sqrt(np.maximum(variances, 0.0))  # the larger one last
    angle = float(np.degrees(np.arctan2(axes_[1, 1], axes_[0, 1])))
    centre = (float(mean[0]), float(mean[1]))
    for times, style in ((1, "-"), (2, "--")):
        ax.add_patch(
            Ellipse(
                centre,
                2 * times * width,
                2 * times * height,
                angle=angle,
                fill=False,
                edgecolor=own,
                ls=style,
                lw=1.8,
                label=label if times == 1 else None,
            )
        )
    ax.plot(*centre, marker="+", color=own, ms=9, mew=2, ls="none")
