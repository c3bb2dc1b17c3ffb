"""The components of a fit as plots need them: weights, and normal or Poisson laws in the user's units."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from estep.errors import UsageError
from estep.families import Gaussian, Mixed, Poisson
from estep.models import PPCA, Alone, Chain, Normal
from estep.records import Array


class Components(NamedTuple):
    """k weighted laws of d columns; normal where there are covariances, else Poisson."""

    weights: Array  # (k,) summing to 1
    labels: tuple[str, ...]
    means: Array  # (k, d), of a Poisson law the rates
    covariances: Array | None  # (k, d, d)


def components(estimator: Any, X: Array) -> Components:
    """The components; those of a hidden Markov model weigh as much as the rows of X are in their state."""
    fitted = estimator._fitted()
    chain = isinstance(fitted.model, Chain)
    if chain:
        _check(fitted.model.family)
    states = estimator.predict_proba(X).mean(axis=0) if chain else None
    return _of(fitted.model, fitted.user_params, states)


def normal_laws(model: Any, params: Any) -> Components | None:
    """The normal components of a model, in the units of `params`; None if its laws are not normal.

    The states of a hidden Markov model weigh alike: how often each was visited is not among its parameters.
    """
    try:
        found = _of(model, params, np.full(model.k, 1 / model.k) if isinstance(model, Chain) else None)
    except UsageError:
        return None
    return None if found.covariances is None else found


def _of(model: Any, params: Any, states: Array | None) -> Components:
    if isinstance(model, Normal):
        return Components(np.ones(1), ("fitted",), params.mean[None], params.covariance[None])
    if isinstance(model, PPCA):
        covariance = params.loadings @ params.loadings.T + params.noise * np.eye(params.mean.size)
        return Components(np.ones(1), ("fitted",), params.mean[None], covariance[None])
    if isinstance(model, Alone):
        labels = tuple(f"component {j}" for j in range(model.family.k))
        return _law(model.family.family, params.inner, params.weights[0], labels)
    if isinstance(model, Chain):
        labels = tuple(f"state {j}" for j in range(model.k))
        return _law(model.family, params.emission, np.asarray(states), labels)
    raise UsageError("this model has no components to draw; use kind='history' or kind='missing'")


def _law(family: Any, params: Any, weights: Array, labels: tuple[str, ...]) -> Components:
    if isinstance(family, Mixed):
        inner = tuple(f"{label}.{j}" for label in labels for j in range(family.k))
        return _law(family.family, params.inner, (weights[:, None] * params.weights).ravel(), inner)
    if isinstance(family, Poisson):
        return Components(weights, labels, params.rates, None)
    _check(family)
    k, d = params.means.shape
    return Components(weights, labels, params.means, family.law.dense(params.covariances, k, d))


def _check(family: Any) -> None:
    while isinstance(family, Mixed):
        family = family.family
    if not isinstance(family, Gaussian | Poisson):
        raise UsageError(
            f"densities and ellipses are drawn of normal and Poisson laws, not of {type(family).__name__}; "
            "summary() tells its probabilities"
        )
