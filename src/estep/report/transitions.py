"""The transition graph of a hidden Markov model: states on a circle, moves as arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.report.canvas import INK, axes, colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAINT = 0.005  # moves below not drawn


def transitions(estimator: Any, ax: Axes | None = None) -> Axes:
    """States as discs, with the probability to stay in each; arrows as wide as a move is probable.

    Parameters
    ----------
    estimator : fitted hidden Markov model
    ax : matplotlib Axes, optional
    """
    from matplotlib.patches import Circle, FancyArrowPatch

    moves = estimator.transmat_
    k = len(moves)
    turn = np.pi / 2 - 2 * np.pi * np.arange(k) / k  # clockwise from the top
    places = np.column_stack([np.cos(turn), np.sin(turn)]) if k > 1 else np.zeros((1, 2))
    size = min(0.28, 0.8 * np.sin(np.pi / k)) if k > 1 else 0.28
    ax = axes(ax)
    discs = [
        ax.add_patch(Circle((x, y), size, facecolor=colour(i), edgecolor="white", lw=2, zorder=2))
        for i, (x, y) in enumerate(places)
    ]
    for i, j in np.argwhere((moves >= FAINT) & ~np.eye(k, dtype=bool)).tolist():
        arrow = FancyArrowPatch(
            tuple(places[i]),
            tuple(places[j]),
            connectionstyle="arc3,rad=-0.18",
            arrowstyle="-|>",
            mutation_scale=14,
            lw=0.6 + 5 * moves[i, j],
            color=colour(i),
            alpha=0.8,
            patchA=discs[i],
            patchB=discs[j],
            zorder=1,
        )
        ax.add_patch(arrow)
        along = places[j] - places[i]
        # nearer to where it comes from, so that arrows that cross do not share a place; beside the arc
        x, y = places[i] + 0.42 * along + 0.15 * np.array([-along[1], along[0]])
        ax.text(x, y, f"{moves[i, j]:.2f}", ha="center", va="center", fontsize="small", color=INK)
    for i, (x, y) in enumerate(places):
        label = f"{i}\nstays {moves[i, i]:.2f}"
        ax.text(x, y, label, ha="center", va="center", color="white", fontsize="small", zorder=3)
    ax.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal")
    ax.set_axis_off()
    hidden = int(((moves < FAINT) & (moves > 0) & ~np.eye(k, dtype=bool)).sum())
    said = f"\n{hidden} move{'s' * (hidden > 1)} under {FAINT:g} not drawn" if hidden else ""
    ax.set_title("Transitions" + said)
    return ax
