"""Which cells are missing together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.records import Array
from estep.report.canvas import PALE, PALETTE, axes, spell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PATTERNS = 25  # shown at most


def missing(estimator: Any, X: Array, ax: Axes | None = None) -> Axes:
    """The patterns of missing cells, most frequent first, and the share that is missing of each column.

    Parameters
    ----------
    estimator : any fitted estimator
        It gives the names of the columns.
    X : array of shape (n, d)
        NaN = missing.
    ax : matplotlib Axes, optional
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    lost = np.isnan(X)
    patterns, counts = np.unique(lost, axis=0, return_counts=True)
    order = np.lexsort((patterns.sum(axis=1), -counts))
    shown = order[:PATTERNS]
    n, d = X.shape
    ax = axes(ax)
    cells = patterns[shown].astype(np.float64)
    width = 1.5 if d <= 40 else 0.0
    colours = ListedColormap([PALE, PALETTE[5]])
    ax.pcolormesh(cells, cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=width)
    ax.set_yticks(np.arange(len(shown)) + 0.5, [str(count) for count in counts[shown]])
    ax.invert_yaxis()
    _name_columns(ax, [column.name for column in estimator._fitted().columns], lost.mean(axis=0))
    rest = counts[order[PATTERNS:]]
    ax.set_ylabel("rows with the pattern" + (f"\n({rest.size} rarer ones not shown)" if rest.size else ""))
    ax.set_title(
        f"{lost.sum()} of {lost.size} cells missing, {(~lost.any(axis=1)).sum()} of {n} rows complete"
    )
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    keys = [Patch(color=PALE, label="seen"), Patch(color=PALETTE[5], label="missing")]
    ax.legend(handles=keys, frameon=False, loc="upper left", bbox_to_anchor=(1, 1), fontsize="small")
    return ax


def _name_columns(ax: Axes, names: list[str], shares: Array) -> None:
    """Each column with its share of missing cells; of many columns, some."""
    step = -(-len(names) // 40)
    chosen = range(0, len(names), step)
    short = [spell(names[j], 16) for j in chosen]
    upright = sum(map(len, short)) > 60 or len(short) > 10
    joint = " " if upright else "\n"
    labels = [f"{name}{joint}{_percent(shares[j])}" for name, j in zip(short, chosen, strict=True)]
    ax.set_xticks([j + 0.5 for j in chosen], labels, rotation=90 if upright else 0)
    ax.tick_params(axis="x", labelsize="small" if upright else "medium")


def _percent(share: float) -> str:
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"
