"""Probabilistic principal components with missing cells, compiled, in the q dimensions of the latent.

With W_o the loadings of the seen cells, y = x_o - m_o and M = W_o' W_o + noise I: E[z | y] = M^-1 W_o' y,
what is left of the covariance noise M^-1, log|S_oo| = (o - q) log noise + log|M| (Tipping & Bishop 1999,
section 3.2), and y' S_oo^-1 y = |y - W_o E[z]|^2 / noise + |E[z]|^2, in which nothing cancels. A pattern so
costs o q^2 and a row o q; the seen block, o x o, is never factorised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.kernels.cpu.jit import jit
from estep.linalg import LOG_2PI
from estep.records import Array, Bool, Int


class Law(NamedTuple):
    mean: Array  # (d,)
    loadings: Array  # (d, q)
    noise: float  # variance


class Sums(NamedTuple):
    terms: Array  # (2,) loglik and magnitude
    latent: Array  # (d, q+1, q+1) sum of E[(z, 1)(z, 1)'] over the rows in which a column is seen
    cross: Array  # (d, q+1) sum of (x - mean) E[(z, 1)] over them
    square: Array  # (d,) sum of (x - mean)^2 over them
    cells: Array  # (d,) their weight


@jit
def new_sums(d: int, q: int) -> Sums:
    return Sums(np.zeros(2), np.zeros((d, q + 1, q + 1)), np.zeros((d, q + 1)), np.zeros(d), np.zeros(d))


@jit
def invert(law: Law, seen: Int, factor: Array, inverse: Array) -> float:
    """inverse = M^-1 (q, q), and log|S_oo|; NaN where M has no Cholesky factor."""
    q = law.loadings.shape[1]
    log_det = (seen.size - q) * np.log(law.noise)
    for a in range(q):
        for b in range(a + 1):
            s = law.noise if a == b else 0.0
            for c in seen:
                s += law.loadings[c, a] * law.loadings[c, b]
            for c in range(b):
                s -= factor[a, c] * factor[b, c]
            if a > b:
                factor[a, b] = s / factor[b, b]
            else:
                if not (s > 0.0 and s < np.inf):
                    return np.nan
                factor[a, a] = np.sqrt(s)
                log_det += np.log(s)
    for b in range(q):  # by columns: factor factor' x = e_b
        for a in range(q):
            s = 1.0 if a == b else 0.0
            for c in range(a):
                s -= factor[a, c] * inverse[b, c]
            inverse[b, a] = s / factor[a, a]
        for a in range(q - 1, -1, -1):
            s = inverse[b, a]
            for c in range(a + 1, q):
                s -= factor[c, a] * inverse[b, c]
            inverse[b, a] = s / factor[a, a]
    return log_det if seen.size > 0 else 0.0


@jit
def explain(law: Law, seen: Int, inverse: Array, y: Array, pulled: Array, z: Array) -> float:
    """z = E[z | y], and y' S_oo^-1 y; y (o,) are the seen cells about their means."""
    q = z.size
    for b in range(q):
        pulled[b] = 0.0
    for a in range(seen.size):
        for b in range(q):
            pulled[b] += law.loadings[seen[a], b] * y[a]
    near = far = 0.0
    for b in range(q):
        s = 0.0
        for c in range(q):
            s += inverse[b, c] * pulled[c]
        z[b] = s
        near += s * s
    for a in range(seen.size):
        s = y[a]
        for b in range(q):
            s -= law.loadings[seen[a], b] * z[b]
        far += s * s
    return far / law.noise + near


@jit
def add_own(own: Array, seen: Int, latent: Array) -> None:
    """Add what a pattern's rows have in common to each of its seen columns."""
    for a in seen:
        for b in range(len(own)):
            for c in range(len(own)):
                latent[a, b, c] += own[b, c]


@jit
def by_rows(
    law: Law, seen_cells: Bool, order: Int, edges: Int, values: Array, weights: Array
) -> tuple[bool, Sums]:
    """(whether every pattern has a density, sums) of rows, pattern by pattern."""
    d, q = law.loadings.shape
    sums, factor, inverse = new_sums(d, q), np.empty((q, q)), np.empty((q, q))
    own, y, z, pulled = np.empty((q + 1, q + 1)), np.empty(d), np.ones(q + 1), np.empty(q)
    for g in range(len(seen_cells)):
        seen = np.flatnonzero(seen_cells[g])
        log_det, total = invert(law, seen, factor, inverse), 0.0
        if np.isnan(log_det):
            return False, sums
        constant = seen.size * LOG_2PI
        for b in range(q + 1):
            for c in range(q + 1):
                own[b, c] = 0.0
        for i in order[edges[g] : edges[g + 1]]:
            w = weights[i]
            if w == 0.0:
                continue
            total += w
            for a in range(seen.size):
                y[a] = values[seen[a], i] - law.mean[seen[a]]
            distance = explain(law, seen, inverse, y, pulled, z[:q])
            sums.terms[0] -= 0.5 * w * (constant + log_det + distance)
            sums.terms[1] += 0.5 * w * (constant + abs(log_det) + distance)
            for b in range(q + 1):
                for c in range(q + 1):
                    own[b, c] += w * z[b] * z[c]
            for a in range(seen.size):
                heavy = w * y[a]
                sums.square[seen[a]] += heavy * y[a]
                for b in range(q + 1):
                    sums.cross[seen[a], b] += heavy * z[b]
        for b in range(q):
            for c in range(q):
                own[b, c] += total * law.noise * inverse[b, c]
        add_own(own, seen, sums.latent)
        for column in seen:
            sums.cells[column] += total
    return True, sums


@jit
def by_moments(
    law: Law, seen_cells: Bool, weights: Array, means: Array, scatters: Array
) -> tuple[bool, Sums]:
    """The same of patterns compressed to their weight (g,), mean (g, d) and scatter (g, d, d)."""
    d, q = law.loadings.shape
    sums, factor, inverse = new_sums(d, q), np.empty((q, q)), np.empty((q, q))
    own, y, z, pulled = np.empty((q + 1, q + 1)), np.empty(d), np.ones(q + 1), np.empty(q)
    bent, turned, square = np.empty((d, q)), np.empty((d, q)), np.empty((q, q))
    for g in range(len(seen_cells)):
        seen, w = np.flatnonzero(seen_cells[g]), weights[g]
        log_det, o = invert(law, seen, factor, inverse), seen.size
        if np.isnan(log_det):
            return False, sums
        for a in range(o):
            y[a] = means[g, a] - law.mean[seen[a]]
        distance = w * explain(law, seen, inverse, y, pulled, z[:q])
        for b in range(q + 1):
            for c in range(q + 1):
                own[b, c] = w * z[b] * z[c]
        for a in range(o):  # the scatter about the mean, seen from the latent: bent = scatter W
            for b in range(q):
                bent[a, b] = 0.0
            for c in range(o):
                f = scatters[g, a, c]
                for b in range(q):
                    bent[a, b] += f * law.loadings[seen[c], b]
        for a in range(o):  # turned = scatter W M^-1
            heavy = w * y[a]
            for b in range(q):
                s = 0.0
                for c in range(q):
                    s += bent[a, c] * inverse[c, b]
                turned[a, b] = s
                sums.cross[seen[a], b] += heavy * z[b] + s
            sums.cross[seen[a], q] += heavy
            sums.square[seen[a]] += heavy * y[a] + scatters[g, a, a]
            sums.cells[seen[a]] += w
        for b in range(q):  # M^-1 W' scatter W M^-1
            for c in range(q):
                s = 0.0
                for a in range(o):
                    s += law.loadings[seen[a], b] * turned[a, c]
                square[b, c] = s
        for b in range(q):
            for c in range(q):
                s = w * law.noise * inverse[b, c]
                for a in range(q):
                    s += inverse[b, a] * square[a, c]
                own[b, c] += s
        # trace of scatter S_oo^-1, S_oo^-1 = (I - W M^-1 W') / noise
        size = distance
        for a in range(o):
            s = scatters[g, a, a]
            size += s / law.noise / 64  # the engine judges rounding by 64 eps times this; here it is eps
            for b in range(q):
                s -= turned[a, b] * law.loadings[seen[a], b]
            distance += s / law.noise
        constant = o * LOG_2PI
        sums.terms[0] -= 0.5 * (w * (constant + log_det) + distance)
        sums.terms[1] += 0.5 * (w * (constant + abs(log_det)) + max(distance, size))
        add_own(own, seen, sums.latent)
    return True, sums


@jit
def latent_means(law: Law, seen_cells: Bool, order: Int, edges: Int, values: Array) -> tuple[bool, Array]:
    """(whether every pattern has a density, E[z | x_o] (q, m))."""
    d, q = law.loadings.shape
    out, factor, inverse = np.empty((q, values.shape[1])), np.empty((q, q)), np.empty((q, q))
    y, z, pulled = np.empty(d), np.empty(q), np.empty(q)
    for g in range(len(seen_cells)):
        seen = np.flatnonzero(seen_cells[g])
        if np.isnan(invert(law, seen, factor, inverse)):
            return False, out
        for i in order[edges[g] : edges[g + 1]]:
            for a in range(seen.size):
                y[a] = values[seen[a], i] - law.mean[seen[a]]
            explain(law, seen, inverse, y, pulled, z)
            for b in range(q):
                out[b, i] = z[b]
    return True, out
