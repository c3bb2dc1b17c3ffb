"""A normal by patterns: the compiled functions of `normal.py`, and the room they work in."""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu import normal
from estep.kernels.cpu.lanes import ROWS
from estep.kernels.cpu.plan import STRIPS, in_line, padded
from estep.kernels.cpu.room import kept
from estep.records import Array, Block, Int, Patterns


def tabulate(block: Block, patterns: Patterns) -> tuple[Array, Array, Array]:
    """Weight (g,), mean (g, d) and scatter about it (g, d, d) of each pattern, packed to its seen cells."""
    g, d = patterns.seen.shape
    total, mean, scatter = np.zeros(g), np.zeros((g, d)), np.zeros((g, d, d))
    strips, wide = STRIPS * padded(d), padded(d)
    room = kept("patterns", strips * ROWS + d * wide)
    normal.tabulate(
        d,
        STRIPS,
        in_line(block.values),
        in_line(block.weights),
        in_line(patterns.cells),
        in_line(patterns.counts),
        in_line(patterns.rows),
        in_line(patterns.edges),
        room[: strips * ROWS],
        room[strips * ROWS :],
        total,
        mean.reshape(-1),
        scatter.reshape(-1),
    )
    return total, mean, scatter


def by_seen(
    mean: Array,
    covariance: Array,
    cells: Int,
    counts: Int,
    weights: Array,
    means: Array,
    scatters: Array,
) -> tuple[Array, Array, Array] | None:
    """((loglik, magnitude, rows), first (d,), second (d, d)); None if a pattern has no density.

    From the moments that `tabulate` gives of patterns; `cells` and `counts` as theirs.
    """
    d = mean.size
    sums, first, second = np.zeros(3), np.zeros(d), np.zeros((d, d))
    room = kept("patterns", 7 * d * d)
    factor, about, turned, slope, reach = room[: 5 * d * d].reshape(5, -1)
    bad = normal.by_seen(
        d,
        in_line(mean),
        in_line(covariance),
        in_line(cells),
        in_line(counts),
        in_line(weights),
        in_line(means),
        in_line(scatters),
        factor,
        about,
        room[5 * d * d :],
        turned,
        slope,
        reach,
        sums,
        first,
        second.reshape(-1),
    )
    return None if bad >= 0 else (sums, first, second)
