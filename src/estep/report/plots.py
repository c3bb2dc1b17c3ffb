"""Pictures of a fit. Each function draws on the axes it is given and returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from estep.errors import UsageError
from estep.report.density import density
from estep.report.ellipses import ellipses
from estep.report.history import history
from estep.report.missing import missing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from estep.records import Array

__all__ = ["density", "ellipses", "history", "missing", "plot"]


def plot(
    estimator: Any, kind: str, X: Array | None = None, *, columns: Any = None, ax: Axes | None = None
) -> Axes:
    """Draw one picture of a fitted estimator.

    Parameters
    ----------
    estimator : any estimator of this package
    kind : {"history", "density", "ellipses", "missing"}
    X : array of shape (n, d), optional
        The data, NaN = missing; needed by all but "history".
    columns : int, str, or two of them, optional
        The column of a density, the two columns of ellipses; the first ones by default.
    ax : matplotlib Axes, optional
        A new figure by default.

    Raises
    ------
    UsageError
        Another kind, no X where it is needed, columns that do not exist, or a model of which this kind of
        picture cannot be drawn.
    """
    if kind == "history":
        return history(estimator, ax=ax)
    if kind not in ("density", "ellipses", "missing"):
        raise UsageError(f"kind must be 'history', 'density', 'ellipses' or 'missing'; found {kind!r}")
    if X is None:
        raise UsageError(f"kind={kind!r} shows the data: give them as X")
    if kind == "missing":
        return missing(estimator, X, ax=ax)
    if kind == "density":
        return density(estimator, X, column=columns, ax=ax)
    return ellipses(estimator, X, columns=columns, ax=ax)
