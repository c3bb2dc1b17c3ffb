"""The product path: log-densities and sums are one matrix product each over the features of a tile.

Features are 1, x and, by the kind, x_a x_b for a <= b, x_a^2 or |x|^2. Under a shared full covariance, kind
LINEAR, they are 1 and x alone: -1/2 x'Kx is the same for all components, so it cancels from shares, and in
a log-likelihood it comes from the sum of xx' over rows, which is needed anyway and costs the same for any k.
"""

from __future__ import annotations

from typing import Any

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import I64, Code, Count, Place, Values, loop, routine, rows_of
from estep.kernels.cpu.products import DIAG, FULL, LINEAR, SPHERE
from estep.kernels.cpu.shares import share_out
from estep.kernels.cpu.strips import (
    PAD,
    clear,
    gather,
    lay,
    length,
    multiply,
    outer,
    squares,
    subtract,
    take,
    total,
)
from estep.records import Array, Int


@routine
def fill(
    code: Code,
    kind: Count,
    d: Count,
    x: Place,
    step: Count,
    begin: Count,
    end: Count,
    strips: Count,
    out: Place,
    far: Count,
    size: Count,
) -> None:
    """Strips of `size` features, `far` apart, from strips of 1, values and zeros, `step` apart.

    Those of the columns a in [begin, end): x_a x_b for b >= a, or squares; before those of column 0 come 1
    and x. Zeros follow, up to a multiple of PAD.
    """
    build, one = code.builder, I64(1)
    first = build.icmp_signed("==", begin, I64(0))
    before = build.select(first, build.add(d, one), I64(0))
    separate = [build.icmp_signed("==", kind, I64(each)) for each in (DIAG, SPHERE)]
    spare = build.srem(build.sub(I64(0), size), I64(PAD))
    spare = build.select(build.icmp_signed("<", spare, I64(0)), build.add(spare, I64(PAD)), spare)

    def strip(s: Any, nothing: Values) -> Values:
        rows, features = code.at(x, s, step), code.at(out, s, far)
        outer.emit(code, rows, rows, before, features)
        values, rest = code.row(rows, one), code.row(features, before)
        with build.if_then(separate[0]):
            squares.emit(code, values, d, rest)
        with build.if_then(separate[1]):
            length.emit(code, values, d, rest)
        with build.if_then(build.not_(build.or_(*separate))):

            def column(i: Any, place: Values) -> Values:
                a = build.add(begin, i)
                line, others = code.row(values, a), build.sub(d, a)
                outer.emit(code, line, line, others, code.row(rest, place[0]))
                return [build.add(place[0], others)]

            loop(build, build.sub(end, begin), [I64(0)], column)
        clear.emit(code, code.row(features, size), spare)
        return []

    loop(build, strips, [], strip)


@jit
def sweep(
    kind: int,
    k: int,
    d: int,
    strips_of_tile: int,
    edges: Int,
    parts: Int,
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
    means: Array,
) -> None:
    """A mixture's whole E-step on complete rows values (d, m), its log-weights in `constant`.

    terms and sums (k, P + PAD) grow by the block's. So does, of kind LINEAR, the upper triangle of shared, of
    the sum of xx', (d, width); terms are then without -1/2 x'Kx. Of kind FULL, shared (k, d, d) gets the
    second moments about the means, from all of sums. If resp (k, m) is not empty, the sums are
    under it, with row weights in it; if logs (k, m) is not empty, it gets the log-densities but for their
    constants, and nothing else is done. All arrays are flat; x has room for the strips of a tile: 1, values
    and zeros, then features, joint log-densities, and one row more.
    """
    m, rows, high = weights.size, rows_of(x), (1 + d + PAD - 1) // PAD * PAD
    features = strips_of_tile * high * rows
    joint = features + strips_of_tile * width * rows
    square = joint + strips_of_tile * k * rows
    p, chunks, start = natural.size // k, parts.size, 0
    while start < m:
        count = strips_of_tile * rows
        count = min(count, m - start)
        strips = (count + rows - 1) // rows
        lay(values, start, m, count, d, x, rows, high)
        step, wide, tall = high * rows, width * rows, k * rows
        if resp.size:
            lay(resp, start, m, count, k, x, joint, k)
        else:
            clear(x, joint, strips_of_tile * (k + 1))
            if kind == LINEAR:
                multiply(linear, 0, d, k, x, rows, step, d, strips, x, joint, tall)
                if logs.size:
                    clear(x, features, strips_of_tile * width)
                    multiply(natural, 0, d, d, x, rows, step, d, strips, x, features, wide)
                    for s in range(strips):
                        length(x, features + s * wide, d, x, square + s * rows)
                        subtract(x, square + s * rows, k, x, joint + s * tall)
            else:
                begin = 0
                for c in range(chunks):
                    part = parts[c]
                    fill(kind, d, x, 0, step, edges[c], edges[c + 1], strips, x, features, wide, part)
                    multiply(natural, begin, p, k, x, features, wide, part, strips, x, joint, tall)
                    begin += part
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
                outer(x, square + s * rows, x, s * step + rows, d, x, features + s * wide)
            begin = 0
            while begin < d:  # at the edge, what stands beyond column d lands beyond it
                part = min(begin + PAD, d)
                after = (1 + begin) * rows
                gather(x, features, wide, part, x, after, step, PAD, strips, shared, begin, width)
                begin += PAD
        else:
            begin = 0
            for c in range(chunks):
                part = parts[c]
                if chunks > 1 or resp.size:
                    fill(kind, d, x, 0, step, edges[c], edges[c + 1], strips, x, features, wide, part)
                gather(x, joint, tall, k, x, features, wide, part, strips, sums, begin, p + PAD)
                begin += part
        start += count
    if kind == FULL and not logs.size:
        for j in range(k):
            own, line, at = j * (p + PAD), j * d, j * d * d
            product = own + 1 + d
            for a in range(d):
                mean = means[line + a]
                pull = sums[own] * mean - sums[own + 1 + a]
                for b in range(a, d):
                    value = sums[product] - mean * sums[own + 1 + b] + pull * means[line + b]
                    shared[at + a * d + b] = value
                    shared[at + b * d + a] = value
                    product += 1
