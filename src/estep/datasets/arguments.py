"""Checks of what a generator is asked for; each error names the parameter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from estep.errors import UsageError
from estep.records import Array

RandomState = int | Generator | None


def generator(random_state: RandomState) -> Generator:
    """The generator asked for; None is a fresh one from the operating system."""
    if isinstance(random_state, Generator):
        return random_state
    if random_state is None or (_is_whole(random_state) and random_state >= 0):
        return np.random.default_rng(random_state)
    raise UsageError(f"random_state={random_state!r}: give an integer >= 0, a numpy.random.Generator or None")


def count(value: int, name: str) -> int:
    """A number of rows: a whole number, at least 1."""
    if not _is_whole(value) or value < 1:
        raise UsageError(f"{name}={value!r}: a whole number of at least 1 was expected")
    return int(value)


def finite(value: ArrayLike, name: str, ndims: tuple[int, ...]) -> Array:
    """A new float64 array without NaN or infinity, with one of the numbers of dimensions in `ndims`."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{name} must be an array of numbers; found {str(value)[:40]!r}") from None
    if array.ndim not in ndims or array.size == 0:
        expected = " or ".join(f"{ndim}-D" for ndim in ndims)
        raise UsageError(f"{name} has shape {array.shape}; a filled {expected} array was expected")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise UsageError(f"{name}{list(place)} is {array[place]}; every entry must be finite")
    return array


def probabilities(value: ArrayLike, name: str, ndim: int = 1) -> Array:
    """Probabilities whose last axis sums to 1, exactly as far as floating point goes."""
    array = finite(value, name, (ndim,))
    total = array.sum(axis=-1, keepdims=True)
    if array.min() < 0.0:
        raise UsageError(f"{name} has an entry of {array.min()}; give none below 0")
    if not np.allclose(total, 1.0, rtol=0.0, atol=1e-8):  # room for a sum of rounded terms, not for a slip
        worst = float(total.flat[np.abs(total - 1.0).argmax()])
        what = "sums" if ndim == 1 else "has a row that sums"
        raise UsageError(f"{name} {what} to {worst:.10g}; divide by the sum to make it 1")
    shares: Array = array / total
    return shares


def roots(covariances: ArrayLike, name: str, means: Array) -> Array:
    """The lower factors (k, d, d) of covariances of shape (k, d, d) or variances of shape (k, d)."""
    array = finite(covariances, name, (means.ndim, means.ndim + 1))
    full = (*means.shape, means.shape[-1])
    if array.shape not in (full, means.shape):
        raise UsageError(
            f"{name} has shape {array.shape}; {full} was expected, or {means.shape} for variances alone"
        )
    if array.shape == means.shape:
        if array.min() <= 0.0:
            raise UsageError(f"{name} has a variance of {array.min()}; they must be positive")
        return np.sqrt(array)[..., None] * np.eye(means.shape[-1])
    deviation = np.sqrt(np.abs(np.diagonal(array, axis1=-2, axis2=-1)))
    allowed = 1e-10 * deviation[..., :, None] * deviation[..., None, :]  # in the units of each entry
    if (np.abs(array - np.swapaxes(array, -1, -2)) > allowed).any():
        raise UsageError(f"{name} is not symmetric; a covariance must equal its transpose")
    try:
        factors: Array = np.linalg.cholesky(array)
    except np.linalg.LinAlgError:
        lowest = np.linalg.eigvalsh(array)[..., 0]
        where = f"{name}[{lowest.argmin()}]" if lowest.ndim else name
        raise UsageError(
            f"{where} is not positive definite: its smallest eigenvalue, {lowest.min():.3g}, must be above 0"
        ) from None
    return factors


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
