"""The centred path: deviations from each component's mean, whitened, their products summed under its weights.

About twice the arithmetic of the product path, and nothing cancels however narrow a component is beside its
distance from the origin.
"""

from __future__ import annotations

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import rows_of
from estep.kernels.cpu.products import DIAG, FULL
from estep.kernels.cpu.shares import share_out
from estep.kernels.cpu.strips import (
    PAD,
    clear,
    gather,
    lay,
    length,
    multiply,
    outer,
    scale,
    shift,
    squares,
    take,
)
from estep.records import Array


@jit
def sweep(
    kind: int,
    k: int,
    d: int,
    strips_of_tile: int,
    means: Array,
    whiten: Array,
    half: Array,
    constant: Array,
    values: Array,
    weights: Array,
    resp: Array,
    x: Array,
    heavy: Array,
    sums: Array,
    dense: Array,
    terms: Array,
    logs: Array,
) -> None:
    """As the sweep of `product.py`, about the means; sums (k, P + PAD) and dense (s, d, 1 + d + PAD) grow.

    dense are the second moments of kinds FULL, s = k, and LINEAR, s = 1. whiten are k or, shared, one inverse
    Cholesky factor, or (k, d) roots of precisions; half is (1,) of -1/2. x has room for the strips of a tile:
    1, values and zeros, then the same of deviations, `high` rows more, joint log-densities, and one row.
    """
    m, rows, high = weights.size, rows_of(x), (1 + d + PAD - 1) // PAD * PAD
    apart = strips_of_tile * high * rows
    other = 2 * apart
    joint = 3 * apart
    square = joint + strips_of_tile * k * rows
    wide, step, tall, start = 1 + d + PAD, high * rows, k * rows, 0
    full = dense.size > 0
    while start < m:
        count = strips_of_tile * rows
        count = min(count, m - start)
        strips = (count + rows - 1) // rows
        lay(values, start, m, count, d, x, rows, high)
        if resp.size:
            lay(resp, start, m, count, k, x, joint, k)
        else:
            clear(x, joint, strips_of_tile * k)
            clear(x, other, strips_of_tile * high)
            for j in range(k):
                for s in range(strips):
                    near, far = s * step + rows, other + s * step
                    shift(x, near, means, j * d, d, x, apart + near)
                    if full:
                        clear(x, far, d)
                    else:
                        scale(x, apart + near, whiten, j * d, d, x, far)
                if full:
                    own = j * d * d if kind == FULL else 0
                    multiply(whiten, own, d, d, x, apart + rows, step, d, strips, x, other, step)
                for s in range(strips):
                    length(x, other + s * step, d, x, square + s * rows)
                multiply(half, 0, 1, 1, x, square, rows, 1, strips, x, joint + j * rows, tall)
            if logs.size:
                take(x, joint, k, count, k, logs, start, m)
                start += count
                continue
            if count < heavy.size:  # strips of float32 are longer than those of weights
                clear(heavy, 0, heavy.size // rows_of(heavy))
            lay(weights, start, 0, count, 1, heavy, 0, 1)
            share_out(x, joint, k, constant, 0, heavy, 0, strips, terms, 0)
        clear(x, other, strips_of_tile * high)
        for j in range(k):
            line, begin = joint + j * rows, j * (sums.size // k)
            for s in range(strips):
                near, far = s * step + rows, other + s * step
                shift(x, near, means, j * d, d, x, apart + near)
                if full:
                    outer(x, line + s * tall, x, apart + near, d, x, far)
                elif kind == DIAG:
                    squares(x, apart + near, d, x, far)
                else:
                    length(x, apart + near, d, x, far)
            gather(x, line, tall, 1, x, apart, step, 1 + d, strips, sums, begin, 0)
            if full:
                own = j * d * wide if kind == FULL else 0
                gather(x, other, step, d, x, apart, step, 1 + d, strips, dense, own, wide)
            else:
                more = d if kind == DIAG else 1
                gather(x, line, tall, 1, x, other, step, more, strips, sums, begin + 1 + d, 0)
        start += count
