"""The product path: log-densities and sums are one matrix product each over the features of a tile.

Features are 1, x and, by the kind, x_a x_b for a <= b, x_a^2 or |x|^2. Of a shared full covariance the
products serve one more component, whose log-density is added to all of them, and whose sums are theirs.
"""

from __future__ import annotations

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import rows_of
from estep.kernels.cpu.products import DIAG, LINEAR, SPHERE
from estep.kernels.cpu.shares import share_out
from estep.kernels.cpu.strips import (
    PAD,
    add,
    clear,
    gather,
    lay,
    length,
    multiply,
    outer,
    squares,
    take,
    total,
)
from estep.records import Array, Int


@jit
def fill(
    kind: int, d: int, x: Array, high: int, begin: int, end: int, strips: int, features: int, width: int
) -> int:
    """Strips of features, `width` rows each, from place `features` of x on; how many there are.

    Those of the columns a in [begin, end): x_a x_b for b >= a, or squares; before those of column 0 come 1
    and x, unless the kind is LINEAR. Zeros follow, up to a multiple of PAD.
    """
    rows, count = rows_of(x), 0
    for s in range(strips):
        ones, base, count = s * high * rows, features + s * width * rows, 0
        if begin == 0 and kind != LINEAR:
            outer(x, ones, x, ones, 1 + d, x, base)
            count = 1 + d
        if kind == DIAG:
            squares(x, ones + rows, d, x, base + count * rows)
            count += d
        elif kind == SPHERE:
            length(x, ones + rows, d, x, base + count * rows)
            count += 1
        else:
            for a in range(begin, end):
                line = ones + (1 + a) * rows
                outer(x, line, x, line, d - a, x, base + count * rows)
                count += d - a
        clear(x, base + count * rows, (count + PAD - 1) // PAD * PAD - count)
    return count


@jit
def sweep(
    kind: int,
    k: int,
    d: int,
    strips_of_tile: int,
    edges: Int,
    width: int,
    natural: Array,
    linear: Array,
    constant: Array,
    values: Array,
    weights: Array,
    resp: Array,
    x: Array,
    heavy: Array,
    sums: Array,
    shared: Array,
    terms: Array,
    logs: Array,
) -> None:
    """A mixture's whole E-step on complete rows values (d, m), its log-weights in `constant`.

    terms and sums (k, P + PAD), and of kind LINEAR shared (P + PAD,) besides, grow by the block's. If resp
    (k, m) is not empty, the sums are under it, with row weights in it; if logs (k, m) is not empty, it gets
    the log-densities but for their constants, and nothing else is done. All arrays are flat; x has room for
    the strips of a tile: 1, values and zeros, then features, joint log-densities, and one row more.
    """
    m, rows, high = weights.size, rows_of(x), (1 + d + PAD - 1) // PAD * PAD
    features = strips_of_tile * high * rows
    joint = features + strips_of_tile * width * rows
    square = joint + strips_of_tile * k * rows
    target, heads = joint, k
    if kind == LINEAR:  # products serve the one row
        target, heads = square, 1
    p, chunks, start = natural.size // heads, edges.size - 1, 0
    while start < m:
        count = min(m - start, strips_of_tile * rows)
        strips = (count + rows - 1) // rows
        lay(values, start, m, count, d, x, rows, high)
        step, wide, tall, far = high * rows, width * rows, k * rows, heads * rows
        if resp.size:
            lay(resp, start, m, count, k, x, joint, k)
        else:
            clear(x, joint, strips_of_tile * (k + 1))
            begin = 0
            for c in range(chunks):
                part = fill(kind, d, x, high, edges[c], edges[c + 1], strips, features, width)
                multiply(natural, begin, p, heads, x, features, wide, part, strips, x, target, far)
                begin += part
            if kind == LINEAR:
                multiply(linear, 0, 1 + d, k, x, 0, step, 1 + d, strips, x, joint, tall)
                for s in range(strips):
                    add(x, square + s * rows, k, x, joint + s * tall)
            if logs.size:
                take(x, joint, k, count, k, logs, start, m)
                start += count
                continue
            if count < heavy.size:  # strips of float32 are longer than those of weights
                clear(heavy, 0, heavy.size // rows_of(heavy))
            lay(weights, start, 0, count, 1, heavy, 0, 1)
            share_out(x, joint, k, constant, 0, heavy, 0, strips, terms, 0)
        if kind == LINEAR:
            gather(x, joint, tall, k, x, 0, step, 1 + d, strips, sums, 0, 1 + d + PAD)
            for s in range(strips):
                total(x, joint + s * tall, k, x, square + s * rows)
        begin = 0
        for c in range(chunks):
            part = width
            if chunks > 1 or resp.size:
                part = fill(kind, d, x, high, edges[c], edges[c + 1], strips, features, width)
            if kind == LINEAR:
                gather(x, square, far, 1, x, features, wide, part, strips, shared, begin, 0)
            else:
                gather(x, joint, far, k, x, features, wide, part, strips, sums, begin, p + PAD)
            begin += part
        start += count
