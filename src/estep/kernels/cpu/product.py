"""The product path: log-densities and sums are one matrix product each over the features of a tile.

Features are 1, x and, by the kind, x_a x_b for a <= b, x_a^2 or |x|^2. Of a shared full covariance the
products serve one more component, whose log-density is added to all of them, and whose sums are theirs.
"""

from __future__ import annotations

from typing import Any

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import I64, Code, Count, Place, Values, loop, routine, rows_of
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
    and x, unless the kind is LINEAR. Zeros follow, up to a multiple of PAD.
    """
    build, one = code.builder, I64(1)
    first = build.and_(build.icmp_signed("==", begin, I64(0)), build.icmp_signed("!=", kind, I64(LINEAR)))
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
    p, chunks, start = natural.size // heads, parts.size, 0
    while start < m:
        count = strips_of_tile * rows
        count = min(count, m - start)
        strips = (count + rows - 1) // rows
        lay(values, start, m, count, d, x, rows, high)
        step, wide, tall, far = high * rows, width * rows, k * rows, heads * rows
        if resp.size:
            lay(resp, start, m, count, k, x, joint, k)
        else:
            clear(x, joint, strips_of_tile * (k + 1))
            begin = 0
            for c in range(chunks):
                part = parts[c]
                fill(kind, d, x, 0, step, edges[c], edges[c + 1], strips, x, features, wide, part)
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
            part = parts[c]
            if chunks > 1 or resp.size:
                fill(kind, d, x, 0, step, edges[c], edges[c + 1], strips, x, features, wide, part)
            if kind == LINEAR:
                gather(x, square, far, 1, x, features, wide, part, strips, shared, begin, 0)
            else:
                gather(x, joint, far, k, x, features, wide, part, strips, sums, begin, p + PAD)
            begin += part
        start += count
