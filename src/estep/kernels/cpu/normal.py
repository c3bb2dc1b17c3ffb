"""Moments of the patterns of one normal with missing cells, and its expected sums from them, compiled.

One Cholesky factor of the seen block S_oo a pattern, on the pattern's compressed moments (Little & Rubin
2019, section 11.2). All arrays are flat; cells (g, d) are those of each pattern, the `seen` (g,) first.
"""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.kernels.cpu.lanes import rows_of
from estep.kernels.cpu.strips import PAD, gather
from estep.linalg import LOG_2PI
from estep.records import Array, Int

U = np.uint64  # a place that is not counted from the end, so that loops over it go in lanes


@jit
def tabulate(
    d: int,
    strips_of_tile: int,
    values: Array,
    weights: Array,
    cells: Int,
    seen: Int,
    order: Int,
    edges: Int,
    x: Array,
    square: Array,
    total: Array,
    mean: Array,
    scatter: Array,
) -> None:
    """Weight (g,), mean (g, d) and scatter about it (g, d, d) of each pattern, packed to its seen cells.

    Rows values (d, m) of a pattern are `order` from edge to edge. x has room for the strips of a tile of d
    rows, up to a multiple of PAD, and square for (d, d) with such lines.
    """
    m, rows, wide = weights.size, rows_of(x), (d + PAD - 1) // PAD * PAD
    step = wide * rows
    for p in range(seen.size):
        o, own, start, end = seen[p], p * d, edges[p], edges[p + 1]
        weight = 0.0
        for r in range(start, end):
            weight += weights[order[r]]
        total[p] = weight
        if weight == 0.0:
            continue
        for a in range(o):
            s, line = 0.0, cells[own + a] * m
            for r in range(start, end):
                w = weights[order[r]]
                if w > 0.0:
                    s += w * values[line + order[r]]
            mean[own + a] = s / weight
        for i in range(o * wide):
            square[i] = 0.0
        while start < end:
            count = min(strips_of_tile * rows, end - start)
            strips = (count + rows - 1) // rows
            for i in range(strips * rows):
                row = order[start + min(i, count - 1)]
                w = weights[row] if i < count else 0.0
                root, at = np.sqrt(w), i // rows * step + i % rows
                for a in range(o):
                    apart = values[cells[own + a] * m + row] - mean[own + a]
                    x[at + a * rows] = root * apart if w > 0.0 else 0.0
            begin = 0
            while begin < o:
                part = min(begin + PAD, o)
                gather(x, 0, step, part, x, begin * rows, step, PAD, strips, square, begin, wide)
                begin += PAD
            start += count
        for a in range(o):
            for b in range(a + 1):
                scatter[(own + a) * d + b] = square[b * wide + a]
                scatter[(own + b) * d + a] = square[b * wide + a]


@jit
def by_seen(
    d: int,
    mean: Array,
    covariance: Array,
    cells: Int,
    seen: Int,
    weights: Array,
    means: Array,
    scatters: Array,
    factor: Array,
    about: Array,
    right: Array,
    turned: Array,
    slope: Array,
    reach: Array,
    sums: Array,
    first: Array,
    second: Array,
) -> int:
    """-1 or the pattern without a density. sums (3,), loglik, magnitude and rows, first and second grow.

    factor, about, right, turned, slope and reach are room, right for (d, 2 d) numbers, the others for (d, d).
    """
    for p in range(seen.size):
        o, own, weight, log_det = seen[p], p * d, weights[p], 0.0
        u, hidden, far = d - o, own + o, 2 * d
        for a in range(o):  # S_oo = factor factor'
            line = cells[own + a] * d
            for b in range(a + 1):
                s = covariance[line + cells[own + b]]
                for c in range(b):
                    s -= factor[U(a * d + c)] * factor[U(b * d + c)]
                if a > b:
                    factor[a * d + b] = s / factor[b * d + b]
                else:
                    if not (s > 0.0 and s < np.inf):
                        return p
                    factor[a * d + a] = np.sqrt(s)
                    log_det += np.log(s)
        for a in range(o):
            apart, line = means[own + a] - mean[cells[own + a]], cells[own + a] * d
            first[cells[own + a]] += weight * apart
            for b in range(o):
                value = scatters[(own + a) * d + b] + weight * apart * (means[own + b] - mean[cells[own + b]])
                about[a * d + b] = value
                right[a * far + b] = value
                second[line + cells[own + b]] += value
            for v in range(u):
                right[a * far + o + v] = covariance[line + cells[hidden + v]]
        for a in range(o):  # factor^-1 (about, S_oh)
            for c in range(a):
                f = factor[a * d + c]
                for b in range(d):
                    right[U(a * far + b)] -= f * right[U(c * far + b)]
            f = 1.0 / factor[a * d + a]
            for b in range(d):
                right[U(a * far + b)] *= f
        for a in range(o):
            for b in range(o):
                turned[U(a * d + b)] = right[U(b * far + a)]
        distance = 0.0
        for a in range(o):  # trace of factor^-1 about factor'^-1
            for c in range(a):
                f = factor[a * d + c]
                for b in range(a, o):
                    turned[U(a * d + b)] -= f * turned[U(c * d + b)]
            f = 1.0 / factor[a * d + a]
            for b in range(a, o):
                turned[U(a * d + b)] *= f
            distance += turned[a * d + a]
        for a in range(o - 1, -1, -1):  # slope' = S_oo^-1 S_oh, (o, u)
            for v in range(u):
                slope[U(a * d + v)] = right[U(a * far + o + v)]
            for c in range(a + 1, o):
                f = factor[c * d + a]
                for v in range(u):
                    slope[U(a * d + v)] -= f * slope[U(c * d + v)]
            f = 1.0 / factor[a * d + a]
            for v in range(u):
                slope[U(a * d + v)] *= f
        for v in range(u):  # reach = slope about, (u, o)
            cell = cells[hidden + v]
            for b in range(o):
                reach[U(v * d + b)] = 0.0
            s = 0.0
            for a in range(o):
                f = slope[a * d + v]
                s += f * (means[own + a] - mean[cells[own + a]])
                for b in range(o):
                    reach[U(v * d + b)] += f * about[U(a * d + b)]
            first[cell] += weight * s
            for a in range(o):
                met = cells[own + a]
                second[cell * d + met] += reach[v * d + a]
                second[met * d + cell] += reach[v * d + a]
            for t in range(v + 1):
                met, s, left = cells[hidden + t], 0.0, covariance[cell * d + cells[hidden + t]]
                for a in range(o):
                    s += reach[v * d + a] * slope[a * d + t]
                    left -= right[a * far + o + v] * right[a * far + o + t]
                second[cell * d + met] += s + weight * left
                if t < v:
                    second[met * d + cell] += s + weight * left
        constant = o * LOG_2PI
        sums[0] -= 0.5 * (weight * (constant + log_det) + distance)
        sums[1] += 0.5 * (weight * (constant + np.abs(log_det)) + distance)
        sums[2] += weight
    return -1
