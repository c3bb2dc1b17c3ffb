"""The climb: the objective by iteration, and what each iteration gained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.report.canvas import PALETTE, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def history(estimator: Any, ax: Axes | None = None) -> Axes:
    """The objective by iteration on the left axis, its gain on a logarithmic right axis.

    Parameters
    ----------
    estimator : any fitted estimator
    ax : matplotlib Axes, optional
        The axis of the gains is added to the same figure.
    """
    from matplotlib.ticker import MaxNLocator

    fitted = estimator._fitted()
    after = np.array([info.objective for info in fitted.history])
    gain = np.array([info.gain for info in fitted.history])
    objective = np.concatenate([after[:1] - gain[:1], after])  # from the start on
    marker = "o" if objective.size <= 40 else None
    ax = axes(ax)
    (line,) = ax.plot(
        np.arange(objective.size), objective, color=PALETTE[0], marker=marker, ms=4, lw=2, label="objective"
    )
    ax.set(xlabel="iteration", ylabel="objective (nats)")
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    status = fitted.verdict.status.name.replace("_", " ").lower()
    ax.set_title(f"{status} after {after.size} iteration{'' if after.size == 1 else 's'}".capitalize())
    rising = gain > np.array([info.noise for info in fitted.history])  # below, a gain is rounding
    if rising.sum() < 2:
        return ax
    right = ax.twinx()
    (dots,) = right.plot(
        1 + np.flatnonzero(rising), gain[rising], color=PALETTE[5], marker=".", ls=":", lw=1, label="gain"
    )
    right.set_yscale("log")
    right.set_ylabel("gain of the iteration (nats, dotted)")
    # the axes say whose they are: between two curves that cross there is no free place for a legend
    ax.yaxis.label.set_color(line.get_color())
    right.yaxis.label.set_color(dots.get_color())
    return ax
