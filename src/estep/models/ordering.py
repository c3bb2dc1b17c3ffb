"""The states of a start in the order that suits what a chain may do, as one from left to right.

A start parts the rows by their values, and its parts have no order. One pass with transitions that prefer
none counts how the parts follow each other; they are then exchanged while that makes these counts likelier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from estep.data.source import Source
from estep.models.chain import Chain, ChainParams
from estep.models.transitions import Transitions
from estep.records import Array, Int
from estep.run import Executor

RARE = 1e-6  # a probability of 0 among these


def in_order(model: Chain, params: ChainParams, source: Source, run: Executor) -> ChainParams:
    """The same start and moves, with the emissions in the likeliest order."""
    free = replace(model, transitions=Transitions())
    uniform = np.full(model.k, 1.0 / model.k)
    even = params._replace(start=uniform, moves=np.full((model.k, model.k), 1.0 / model.k))
    prep = free.prepare(even)
    found = run.sum(lambda block: free.estep(prep, block), source)
    order = likeliest_order(found.start, found.moves, params.start, params.moves)
    return params._replace(emission=model.family.take(params.emission, order))


def likeliest_order(starts: Array, counts: Array, start: Array, moves: Array) -> Int:
    """Which part is to be which state, (K,): one moved, or two exchanged, while that is the best gain."""
    k = len(starts)
    log_start, log_moves = (np.log(np.maximum(each, RARE)) for each in (start, moves))

    def height(order: Int) -> float:
        return float(starts[order] @ log_start + (counts[np.ix_(order, order)] * log_moves).sum())

    order, best = np.arange(k), height(np.arange(k))
    while True:
        tried = [(height(other), other) for other in _neighbours(order)]
        top, other = max(tried, key=lambda pair: pair[0], default=(-np.inf, order))
        if not top > best + 1e-9 * abs(best):
            return order
        best, order = top, other


def _neighbours(order: Int) -> Iterator[Int]:
    for i, j in product(range(order.size), repeat=2):
        if i < j:
            swapped = order.copy()
            swapped[[i, j]] = order[[j, i]]
            yield swapped
        if abs(i - j) > 1:
            yield np.insert(np.delete(order, i), j, order[i])
