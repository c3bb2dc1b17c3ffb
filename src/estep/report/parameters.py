"""The fitted parameters as tables, in the user's units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from estep.families import Bernoulli, Categorical, Gaussian, Mixed, Poisson
from estep.models import PPCA, Alone, Chain, Normal
from estep.records import Array, Column, named_leaves
from estep.report.tables import Alike, numbers, table
from estep.report.words import clean

MATRICES = 400  # numbers in covariance matrices that are still printed whole


def sections(model: Any, params: Any, columns: tuple[Column, ...]) -> list[str]:
    """Headings and tables of all parameters."""
    names = [column.name for column in columns]
    if isinstance(model, Alone):
        weights = _row("Mixing weights", params.weights[0], _labels(model.family.k), "probabilities")
        return weights + _law(model.family.family, params.inner, columns, _labels(model.family.k))
    if isinstance(model, Chain):
        states = _labels(model.k)
        return [
            *_row("Start probabilities", params.start, states, "probabilities"),
            *_headed(
                "Transition matrix (row: from, column: to)",
                table(params.moves, states, states, alike="probabilities"),
            ),
            *(
                line.replace("of component", "of state")
                for line in _law(model.family, params.emission, columns, states)
            ),
        ]
    if isinstance(model, Normal):
        return [
            *_headed("Mean", table(params.mean[:, None], names, ["mean"])),
            *_covariances(params.covariance[None], names, ["Covariances (not standard deviations)"]),
        ]
    if isinstance(model, PPCA):
        return _components(params, names)
    return _leaves(params)


def _labels(k: int) -> list[str]:
    return [str(j) for j in range(k)]


def _headed(heading: str, lines: list[str]) -> list[str]:
    return ["", heading, *lines]


def _row(heading: str, values: Array, labels: Sequence[str], alike: Alike = "rows") -> list[str]:
    return _headed(heading, table(values[None], [""], labels, alike=alike))


def _law(family: Any, params: Any, columns: tuple[Column, ...], labels: list[str]) -> list[str]:
    """The parameters of a family; one label a component."""
    names = [column.name for column in columns]
    if isinstance(family, Mixed):
        inner = [f"{label}.{j}" for label in labels for j in _labels(family.k)]
        weights = table(params.weights, labels, _labels(family.k), alike="probabilities")
        heading = "Mixing weights inside (row: outer component or state)"
        return _headed(heading, weights) + _law(family.family, params.inner, columns, inner)
    tell = _TELL.get(type(family))
    return _leaves(params) if tell is None else tell(family, params, columns, names, labels)


def _gaussian(
    family: Gaussian, params: Any, columns: tuple[Column, ...], names: list[str], labels: list[str]
) -> list[str]:
    k, d = params.means.shape
    found = _headed("Means", table(params.means.T, names, labels))
    kind, own = family.law.name, params.covariances
    if kind == "full":
        headings = [f"Covariances of component {label} (not standard deviations)" for label in labels]
        return found + _covariances(own, names, headings)
    if kind == "tied":
        return found + _covariances(
            own[None], names, ["Covariances, shared by all (not standard deviations)"]
        )
    if kind == "diag":
        return found + _headed("Variances (not standard deviations)", table(own.T, names, labels))
    if kind == "spherical":
        return found + _row("Variances (not standard deviations), the same in every column", own, labels)
    variance = family.law.dense(own, k, d)[0, 0, 0]
    return found + _row(
        "Shared spherical variance, not standard deviation; stiffness 1 / (2 variance)",
        np.array([variance, 0.5 / variance]),
        ["variance", "stiffness"],
        "cells",
    )


def _covariances(matrices: Array, names: list[str], headings: list[str]) -> list[str]:
    """Whole matrices, or where they would fill pages, only what they say of each column."""
    if matrices.size > MATRICES and matrices.shape[1] > 1:
        deviations = np.sqrt(np.diagonal(matrices, axis1=1, axis2=2)).T
        labels = [heading.split(" (")[0].removeprefix("Covariances of ") for heading in headings]
        heading = "Standard deviations (the covariances are too many to print)"
        return _headed(heading, table(deviations, names, labels))
    found: list[str] = []
    for heading, matrix in zip(headings, matrices, strict=True):
        found += _headed(heading, table(matrix, names, names, alike="cells"))
    return found


def _rates(family: Poisson, params: Any, columns: Any, names: list[str], labels: list[str]) -> list[str]:
    return _headed("Rates", table(params.rates.T, names, labels))


def _events(family: Bernoulli, params: Any, columns: Any, names: list[str], labels: list[str]) -> list[str]:
    return _headed(
        "Probabilities of a 1", table(params.probabilities.T, names, labels, alike="probabilities")
    )


def _levels(
    family: Categorical, params: Any, columns: tuple[Column, ...], names: list[str], labels: list[str]
) -> list[str]:
    found: list[str] = []
    for j, column in enumerate(columns):
        size = family.levels[j] if family.levels else params.probabilities.shape[2]
        shown = params.probabilities[:, j, :size].T
        rows = column.levels or _labels(size)
        found += _headed(
            f"Probabilities of {clean(column.name)!r}", table(shown, rows, labels, alike="probabilities")
        )
    return found


_TELL: dict[type[Any], Callable[..., list[str]]] = {
    Gaussian: _gaussian,
    Poisson: _rates,
    Bernoulli: _events,
    Categorical: _levels,
}


def _components(params: Any, names: list[str]) -> list[str]:
    labels = _labels(params.loadings.shape[1])
    spread = np.square(params.loadings).sum(axis=0)
    noise = float(params.noise)
    total = spread.sum() + noise * len(names)
    loadings = table(params.loadings, names, labels, alike="columns")
    return [
        *_headed("Mean", table(params.mean[:, None], names, ["mean"])),
        *_headed("Loadings (standard deviation of the component times its axis)", loadings),
        *_row("Share of the total variance", (spread + noise) / total, labels, "probabilities"),
        "",
        f"Noise variance (not standard deviation): {numbers([noise])[0]}",
    ]


def _leaves(params: Any) -> list[str]:
    """Parameters of which nothing is known but their names."""
    found = ["", "Parameters"]
    for name, leaf in named_leaves(params):
        array = np.asarray(leaf)
        label = clean(name) or "params"
        if array.ndim == 0:
            found.append(f"  {label}: {numbers([float(array)])[0]}")
        elif array.ndim == 1 and array.size <= 8:
            found.append(f"  {label}: {'  '.join(numbers(array))}")
        else:
            found.append(f"  {label}: array of shape {array.shape}")
    return found
