"""Expected sums of one normal with missing cells, compiled, in two ways.

By the seen block: one Cholesky factor of S_oo a pattern, on the pattern's compressed moments (Little &
Rubin 2019, section 11.2). By the missing block: with K = S^-1 and y = x - m, E[y_h | y_o] is
-K_hh^-1 K_ho y_o, what is left of the covariance K_hh^-1, log|S_oo| = log|S| + log|K_hh|, and
y_o' S_oo^-1 y_o = y_o' K_oo y_o - y_o' K_oh K_hh^-1 K_ho y_o (Lauritzen 1996, appendices B and C). A row
that misses u cells then costs u^3 instead of (d - u)^3, and LANES rows that miss as many are factorised side
by side.
"""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.linalg import LOG_2PI
from estep.records import Array, Bool, Int

LANES = 32
PIVOTS = 16  # multiplied before a logarithm is taken; none of them is beyond 1e+-15 where this form is used


@jit
def tabulate(
    values: Array, weights: Array, seen_cells: Bool, order: Int, edges: Int
) -> tuple[Array, Array, Array]:
    """Weight (g,), mean (g, d) and scatter about it (g, d, d) of each pattern, packed to its seen cells."""
    g, d = seen_cells.shape
    total, mean, scatter = np.zeros(g), np.zeros((g, d)), np.zeros((g, d, d))
    tile = np.empty((LANES, d))
    for p in range(g):
        seen = np.flatnonzero(seen_cells[p])
        o, rows = seen.size, order[edges[p] : edges[p + 1]]
        for i in rows:
            total[p] += weights[i]
        if total[p] == 0.0:
            continue
        for a in range(o):
            s, x = 0.0, values[seen[a]]
            for i in rows:
                if weights[i] > 0.0:
                    s += weights[i] * x[i]
            mean[p, a] = s / total[p]
        for start in range(0, rows.size, LANES):
            t = min(LANES, rows.size - start)
            for a in range(o):
                x = values[seen[a]]
                for i in range(t):
                    w = weights[rows[start + i]]
                    tile[i, a] = np.sqrt(w) * (x[rows[start + i]] - mean[p, a]) if w > 0.0 else 0.0
            for a in range(o):
                for i in range(t):
                    f = tile[i, a]
                    for b in range(a + 1):
                        scatter[p, a, b] += f * tile[i, b]
        for a in range(o):
            for b in range(a):
                scatter[p, b, a] = scatter[p, a, b]
    return total, mean, scatter


@jit
def by_seen(
    mean: Array, covariance: Array, seen_cells: Bool, weights: Array, means: Array, scatters: Array
) -> tuple[int, Array, Array, Array]:
    """(-1 or the pattern without a density, (loglik, magnitude, rows), first (d,), second (d, d))."""
    g, d = seen_cells.shape
    sums, first, second = np.zeros(3), np.zeros(d), np.zeros((d, d))
    factor, about, right = np.empty((d, d)), np.empty((d, d)), np.empty((d, 2 * d))
    turned, slope, reach = np.empty((d, d)), np.empty((d, d)), np.empty((d, d))
    apart = np.empty(d)
    for p in range(g):
        seen, hidden = np.flatnonzero(seen_cells[p]), np.flatnonzero(~seen_cells[p])
        o, u, weight = seen.size, hidden.size, weights[p]
        log_det = 0.0
        for a in range(o):  # S_oo = factor factor'
            for b in range(a + 1):
                s = covariance[seen[a], seen[b]]
                for c in range(b):
                    s -= factor[a, c] * factor[b, c]
                if a > b:
                    factor[a, b] = s / factor[b, b]
                else:
                    if not (s > 0.0 and s < np.inf):
                        return p, sums, first, second
                    factor[a, a] = np.sqrt(s)
                    log_det += np.log(s)
        for a in range(o):
            apart[a] = means[p, a] - mean[seen[a]]
        for a in range(o):
            for b in range(o):
                about[a, b] = scatters[p, a, b] + weight * apart[a] * apart[b]
                right[a, b] = about[a, b]
            for v in range(u):
                right[a, o + v] = covariance[seen[a], hidden[v]]
        for a in range(o):  # factor^-1 (about, S_oh)
            for c in range(a):
                f = factor[a, c]
                for b in range(o + u):
                    right[a, b] -= f * right[c, b]
            f = 1.0 / factor[a, a]
            for b in range(o + u):
                right[a, b] *= f
        for a in range(o):
            for b in range(o):
                turned[a, b] = right[b, a]
        distance = 0.0
        for a in range(o):  # trace of factor^-1 about factor'^-1
            for c in range(a):
                f = factor[a, c]
                for b in range(a, o):
                    turned[a, b] -= f * turned[c, b]
            f = 1.0 / factor[a, a]
            for b in range(a, o):
                turned[a, b] *= f
            distance += turned[a, a]
        for a in range(o - 1, -1, -1):  # slope' = S_oo^-1 S_oh, (o, u)
            for v in range(u):
                slope[a, v] = right[a, o + v]
            for c in range(a + 1, o):
                f = factor[c, a]
                for v in range(u):
                    slope[a, v] -= f * slope[c, v]
            f = 1.0 / factor[a, a]
            for v in range(u):
                slope[a, v] *= f
        for v in range(u):  # reach = slope about, (u, o)
            for b in range(o):
                reach[v, b] = 0.0
            for a in range(o):
                f = slope[a, v]
                for b in range(o):
                    reach[v, b] += f * about[a, b]
        for a in range(o):
            first[seen[a]] += weight * apart[a]
            for b in range(o):
                second[seen[a], seen[b]] += about[a, b]
        for v in range(u):
            s = 0.0
            for a in range(o):
                s += slope[a, v] * apart[a]
                second[hidden[v], seen[a]] += reach[v, a]
                second[seen[a], hidden[v]] += reach[v, a]
            first[hidden[v]] += weight * s
            for t in range(v + 1):
                s, left = 0.0, covariance[hidden[v], hidden[t]]
                for a in range(o):
                    s += reach[v, a] * slope[a, t]
                    left -= right[a, o + v] * right[a, o + t]
                second[hidden[v], hidden[t]] += s + weight * left
                if t < v:
                    second[hidden[t], hidden[v]] += s + weight * left
        constant = o * LOG_2PI
        sums[0] -= 0.5 * (weight * (constant + log_det) + distance)
        sums[1] += 0.5 * (weight * (constant + abs(log_det)) + distance)
        sums[2] += weight
    return -1, sums, first, second


@jit
def by_missing(
    precision: Array, log_det: float, hidden: Int, counts: Int, weights: Array, reach: Array, apart: Array
) -> tuple[bool, Array, Array]:
    """(whether all went well, (loglik, magnitude, rows), what is left (d, d) in its lower triangle).

    Rows are in the order of their `counts` of missing cells, (m,); `hidden` (most, m) names the cells.
    `apart` (d, m) holds y_o and 0 and gets E[y]; `reach` (d, m) is precision @ apart.
    """
    d, m = apart.shape
    most = len(hidden)
    sums, left = np.zeros(3), np.zeros((d, d))
    factor, inverse = np.empty((most, most, LANES)), np.empty((most, most, LANES))
    turned, s = np.empty((most, LANES)), np.empty(LANES)
    direct, bent, log_dets, pivots = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    start = 0
    while start < m:
        u, t = counts[start], 1
        while t < LANES and start + t < m and counts[start + t] == u:
            t += 1
        direct[:], bent[:], log_dets[:], pivots[:] = 0.0, 0.0, 0.0, 1.0
        for a in range(d):
            for i in range(t):
                direct[i] += apart[a, start + i] * reach[a, start + i]
        for a in range(u):
            for i in range(t):
                turned[a, i] = reach[hidden[a, start + i], start + i]
                for b in range(a + 1):
                    factor[a, b, i] = precision[hidden[a, start + i], hidden[b, start + i]]
        for a in range(u):  # K_hh = factor factor'; the diagonal keeps its inverse
            for b in range(a + 1):
                for c in range(b):
                    for i in range(t):
                        factor[a, b, i] -= factor[a, c, i] * factor[b, c, i]
                if b < a:
                    for i in range(t):
                        factor[a, b, i] *= factor[b, b, i]
            for i in range(t):
                if not (factor[a, a, i] > 0.0 and factor[a, a, i] < np.inf):
                    return False, sums, left
            for i in range(t):
                pivots[i] *= factor[a, a, i]
                factor[a, a, i] = 1.0 / np.sqrt(factor[a, a, i])
            if a % PIVOTS == PIVOTS - 1 or a == u - 1:
                for i in range(t):
                    log_dets[i] += np.log(pivots[i])
                    pivots[i] = 1.0
        for b in range(u):  # inverse = factor^-1
            for i in range(t):
                inverse[b, b, i] = factor[b, b, i]
            for a in range(b + 1, u):
                s[:] = 0.0
                for c in range(b, a):
                    for i in range(t):
                        s[i] -= factor[a, c, i] * inverse[c, b, i]
                for i in range(t):
                    inverse[a, b, i] = s[i] * factor[a, a, i]
        for a in range(u - 1, -1, -1):  # factor^-1 K_ho y_o, from the last: each needs those before it
            s[:] = 0.0
            for c in range(a + 1):
                for i in range(t):
                    s[i] += inverse[a, c, i] * turned[c, i]
            for i in range(t):
                turned[a, i] = s[i]
                bent[i] += s[i] * s[i]
        for a in range(u):
            s[:] = 0.0
            for c in range(a, u):
                for i in range(t):
                    s[i] -= inverse[c, a, i] * turned[c, i]
            for i in range(t):
                apart[hidden[a, start + i], start + i] = s[i]
            for b in range(a + 1):
                s[:] = 0.0
                for c in range(a, u):
                    for i in range(t):
                        s[i] += inverse[c, a, i] * inverse[c, b, i]
                for i in range(t):
                    left[hidden[a, start + i], hidden[b, start + i]] += weights[start + i] * s[i]
        for i in range(t):
            w, constant, seen_det = weights[start + i], (d - u) * LOG_2PI, log_det + log_dets[i]
            distance = direct[i] - bent[i]
            sums[0] -= 0.5 * w * (constant + seen_det + distance)
            sums[1] += 0.5 * w * (constant + abs(seen_det) + distance)
            sums[2] += w
        start += t
    return True, sums, left
