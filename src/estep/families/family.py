"""The contract of a component law: all k components at once, leading axis k unless shared."""

from __future__ import annotations

from typing import Any, Protocol, Self

from numpy.random import Generator

from estep.data.units import Equivariance
from estep.records import Array, Block, Column, Int, Units

# Parameters and sums differ from family to family and only pass through other rooms.
Params = Any
Sums = Any


class View(Protocol):
    """A family at one point on one block; keeps what its uses share."""

    @property
    def log_density(self) -> Array:
        """(k, m) normalised, missing cells integrated out; 0 for a row with nothing seen."""
        ...

    def sums(self, resp: Array) -> Sums:
        """Expected sums under resp (k, m), row weights already in it."""
        ...

    def fill(self, resp: Array) -> Array:
        """(d, m) E[x | seen] under resp (k, m) that sums to 1; seen cells bit-unchanged."""
        ...


class Sweeping(View, Protocol):
    """A view that can do a mixture's whole E-step in one sweep over its rows; optional, for speed."""

    def mixture(self, log_weights: Array) -> tuple[Array, Sums]:
        """The sums of w l and |w l|, (2,), l = log sum_j exp(log_weights_j + log_density_j); and sums."""
        ...


def rounding(view: View) -> float:
    """What a row of weight 1 adds to a model's `magnitude` beyond |log-density|: its sum may round more.

    A view says so in `rounding`; those that do not, sum few terms of their log-density's own size.
    """
    return float(getattr(view, "rounding", 0.0))


def keep(family: Family, params: Params, sums: Sums) -> Sums:
    """Sums under which a component that no row is in keeps its parameters, for a family that would refuse."""
    kept = getattr(family, "keep", None)
    return sums if kept is None else kept(params, sums)


class Family(Protocol):
    """What every law has.

    One that lets infinite cells in, or asks something of the cells of a row together, has
    `check_cells(values, names)` as well: `DataError` for the first row of (n, d) values it cannot take.
    """

    @property
    def equivariance(self) -> Equivariance:
        """Which units a fit may choose."""
        ...

    def bind(self, columns: tuple[Column, ...]) -> Self:
        """The family for these columns; `DataError` naming the column it cannot take."""
        ...

    def check(self, columns: tuple[Column, ...]) -> None:
        """`DataError` for new data with values this law gives no density; a column with none seen is fine."""
        ...

    def embed(self, block: Block) -> Array:
        """(p, m) coordinates in which a start may measure distances; NaN = missing."""
        ...

    def start(self, block: Block, resp: Array, rng: Generator, how: str) -> Params:
        """Parameters from a partition of complete or incomplete rows, resp (k, m) with weights in it."""
        ...

    def prepare(self, params: Params) -> Any:
        """What all blocks of a pass share."""
        ...

    def at(self, prep: Any, block: Block) -> View: ...

    def update(self, params: Params, sums: Sums) -> Params:
        """The maximiser, from sums taken at `params`; `Degenerate` if a component has none."""
        ...

    def log_prior(self, params: Params) -> float: ...

    def score(self, params: Params, sums: Sums) -> Params:
        """Gradient of the log-likelihood from the same sums (Fisher's identity)."""
        ...

    def guard(self, params: Params, sums: Sums) -> str | None:
        """Why this optimum is degenerate; None if it is sound."""
        ...

    def spaces(self) -> Params: ...

    def rescale(self, params: Params, units: Units) -> Params:
        """From the fit's units to the user's."""
        ...

    def take(self, params: Params, order: Int) -> Params:
        """The components in this order."""
        ...

    def canonical(self, params: Params) -> Params:
        """Components inside components in the order of their keys."""
        ...

    def key(self, params: Params) -> Array:
        """(k, p) numbers by which components are put in canonical order."""
        ...

    def sample(self, params: Params, labels: Int, rng: Generator) -> Array:
        """(d, n) draws, row i from component labels[i]."""
        ...
