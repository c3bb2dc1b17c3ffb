"""Criteria of several fits by their number of components."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from estep.errors import UsageError
from estep.models import PPCA, Alone, Chain
from estep.report.canvas import INK, axes, colour
from estep.report.words import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def bic_curve(fits: Sequence[Any], X: Any, ax: Axes | None = None) -> Axes:
    """BIC of each fit (Schwarz 1978; lower is better) by its number of components, a line a kind of model.

    Parameters
    ----------
    fits : fitted estimators
        Mixtures, `PPCA` or hidden Markov models, in any order, of any kinds.
    X : array-like of shape (n, d)
        The data they were fitted to.
    ax : matplotlib Axes, optional

    Raises
    ------
    UsageError
        No fits, or one that has no number of components.

    Examples
    --------
    >>> from estep import GaussianMixture
    >>> from estep.datasets import load_faithful
    >>> from estep.report.plots import bic_curve
    >>> X = load_faithful().values
    >>> ax = bic_curve([GaussianMixture(k, random_state=0).fit(X) for k in (1, 2, 3)], X)
    >>> ax.get_title()
    'Lowest BIC: 2 components (Gaussian mixture, full covariances)'
    """
    from matplotlib.ticker import MaxNLocator

    curves: dict[str, list[tuple[int, float]]] = {}
    for fit in fits:
        model = fit._fitted().model
        kind = re.sub(r" with \d+ \w+", "", title(model))
        curves.setdefault(kind, []).append((_size(model), fit.bic(X)))
    if not curves:
        raise UsageError("fits is empty; give the fitted estimators that are to be compared")
    ax = axes(ax)
    for i, (kind, points) in enumerate(curves.items()):
        ax.plot(*zip(*sorted(points), strict=True), color=colour(i), marker="o", ms=4, lw=1.5, label=kind)
    value, size, kind = min((bic, k, kind) for kind, points in curves.items() for k, bic in points)
    ax.plot(size, value, marker="o", ms=11, mfc="none", mec=INK, mew=1.5, ls="none", label="lowest")
    ax.set(xlabel="components", ylabel="BIC (lower is better)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.set_title(f"Lowest BIC: {size} component{'s' * (size > 1)} ({kind})")
    ax.legend(frameon=False, fontsize="small")
    return ax


def _size(model: Any) -> int:
    if isinstance(model, Alone):
        return int(model.family.k)
    if isinstance(model, Chain | PPCA):
        return int(model.k if isinstance(model, Chain) else model.q)
    raise UsageError(f"{type(model).__name__} has no number of components; give mixtures, PPCA or HMM")
