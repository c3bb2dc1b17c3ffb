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
    objective = np.array([info.objective for info in fitted.history])
    gain = np.array([info.gain for info in fitted.history])
    iteration = np.arange(1, objective.size + 1)
    marker = "o" if objective.size <= 40 else None
    ax = axes(ax)
    (line,) = ax.plot(iteration, objective, color=PALETTE[0], marker=marker, ms=4, lw=2, label="objective")
    ax.set(xlabel="iteration", ylabel="objective (nats)")
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    status = fitted.verdict.status.name.replace("_", " ").lower()
    ax.set_title(
        f"{status} after {objective.size} iteration{'' if objective.size == 1 else 's'}".capitalize()
    )
    rising = gain > 0
    if not rising.any():
        return ax
    right = ax.twinx()
    (dots,) = right.plot(
        iteration[rising], gain[rising], color=PALETTE[5], marker=".", ls=":", lw=1, label="gain"
    )
    right.set_yscale("log")
    right.set_ylabel("gain of the iteration (nats)")
    ax.legend(handles=[line, dots], frameon=False, loc="center right")
    return ax
