"""Normal components on rows with holes, group by group of one missingness pattern, compiled.

The equations are those of `reference/gaussian.py`: for each group and component one Cholesky factor of the
seen block, and log-densities by forward substitution, a strip of rows at a time; the sums of the seen cells
are gathered over the group and mapped to all cells once, by the regression of the hidden on the seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.kernels.cpu.jit import jit_sums
from estep.kernels.cpu.lanes import SPAN, Code, Count, Place, Values, loop, routine, rows_of
from estep.kernels.cpu.shares import share_out
from estep.kernels.cpu.strips import PAD, clear, gather, multiply, outer, shift
from estep.linalg import LOG_2PI
from estep.records import Array, Int

U = np.uint64  # a place that is not counted from the end, so that loops over it go in lanes


@routine
def solve(code: Code, factor: Place, apart: Count, o: Count, strip: Place, out: Place) -> None:
    """Strip (o, rows) becomes z, factor @ z = strip, and out (1, rows) -|z|^2 / 2.

    Lines of the lower triangular factor are `apart`; its diagonal holds the inverses.
    """
    build = code.builder

    def number(line: Any, c: Any) -> Any:
        return build.load(build.gep(line, [c]))

    def entry(a: Any, lengths: Values) -> Values:
        line, own = code.at(factor, a, apart), code.row(strip, a)

        def more(c: Any, sums: Values) -> Values:
            less, before = code.spread(build.fneg(number(line, c))), code.row(strip, c)
            return [code.fused(less, code.load(before, v), s) for v, s in enumerate(sums)]

        sums = loop(build, a, [code.load(own, v) for v in range(SPAN)], more)
        scale = code.spread(number(line, a))
        found = [build.fmul(scale, value) for value in sums]
        for v in range(SPAN):
            code.store(found[v], own, v)
        return [code.fused(value, value, total) for value, total in zip(found, lengths, strict=True)]

    for v, total in enumerate(loop(build, o, [code.number(0.0)] * SPAN, entry)):
        code.store(build.fmul(code.number(-0.5), total), out, v)


@jit_sums
def sweep(
    k: int,
    d: int,
    strips_of_tile: int,
    means: Array,
    covariances: Array,
    log_weights: Array,
    values: Array,
    weights: Array,
    resp: Array,
    cells: Int,
    seen: Int,
    order: Int,
    edges: Int,
    x: Array,
    parts: Array,
    sums: Array,
    terms: Array,
    logs: Array,
    filled: Array,
) -> int:
    """A mixture's whole E-step on rows values (d, m): -1, or the first component that has no density.

    cells (g, d) are those of each pattern, the `seen` (g,) first, and its rows are `order` from edge to edge.
    terms, see `share_out`, and sums (k, 1 + d, 1 + d) of (1, y)(1, y)', y being deviations from the means,
    grow. If resp (k, m) is not empty, the sums are under it, with row weights in it; or, if filled (d, m) is
    not empty, it gets conditional means of hidden cells, mixed by resp, and nothing else is done. If logs
    (k, m) is not empty, it gets the log-densities alone. All arrays are flat. x has room for the strips of a
    tile: three times 1 + d rows up to a multiple of PAD, joint log-densities, and weights. parts has room for
    each component's factor, slopes and what they leave of the covariance, (d, d), its constant, packed means,
    (d,), and sums of a group, (1 + d, 1 + d) with lines up to a multiple of PAD; and for d numbers more.
    """
    m, rows, wide = order.size, rows_of(x), (1 + d + PAD - 1) // PAD * PAD
    step, square, size = wide * rows, d * d, (1 + d) * wide
    near, tile = strips_of_tile * step, strips_of_tile * rows
    other, joint = 2 * near, 3 * near
    heavy = joint + k * tile
    slopes, lefts, packed = k * square, 2 * k * square, 3 * k * square
    constant = packed + k * d
    groups = constant + k
    reach = groups + k * size
    for s in range(strips_of_tile):
        for i in range(rows):
            x[near + s * step + i] = 1.0
    for g in range(seen.size):
        o, own = seen[g], g * d
        h, hidden = d - o, own + o
        if h == 0 and filled.size:
            continue
        for j in range(k):
            factor, slope, left = j * square, slopes + j * square, lefts + j * square
            log_det = 0.0
            for a in range(o):
                line, at = factor + cells[own + a] * d, factor + a * d
                parts[packed + j * d + a] = means[j * d + cells[own + a]]
                for b in range(a + 1):
                    value = covariances[line + cells[own + b]]
                    for c in range(b):
                        value -= parts[U(at + c)] * parts[U(factor + b * d + c)]
                    if b < a:
                        parts[at + b] = value * parts[factor + b * d + b]
                    else:
                        if not (value > 0.0 and value < np.inf):
                            return j
                        parts[at + a] = 1.0 / np.sqrt(value)
                        log_det += np.log(value)
            parts[constant + j] = log_weights[j] - 0.5 * (o * LOG_2PI + log_det)
            if logs.size:
                continue
            for u in range(h):
                line, at = factor + cells[hidden + u] * d, slope + u * d
                for a in range(o):
                    value = covariances[line + cells[own + a]]
                    for c in range(a):
                        value -= parts[U(factor + a * d + c)] * parts[U(at + c)]
                    parts[at + a] = value * parts[factor + a * d + a]
                for v in range(u + 1):
                    value = covariances[line + cells[hidden + v]]
                    for c in range(o):
                        value -= parts[U(at + c)] * parts[U(slope + v * d + c)]
                    parts[left + u * d + v] = value
            for u in range(h):
                at = slope + u * d
                for a in range(o - 1, -1, -1):
                    value = parts[at + a]
                    for c in range(a + 1, o):
                        value -= parts[U(factor + c * d + a)] * parts[U(at + c)]
                    parts[at + a] = value * parts[factor + a * d + a]
        for i in range(k * size):
            parts[U(groups + i)] = 0.0
        start, end = edges[g], edges[g + 1]
        while start < end:
            count = min(tile, end - start)
            strips = (count + rows - 1) // rows
            for s in range(strips):
                first, here = start + s * rows, min(rows, count - s * rows)
                for i in range(rows):  # lanes without a row repeat the first, at weight 0
                    row = order[first + i] if i < here else order[first]
                    x[heavy + s * rows + i] = weights[row] if i < here else 0.0
                    for a in range(o):
                        x[s * step + a * rows + i] = values[cells[own + a] * m + row]
                    if resp.size:
                        for j in range(k):
                            x[joint + (s * k + j) * rows + i] = resp[j * m + row] if i < here else 0.0
            if not resp.size:
                for s in range(strips):
                    for j in range(k):
                        y = other + s * step
                        shift(x, s * step, parts, packed + j * d, o, x, y)
                        solve(parts, j * square, d, o, x, y, x, joint + (s * k + j) * rows)
                if not logs.size:
                    share_out(x, joint, k, parts, constant, x, heavy, strips, terms, 0)
            if logs.size:
                for i in range(count):
                    at = joint + i // rows * k * rows + i % rows
                    for j in range(k):
                        logs[j * m + order[start + i]] = x[at + j * rows] + parts[constant + j]
                start += count
                continue
            for j in range(k):
                slope = slopes + j * square
                for s in range(strips):
                    line, y, z = joint + (s * k + j) * rows, near + s * step, other + s * step
                    shift(x, s * step, parts, packed + j * d, o, x, y + rows)
                    if not filled.size:
                        outer(x, line, x, y, 1 + o, x, z)
                        continue
                    clear(x, z, h)
                    multiply(parts, slope, d, h, x, y + rows, 0, o, 1, x, z, 0)
                    for i in range(min(rows, count - s * rows)):
                        row = order[start + s * rows + i]
                        for u in range(h):
                            cell = cells[hidden + u]
                            value = means[j * d + cell] + x[z + u * rows + i]
                            filled[cell * m + row] += x[line + i] * value
                if not filled.size:
                    begin = 0
                    while begin <= o:
                        part = min(begin + PAD, 1 + o)
                        at = groups + j * size + begin
                        gather(
                            x, other, step, part, x, near + begin * rows, step, PAD, strips, parts, at, wide
                        )
                        begin += PAD
            start += count
        if logs.size or filled.size:
            continue
        for j in range(k):
            slope, left, group = slopes + j * square, lefts + j * square, groups + j * size
            whole = j * (1 + d) * (1 + d)
            weight = parts[group]
            sums[whole] += weight
            for a in range(o):
                cell, at = 1 + cells[own + a], group + (1 + a) * wide + 1
                sums[whole + cell] += parts[group + 1 + a]
                for b in range(o):
                    if b < a:
                        parts[at + b] = parts[group + (1 + b) * wide + 1 + a]
                    sums[whole + cell * (1 + d) + 1 + cells[own + b]] += parts[at + b]
            for u in range(h):
                cell, at, value = 1 + cells[hidden + u], slope + u * d, 0.0
                for a in range(o):
                    value += parts[U(at + a)] * parts[U(group + 1 + a)]
                sums[whole + cell] += value
                for b in range(o):
                    met, line, value = 1 + cells[own + b], group + (1 + b) * wide + 1, 0.0
                    for a in range(o):
                        value += parts[U(at + a)] * parts[U(line + a)]
                    parts[reach + b] = value  # of slope @ second
                    sums[whole + cell * (1 + d) + met] += value
                    sums[whole + met * (1 + d) + cell] += value
                for v in range(u + 1):
                    value, met = weight * parts[left + u * d + v], 1 + cells[hidden + v]
                    for b in range(o):
                        value += parts[U(reach + b)] * parts[U(slope + v * d + b)]
                    sums[whole + cell * (1 + d) + met] += value
                    if v < u:
                        sums[whole + met * (1 + d) + cell] += value
    return -1
