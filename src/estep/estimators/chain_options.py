"""What a user asks of a chain's transitions and of what stays fixed, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from estep.data.weights import numbers
from estep.errors import UsageError
from estep.estimators.parameters import count, shaped
from estep.families import Gaussian
from estep.models import Chain
from estep.models.stationary import recurrent
from estep.models.transitions import Start, Transitions
from estep.records import Array

CHAIN = {"startprob_init": "start", "transmat_init": "moves"}
EMISSION = {
    "means_init": "means",
    "covars_init": "covariances",
    "rates_init": "rates",
    "emissionprob_init": "probabilities",
}
VARIANCES = ("covariances", "variances")  # what covars_init and covars_ may be of a family
HELD = tuple(name.removesuffix("_init") for name in (*CHAIN, *EMISSION))


def chain_of(estimator: Any) -> Chain:
    """The model that an estimator's parameters ask for."""
    k = count(estimator, "n_components")
    family = estimator._emission()
    fixed = fixed_of(estimator)
    inside = tuple(EMISSION[f"{name}_init"] for name in fixed if f"{name}_init" in EMISSION)
    transitions = _transitions(estimator, k, fixed)
    if inside and isinstance(family, Gaussian):
        family, inside = replace(family, fixed=inside), ()
    return Chain(k, family, transitions, settled=bool(inside), lean=bool(estimator.low_memory))


def fixed_of(estimator: Any) -> tuple[str, ...]:
    """The names of what is not estimated; each needs its value."""
    if not isinstance(estimator.fixed, Iterable):
        raise UsageError(f"fixed must hold names, as ('means',); found {estimator.fixed!r}")
    names = (estimator.fixed,) if isinstance(estimator.fixed, str) else tuple(estimator.fixed)
    for name in names:
        if name not in HELD:
            raise UsageError(f"fixed may hold {', '.join(map(repr, HELD))}; found {name!r}")
        if getattr(estimator, f"{name}_init", None) is None:
            raise UsageError(f"fixed={name!r} needs {name}_init: the values to keep")
    return names


def _transitions(estimator: Any, k: int, fixed: tuple[str, ...]) -> Transitions:
    start: Start = estimator.startprob
    if start not in get_args(Start):
        raise UsageError(f"startprob must be 'free', 'fixed' or 'stationary'; found {start!r}")
    if "startprob" in fixed:
        if start == "stationary":
            raise UsageError("startprob='stationary' follows from the moves; take 'startprob' out of fixed")
        start = "fixed"
    if start == "stationary" and estimator.startprob_init is not None:
        raise UsageError("startprob='stationary' follows from the moves; leave startprob_init out")
    held = _held(estimator, k, fixed)
    if start == "stationary" and held is not None and recurrent(np.isnan(held) | (held > 0)) is None:
        raise UsageError(
            "startprob='stationary' needs moves with one stationary law, and these have several sets of "
            "states that are never left; allow a way between them, or give startprob='free'"
        )
    priors = (_prior(estimator, "startprob_prior", (k,)), _prior(estimator, "transmat_prior", (k, k)))
    if priors[0] is not None and start != "free":
        raise UsageError(f"startprob_prior is for startprob='free', not {start!r}; leave it out")
    return Transitions(start, held, *priors)


def _held(estimator: Any, k: int, fixed: tuple[str, ...]) -> Array | None:
    """The moves that no step changes, (k, k), NaN where they are free; None if all are."""
    held = np.array(np.nan)
    if estimator.transmat_fixed is not None:
        held = numbers(estimator.transmat_fixed, "transmat_fixed").copy()
        if held.shape != (k, k) or ((held < 0) | (held > 1)).any():
            raise UsageError(
                f"transmat_fixed must be of shape ({k}, {k}) with probabilities, and NaN where a move is free"
            )
    if estimator.transmat_mask is not None:
        allowed = numbers(estimator.transmat_mask, "transmat_mask")
        if allowed.shape != (k, k) or not np.isin(allowed, (0, 1)).all():
            raise UsageError(f"transmat_mask must be of shape ({k}, {k}), True where a move is allowed")
        clash = np.argwhere((allowed == 0) & (held > 0))
        if clash.size:
            raise UsageError(
                f"transmat_fixed[{clash[0][0]}, {clash[0][1]}] is above 0 where transmat_mask allows no "
                "move; change one of them"
            )
        held = np.where(allowed == 0, 0.0, held)
    if "transmat" in fixed:
        held = shaped(estimator.transmat_init, (k, k), "transmat_init")
    free = np.isnan(held)
    if free.all():
        return None
    left = 1 - np.nansum(held, axis=1)
    for i in range(k):
        if left[i] < -1e-8 or (not free[i].any() and abs(left[i]) > 1e-8) or (free[i].any() and left[i] <= 0):
            raise UsageError(
                f"the moves from state {i} that are fixed sum to {1 - left[i]:g}, "
                f"{'which leaves nothing to the free ones' if free[i].any() else 'and no other is free'}; "
                "give others in transmat_fixed or transmat_mask"
            )
    return held


def _prior(estimator: Any, name: str, shape: tuple[int, ...]) -> Array | None:
    """Parameters of Dirichlet laws, one for all or of this shape; None for the uniform law."""
    value = getattr(estimator, name)
    if value is None:
        return None
    array = numbers(value, name)
    if array.shape not in ((), shape) or not np.isfinite(array).all() or (array < 1).any():
        raise UsageError(
            f"{name} must be a number or of shape {shape}, each >= 1; 1 is no prior, and below it there is "
            "no maximum"
        )
    return None if (array == 1).all() else array
