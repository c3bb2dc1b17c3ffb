"""What all plots share: axes, colours, names of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.errors import UsageError
from estep.records import Array, Int
from estep.report.words import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito (2008): told apart with any colour vision
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#666666")
INK = "#222222"
PALE = "#D9DEE4"
LEGEND = 10  # components that a legend names
MOST = 20_000  # rows drawn


def axes(ax: Axes | None) -> Axes:
    """The axes to draw on; of a new figure where none are given."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def colour(j: int) -> str:
    """The colour of component j; the ninth has that of the first."""
    return PALETTE[j % len(PALETTE)]


def spell(name: str, most: int = 30) -> str:
    """A column's name as matplotlib draws it: a dollar sign would begin a formula."""
    return clean(name, most).replace("$", r"\$")


def column_label(estimator: Any, j: int) -> str:
    """The name of column j, with the scale that its law is on, as matplotlib draws it."""
    return spell(estimator._modelled_columns()[j].name)


def column_numbers(estimator: Any, columns: Any, n: int, kind: str) -> list[int]:
    """The numbers of the n columns that are asked for, by number or by name; the first n by default."""
    names = [column.name for column in estimator._fitted().columns]
    if len(names) < n:
        raise UsageError(f"kind={kind!r} needs {n} columns, and the data have 1; use kind='density'")
    given = range(n) if columns is None else [columns] if isinstance(columns, str | int) else list(columns)
    if len(given) != n or len({str(each) for each in given}) < n:
        asked = "one column" if n == 1 else f"{n} different columns"
        raise UsageError(f"kind={kind!r} shows {asked}; give columns by number or name, found {columns!r}")
    return [_number(each, names) for each in given]


def shown_rows(X: Array, columns: list[int]) -> tuple[Int, str]:
    """At most `MOST` rows of X, (n, d), in which all these columns are seen; what is not shown, in words."""
    seen = ~np.isnan(X[:, columns]).any(axis=1)
    rows = np.flatnonzero(seen)
    every = -(-rows.size // MOST)
    hidden = f"\n{(~seen).sum()} rows with a missing cell are not shown" if not seen.all() else ""
    hidden += f"\none row in {every} is shown" if every > 1 else ""
    return rows[:: max(every, 1)], hidden


def _number(column: Any, names: list[str]) -> int:
    if isinstance(column, str) and column in names:
        return names.index(column)
    whole = isinstance(column, int | np.integer) and not isinstance(column, bool)
    if whole and 0 <= column < len(names):
        return int(column)
    shown = ", ".join(map(repr, names[:20]))
    raise UsageError(f"no column {column!r}; choose a number from 0 to {len(names) - 1} or one of {shown}")
