"""What the sweeps of `complete.py` pass along: a plan, the sums of a block, the room for a tile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import rows_of
from estep.kernels.cpu.products import FULL, LINEAR
from estep.kernels.cpu.strips import PAD
from estep.records import Array, Int

STRIPS = 16  # of a tile


class Plan(NamedTuple):
    """Normal components, prepared for one pass."""

    kind: int  # of features
    centred: bool
    size: float  # of the terms a log-density is summed from, beyond its own; 0 on the centred path
    edges: Int  # columns at which chunks of features begin and end
    width: int  # of the widest chunk, in features
    means: Array  # (k, d)
    natural: Array  # (k, P), of features 1, x, and so on; that of 1 is 0
    halves: Array  # (k,) of -1/2: natural parameters of |whiten x|^2 where it is shared
    constant: Array  # (k,)
    whiten: Array  # (k, d, d) or, shared, (1, d, d): inverse Cholesky factors; (0, 0, 0) where not used
    precision: Array  # (k, d) of diag, (k, 1) of spherical; (0, 0) where not used


class Sums(NamedTuple):
    """Sums of a block: about the frame's origin on the product path, about the means on the centred one."""

    total: Array  # (k, P + PAD) of resp * features: of 1, x, and of squares and products as the kind has them
    dense: Array  # (s, d, 1 + d + PAD) of resp * y (1, y)' where second moments are no features


class Scratch(NamedTuple):
    """Strips of one tile, flat."""

    x: Array  # (high, rows): 1, the values, zeros
    features: Array  # (width, rows)
    joint: Array  # (k, rows)
    apart: Array  # as x, deviations from a mean
    other: Array  # (d, rows)
    square: Array  # (1, rows)
    weights: Array  # (strips * rows,)


@jit
def padded(count: int) -> int:
    return (count + PAD - 1) // PAD * PAD


@jit
def room(count: int, like: Array) -> Array:
    """Numbers of the type of `like`, from the start of a line of the cache: no register lies across two."""
    size = like.itemsize
    numbers = np.empty(count + 64 // size, like.dtype)
    first = -(numbers.ctypes.data // size) % (64 // size)
    return numbers[first : first + count]


@jit
def new_scratch(plan: Plan, m: int, like: Array) -> Scratch:
    k, d = plan.means.shape
    rows = rows_of(like)
    strips = min(STRIPS, (m + rows - 1) // rows)
    tile, high = strips * rows, padded(1 + d)
    apart = high * tile if plan.centred else 0
    other = d * tile if plan.centred or plan.kind == LINEAR else 0
    features = 0 if plan.centred else padded(plan.width) * tile
    return Scratch(
        room(high * tile, like), room(features, like), room(k * tile, like), room(apart, like),
        room(other, like), room(tile, like), room(tile, plan.constant),
    )  # fmt: skip


@jit
def new_sums(plan: Plan) -> Sums:
    (k, d), p = plan.means.shape, plan.natural.shape[1]
    dense = 0
    if plan.kind == LINEAR:
        dense = 1
    elif plan.kind == FULL and plan.centred:
        dense = k
    return Sums(np.zeros((k, p + PAD)), np.zeros((dense, d, 1 + d + PAD)))
