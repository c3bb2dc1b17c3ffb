"""Rows in time: a column coloured by state over the posterior, and what a forecast says comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.records import Array, Int
from estep.report.canvas import INK, LEGEND, MOST, PALE, PALETTE, axes, colour, column_label, column_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STRIP = 0.16  # of the height, for the posterior
BEFORE = 60  # rows shown before a forecast
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


def states(estimator: Any, X: Array, lengths: Int, column: Any = None, ax: Axes | None = None) -> Axes:
    """One column over time, each row in the colour of its state on the most probable path.

    The strip below is p(state | whole sequence), stacked; thin lines part the sequences.

    Parameters
    ----------
    estimator : fitted hidden Markov model
    X : array of shape (n, d)
        NaN = missing; such rows are in the strip alone.
    lengths : array of shape (s,)
    column : int or str, optional
        The first by default.
    ax : matplotlib Axes, optional
    """
    (j,) = column_numbers(estimator, column, 1, "states")
    path, shares = estimator.predict(X, lengths), estimator.predict_proba(X, lengths)
    n, k = shares.shape
    every = -(-n // MOST)
    time = np.arange(n)[::every]
    ax = axes(ax)
    ends = np.cumsum(lengths)[:-1]
    line = np.insert(X[:, j], ends, np.nan)  # no line from one sequence to the next
    ax.plot(np.insert(np.arange(n, dtype=float), ends, np.nan), line, color=PALE, lw=0.8, zorder=1)
    for s in range(k):
        own = time[path[time] == s]
        label = f"state {s}" if s < LEGEND else None
        ax.scatter(own, X[own, j], s=12, color=colour(s), label=label, linewidths=0, zorder=2)
    for end in ends:
        ax.axvline(end - 0.5, color=INK, lw=0.6)
    (low, high), room = ax.get_ylim(), STRIP + 0.04
    ax.set(yticks=[tick for tick in ax.get_yticks() if low <= tick <= high])  # none beside the strip
    ax.set(xlim=(-0.5, n - 0.5), ylim=(low - (high - low) * room / (1 - room), high))
    strip = ax.inset_axes((0, 0, 1, STRIP), sharex=ax)
    strip.stackplot(time, shares[time].T, colors=[colour(s) for s in range(k)], step="mid")
    strip.set(ylim=(0, 1), yticks=[])
    strip.tick_params(labelbottom=False, bottom=False)
    ax.set(xlabel="row", ylabel=column_label(estimator, j))
    ax.set_title("States on the most probable path; below, p(state | whole sequence)")
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def fan(
    estimator: Any, X: Array, lengths: Int, *, h: int = 12, column: Any = None, ax: Axes | None = None
) -> Axes:
    """The last rows of a sequence, and h steps ahead: mean, median and intervals of 50, 80 and 95 %.

    Parameters
    ----------
    estimator : fitted hidden Markov model
    X : array of shape (n, d)
    lengths : array of shape (s,)
        With several sequences, the last is drawn.
    h : int
        Steps ahead.
    column : int or str, optional
        The first by default.
    ax : matplotlib Axes, optional
    """
    (j,) = column_numbers(estimator, column, 1, "forecast")
    last = X[len(X) - int(lengths[-1]) :]
    ahead = estimator.forecast(last, h, quantiles=LEVELS)
    ax = axes(ax)
    shown = last[-BEFORE:, j]
    ax.plot(np.arange(1 - shown.size, 1), shown, "o-", color=INK, lw=0.8, ms=3, label="rows so far")
    step, places = ahead.step, ahead.quantiles[:, j]
    for inside, shade, part in ((0, 0.2, "95"), (1, 0.35, "80"), (2, 0.5, "50")):
        between = places[:, inside], places[:, -1 - inside]
        look: dict[str, Any] = {"color": PALETTE[0], "alpha": shade, "lw": 0, "label": f"{part} %"}
        if h > 1:
            ax.fill_between(step, *between, **look)
        else:  # an area needs two steps
            ax.bar(step, between[1] - between[0], bottom=between[0], width=0.6, **look)
    ax.plot(step, places[:, len(LEVELS) // 2], color=PALETTE[0], lw=1.5, marker=".", label="median")
    ax.plot(step, ahead.means[:, j], color=PALETTE[5], lw=1.5, ls="--", marker=".", label="mean")
    ax.axvline(0.5, color=INK, lw=0.6)
    ax.set(xlabel="steps from the last row", ylabel=column_label(estimator, j), title="Forecast")
    ax.legend(frameon=False, fontsize="small")
    return ax
