"""Compression by missingness pattern, for models whose sums need only these moments.

Rows that miss the same cells enter the likelihood of a normal through their number, mean and scatter alone
(Little & Rubin 2019, section 11.2): one pass over the rows, and the EM loop never touches them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from estep.kernels.reference.gaussian import groups
from estep.linalg import LOG_2PI, cholesky, solve_lower
from estep.records import Array, Block, Bool
from estep.run import Executor
from estep.run.local import Blocks

GROUPS = 256  # patterns an item of the compressed source holds


class Group(NamedTuple):
    """All rows of one pattern."""

    seen: Bool  # (d,)
    weight: float
    mean: Array  # (o,) of the seen cells
    scatter: Array  # (o, o) about that mean


Table = dict[bytes, Group]  # keyed by the bits of `seen`


class Fit(NamedTuple):
    """A group under a normal law."""

    apart: Array  # (o,) its mean, about the law's
    about: Array  # (o, o) its scatter about the law's mean
    loglik: float
    magnitude: float  # sum of the absolute terms


def fit_of(group: Group, mean: Array, covariance: Array) -> Fit:
    """The log-likelihood of a group under N(mean, covariance), and its moments about that mean."""
    seen, weight = group.seen, group.weight
    apart = group.mean - mean[seen]
    about = group.scatter + weight * np.outer(apart, apart)
    factor = cholesky(covariance[np.ix_(seen, seen)])
    distance = np.trace(solve_lower(factor, solve_lower(factor, about).T)) if seen.any() else 0.0
    constant, log_det = seen.sum() * LOG_2PI, 2.0 * np.log(np.diag(factor)).sum()
    loglik = -0.5 * (weight * (constant + log_det) + distance)
    return Fit(apart, about, float(loglik), float(0.5 * (weight * (constant + abs(log_det)) + distance)))


class Compressed:
    """A source whose items are tuples of groups, in the order of their keys."""

    def __init__(self, table: Table) -> None:
        groups = [table[key] for key in sorted(table)]
        self._items = [tuple(groups[i : i + GROUPS]) for i in range(0, len(groups), GROUPS)]

    def __len__(self) -> int:
        return len(self._items)

    def block(self, i: int) -> Sequence[Group]:
        return self._items[i]


def compress(source: Blocks[Block], run: Executor) -> Compressed:
    """One pass over the rows; rows of weight 0 leave no trace."""
    return Compressed(run.sum(tabulate, source, merge_tables))


def tabulate(block: Block) -> Table:
    """The groups of one block."""
    table: Table = {}
    for seen, rows in groups(block):
        weights, values = block.weights[rows], block.values[np.ix_(seen, rows)]
        total = float(weights.sum())
        if total > 0:
            mean = values @ weights / total
            scaled = (values - mean[:, None]) * np.sqrt(weights)
            table[np.packbits(~seen).tobytes()] = Group(seen, total, mean, scaled @ scaled.T)
    return table


def merge_tables(a: Table, b: Table) -> Table:
    """The union of two tables."""
    return {
        key: _merge(a[key], b[key]) if key in a and key in b else a.get(key) or b[key] for key in {**a, **b}
    }


def _merge(a: Group, b: Group) -> Group:
    """Moments of the union, without cancellation (Chan, Golub & LeVeque 1983)."""
    total = a.weight + b.weight
    apart = b.mean - a.mean
    scatter = a.scatter + b.scatter + np.outer(apart, apart) * (a.weight * b.weight / total)
    return Group(a.seen, total, a.mean + apart * (b.weight / total), scatter)
