"""Normal components on rows with holes, group by group of one missingness pattern, compiled.

The equations are those of `reference/gaussian.py`: for each group and component one Cholesky factor of the
seen block, log-densities by forward substitution with the rows as the fast axis; the sums of the seen
cells are gathered over the group and mapped to all cells once, by the regression of the hidden on the seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.cpu.jit import jit, jit_sums
from estep.kernels.cpu.products import add_terms, clear, row_sums, share
from estep.linalg import LOG_2PI
from estep.records import Array, Bool, Int

TILE = 256  # rows at a time


class Law(NamedTuple):
    means: Array  # (k, d)
    covariances: Array  # (k, d, d)


class Parts(NamedTuple):
    """What one group needs of each component."""

    factor: Array  # (k, d, d) Cholesky factor of the seen block, in its leading corner
    slope: Array  # (k, d, d) regression of the hidden (rows) on the seen
    left: Array  # (k, d, d) covariance of the hidden given the seen
    constant: Array  # (k,)
    apart: Array  # (d * TILE,) deviations of the seen cells
    white: Array  # (d * TILE,)
    first: Array  # (k, d)
    second: Array  # (k, d, d)
    rows: Array  # (k,)
    square: Array  # (d * d,)


class Sums(NamedTuple):
    rows: Array  # (k,)
    first: Array  # (k, d) about the means
    second: Array  # (k, d, d) about the means


@jit
def new_parts(k: int, d: int) -> Parts:
    return Parts(
        np.empty((k, d, d)), np.empty((k, d, d)), np.empty((k, d, d)), np.empty(k), np.empty(d * TILE),
        np.empty(d * TILE), np.empty((k, d)), np.empty((k, d, d)), np.empty(k), np.empty(d * d),
    )  # fmt: skip


@jit
def factorise(law: Law, seen: Int, parts: Parts) -> int:
    """Factors and constants of the seen block; the first component that has none, or -1."""
    k, o = len(law.means), seen.size
    for j in range(k):
        log_det, factor = 0.0, parts.factor[j]
        for a in range(o):
            for b in range(a + 1):
                s = law.covariances[j, seen[a], seen[b]]
                for c in range(b):
                    s -= factor[a, c] * factor[b, c]
                if a > b:
                    factor[a, b] = s / factor[b, b]
                else:
                    if not (s > 0.0 and s < np.inf):
                        return j
                    factor[a, a] = np.sqrt(s)
                    log_det += np.log(s)
        parts.constant[j] = -0.5 * (o * LOG_2PI + log_det)
    return -1


@jit
def regress(law: Law, seen: Int, hidden: Int, parts: Parts) -> None:
    """Slopes S_ho S_oo^-1 and what they leave of S_hh, from the factors."""
    o = seen.size
    for j in range(len(law.means)):
        factor, slope, left = parts.factor[j], parts.slope[j], parts.left[j]
        for u in range(hidden.size):
            for a in range(o):
                s = law.covariances[j, hidden[u], seen[a]]
                for c in range(a):
                    s -= factor[a, c] * slope[u, c]
                slope[u, a] = s / factor[a, a]
            for v in range(u + 1):
                s = law.covariances[j, hidden[u], hidden[v]]
                for c in range(o):
                    s -= slope[u, c] * slope[v, c]
                left[u, v] = s
                left[v, u] = s
        for u in range(hidden.size):
            for a in range(o - 1, -1, -1):
                s = slope[u, a]
                for c in range(a + 1, o):
                    s -= factor[c, a] * slope[u, c]
                slope[u, a] = s / factor[a, a]


@jit
def deviations(values: Array, rows: Int, seen: Int, mean: Array, out: Array) -> None:
    for a in range(seen.size):
        x, m = values[seen[a]], mean[seen[a]]
        for i in range(rows.size):
            out[a, i] = x[rows[i]] - m


@jit
def group_logs(law: Law, values: Array, rows: Int, seen: Int, parts: Parts, joint: Array) -> None:
    """joint (k, t) = log-density of these rows' seen cells."""
    o, t = seen.size, rows.size
    z = parts.white[: o * t].reshape(o, t)
    for j in range(len(law.means)):
        deviations(values, rows, seen, law.means[j], z)
        clear(joint[j])
        for a in range(o):
            for c in range(a):
                f = parts.factor[j, a, c]
                for i in range(t):
                    z[a, i] -= f * z[c, i]
            f = 1.0 / parts.factor[j, a, a]
            for i in range(t):
                z[a, i] *= f
                joint[j, i] += z[a, i] * z[a, i]
        for i in range(t):
            joint[j, i] = parts.constant[j] - 0.5 * joint[j, i]


@jit
def begin_group(parts: Parts) -> None:
    clear(parts.first.ravel())
    clear(parts.second.ravel())
    clear(parts.rows)


@jit
def gather(law: Law, values: Array, rows: Int, seen: Int, resp: Array, parts: Parts) -> None:
    """Add the moments of the seen cells of some rows of a group."""
    o, t = seen.size, rows.size
    y, heavy = parts.apart[: o * t].reshape(o, t), parts.white[: o * t].reshape(o, t)
    square = parts.square[: o * o].reshape(o, o)
    row_sums(resp, parts.rows)
    if o == 0:
        return
    for j in range(len(law.means)):
        deviations(values, rows, seen, law.means[j], y)
        for a in range(o):
            for i in range(t):
                heavy[a, i] = y[a, i] * resp[j, i]
        row_sums(heavy, parts.first[j])
        if t > 8:
            np.dot(heavy, y.T, square)
            for a in range(o):
                for b in range(o):
                    parts.second[j, a, b] += square[a, b]
        else:
            for i in range(t):
                for a in range(o):
                    h = heavy[a, i]
                    for b in range(o):
                        parts.second[j, a, b] += h * y[b, i]


@jit_sums
def end_group(seen: Int, hidden: Int, parts: Parts, sums: Sums) -> None:
    """Map a group's moments from its seen cells to all cells."""
    o, h = seen.size, hidden.size
    for j in range(len(sums.rows)):
        first, second, slope = parts.first[j], parts.second[j], parts.slope[j]
        total, rows = sums.second[j], parts.rows[j]
        sums.rows[j] += rows
        for a in range(o):
            sums.first[j, seen[a]] += first[a]
            for b in range(o):
                total[seen[a], seen[b]] += second[a, b]
        for u in range(h):
            reach = parts.square[u * o : u * o + o]  # slope @ second
            for b in range(o):
                s = 0.0
                for a in range(o):
                    s += slope[u, a] * second[a, b]
                reach[b] = s
                total[hidden[u], seen[b]] += s
                total[seen[b], hidden[u]] += s
            s = 0.0
            for a in range(o):
                s += slope[u, a] * first[a]
            sums.first[j, hidden[u]] += s
        for u in range(h):
            reach = parts.square[u * o : u * o + o]
            for v in range(u + 1):
                s = rows * parts.left[j, u, v]
                for b in range(o):
                    s += reach[b] * slope[v, b]
                total[hidden[u], hidden[v]] += s
                if v < u:
                    total[hidden[v], hidden[u]] += s


@jit
def log_density(law: Law, seen_cells: Bool, order: Int, edges: Int, values: Array) -> tuple[int, Array]:
    """(-1, logs (k, m)), or the component that has no density."""
    (k, d), m = law.means.shape, values.shape[1]
    out, parts, buffer = np.zeros((k, m)), new_parts(k, d), np.empty(k * TILE)
    for g in range(len(seen_cells)):
        seen = np.flatnonzero(seen_cells[g])
        bad = factorise(law, seen, parts)
        if bad >= 0:
            return bad, out
        for start in range(edges[g], edges[g + 1], TILE):
            rows = order[start : min(start + TILE, edges[g + 1])]
            joint = buffer[: k * rows.size].reshape(k, rows.size)
            group_logs(law, values, rows, seen, parts, joint)
            for j in range(k):
                for i in range(rows.size):
                    out[j, rows[i]] = joint[j, i]
    return -1, out


@jit
def sweep(
    law: Law,
    log_weights: Array,
    seen_cells: Bool,
    order: Int,
    edges: Int,
    values: Array,
    weights: Array,
    resp: Array,
) -> tuple[int, Array, Sums]:
    """(-1, terms (2,), sums) of a mixture, see `add_terms`; or, if resp (k, m) is not empty, under resp."""
    k, d = law.means.shape
    terms, sums = np.zeros(2), Sums(np.zeros(k), np.zeros((k, d)), np.zeros((k, d, d)))
    parts, buffer, tile = new_parts(k, d), np.empty(k * TILE), np.empty((4, TILE))
    for g in range(len(seen_cells)):
        seen, hidden = np.flatnonzero(seen_cells[g]), np.flatnonzero(~seen_cells[g])
        bad = factorise(law, seen, parts)
        if bad >= 0:
            return bad, terms, sums
        regress(law, seen, hidden, parts)
        begin_group(parts)
        for start in range(edges[g], edges[g + 1], TILE):
            rows = order[start : min(start + TILE, edges[g + 1])]
            t = rows.size
            joint = buffer[: k * t].reshape(k, t)
            if resp.size:
                for j in range(k):
                    for i in range(t):
                        joint[j, i] = resp[j, rows[i]]
            else:
                group_logs(law, values, rows, seen, parts, joint)
                for i in range(t):
                    tile[0, i] = weights[rows[i]]
                for j in range(k):
                    for i in range(t):
                        joint[j, i] += log_weights[j]
                share(joint, tile[0, :t], tile[1, :t], tile[2, :t], tile[3, :t])
                add_terms(tile[3, :t], tile[0, :t], terms)
            gather(law, values, rows, seen, joint, parts)
        end_group(seen, hidden, parts, sums)
    return -1, terms, sums
