"""Plain records: what crosses from one room of the house to another.

A record is a NamedTuple of arrays, numbers and further records. Records of expected statistics
add leaf by leaf (`add`), and that one law gives threads, files, weights and clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # float64 everywhere; the wider type is what numpy.linalg declares
Bool = NDArray[np.bool_]
Int = NDArray[np.int64]
R = TypeVar("R")


class Column(NamedTuple):
    """What is known of one column before a fit, in the fit's units."""

    name: str
    seen: float  # total weight of the rows in which this column is seen
    mean: float  # of the finite cells: the ends of intervals may be infinite
    variance: float  # of them, about it, with no correction; 0 for a constant column
    low: float
    high: float
    whole: bool  # every seen value is an integer
    scale: float  # the user's units per unit of the fit
    levels: tuple[str, ...] | None = None  # names of the codes 0, 1, ... of a categorical column


class Pattern(NamedTuple):
    """Rows of a block in which exactly the same cells are seen."""

    seen: Bool  # (d,)
    rows: Int  # indices into the block


@dataclass(frozen=True, eq=False)
class Patterns:
    """The patterns of a block, as three arrays for compiled loops; it iterates over each `Pattern`."""

    seen: Bool  # (g, d)
    rows: Int  # (m,) rows of the block, pattern by pattern
    edges: Int  # (g + 1,) where each pattern's rows begin and end

    def __len__(self) -> int:
        return len(self.seen)

    @cached_property
    def cells(self) -> Int:
        """(g, d) the cells of each pattern, the seen ones first."""
        return seen_first(self.seen)

    @cached_property
    def counts(self) -> Int:
        """(g,) how many of them are seen."""
        counts: Int = self.seen.sum(axis=1)
        return counts

    def __iter__(self) -> Iterator[Pattern]:
        for i, seen in enumerate(self.seen):
            yield Pattern(seen, self.rows[self.edges[i] : self.edges[i + 1]])


def seen_first(seen: Bool) -> Int:
    """The cells of patterns (g, d), those that are seen first, both in their order."""
    return np.argsort(~seen, axis=1, kind="stable")


class Block(NamedTuple):
    """A run of consecutive rows, stored features x rows."""

    values: Array  # (d, m) C order, NaN = missing, in the fit's units
    weights: Array  # (m,) >= 0, constant within a sequence
    lengths: Int | None = None  # (s,) whole sequences, summing to m; None = independent rows
    evidence: Array | None = None  # (k, m) added to log p(row, latent = j); 0 or -inf where a label is known
    patterns: Patterns | None = None  # None = no holes
    first: int = 0  # this block's first row in the data

    def without_evidence(self) -> Block:
        """For the families inside the latent that has used it."""
        return Block(self.values, self.weights, self.lengths, None, self.patterns, self.first)


class Units(NamedTuple):
    """The frame of a fit: x = (raw - centre) / scale, every scale a power of two."""

    centre: Array  # (d,)
    scale: Array  # (d,)

    def inverse(self) -> Units:
        """The frame that leads back: raw = (x - inverse.centre) / inverse.scale."""
        return Units(-self.centre / self.scale, 1.0 / self.scale)

    def apply(self, raw: Array) -> Array:
        """Rows of a (d, m) array of raw values into the fit's units."""
        framed: Array = (raw - self.centre[:, None]) / self.scale[:, None]
        return framed

    def undo(self, values: Array) -> Array:
        """Rows of a (d, m) array in the fit's units back into the user's."""
        raw: Array = values * self.scale[:, None] + self.centre[:, None]
        return raw


def add(a: R, b: R) -> R:
    """The sum of two records, leaf by leaf; dicts by the sorted union of their keys."""
    total: R = _merge(a, b)
    return total


def scale(a: R, c: float) -> R:
    """The record with every leaf multiplied by `c`."""
    scaled: R = map_leaves(lambda leaf: leaf * c, a)
    return scaled


def map_leaves(fn: Callable[[Any], Any], record: Any) -> Any:
    """The record with `fn` applied to each leaf; None stays None."""
    if record is None:
        return None
    if isinstance(record, dict):
        return {key: map_leaves(fn, record[key]) for key in sorted(record)}
    if isinstance(record, tuple):
        return _rebuild(record, [map_leaves(fn, item) for item in record])
    return fn(record)


def named_leaves(record: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf with its dotted path: `inner.means`, `weights`."""
    if record is None:
        return
    if isinstance(record, dict):
        items: list[tuple[str, Any]] = [(str(key), record[key]) for key in sorted(record)]
    elif isinstance(record, tuple):
        names = getattr(record, "_fields", None) or map(str, range(len(record)))
        items = list(zip(names, record, strict=True))
    else:
        yield prefix, record
        return
    for name, item in items:
        yield from named_leaves(item, f"{prefix}.{name}" if prefix else name)


def _merge(a: Any, b: Any) -> Any:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape:
        return a + b  # nearly every leaf, and a pass adds hundreds
    if isinstance(a, float) and isinstance(b, float):
        return a + b
    if a is None and b is None:
        return None
    if isinstance(a, dict):
        if any(not isinstance(key, str) for key in (*a, *b)):
            raise TypeError("the keys of a statistics dict must be strings")
        return {
            key: _merge(a[key], b[key]) if key in a and key in b else a.get(key, b.get(key))
            for key in sorted({*a, *b})
        }
    if isinstance(a, tuple):  # a tuple's own + joins instead of adding
        if len(a) != len(b):
            raise ValueError(f"records of {len(a)} and {len(b)} fields cannot be added")
        return _rebuild(a, [_merge(x, y) for x, y in zip(a, b, strict=True)])
    if np.shape(a) != np.shape(b):
        raise ValueError(f"statistics of shapes {np.shape(a)} and {np.shape(b)} cannot be added")
    return a + b


def _rebuild(like: tuple[Any, ...], items: list[Any]) -> tuple[Any, ...]:
    make = getattr(type(like), "_make", None)
    rebuilt: tuple[Any, ...] = make(items) if make is not None else tuple(items)
    return rebuilt
