"""A standard normal z inside an interval: the log-probability of being there, and moments given that it is.

Tallis, G. M. (1961), J. R. Statist. Soc. B 23, 223-229. Three forms, each without cancellation where it is
taken: in a tail, Mills' ratio; across 0, what lies outside; and for intervals over which the density changes
by a bounded factor, Gauss-Legendre quadrature about the middle, which narrow ones need.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import erfcx, ndtr

from estep.records import Array, Bool

# width times the far end: over such an interval 12 nodes are exact to rounding
NARROW = 4.0
NODES, SHARES = np.polynomial.legendre.leggauss(12)
FARTHEST = 40.0  # the normal density there is 0 in float64
LARGEST = 1e100  # squares of what lies farther overflow; no log-probability is told apart there
ROOT = np.sqrt(np.pi / 2)
LOG_ROOT = 0.5 * np.log(2 * np.pi)


class Truncated(NamedTuple):
    """Arrays of the intervals' shape."""

    log_probability: Array
    mean: Array  # E[z | inside]
    square: Array  # E[z^2 | inside]
    lost: Array  # Var(z^2 | inside) / 2 in [0, 1]: of the information on the variance, what is not seen


def truncated(low: Array, high: Array, width: Array) -> Truncated:
    """Of intervals low < z < high; one end of each may be infinite.

    `width` is given apart, since `high - low` would lose the digits of a narrow interval far out.
    """
    flip = low + high < 0  # into the upper half
    near, far = np.where(flip, -high, low), np.where(flip, -low, high)
    far = np.where(far > LARGEST, np.inf, far)
    near, width = np.minimum(near, LARGEST / 2), np.where(np.isinf(far), np.inf, width)
    narrow = width * far <= NARROW
    tail = ~narrow & (near >= 0)
    found = Truncated(*(np.empty(np.shape(low)) for _ in Truncated._fields))
    for where, form in ((narrow, _narrow), (tail, _tail), (~narrow & ~tail, _across)):
        if where.any():
            _put(found, where, form(near[where], far[where], width[where]))
    np.negative(found.mean, where=flip, out=found.mean)
    return found


def _put(found: Truncated, where: Bool, parts: Truncated) -> None:
    for whole, part in zip(found, parts, strict=True):
        whole[where] = part


def _narrow(near: Array, far: Array, width: Array) -> Truncated:
    """With z = middle + t, the density over that at the middle is exp(-middle t - t^2 / 2)."""
    middle, half = near / 2 + far / 2, width / 2
    mass, first, square, fourth = np.zeros((4, near.size))
    for node, share in zip(NODES, SHARES / 2, strict=True):
        t = node * half
        part = share * np.exp(-t * (middle + t / 2))
        gain = t * (2 * middle + t)  # z^2 - middle^2
        mass += part
        first += part * t
        square += part * gain
        fourth += part * gain**2
    logs = np.log(width) + np.log(mass) - middle**2 / 2 - LOG_ROOT
    square /= mass
    lost = np.clip((fourth / mass - square**2) / 2, 0.0, 1.0)
    return Truncated(logs, middle + first / mass, middle**2 + square, lost)


def _tail(near: Array, far: Array, width: Array) -> Truncated:
    """0 <= near: the probability over the density at `near` is a difference of Mills' ratios."""
    fall = np.exp(-width * (near / 2 + far / 2))  # of the density, from end to end
    far = np.where(fall > 0, far, 0.0)
    mass = ROOT * (erfcx(near / np.sqrt(2)) - fall * erfcx(far / np.sqrt(2)))
    logs = np.log(mass) - near**2 / 2 - LOG_ROOT
    square = 1 + (near - far * fall) / mass
    return Truncated(logs, (1 - fall) / mass, square, _lost(near, far, 1 / mass, fall / mass, square))


def _across(near: Array, far: Array, width: Array) -> Truncated:
    """near < 0 < far: what lies outside is at most 0.6."""
    far = np.minimum(far, FARTHEST)
    outside = ndtr(near) + ndtr(-far)
    left, right = (np.exp(-(end**2) / 2 - LOG_ROOT) / (1 - outside) for end in (near, far))
    square = 1 + near * left - far * right
    return Truncated(np.log1p(-outside), left - right, square, _lost(near, far, left, right, square))


def _lost(near: Array, far: Array, left: Array, right: Array, square: Array) -> Array:
    """From the densities at both ends, given that z is inside; 1 where rounding leaves nothing of it."""
    close = near < FARTHEST
    x, y, z = (np.where(close, part, 0.0) for part in (near, far, square))
    fourth = 3 * z + x**3 * left - y**3 * right
    found: Array = np.where(close, np.clip((fourth - z**2) / 2, 0.0, 1.0), 1.0)
    return found
