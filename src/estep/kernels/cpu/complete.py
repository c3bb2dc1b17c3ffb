"""Normal components on complete rows: three compiled sweeps over the tiles of a block.

Every sweep takes a plan, and goes one of two ways. Product: log-densities and sums are one matrix product
each over the features of `strips.py`. Centred: deviations from each component's mean, whitened; about
twice the arithmetic, and nothing cancels however narrow a component is beside its distance from the origin.
"""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.jit import jit, jit_sums
from estep.kernels.cpu.lanes import rows_of
from estep.kernels.cpu.products import DIAG, FULL, LINEAR, SPHERE
from estep.kernels.cpu.strips import PAD, fill, gather, load, multiply, share_out
from estep.kernels.cpu.tile import STRIPS, Plan, Scratch, Sums, new_scratch, new_sums, padded
from estep.records import Array


@jit
def squared(strip: Array, high: int, strips: int, out: Array) -> None:
    """out (1, rows) = sums over the rows of strips (high, rows) of squares."""
    rows = rows_of(strip)
    for s in range(strips):
        total = out[s * rows : (s + 1) * rows]
        for i in range(rows):
            total[i] = 0.0
        for a in range(s * high, (s + 1) * high):
            line = strip[a * rows : (a + 1) * rows]
            for i in range(rows):
                total[i] += line[i] * line[i]


@jit
def deviations(x: Array, mean: Array, high: int, strips: int, out: Array) -> None:
    """Strips of 1, x - mean and zeros."""
    d, rows = mean.size, rows_of(x)
    for s in range(strips):
        for a in range(high):
            first = (s * high + a) * rows
            line, source = out[first : first + rows], x[first : first + rows]
            shift = mean[a - 1] if 1 <= a <= d else 0.0  # beside the values stand 1 and 0
            for i in range(rows):
                line[i] = source[i] - shift


@jit
def tile_logs(plan: Plan, strips: int, scratch: Scratch) -> None:
    """joint (k, rows) = log-densities but for their constants, of a tile in scratch.x."""
    k, d = plan.means.shape
    rows, high, width, p = rows_of(scratch.x), padded(1 + d), padded(plan.width), plan.natural.shape[1]
    joint, x, q = scratch.joint, scratch.x, scratch.square
    for i in range(strips * k * rows):
        joint[i] = 0.0
    if not plan.centred:
        begin, natural = 0, plan.natural.ravel()
        for c in range(plan.edges.size - 1):
            first, last = plan.edges[c], plan.edges[c + 1]
            count = fill(plan.kind, d, x, high, first, last, strips, width, scratch.features)
            multiply(natural, begin, p, k, scratch.features, 0, width * rows, count, strips, joint)
            begin += count
        if plan.kind == LINEAR:
            whitened(plan, 0, x, strips, scratch)
            squared(scratch.other, d, strips, q)
            multiply(plan.halves, 0, 1, k, q, 0, rows, 1, strips, joint)
        return
    for j in range(k):
        deviations(x, plan.means[j], high, strips, scratch.apart)
        if plan.kind == FULL or plan.kind == LINEAR:
            whitened(plan, min(j, len(plan.whiten) - 1), scratch.apart, strips, scratch)
        else:
            for s in range(strips):
                for a in range(d):
                    root = np.sqrt(plan.precision[j, min(a, plan.precision.shape[1] - 1)])
                    near, far = (s * d + a) * rows, (s * high + 1 + a) * rows
                    line, source = scratch.other[near : near + rows], scratch.apart[far : far + rows]
                    for i in range(rows):
                        line[i] = root * source[i]
        squared(scratch.other, d, strips, q)
        for s in range(strips):
            line, source = joint[(s * k + j) * rows : (s * k + j + 1) * rows], q[s * rows : (s + 1) * rows]
            for i in range(rows):
                line[i] = -0.5 * source[i]


@jit
def whitened(plan: Plan, j: int, strip: Array, strips: int, scratch: Scratch) -> None:
    """scratch.other (d, rows) = whiten_j @ the values of strips (1, values, zeros)."""
    d, rows = plan.means.shape[1], rows_of(strip)
    for i in range(strips * d * rows):
        scratch.other[i] = 0.0
    step = padded(1 + d) * rows
    multiply(plan.whiten.ravel(), j * d * d, d, d, strip, rows, step, d, strips, scratch.other)


@jit
def weighted(
    strip: Array, high: int, weights: Array, at: int, step: int, d: int, strips: int, out: Array
) -> None:
    """Strips out (d, rows) = the values of strips (1, values, zeros), each times the row's weight.

    Those of strip s are weights[at + s * step], ...
    """
    rows = rows_of(strip)
    for s in range(strips):
        heavy = weights[at + s * step : at + s * step + rows]
        for a in range(d):
            near, far = (s * d + a) * rows, (s * high + 1 + a) * rows
            line, source = out[near : near + rows], strip[far : far + rows]
            for i in range(rows):
                line[i] = source[i] * heavy[i]


@jit
def tile_sums(plan: Plan, strips: int, scratch: Scratch, sums: Sums) -> None:
    """Add the sums under joint (k, rows) of a tile; its features are in scratch if they are one chunk."""
    (k, d), p = plan.means.shape, plan.natural.shape[1]
    rows, high, width, stride = rows_of(scratch.x), padded(1 + d), padded(plan.width), p + PAD
    joint, x, total, dense = scratch.joint, scratch.x, sums.total.ravel(), sums.dense.ravel()
    if not plan.centred:
        begin = 0
        for c in range(plan.edges.size - 1):
            first, last = plan.edges[c], plan.edges[c + 1]
            count = plan.width
            if plan.edges.size > 2:
                count = fill(plan.kind, d, x, high, first, last, strips, width, scratch.features)
            gather(joint, k, scratch.features, 0, width * rows, count, strips, total, begin, stride)
            begin += count
        if plan.kind == LINEAR:
            for s in range(strips):
                all_ = scratch.square[s * rows : (s + 1) * rows]
                for i in range(rows):
                    all_[i] = 0.0
                for j in range(s * k, (s + 1) * k):
                    line = joint[j * rows : (j + 1) * rows]
                    for i in range(rows):
                        all_[i] += line[i]
            weighted(x, high, scratch.square, 0, rows, d, strips, scratch.other)
            gather(scratch.other, d, x, 0, high * rows, 1 + d, strips, dense, 0, 1 + d + PAD)
        return
    for j in range(k):
        deviations(x, plan.means[j], high, strips, scratch.apart)
        weighted(scratch.apart, high, joint, j * rows, k * rows, d, strips, scratch.other)
        if plan.kind == FULL or plan.kind == LINEAR:
            at = min(j, len(sums.dense) - 1) * d * (1 + d + PAD)
            gather(scratch.other, d, scratch.apart, 0, high * rows, 1 + d, strips, dense, at, 1 + d + PAD)
        for s in range(strips):
            sums.total[j, 0] += sum_of(joint[(s * k + j) * rows : (s * k + j + 1) * rows])
            for a in range(d):
                near, far = (s * d + a) * rows, (s * high + 1 + a) * rows
                heavy = scratch.other[near : near + rows]
                sums.total[j, 1 + a] += sum_of(heavy)
                if plan.kind == DIAG or plan.kind == SPHERE:
                    place = 1 + d + a if plan.kind == DIAG else 1 + d
                    sums.total[j, place] += dot_of(heavy, scratch.apart[far : far + rows])


@jit_sums
def sum_of(line: Array) -> float:
    total = 0.0
    for i in range(line.size):
        total += line[i]
    return total


@jit_sums
def dot_of(one: Array, other: Array) -> float:
    total = 0.0
    for i in range(one.size):
        total += one[i] * other[i]
    return total


@jit
def log_density(plan: Plan, values: Array) -> Array:
    """(k, m) of complete rows (d, m)."""
    (k, d), m = plan.means.shape, values.shape[1]
    out, scratch = np.empty((k, m)), new_scratch(plan, m, values)
    rows = rows_of(values)
    for start in range(0, m, STRIPS * rows):
        count = min(m - start, STRIPS * rows)
        strips = (count + rows - 1) // rows
        load(values, start, count, padded(1 + d), scratch.x)
        tile_logs(plan, strips, scratch)
        for j in range(k):
            for i in range(count):
                s = i // rows
                out[j, start + i] = scratch.joint[(s * k + j) * rows + i - s * rows] + plan.constant[j]
    return out


@jit
def sweep(plan: Plan, values: Array, weights: Array, resp: Array) -> tuple[Array, Sums]:
    """A mixture's whole E-step, its log-weights in plan.constant: terms (2,), see `add_terms`, and sums.

    If resp (k, m) is not empty, the sums are under it instead, with row weights in it, and the terms 0. One
    function for both: a first fit needs them both, and each takes its time to compile.
    """
    (k, d), m = plan.means.shape, values.shape[1]
    terms, sums, scratch = np.zeros(2), new_sums(plan), new_scratch(plan, m, values)
    rows, high = rows_of(values), padded(1 + d)
    for start in range(0, m, STRIPS * rows):
        count = min(m - start, STRIPS * rows)
        strips = (count + rows - 1) // rows
        load(values, start, count, high, scratch.x)
        if resp.size:
            for s in range(strips):
                here = min(rows, count - s * rows)
                for j in range(k):
                    line = (s * k + j) * rows
                    for i in range(here):
                        scratch.joint[line + i] = resp[j, start + s * rows + i]
                    for i in range(here, rows):
                        scratch.joint[line + i] = 0.0
            if not plan.centred and plan.edges.size == 2:
                fill(
                    plan.kind,
                    d,
                    scratch.x,
                    high,
                    0,
                    plan.edges[1],
                    strips,
                    padded(plan.width),
                    scratch.features,
                )
        else:
            own, heavy = weights[start : start + count], scratch.weights
            for i in range(count):
                heavy[i] = own[i]
            for i in range(count, strips * rows):
                heavy[i] = 0.0
            tile_logs(plan, strips, scratch)
            share_out(scratch.joint, k, plan.constant, heavy, strips, terms)
        tile_sums(plan, strips, scratch, sums)
    return terms, sums


@jit
def unfold(total: Array, means: Array) -> Array:
    """Second moments about the means, (k, d, d), from sums of 1, x and x_a x_b, a <= b, about the origin."""
    k, d = means.shape
    second = np.empty((k, d, d))
    for j in range(k):
        p = 1 + d
        for a in range(d):
            pull = total[j, 0] * means[j, a] - total[j, 1 + a]
            for b in range(a, d):
                value = total[j, p] - means[j, a] * total[j, 1 + b] + pull * means[j, b]
                second[j, a, b] = value
                second[j, b, a] = value
                p += 1
    return second
