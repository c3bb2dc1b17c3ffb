"""The rows a search looks at: distinct, weighted, and no more of them than it needs."""

from __future__ import annotations

from typing import Self

from estep.data.source import Source
from estep.data.units import Equivariance
from estep.engine.work import LARGE
from estep.errors import DataError
from estep.records import Block, Column, Units

SAMPLE = 20_000  # rows a start sees at most
LEAST, A_COLUMN = 4096, 512  # rows a search climbs on, at least, and for each column
SHARE = 1 / 48  # of large data: four passes over all rows then pay for 192 over the sample
FEWEST, FEWEST_A_COLUMN = 2048, 128  # but so many rows


class Sampled:
    """A source of one block: distinct rows, their summed weights scaled up to those of all rows.

    Scaled so that a prior weighs as much against the sample as against all rows.
    """

    def __init__(self, source: Source, seed: int) -> None:
        width = len(source.columns) + 1
        rows = min(SAMPLE, max(LEAST, A_COLUMN * width))
        drawn = source.sample(rows, seed)
        distinct = drawn.weights.size * source.weight / float(drawn.weights.sum())  # about so many in all
        fewer = max(FEWEST, FEWEST_A_COLUMN * width, int(SHARE * distinct))
        if distinct >= LARGE and fewer < drawn.weights.size:
            drawn = source.sample(fewer, seed)
        self.columns: tuple[Column, ...] = source.columns
        self.units: Units = source.units
        self.log_jacobian, self.weight = source.log_jacobian, source.weight
        self.share = float(drawn.weights.sum()) / source.weight
        self.whole = self.share > 1 - 1e-9  # no row was left out: the likelihood is that of all rows
        weights = drawn.weights if self.whole else drawn.weights / self.share
        self.rows = Block(drawn.values, weights, evidence=drawn.evidence, patterns=drawn.patterns)
        self.n_rows = weights.size

    def __len__(self) -> int:
        return 1

    def block(self, i: int) -> Block:
        return self.rows

    def sample(self, m: int, seed: int) -> Block:
        return self.rows

    def natural_units(self, equivariance: Equivariance) -> Units:
        return self.units

    def framed(self, units: Units) -> Self:
        if units is not self.units:
            raise DataError("a sample of a search keeps the units of the fit")
        return self


def independent(source: Source) -> bool:
    """Whether rows stand alone and carry no evidence: some of them then make a problem of their own."""
    first = source.block(0)
    return first.lengths is None and first.evidence is None
