"""Normal components on complete rows: three compiled sweeps over the tiles of a block.

Every sweep takes a plan, and goes one of two ways. Product: log-densities and sums are one matrix product
each over the features of `products.py`. Centred: deviations from each component's mean, whitened; about
twice the arithmetic, and nothing cancels however narrow a component is beside its distance from the origin.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.cpu.jit import jit, jit_sums
from estep.kernels.cpu.products import (
    DIAG,
    FULL,
    LINEAR,
    SPHERE,
    add_terms,
    add_to,
    clear,
    fill_features,
    row_sums,
    share,
)
from estep.records import Array


class Plan(NamedTuple):
    """Normal components, prepared for one pass."""

    kind: int  # of features
    centred: bool
    size: float  # of the terms a log-density is summed from, beyond its own; 0 on the centred path
    tile: int  # rows at a time
    means: Array  # (k, d)
    natural: Array  # (k, P)
    constant: Array  # (k,)
    whiten: Array  # (k, d, d) or, shared, (1, d, d): inverse Cholesky factors; (0, 0, 0) where not used
    precision: Array  # (k, d) of diag, (k, 1) of spherical; (0, 0) where not used


class Sums(NamedTuple):
    """Sums about the frame's origin on the product path, about the means on the centred one."""

    rows: Array  # (k,)
    total: Array  # (k, P) of resp * features
    dense: Array  # (s, d, d) second moments that are no features


class Scratch(NamedTuple):
    features: Array  # (P * tile,)
    part: Array  # (k, P)
    joint: Array  # (k * tile,)
    first: Array  # (d * tile,)
    second: Array  # (d * tile,)
    top: Array  # (tile,)
    sum: Array  # (tile,)
    square: Array  # (d, d)


@jit
def new_scratch(plan: Plan) -> Scratch:
    (k, d), p, t = plan.means.shape, plan.natural.shape[1], plan.tile
    return Scratch(
        np.empty(p * t), np.empty((k, p)), np.empty(k * t), np.empty(d * t), np.empty(d * t),
        np.empty(t), np.empty(t), np.empty((d, d)),
    )  # fmt: skip


@jit
def new_sums(plan: Plan) -> Sums:
    (k, d), p = plan.means.shape, plan.natural.shape[1]
    dense = 0
    if plan.kind == LINEAR:
        dense = 1
    elif plan.kind == FULL and plan.centred:
        dense = k
    return Sums(np.zeros(k), np.zeros((k, p)), np.zeros((dense, d, d)))


@jit_sums
def add_squares(matrix: Array, out: Array) -> None:
    """out (t,) += sum over the rows of matrix (d, t) of squares."""
    for a in range(len(matrix)):
        for i in range(out.size):
            out[i] += matrix[a, i] * matrix[a, i]


@jit
def tile_logs(plan: Plan, x: Array, scratch: Scratch, joint: Array) -> None:
    """joint (k, t) = constant + log-density of a tile x (d, t)."""
    (k, d), t = plan.means.shape, x.shape[1]
    white, q = scratch.second[: d * t].reshape(d, t), scratch.top[:t]
    if not plan.centred:
        features = scratch.features[: plan.natural.shape[1] * t].reshape(plan.natural.shape[1], t)
        fill_features(plan.kind, x, features)
        np.dot(plan.natural, features, joint)
        clear(q)
        if plan.kind == LINEAR:
            np.dot(plan.whiten[0], features, white)
            add_squares(white, q)
        for j in range(k):
            for i in range(t):
                joint[j, i] += plan.constant[j] - 0.5 * q[i]
        return
    apart = scratch.first[: d * t].reshape(d, t)
    for j in range(k):
        clear(q)
        for a in range(d):
            mean = plan.means[j, a]
            for i in range(t):
                apart[a, i] = x[a, i] - mean
        if plan.kind == FULL or plan.kind == LINEAR:
            np.dot(plan.whiten[min(j, len(plan.whiten) - 1)], apart, white)
            add_squares(white, q)
        else:
            for a in range(d):
                precision = plan.precision[j, min(a, plan.precision.shape[1] - 1)]
                for i in range(t):
                    q[i] += precision * apart[a, i] * apart[a, i]
        for i in range(t):
            joint[j, i] = plan.constant[j] - 0.5 * q[i]


@jit
def tile_sums(plan: Plan, x: Array, resp: Array, scratch: Scratch, sums: Sums) -> None:
    """Add a tile's expected sums; its features are in scratch, where the path has any."""
    (k, d), t, p = plan.means.shape, x.shape[1], plan.natural.shape[1]
    row_sums(resp, sums.rows)
    heavy = scratch.second[: d * t].reshape(d, t)
    if not plan.centred:
        features = scratch.features[: p * t].reshape(p, t)
        np.dot(resp, features.T, scratch.part)
        add_to(sums.total, scratch.part)
        if plan.kind == LINEAR:
            weight = scratch.sum[:t]
            clear(weight)
            for j in range(k):
                for i in range(t):
                    weight[i] += resp[j, i]
            for a in range(d):
                for i in range(t):
                    heavy[a, i] = features[a, i] * weight[i]
            np.dot(heavy, features.T, scratch.square)
            add_to(sums.dense[0], scratch.square)
        return
    apart = scratch.first[: d * t].reshape(d, t)
    for j in range(k):
        for a in range(d):
            mean = plan.means[j, a]
            for i in range(t):
                apart[a, i] = x[a, i] - mean
                heavy[a, i] = apart[a, i] * resp[j, i]
            first, second = sum_pair(heavy[a], apart[a])
            sums.total[j, a] += first
            if plan.kind == DIAG:
                sums.total[j, d + a] += second
            elif plan.kind == SPHERE:
                sums.total[j, d] += second
        if plan.kind == FULL or plan.kind == LINEAR:
            np.dot(heavy, apart.T, scratch.square)
            add_to(sums.dense[min(j, len(sums.dense) - 1)], scratch.square)


@jit_sums
def sum_pair(heavy: Array, apart: Array) -> tuple[float, float]:
    """The sums of heavy and of heavy * apart."""
    a = b = 0.0
    for i in range(heavy.size):
        a += heavy[i]
        b += heavy[i] * apart[i]
    return a, b


@jit
def log_density(plan: Plan, values: Array) -> Array:
    """(k, m) of complete rows (d, m)."""
    k, m = len(plan.means), values.shape[1]
    out, scratch = np.empty((k, m)), new_scratch(plan)
    for start in range(0, m, plan.tile):
        stop = min(m, start + plan.tile)
        joint = scratch.joint[: k * (stop - start)].reshape(k, stop - start)
        tile_logs(plan, values[:, start:stop], scratch, joint)
        for j in range(k):
            for i in range(stop - start):
                out[j, start + i] = joint[j, i]
    return out


@jit
def sweep(plan: Plan, values: Array, weights: Array, resp: Array) -> tuple[Array, Sums]:
    """A mixture's whole E-step, its log-weights in plan.constant: terms (2,), see `add_terms`, and sums.

    If resp (k, m) is not empty, the sums are under it instead, with row weights in it, and the terms 0. One
    function for both: a first fit needs them both, and each takes its time to compile.
    """
    k, m = len(plan.means), values.shape[1]
    terms, logs, sums, scratch = np.zeros(2), np.empty(plan.tile), new_sums(plan), new_scratch(plan)
    for start in range(0, m, plan.tile):
        stop = min(m, start + plan.tile)
        t, x = stop - start, values[:, start:stop]
        joint = scratch.joint[: k * t].reshape(k, t)
        if resp.size:
            for j in range(k):
                for i in range(t):
                    joint[j, i] = resp[j, start + i]
            if not plan.centred:
                p = plan.natural.shape[1]
                fill_features(plan.kind, x, scratch.features[: p * t].reshape(p, t))
        else:
            tile_logs(plan, x, scratch, joint)
            share(joint, weights[start:stop], scratch.top[:t], scratch.sum[:t], logs[:t])
            add_terms(logs[:t], weights[start:stop], terms)
        tile_sums(plan, x, joint, scratch, sums)
    return terms, sums


@jit
def unfold(rows: Array, total: Array, means: Array) -> Array:
    """Second moments about the means, (k, d, d), from sums of x and of x_a x_b, a <= b, about the origin."""
    k, d = means.shape
    second = np.empty((k, d, d))
    for j in range(k):
        p = d
        for a in range(d):
            pull = rows[j] * means[j, a] - total[j, a]
            for b in range(a, d):
                value = total[j, p] - means[j, a] * total[j, b] + pull * means[j, b]
                second[j, a, b] = value
                second[j, b, a] = value
                p += 1
    return second
