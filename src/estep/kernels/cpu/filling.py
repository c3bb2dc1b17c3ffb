"""Conditional means of missing cells under normal components, compiled, pattern by pattern."""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.holes import TILE, Law, deviations, factorise, new_parts, regress
from estep.kernels.cpu.jit import jit
from estep.records import Array, Bool, Int


@jit
def conditional_mean(
    law: Law, seen_cells: Bool, order: Int, edges: Int, values: Array, resp: Array
) -> tuple[int, Array]:
    """(-1, E[x | x_o] (d, m) mixed by resp (k, m)), or the component that has no density.

    Seen cells are copied, never computed.
    """
    k, d = law.means.shape
    out, parts, sums = values.copy(), new_parts(k, d), np.empty(TILE)
    for g in range(len(seen_cells)):
        seen, hidden = np.flatnonzero(seen_cells[g]), np.flatnonzero(~seen_cells[g])
        if hidden.size == 0:
            continue
        bad = factorise(law, seen, parts)
        if bad >= 0:
            return bad, out
        regress(law, seen, hidden, parts)
        o = seen.size
        for start in range(edges[g], edges[g + 1], TILE):
            rows = order[start : min(start + TILE, edges[g + 1])]
            t = rows.size
            apart = parts.apart[: o * t].reshape(o, t)
            for u in range(hidden.size):
                for i in range(t):
                    out[hidden[u], rows[i]] = 0.0
            for j in range(k):
                deviations(values, rows, seen, law.means[j], apart)
                for u in range(hidden.size):
                    for i in range(t):
                        sums[i] = law.means[j, hidden[u]]
                    for a in range(o):
                        slope = parts.slope[j, u, a]
                        for i in range(t):
                            sums[i] += slope * apart[a, i]
                    for i in range(t):
                        out[hidden[u], rows[i]] += resp[j, rows[i]] * sums[i]
    return -1, out
