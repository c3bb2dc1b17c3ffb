"""Compression by missingness pattern, for models whose sums need only these moments.

Rows that miss the same cells enter the likelihood of a normal through their number, mean and scatter alone
(Little & Rubin 2019, section 11.2): one pass over the rows, and the EM loop never touches them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estep.data.patterns import pattern_words
from estep.records import Array, Block, Bool, Int, Patterns, seen_first

Keys = NDArray[Any]  # a pattern as a word or as bytes, in the order of the bits of its missing cells


class Groups:
    """Patterns with the moments of their rows, as arrays for compiled loops."""

    def __init__(self, keys: Keys, seen: Bool, weights: Array, means: Array, scatters: Array) -> None:
        self.keys = keys  # (g,) ascending
        self.seen, self.weights = seen, weights  # (g, d), (g,)
        self.means, self.scatters = means, scatters  # (g, d), (g, d, d), packed to the first o cells

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def cells(self) -> Int:
        """(g, d) the cells of each, the seen ones first."""
        return seen_first(self.seen)

    @cached_property
    def counts(self) -> Int:
        """(g,) how many of them are seen."""
        counts: Int = self.seen.sum(axis=1)
        return counts

    def take(self, which: Any) -> Groups:
        """Some of them."""
        return Groups(
            self.keys[which], self.seen[which], self.weights[which], self.means[which], self.scatters[which]
        )

    def cut(self, size: int) -> list[Groups]:
        """Pieces of at most `size` patterns."""
        return [self.take(slice(i, i + size)) for i in range(0, len(self), size)]


class Compressed:
    """A source of what compression left, in a fixed order."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def block(self, i: int) -> Any:
        return self._items[i]


def moments(block: Block, patterns: Patterns) -> Groups:
    """The groups of the rows of a block that are in these of its patterns."""
    from estep.kernels.cpu.patterned import tabulate  # brings numba: only at the first fit

    groups = Groups(keys_of(patterns.seen), patterns.seen, *tabulate(block, patterns))
    counted = groups.weights > 0
    return groups if counted.all() else groups.take(counted)


def patterns_of(block: Block) -> Patterns:
    """The patterns of a block, also where nothing is missing."""
    if block.patterns is not None:
        return block.patterns
    d, m = block.values.shape
    return Patterns(np.ones((1, d), dtype=bool), np.arange(m), np.array([0, m]))


def keys_of(seen: Bool) -> Keys:
    """Patterns (g, d) as one key each."""
    words = pattern_words(~seen)
    return words[:, 0] if words.shape[1] == 1 else words.astype(">u8").view(f"S{8 * words.shape[1]}").ravel()


def merge(a: Groups, b: Groups) -> Groups:
    """The union of two tables, without cancellation (Chan, Golub & LeVeque 1983)."""
    shared, at, bt = np.intersect1d(a.keys, b.keys, assume_unique=True, return_indices=True)
    weight = a.weights[at] + b.weights[bt]
    share = b.weights[bt] / weight
    apart = b.means[bt] - a.means[at]
    scatter = apart[:, :, None] * apart[:, None, :] * (a.weights[at] * share)[:, None, None]
    scatter += a.scatters[at]
    scatter += b.scatters[bt]
    both = Groups(shared, a.seen[at], weight, a.means[at] + apart * share[:, None], scatter)
    if len(shared) == len(a) == len(b):
        return both
    parts = (both, a.take(~np.isin(a.keys, shared)), b.take(~np.isin(b.keys, shared)))
    order = np.argsort(np.concatenate([part.keys for part in parts]))

    def joined(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    return Groups(*map(joined, ("keys", "seen", "weights", "means", "scatters")))
