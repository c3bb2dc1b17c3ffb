"""Normal components on complete rows: a plan's sweep over a block, and the room it works in."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np

from estep.kernels.cpu import centred, product
from estep.kernels.cpu.lanes import ACROSS, ROWS
from estep.kernels.cpu.plan import STRIPS, Plan, in_line, padded
from estep.kernels.cpu.products import DIAG, FULL, LINEAR, SPHERE
from estep.kernels.cpu.strips import PAD
from estep.linalg import from_lower
from estep.records import Array, Block

NO_RESP = np.empty((0, 0))
_kept = threading.local()


class Sums(NamedTuple):
    """Sums of a block: about the frame's origin on the product path, about the means on the centred one.

    `dense` is of kinds FULL, s = k, and LINEAR, s = 1: centred (s, d, 1 + d + PAD) of resp * y (1, y)'; else
    of kind LINEAR (1, d, d) of resp * xx', and of kind FULL (k, d, d), about the means for once.
    """

    total: Array  # (k, P + PAD) of resp * features: of 1, x, and of squares and products as the kind has them
    dense: Array


def log_density(plan: Plan, block: Block) -> Array:
    """(k, m)."""
    logs = np.empty((len(plan.means), block.values.shape[1]), block.values.dtype)
    _sweep(plan, block, NO_RESP, logs)
    if logs.dtype != np.float64:
        logs = logs.astype(np.float64)
    logs += plan.constant[:, None]
    return logs


def sweep(plan: Plan, block: Block, resp: Array = NO_RESP) -> tuple[Array, Sums]:
    """A mixture's whole E-step, its log-weights in plan.constant: terms (2,), see `share_out`, and sums.

    If resp (k, m) is given, the sums are under it instead, with row weights in it, and the terms 0.
    """
    return _sweep(plan, block, resp, np.empty((0, 0), block.values.dtype))


def _sweep(plan: Plan, block: Block, resp: Array, logs: Array) -> tuple[Array, Sums]:
    (k, d), dtype = plan.means.shape, block.values.dtype
    x, heavy, strips = _room(plan, block)
    terms, sums = np.zeros((2, ACROSS * 8 // dtype.itemsize)), _new_sums(plan)
    given = resp if resp.dtype == dtype else resp.astype(dtype)
    arrays: list[Array] = [*plan.flat, *map(in_line, (plan.constant, block.values, block.weights, given))]
    arrays += [x, heavy, *(each.reshape(-1) for each in (sums.total, sums.dense, terms, logs))]
    if plan.centred:
        centred.sweep(plan.kind, k, d, strips, *arrays)
    else:
        arrays.append(in_line(plan.means))
        product.sweep(plan.kind, k, d, strips, plan.edges, plan.parts, padded(plan.width), *arrays)
        if plan.kind == LINEAR:
            sums = Sums(sums.total, from_lower(sums.dense[:, :, :d].transpose(0, 2, 1)))
    return terms.sum(axis=1), sums


def _room(plan: Plan, block: Block) -> tuple[Array, Array, int]:
    """Room for a tile, kept by thread: strips, weights, and how many strips; see the sweeps."""
    (k, d), m, size = plan.means.shape, block.values.shape[1], block.values.dtype.itemsize
    rows = ROWS * 8 // size
    strips = min(STRIPS, (m + rows - 1) // rows)
    shape = (strips, rows, k, d, plan.width, plan.centred, size)
    if getattr(_kept, "shape", None) != shape:
        high = padded(1 + d)
        front, tail = (2 * high, high) if plan.centred else (high, padded(plan.width))
        numbers = np.empty(strips * rows * (front + tail + k + 1) + 64 // size, block.values.dtype)
        first = -(numbers.ctypes.data // size) % (64 // size)  # no register lies across lines of the cache
        x = numbers[first : numbers.size - 64 // size + first]
        frame = x[: strips * front * rows].reshape(-1, high, rows)
        frame[:, 0], frame[:, 1 + d :] = 1, 0
        _kept.shape, _kept.x, _kept.heavy = shape, x, np.empty(strips * rows)
    return _kept.x, _kept.heavy, strips


def _new_sums(plan: Plan) -> Sums:
    k, d = plan.means.shape
    more = {DIAG: d, SPHERE: 1, FULL: 0 if plan.centred else d * (d + 1) // 2, LINEAR: 0}[plan.kind]
    dense: tuple[int, ...] = (0, 0, 0)
    if plan.kind in (FULL, LINEAR):
        about = d if plan.kind == FULL else padded(d)
        dense = (k if plan.kind == FULL else 1, d, 1 + d + PAD if plan.centred else about)
    return Sums(np.zeros((k, 1 + d + more + PAD)), np.zeros(dense))
