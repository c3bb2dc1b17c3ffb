"""Rows of one normal with missing cells, by the missing block of the precision matrix.

With K = S^-1 and y = x - m, E[y_h | y_o] is -K_hh^-1 K_ho y_o, what is left of the covariance K_hh^-1,
log|S_oo| = log|S| + log|K_hh|, and y_o' S_oo^-1 y_o = y_o' K_oo y_o - y_o' K_oh K_hh^-1 K_ho y_o (Lauritzen
1996, appendices B and C). A row that misses u cells costs u^3 instead of (d - u)^3. Rows that miss as many
are factorised side by side, a strip of them at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import I64, SPAN, Code, Count, Place, Values, loop, routine, rows_of
from estep.kernels.cpu.shares import Maths
from estep.kernels.cpu.strips import PAD, clear, gather, inner, lay, multiply, outer, shift
from estep.linalg import LOG_2PI
from estep.records import Array, Int


@routine
def condition(code: Code, block: Place, u: Count, turned: Place, found: Place) -> None:
    """A strip of K_hh (u, u, rows), in its lower triangle, becomes its inverse, and turned (u, rows) too.

    K_ho y_o becomes E[y_h | y_o]. found (3, rows) gets log|K_hh|, y_o' K_oh K_hh^-1 K_ho y_o, and NaN where
    K_hh has no Cholesky factor, else 0.
    """
    maths = Maths(code.builder, code.dtype)
    build, span = code.builder, range(SPAN)
    zero, nothing = code.number(0.0), code.number(float("nan"))
    name = f"llvm.sqrt.v{code.count}f{8 * code.size}"
    root = build.module.globals.get(name) or ir.Function(
        build.module, ir.FunctionType(code.vector, [code.vector]), name
    )

    def at(a: Any, b: Any) -> Any:
        return code.row(block, build.add(build.mul(a, u), b))

    def loaded(row: Any) -> list[Any]:
        return [code.load(row, v) for v in span]

    def stored(values: Values, row: Any) -> None:
        for v in span:
            code.store(values[v], row, v)

    def dot(count: Any, sums: Values, pair: Any, *, less: bool = False) -> Values:
        """sums +- the products of the rows that pair(c) names, c = 0, ... below count."""

        def more(c: Any, sums: Values) -> Values:
            one, other = (loaded(row) for row in pair(c))
            one = [build.fneg(value) for value in one] if less else one
            return [code.fused(*each) for each in zip(one, other, sums, strict=True)]

        return loop(build, count, sums, more)

    def times(one: Values, other: Values) -> Values:
        return [build.fmul(*pair) for pair in zip(one, other, strict=True)]

    def factorised(a: Any, carried: Values) -> Values:  # the diagonal keeps its inverse
        def entry(b: Any, none: Values) -> Values:
            sums = dot(b, loaded(at(a, b)), lambda c: (at(a, c), at(b, c)), less=True)
            stored(times(sums, loaded(at(b, b))), at(a, b))
            return []

        loop(build, a, [], entry)
        pivots = dot(a, loaded(at(a, a)), lambda c: (at(a, c), at(a, c)), less=True)
        logs, marks = [], []
        for v, pivot in enumerate(pivots):
            good = build.and_(
                build.fcmp_ordered(">", pivot, zero),
                build.fcmp_ordered("<", pivot, code.number(float("inf"))),
            )
            logs.append(build.fadd(carried[v], maths.log(pivot)))
            marks.append(build.select(good, carried[SPAN + v], nothing))
            code.store(build.fdiv(code.number(1.0), build.call(root, [pivot])), at(a, a), v)
        return [*logs, *marks]

    def inverted(a: Any, none: Values) -> Values:  # of the factor, in its place
        def entry(b: Any, none: Values) -> Values:
            between = build.sub(a, b)
            sums = dot(
                between,
                [zero] * SPAN,
                lambda c: (at(a, build.add(b, c)), at(build.add(b, c), b)),
                less=True,
            )
            stored(times(sums, loaded(at(a, a))), at(a, b))
            return []

        return loop(build, a, [], entry)

    def halved(i: Any, bent: Values) -> Values:  # factor^-1 K_ho y_o, from the last: each needs those before
        a = build.sub(build.sub(u, i), I64(1))
        sums = dot(build.add(a, I64(1)), [zero] * SPAN, lambda c: (at(a, c), code.row(turned, c)))
        stored(sums, code.row(turned, a))
        return [code.fused(value, value, total) for value, total in zip(sums, bent, strict=True)]

    def expected(a: Any, none: Values) -> Values:
        def below(b: Any, row: Any, less: bool) -> Values:
            """The products of column a of the factor's inverse with column b, or with `row`, from a down."""
            return dot(
                build.sub(u, a),
                [zero] * SPAN,
                lambda c: (at(build.add(a, c), a), at(build.add(a, c), b) if row is None else row(c)),
                less=less,
            )

        stored(below(a, lambda c: code.row(turned, build.add(a, c)), True), code.row(turned, a))

        def entry(b: Any, none: Values) -> Values:
            stored(below(b, None, False), at(a, b))
            return []

        return loop(build, build.add(a, I64(1)), [], entry)

    ends = loop(build, u, [zero] * (2 * SPAN), factorised)
    loop(build, u, [], inverted)
    bent = loop(build, u, [zero] * SPAN, halved)
    loop(build, u, [], expected)
    for n, values in enumerate((ends[:SPAN], bent, ends[SPAN:])):
        stored(values, code.row(found, I64(n)))


@jit
def by_missing(
    d: int,
    most: int,
    strips_of_tile: int,
    log_det: float,
    mean: Array,
    precision: Array,
    values: Array,
    weights: Array,
    hidden: Int,
    counts: Int,
    x: Array,
    left: Array,
    total: Array,
    terms: Array,
) -> bool:
    """Whether all went well. terms (2,), the loglik and its magnitude, left and total grow.

    Rows values (d, m) are in the order of their `counts` of missing cells, (m,), which `hidden` (m, most)
    names. total, of which the upper triangle counts, is the sum of (1, E[y]) (1, E[y])', (1 + d, 1 + d) and
    room up to a multiple of PAD; left (d, d), of which the lower one counts, the sum of what is left of
    covariances. All arrays are flat; x has room for the strips of a tile: 1, rows and zeros, then the same
    times the weights; and for d + most (most + 1) + 4 rows of a strip.
    """
    m, rows, high = counts.size, rows_of(x), (1 + d + PAD - 1) // PAD * PAD
    step, start = high * rows, 0
    weighted = strips_of_tile * step
    reach = 2 * weighted
    block = reach + d * rows
    for s in range(strips_of_tile):
        for i in range(rows):
            x[s * step + i] = 1.0
        clear(x, s * step + (1 + d) * rows, high - 1 - d)
    while start < m:
        strips = 0
        while strips < strips_of_tile and start < m:
            u, t, frame = counts[start], 1, strips * step
            while t < rows and start + t < m and counts[start + t] == u:
                t += 1
            y, turned = frame + rows, block + u * u * rows
            found = turned + u * rows
            direct = found + 3 * rows
            lay(values, start, m, t, d, x, y, d)
            shift(x, y, mean, 0, d, x, y)
            for i in range(t):
                for a in range(u):
                    x[y + hidden[(start + i) * most + a] * rows + i] = 0.0
            clear(x, reach, d)
            multiply(precision, 0, d, d, x, y, 0, d, 1, x, reach, 0)
            inner(x, y, x, reach, d, x, direct)
            for i in range(rows):
                own = (start + i) * most
                for a in range(u):
                    at = block + a * u * rows + i
                    if i < t:
                        line = hidden[own + a]
                        x[turned + a * rows + i] = x[reach + line * rows + i]
                        for b in range(a + 1):
                            x[at + b * rows] = precision[line * d + hidden[own + b]]
                    else:  # a lane without a row
                        x[turned + a * rows + i] = 0.0
                        for b in range(a + 1):
                            x[at + b * rows] = 1.0 if a == b else 0.0
            condition(x, block, u, x, turned, x, found)
            for i in range(t):
                if x[found + 2 * rows + i] != 0.0:
                    return False
                w, own = weights[start + i], (start + i) * most
                for a in range(u):
                    line, at = hidden[own + a], block + a * u * rows + i
                    x[y + line * rows + i] = x[turned + a * rows + i]
                    for b in range(a + 1):
                        left[line * d + hidden[own + b]] += w * x[at + b * rows]
                constant, seen_det = (d - u) * LOG_2PI, log_det + x[found + i]
                distance = x[direct + i] - x[found + rows + i]
                terms[0] -= 0.5 * w * (constant + seen_det + distance)
                terms[1] += 0.5 * w * (constant + np.abs(seen_det) + distance)
            lay(weights, start, m, t, 1, x, direct, 1)
            outer(x, direct, x, frame, 1 + d, x, weighted + frame)
            start += t
            strips += 1
        begin = 0
        while begin <= d:
            part = min(begin + PAD, 1 + d)
            gather(x, weighted, step, part, x, begin * rows, step, PAD, strips, total, begin, high)
            begin += PAD
    return True
