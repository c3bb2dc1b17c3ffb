"""The parameters of an estimator, checked when it is fitted; each error names the one it is about."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from estep.data.weights import numbers
from estep.errors import UsageError
from estep.records import Array


def draw_seed(random_state: Any) -> int:
    """A seed from an int, a RandomState, or None: NumPy's global state, as in scikit-learn."""
    try:
        return int(check_random_state(random_state).randint(2**31 - 1))
    except ValueError as error:
        raise UsageError(
            "random_state must be None, a whole number from 0 to 2**32 - 1 or a numpy RandomState; found "
            f"{random_state!r}"
        ) from error


def count(estimator: Any, name: str) -> int:
    """A whole number >= 1 among the estimator's parameters."""
    return whole(getattr(estimator, name), name)


def whole(value: Any, name: str) -> int:
    """A whole number >= 1."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise UsageError(f"{name} must be an integer >= 1; found {value!r}")
    return int(value)


def positive(estimator: Any, name: str, *, zero: bool) -> float:
    """A finite number > 0, or >= 0, among the estimator's parameters."""
    value = getattr(estimator, name)
    good = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value))
    if not good or value < 0 or (value == 0 and not zero):
        raise UsageError(f"{name} must be a finite number {'>=' if zero else '>'} 0; found {value!r}")
    return float(value)


def shaped(value: Any, shape: tuple[int, ...], name: str) -> Array:
    """A finite array of exactly this shape among what the user gave."""
    array = numbers(value, name)
    if array.shape != shape or not np.isfinite(array).all():
        raise UsageError(f"{name} must be finite, of shape {shape}; found shape {array.shape}")
    return array
