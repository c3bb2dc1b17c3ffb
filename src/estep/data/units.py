"""The frame of a fit, chosen from the columns."""

from __future__ import annotations

from typing import Literal

import numpy as np

from estep.data.describe import LARGEST, SMALLEST
from estep.errors import DataError
from estep.records import Array, Column, Units

# "pair": each two columns are the ends of an interval and share a frame; rows have probabilities
Equivariance = Literal["none", "scalar", "column", "pair"]


def choose_units(columns: tuple[Column, ...], equivariance: Equivariance) -> Units:
    """The frame that brings columns to mean zero and unit scale, as far as the model allows.

    Scales are powers of two and centres multiples of them, so that framing rounds as little as it can and
    neither the order of rows nor a change of units by a power of two moves a bit.
    """
    d = len(columns)
    if equivariance == "pair":
        columns = _as_pairs(columns)
    if equivariance == "none":
        return Units(np.zeros(d), np.ones(d))
    for column in columns:
        if np.isnan(column.variance):
            low, high = (end if np.isfinite(end) else column.mean for end in (column.low, column.high))
            power = -int(np.frexp(high / 2 - low / 2)[1])
            raise DataError(
                f"column {column.name!r}, from {column.low:g} to {column.high:g}, has a variance outside "
                f"float64; multiply the column by 2.0**{power}"
            )
    deviations = np.array([np.sqrt(column.variance) for column in columns])
    varies = deviations > 0
    scale = np.ones(d)
    if equivariance in ("column", "pair"):
        scale[varies] = _power_of_two(deviations[varies])
    elif varies.any():
        top = deviations.max()  # factored out, so that no square overflows
        scale[:] = _power_of_two(top * np.sqrt(np.mean((deviations[varies] / top) ** 2)))
    means = np.array([column.mean for column in columns])
    return Units(np.where(varies, np.rint(means / scale) * scale, means), scale)


def has_density(equivariance: Equivariance) -> bool:
    """Whether rows have densities, which change with the units, or probabilities."""
    return equivariance != "pair"


def pooled(lower: Column, upper: Column) -> tuple[float, float]:
    """Mean and variance (about it) of the finite ends of intervals."""
    # an infinite extreme on the inner side tells that no end is finite
    ends = [lower] * bool(lower.high > -np.inf) + [upper] * bool(upper.low < np.inf)
    if not ends:
        return 0.0, 0.0
    total = max(sum(end.seen for end in ends), 1e-300)
    mean = sum(end.mean * (end.seen / total) for end in ends)
    apart = max(abs(end.mean - mean) for end in ends)
    if apart and not SMALLEST <= apart <= LARGEST:
        return mean, np.nan
    variance = sum((end.variance + (end.mean - mean) ** 2) * (end.seen / total) for end in ends)
    return mean, variance


def _as_pairs(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns, each with the mean and variance of its pair."""
    found: list[Column] = []
    for j in range(0, len(columns) - 1, 2):
        mean, variance = pooled(*columns[j : j + 2])
        found += [column._replace(mean=mean, variance=variance) for column in columns[j : j + 2]]
    return (*found, *columns[2 * (len(columns) // 2) :])


def _power_of_two(x: Array) -> Array:
    """The power of two just above x."""
    return np.ldexp(1.0, np.frexp(x)[1])
