"""A model, its data and an executor, as the one function an EM step needs: `measure`."""

from __future__ import annotations

from threading import Event
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.random import Generator

from estep import space
from estep.data.source import Source
from estep.data.units import Equivariance, has_density
from estep.records import Array, Block, Column, Units
from estep.run import Executor, Local

# Parameters, statistics and prepared forms differ from model to model and only pass through here.
Params = Any
Stats = Any  # a record with .loglik (weighted, at the parameters of the pass) and .magnitude (sum of |terms|)


class Model(Protocol):
    """Pure functions of the hyper-parameters; one file of `models/` is one latent structure."""

    @property
    def equivariance(self) -> Equivariance:
        """Which units a fit may choose: none, one scale for all, or one for each column or pair."""
        ...

    @property
    def starts(self) -> tuple[str, ...]:
        """Kinds of random start; empty where the start is a function of the data alone."""
        ...

    def bind(self, columns: tuple[Column, ...]) -> Self:
        """The model for these columns; an error if it cannot take them."""
        ...

    def check(self, columns: tuple[Column, ...]) -> None:
        """`DataError` for new data that the fitted model gives no density."""
        ...

    def start(self, sample: Block, rng: Generator, how: str) -> Params: ...

    def compress(self, source: Source, run: Executor) -> Any:
        """A source of the same sums in fewer items; by default the source itself."""
        ...

    def prepare(self, params: Params) -> Any:
        """What all blocks of a pass share: factors, logarithms."""
        ...

    def estep(self, prep: Any, block: Any) -> Stats: ...

    # optional: ahead_of(prep, items, run), once a pass, for items that one thread should not do alone

    def mstep(self, params: Params, stats: Stats) -> Params: ...

    def log_prior(self, params: Params) -> float: ...

    def spaces(self) -> Params: ...

    def guard(self, params: Params, stats: Stats) -> str | None:
        """Why this optimum is degenerate; None if it is a sound one."""
        ...

    def rescale(self, params: Params, units: Units) -> Params:
        """Parameters in the fit's units brought to the user's; `units.inverse()` leads back."""
        ...

    def canonical(self, params: Params) -> Params: ...

    def posterior(self, prep: Any, block: Block) -> Any:
        """Per-row arrays, rows last."""
        ...


class Point(NamedTuple):
    """One place in parameter space and all that was measured there."""

    params: Params
    stats: Stats
    loglik: float  # of the observed data, in the user's units
    objective: float  # loglik + log_prior
    height: float  # the objective in the fit's units: what climbs are compared by, whatever the user's are

    @property
    def noise(self) -> float:
        """Rounding of the objective: eps times the sum of the absolute terms."""
        magnitude = self.stats.magnitude + abs(self.objective - self.loglik)
        return float(np.finfo(np.float64).eps * magnitude)


class Halted(Exception):  # noqa: N818  a signal, not a fault
    """Raised inside a pass when `Problem.halt` is set."""


class Problem:
    """The objective to climb. `measure` is the only way to a number."""

    def __init__(self, model: Model, source: Source, run: Executor) -> None:
        self.model, self.source, self.run = model, source, run
        self.halt = Event()  # set to end every climb of this problem at its next block
        self._items = model.compress(source, run)
        self.rough: Problem | None = None  # the same in float32, where a climb may begin in it

    def alone(self) -> Problem:
        """The same problem on the calling thread, for whole fits run side by side."""
        twin = Problem.__new__(Problem)
        twin.__dict__.update(self.__dict__)
        twin.run = Local(threads=1)
        twin.rough = None if self.rough is None else self.rough.alone()
        return twin

    def measure(self, params: Params) -> Point:
        """One pass over the data."""
        prep = self.model.prepare(params)
        begin = getattr(self.model, "ahead_of", None)
        if begin is not None:
            begin(prep, self._items, self.run)

        def estep(item: Any) -> Stats:
            if self.halt.is_set():
                raise Halted
            return self.model.estep(prep, item)

        stats = self.run.sum(estep, self._items)
        log_prior = self.model.log_prior(params)
        loglik = float(stats.loglik)
        if has_density(self.model.equivariance):
            loglik += self.source.log_jacobian
        return Point(params, stats, loglik, loglik + log_prior, float(stats.loglik) + log_prior)

    def pack(self, params: Params) -> Array:
        return space.pack(self.model.spaces(), params)

    def unpack(self, vector: Array, like: Params) -> Params:
        return space.unpack(self.model.spaces(), vector, like)
