"""Normal components on rows with holes: the sweep over a block, and the room it works in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.errors import Degenerate
from estep.kernels.cpu import holes
from estep.kernels.cpu.lanes import ACROSS, ROWS
from estep.kernels.cpu.plan import STRIPS, in_line, padded
from estep.kernels.cpu.room import kept
from estep.records import Array, Block, Patterns

NOTHING = np.empty((0, 0))


class Law(NamedTuple):
    means: Array  # (k, d)
    covariances: Array  # (k, d, d)


def log_density(law: Law, block: Block, patterns: Patterns) -> Array:
    """(k, m), missing cells integrated out."""
    logs = np.empty((len(law.means), block.values.shape[1]))
    _sweep(law, np.zeros(len(law.means)), block, patterns, NOTHING, logs, NOTHING)
    return logs


def sweep(
    law: Law, log_weights: Array, block: Block, patterns: Patterns, resp: Array = NOTHING
) -> tuple[Array, Array]:
    """A mixture's whole E-step: terms (2,), see `share_out`, and sums (k, 1 + d, 1 + d), see `holes.sweep`.

    If resp (k, m) is given, the sums are under it instead, with row weights in it, and the terms 0.
    """
    return _sweep(law, log_weights, block, patterns, resp, NOTHING, NOTHING)


def conditional_mean(law: Law, block: Block, patterns: Patterns, resp: Array) -> Array:
    """E[x | seen], (d, m), mixed over components by resp (k, m) that sums to 1; seen cells as they are."""
    filled = np.where(np.isnan(block.values), 0.0, block.values)
    _sweep(law, np.zeros(len(law.means)), block, patterns, resp, NOTHING, filled)
    return filled


def _sweep(
    law: Law, log_weights: Array, block: Block, patterns: Patterns, resp: Array, logs: Array, filled: Array
) -> tuple[Array, Array]:
    k, d = law.means.shape
    strips = min(STRIPS, -(-int(np.diff(patterns.edges).max(initial=1)) // ROWS))
    x = kept("tile", strips * (3 * padded(1 + d) + k + 1) * ROWS)
    numbers = k * (3 * d * d + 1 + d + (1 + d) * padded(1 + d)) + d
    sums, terms = np.zeros((k, 1 + d, 1 + d)), np.zeros((2, ACROSS))
    bad = holes.sweep(
        k,
        d,
        strips,
        in_line(law.means),
        in_line(law.covariances),
        in_line(log_weights),
        in_line(block.values),
        in_line(block.weights),
        in_line(resp),
        in_line(patterns.cells),
        in_line(patterns.counts),
        in_line(patterns.rows),
        in_line(patterns.edges),
        x,
        kept("parts", numbers),
        sums.reshape(-1),
        terms.reshape(-1),
        logs.reshape(-1),
        filled.reshape(-1),
    )
    if bad >= 0:
        raise Degenerate(bad, "its covariance is not positive definite")
    return terms.sum(axis=1), sums
