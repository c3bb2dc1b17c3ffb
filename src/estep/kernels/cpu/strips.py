"""Tiles of rows as strips, their features, and the two matrix products over them.

For an exponential family log p(x | j) = natural_j . T(x): log-densities are natural @ features, sums are
resp @ features'. A matrix of a tile is held strip by strip: number (row r, strip s, place i) of one with
`high` rows stands at ((s * high) + r) * rows_of(array) + i, so that a strip is one run in memory. What a last
strip has beyond the tile is filled up with rows of weight 0.
"""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import (
    ACROSS,
    DEEP,
    dots1,
    dots2,
    outer,
    product1,
    product2,
    product4,
    product8,
    rows_of,
    squares,
)
from estep.kernels.cpu.products import DIAG, FULL, SPHERE
from estep.kernels.cpu.shares import lanes_of, share
from estep.records import Array

PAD = ACROSS  # products with sums take so many features at once: a strip has room for as many zeros


@jit
def load(values: Array, start: int, count: int, high: int, x: Array) -> None:
    """Columns start, start + 1, ... of values (d, m) as strips of 1, the d values, and zeros up to `high`."""
    d, rows = len(values), rows_of(values)
    step = high * rows
    for s in range((count + rows - 1) // rows):
        here, begin = min(rows, count - s * rows), start + s * rows
        strip = x[s * step : (s + 1) * step]
        ones = strip[:rows]
        for i in range(rows):
            ones[i] = 1.0
        for a in range(d):
            line, source = strip[(1 + a) * rows : (2 + a) * rows], values[a, begin : begin + here]
            for i in range(here):
                line[i] = source[i]
            for i in range(here, rows):
                line[i] = 0.0
        rest = strip[(1 + d) * rows :]
        for i in range(rest.size):
            rest[i] = 0.0


@jit
def fill(
    kind: int, d: int, x: Array, high: int, begin: int, end: int, strips: int, width: int, out: Array
) -> int:
    """Strips of features into `out`, `width` rows a strip, the last of them zeros; how many there are.

    Those of the columns a in [begin, end): x_a x_b for b >= a, or x_a^2; before those of column 0 come 1
    and x; |x|^2 is one feature, of column 0.
    """
    rows = rows_of(x)
    count = 0
    for s in range(strips):
        source, base = s * high * rows, s * width * rows
        count = 0
        if begin == 0:
            count = 1 + d
            outer(x, source, x, source, count, out, base)  # the row of ones times each
        if kind == FULL:
            for a in range(begin, end):
                line = source + (1 + a) * rows
                outer(x, line, x, line, d - a, out, base + count * rows)
                count += d - a
        elif kind == DIAG:
            squares(x, source + rows, d, out, base + count * rows)
            count += d
        elif kind == SPHERE:
            total = out[base + count * rows : base + (1 + count) * rows]
            for i in range(rows):
                total[i] = 0.0
            for a in range(d):
                value = x[source + (1 + a) * rows : source + (2 + a) * rows]
                for i in range(rows):
                    total[i] += value[i] * value[i]
            count += 1
        rest = out[base + count * rows : base + (count + PAD - 1) // PAD * PAD * rows]
        for i in range(rest.size):
            rest[i] = 0.0
    return count


@jit
def multiply(
    left: Array,
    at: int,
    stride: int,
    k: int,
    strip: Array,
    b: int,
    step: int,
    p: int,
    strips: int,
    out: Array,
) -> None:
    """Strips out (k, rows) += left (k, p) @ strips (p, rows): left begins `at`, with rows `stride` apart."""
    rows = rows_of(strip)
    j = 0
    while j < k:
        line, more = at + j * stride, k - j
        for s in range(strips):
            first, target = b + s * step, (s * k + j) * rows
            if more >= 8 and DEEP >= 8:
                product8(left, line, stride, strip, first, p, out, target)
            elif more >= 4:
                product4(left, line, stride, strip, first, p, out, target)
            elif more >= 2:
                product2(left, line, stride, strip, first, p, out, target)
            else:
                product1(left, line, stride, strip, first, p, out, target)
        if more >= 8 and DEEP >= 8:
            j += 8
        elif more >= 4:
            j += 4
        elif more >= 2:
            j += 2
        else:
            j += 1


@jit
def gather(
    one: Array, k: int, other: Array, b: int, step: int, p: int, strips: int, out: Array, c: int, stride: int
) -> None:
    """out (k, p) += one (k, rows) @ other (p, rows)', over strips; rows of out `stride` apart, from place c.

    The last `PAD` of p are whole: other has zeros there, and out has room.
    """
    rows = rows_of(other)
    for q in range(0, p, PAD):
        j = 0
        while j < k:
            line, first, target = j * rows, b + q * rows, c + j * stride + q
            if k - j >= 2:
                dots2(one, line, k * rows, other, first, step, strips, out, target, stride)
            else:
                dots1(one, line, k * rows, other, first, step, strips, out, target, stride)
            j += 2


@jit
def share_out(joint: Array, k: int, constant: Array, weights: Array, strips: int, terms: Array) -> None:
    """`shares.share` of each strip: joint (k, rows) + constant (k,) becomes weight * p(j | row)."""
    rows, lanes = rows_of(joint), lanes_of(joint)
    sums = np.zeros(2 * lanes)
    for s in range(strips):
        share(joint, s * k * rows, k, constant, 0, weights, s * rows, sums, 0)
    for i in range(lanes):
        terms[0] += sums[i]
        terms[1] += sums[lanes + i]
