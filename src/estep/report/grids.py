"""The fitted parameters as tables, in the user's units: what text, HTML and frames are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from estep.families import Bernoulli, Categorical, Gaussian, IntervalNormal, Mixed, Poisson
from estep.models import PPCA, Alone, Chain, Normal
from estep.records import Array, Column, named_leaves
from estep.report.tables import Alike
from estep.report.words import clean

SIZES = "Sizes (rows that each component is expected to hold)"


class Grid(NamedTuple):
    """One table of one parameter."""

    parameter: str  # its name in code
    heading: str  # "" for a parameter of which nothing is known but its name: its values have any shape
    values: Array  # (rows, columns)
    rows: Sequence[str]
    columns: Sequence[str]
    axes: tuple[str, str]  # what a row and a column of the table are: component, column, other, or nothing
    alike: Alike = "rows"
    of: tuple[str, str] = ("", "")  # what the whole table is of: ("component", "1"), ("column", "class")


def grids(fitted: Any) -> list[Grid]:
    """All parameters; of the user's own model one for each array."""
    model, params, columns = fitted.model, fitted.user_params, fitted.columns
    names = [column.name for column in columns]
    if isinstance(model, Alone):
        labels = _labels(model.family.k)
        shares = params.weights[0]
        found = [_row("weights", "Mixing weights", shares, labels)]
        if not model.family.equal:
            found.append(_row("rows", SIZES, fitted.weight * shares, labels, "rows"))
        return found + _law(model.family.family, params.inner, columns, labels)
    if isinstance(model, Chain):
        states = _labels(model.k)
        moves = "Transition matrix (row: from, column: to)"
        return [
            _row("start", "Start probabilities", params.start, states),
            Grid("moves", moves, params.moves, states, states, ("component", "other"), "probabilities"),
            *(
                grid._replace(heading=grid.heading.replace("of component", "of state"))
                for grid in _law(model.family, params.emission, columns, states)
            ),
        ]
    if isinstance(model, Normal):
        heading = "Covariances (not standard deviations)"
        return [
            Grid("mean", "Mean", params.mean[:, None], names, ["mean"], ("column", "")),
            _matrix("covariance", heading, params.covariance, names),
        ]
    if isinstance(model, PPCA):
        return _components(params, names)
    return _leaves(params)


def _labels(k: int) -> list[str]:
    return [str(j) for j in range(k)]


def _row(
    parameter: str, heading: str, values: Array, labels: Sequence[str], alike: Alike = "probabilities"
) -> Grid:
    return Grid(parameter, heading, values[None], [""], labels, ("", "component"), alike)


def _matrix(parameter: str, heading: str, matrix: Array, names: list[str], label: str = "") -> Grid:
    of = ("component", label) if label else ("", "")
    return Grid(parameter, heading, matrix, names, names, ("column", "other"), "cells", of)


def _law(family: Any, params: Any, columns: tuple[Column, ...], labels: list[str]) -> list[Grid]:
    """The parameters of a family; one label a component."""
    names = [column.name for column in columns]
    if isinstance(family, Mixed):
        inner = [f"{label}.{j}" for label in labels for j in _labels(family.k)]
        heading, axes = "Mixing weights inside (row: outer component or state)", ("component", "other")
        weights = Grid("weights", heading, params.weights, labels, _labels(family.k), axes, "probabilities")
        return [weights, *_law(family.family, params.inner, columns, inner)]
    tell = _TELL.get(type(family))
    return _leaves(params) if tell is None else tell(family, params, columns, names, labels)


def _gaussian(
    family: Gaussian, params: Any, columns: tuple[Column, ...], names: list[str], labels: list[str]
) -> list[Grid]:
    k, d = params.means.shape
    found = [Grid("means", "Means", params.means.T, names, labels, ("column", "component"))]
    kind, own, name = family.law.name, params.covariances, "covariances"
    if kind == "full":
        heads = [f"Covariances of component {label} (not standard deviations)" for label in labels]
        parts = zip(heads, own, labels, strict=True)
        return found + [_matrix(name, head, matrix, names, label) for head, matrix, label in parts]
    if kind == "tied":
        return [*found, _matrix(name, "Covariances, shared by all (not standard deviations)", own, names)]
    if kind == "diag":
        heading = "Variances (not standard deviations)"
        return [*found, Grid(name, heading, own.T, names, labels, ("column", "component"))]
    if kind == "spherical":
        heading = "Variances (not standard deviations), the same in every column"
        return [*found, _row(name, heading, own, labels, "rows")]
    variance = family.law.dense(own, k, d)[0, 0, 0]
    heading = "Shared spherical variance, not standard deviation; stiffness 1 / (2 variance)"
    both = np.array([[variance, 0.5 / variance]])
    return [*found, Grid(name, heading, both, [""], ["variance", "stiffness"], ("", "other"), "cells")]


def _rates(family: Poisson, params: Any, columns: Any, names: list[str], labels: list[str]) -> list[Grid]:
    return [Grid("rates", "Rates", params.rates.T, names, labels, ("column", "component"))]


def _events(family: Bernoulli, params: Any, columns: Any, names: list[str], labels: list[str]) -> list[Grid]:
    values, axes = params.probabilities.T, ("column", "component")
    return [Grid("probabilities", "Probabilities of a 1", values, names, labels, axes, "probabilities")]


def _levels(
    family: Categorical, params: Any, columns: tuple[Column, ...], names: list[str], labels: list[str]
) -> list[Grid]:
    found: list[Grid] = []
    for j, column in enumerate(columns):
        size = family.levels[j] if family.levels else params.probabilities.shape[2]
        shown, rows = params.probabilities[:, j, :size].T, column.levels or _labels(size)
        heading, axes = f"Probabilities of {clean(column.name)!r}", ("other", "component")
        of = ("column", column.name)
        found.append(Grid("probabilities", heading, shown, rows, labels, axes, "probabilities", of))
    return found


def _intervals(
    family: IntervalNormal, params: Any, columns: Any, names: list[str], labels: list[str]
) -> list[Grid]:
    pairs = [f"{lower}, {upper}" for lower, upper in zip(names[::2], names[1::2], strict=True)]
    heading, axes = "Variances (not standard deviations)", ("column", "component")
    return [
        Grid("means", "Means", params.means.T, pairs, labels, axes),
        Grid("variances", heading, params.variances.T, pairs, labels, axes),
    ]


_TELL: dict[type[Any], Callable[..., list[Grid]]] = {
    Gaussian: _gaussian,
    Poisson: _rates,
    Bernoulli: _events,
    Categorical: _levels,
    IntervalNormal: _intervals,
}


def _components(params: Any, names: list[str]) -> list[Grid]:
    labels = _labels(params.loadings.shape[1])
    spread = np.square(params.loadings).sum(axis=0)
    noise = float(params.noise)
    shares = (spread + noise) / (spread.sum() + noise * len(names))
    heading, axes = "Loadings (standard deviation of the component times its axis)", ("column", "component")
    variance = "Noise variance (not standard deviation)"
    return [
        Grid("mean", "Mean", params.mean[:, None], names, ["mean"], ("column", "")),
        Grid("loadings", heading, params.loadings, names, labels, axes, "columns"),
        _row("share", "Share of the total variance", shares, labels),
        Grid("noise", variance, np.array([[noise]]), [""], [""], ("", "")),
    ]


def _leaves(params: Any) -> list[Grid]:
    """Parameters of which nothing is known but their names."""
    leaves = ((name or "params", np.asarray(leaf, dtype=np.float64)) for name, leaf in named_leaves(params))
    return [Grid(name, "", array, [], [], ("", "")) for name, array in leaves]
