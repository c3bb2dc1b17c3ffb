"""The frame of a fit, chosen from the columns."""

from __future__ import annotations

from typing import Literal

import numpy as np

from estep.errors import DataError
from estep.records import Array, Column, Units

Equivariance = Literal["none", "scalar", "column"]


def choose_units(columns: tuple[Column, ...], equivariance: Equivariance) -> Units:
    """The frame that brings columns to mean zero and unit scale, as far as the model allows.

    Scales are powers of two and centres multiples of them, so that framing rounds as little as it can and
    neither the order of rows nor a change of units by a power of two moves a bit.
    """
    d = len(columns)
    if equivariance == "none":
        return Units(np.zeros(d), np.ones(d))
    for column in columns:
        if np.isnan(column.variance):
            power = -int(np.frexp(column.high / 2 - column.low / 2)[1])
            raise DataError(
                f"column {column.name!r}, from {column.low:g} to {column.high:g}, has a variance outside "
                f"float64; multiply the column by 2.0**{power}"
            )
    deviations = np.array([np.sqrt(column.variance) for column in columns])
    varies = deviations > 0
    scale = np.ones(d)
    if equivariance == "column":
        scale[varies] = _power_of_two(deviations[varies])
    elif varies.any():
        top = deviations.max()  # factored out, so that no square overflows
        scale[:] = _power_of_two(top * np.sqrt(np.mean((deviations[varies] / top) ** 2)))
    means = np.array([column.mean for column in columns])
    return Units(np.where(varies, np.rint(means / scale) * scale, means), scale)


def _power_of_two(x: Array) -> Array:
    """The power of two just above x."""
    return np.ldexp(1.0, np.frexp(x)[1])
