"""Expected sums of one normal with missing cells from compressed patterns.

One Cholesky factor of the seen block S_oo a pattern, on the pattern's moments (Little & Rubin 2019, section
11.2).
"""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.linalg import LOG_2PI
from estep.records import Array, Bool, Int

LANES = 32


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
