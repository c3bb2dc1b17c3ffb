"""Sources: the data as fixed blocks of rows, the same bits at every call.

Block i is rows [iB, (i+1)B) with B a function of the number of columns only, so sums do not depend
on the machine, the threads or how the input arrived. Sequences are never cut: a block of them closes at
the first end past B rows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from estep.data.describe import describe, in_units
from estep.data.patterns import find_patterns
from estep.data.sample import distinct_rows
from estep.data.units import Equivariance, choose_units
from estep.errors import DataError
from estep.records import Array, Block, Column, Int, Units

# The unit of summing: a change of these changes the bits of every answer.
BLOCK_CELLS = 2**17
BLOCK_ROWS = (1024, 16384)  # least and most


class Source(Protocol):
    """Blocks of rows; an executor asks only for `len` and `block`."""

    @property
    def columns(self) -> tuple[Column, ...]: ...

    @property
    def n_rows(self) -> int: ...

    @property
    def weight(self) -> float:
        """Sum of the row weights."""
        ...

    @property
    def units(self) -> Units: ...

    @property
    def log_jacobian(self) -> float:
        """Log-density of the user's values less that of the fit's, summed over rows with their weights."""
        ...

    def __len__(self) -> int: ...

    def block(self, i: int) -> Block: ...

    def sample(self, m: int, seed: int) -> Block:
        """At most about m distinct rows with their summed weights, in lexicographic order."""
        ...

    def natural_units(self, equivariance: Equivariance) -> Units:
        """The units a fit of a model with this equivariance should choose."""
        ...

    def framed(self, units: Units) -> Source:
        """The same rows, seen in these units."""
        ...


class MemorySource:
    """Rows in memory.

    Parameters
    ----------
    values : Array of shape (n, d)
        Raw values, NaN = missing. Copied block by block when the source is framed; never written to.
    names : tuple of str
        One a column.
    weights : Array of shape (n,), optional
        Row weights >= 0; ones by default.
    lengths : Int of shape (s,), optional
        Lengths of the sequences the rows form; independent rows by default.
    evidence : Array of shape (k, n), optional
        Added to the log-density of each latent state at each row.
    levels : tuple, optional
        For each column the names of its codes, or None.
    slopes : Array of shape (n,), optional
        The log-density of the user's rows less that of these values, where columns are on a scale.
    single : bool
        The values came in float32: a climb may begin in it.
    notes : tuple, optional
        Codes and sentences of the warnings that were given when the values were read.
    """

    def __init__(
        self,
        values: Array,
        names: tuple[str, ...],
        *,
        weights: Array | None = None,
        lengths: Int | None = None,
        evidence: Array | None = None,
        levels: tuple[tuple[str, ...] | None, ...] | None = None,
        slopes: Array | None = None,
        notes: tuple[tuple[str, str], ...] = (),
        units: Units | None = None,
        described: tuple[Column, ...] | None = None,  # columns in the user's units, if known already
        single: bool = False,
    ) -> None:
        n, d = values.shape
        self._raw, self._names, self._levels = values, names, levels or (None,) * d
        self._weights = (np.ones(n) if weights is None else weights).view()
        self._weights.flags.writeable = False  # a user's E-step sees them
        self._lengths, self._evidence, self._slopes = lengths, evidence, slopes
        self.single = single
        self.notes = notes
        self._edges, self._spans = _cut(n, d, lengths)
        self._framed: list[Block | None] = [None] * (len(self._edges) - 1)
        self.units = units or Units(np.zeros(d), np.ones(d))
        self._described = described or describe(
            [self._cut_block(i) for i in range(len(self))], names, self._levels
        )
        self.columns = in_units(self._described, self.units)
        self.n_rows, self.weight = n, float(self._weights.sum())
        self._twin: MemorySource | None = None  # the last source framed from this one

    def __len__(self) -> int:
        return len(self._edges) - 1

    def block(self, i: int) -> Block:
        framed = self._framed[i]
        if framed is None:  # two threads may make it at once; the bits are the same
            framed = self._framed[i] = self._frame(self._cut_block(i))
        return framed

    @property
    def weights(self) -> Array:
        """(n,) of the rows."""
        return self._weights

    @property
    def unlabelled(self) -> float:
        """The weight of the rows of whose latent states nothing is known."""
        if self._evidence is None:
            return self.weight
        return float(self._weights[~self._evidence.any(axis=0)].sum())

    @property
    def log_jacobian(self) -> float:
        total = -sum(column.seen * float(np.log(column.scale)) for column in self.columns)
        if self._slopes is not None:
            total += float((self._weights * self._slopes).sum())
        return total + 0.0  # no minus zero

    def log_jacobian_of(self, block: Block) -> Array:
        """The same of each row of a block, (m,)."""
        logs: Array = -np.log(self.units.scale) @ ~np.isnan(block.values)
        if self._slopes is not None:
            logs = logs + self._slopes[block.first : block.first + logs.size]
        return logs

    def weighted(self, weights: Array) -> MemorySource:
        """The same rows with other weights."""
        return MemorySource(
            self._raw,
            self._names,
            weights=weights,
            lengths=self._lengths,
            evidence=self._evidence,
            levels=self._levels,
            slopes=self._slopes,
        )

    def natural_units(self, equivariance: Equivariance) -> Units:
        return choose_units(self._described, equivariance)

    def framed(self, units: Units) -> MemorySource:
        for known in (self, self._twin):  # a start and a fit share one copy of the rows
            if known is not None and all(map(np.array_equal, known.units, units)):
                return known
        self._twin = MemorySource(
            self._raw,
            self._names,
            weights=self._weights,
            lengths=self._lengths,
            evidence=self._evidence,
            levels=self._levels,
            slopes=self._slopes,
            units=units,
            described=self._described,
            single=self.single,
        )
        return self._twin

    def sample(self, m: int, seed: int) -> Block:
        blocks = [self.block(i) for i in range(len(self))]
        values, weights, evidence = distinct_rows(blocks, self.columns, m, seed)
        return Block(values, weights, evidence=evidence, patterns=find_patterns(values))

    def _cut_block(self, i: int) -> Block:
        rows = slice(self._edges[i], self._edges[i + 1])
        lengths = None if self._lengths is None else self._lengths[self._spans[i] : self._spans[i + 1]]
        evidence = None if self._evidence is None else np.ascontiguousarray(self._evidence[:, rows])
        values = np.ascontiguousarray(self._raw[rows].T, dtype=np.float64)
        return Block(values, self._weights[rows], lengths, evidence, None, rows.start)

    def _frame(self, block: Block) -> Block:
        values = self.units.apply(block.values)
        values.flags.writeable = False  # a user's E-step sees it
        patterns = find_patterns(values)
        return Block(values, block.weights, block.lengths, block.evidence, patterns, block.first)


def _cut(n: int, d: int, lengths: Int | None) -> tuple[list[int], list[int]]:
    """Edges of the blocks in rows and, for sequences, in sequences."""
    size = int(np.clip(2 ** np.floor(np.log2(BLOCK_CELLS / d)), *BLOCK_ROWS))
    if lengths is None:
        return [*range(0, n, size), n], []
    if np.any(lengths < 1) or lengths.sum() != n:
        raise DataError(
            f"lengths must be positive and sum to the number of rows, {n}; they sum to {lengths.sum()}"
        )
    edges, spans, ends = [0], [0], np.cumsum(lengths)
    for sequence, end in enumerate(ends):
        if end - edges[-1] >= size or end == n:
            edges.append(int(end))
            spans.append(sequence + 1)
    return edges, spans
