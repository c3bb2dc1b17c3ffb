"""Pictures of a fit. Each function draws on the axes it is given and returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from estep.errors import UsageError
from estep.report.bic import bic_curve
from estep.report.density import density
from estep.report.ellipses import ellipses
from estep.report.history import history
from estep.report.imputed import imputed
from estep.report.missing import missing
from estep.report.pairs import pairs
from estep.report.uncertainty import uncertainty

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from estep.records import Array

__all__ = [
    "bic_curve",
    "density",
    "ellipses",
    "history",
    "imputed",
    "missing",
    "pairs",
    "plot",
    "uncertainty",
]

OF_COLUMNS = {
    "density": density,
    "ellipses": ellipses,
    "uncertainty": uncertainty,
    "imputed": imputed,
}


def plot(
    estimator: Any, kind: str, X: Array | None = None, *, columns: Any = None, ax: Axes | None = None
) -> Any:
    """Draw one picture of a fitted estimator; `Face.plot` says what each shows.

    Raises
    ------
    UsageError
        Another kind, no X where it is needed, columns that do not exist, or a model of which this kind of
        picture cannot be drawn.
    """
    if kind == "history":
        return history(estimator, ax=ax)
    known = (*OF_COLUMNS, "missing", "pairs")
    if hasattr(estimator, "transmat_"):  # which draws these itself: they need its sequences
        known = (*known, "states", "transitions", "forecast")
    if kind not in known:
        raise UsageError(f"kind must be 'history', {', '.join(map(repr, known))}; found {kind!r}")
    if X is None:
        raise UsageError(f"kind={kind!r} shows the data: give them as X")
    if kind == "missing":
        return missing(estimator, X, ax=ax)
    if kind == "pairs":
        if ax is not None:
            raise UsageError("kind='pairs' draws a figure of its own; leave out ax")
        return pairs(estimator, X, columns)
    return OF_COLUMNS[kind](estimator, X, columns, ax)
