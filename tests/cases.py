"""The table of cases: a line per model and family. Every law runs on every line it applies to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from estep.data.source import MemorySource
from estep.engine import Problem
from estep.families import Bernoulli, Categorical, Gaussian, IntervalNormal, Mixed, Poisson
from estep.families.covariance import OneSphere
from estep.models import PPCA, Alone, Chain, Custom, Normal
from estep.models.transitions import Transitions
from estep.run import Local


def real(rng: np.random.Generator, n: int) -> np.ndarray:
    """Three overlapping clouds in three columns of unlike units."""
    centres = np.array([[0.0, 0, 0], [3, 1, -2], [-2, 4, 1]])
    mixing = np.array([[1.0, 0.3, 0], [0, 0.8, -0.4], [0.2, 0, 0.6]])
    rows = centres[rng.integers(3, size=n)] + rng.standard_normal((n, 3)) @ mixing
    return rows * [1.0, 50.0, 0.02] + [10.0, -300.0, 0.1]


def alike(rng: np.random.Generator, n: int) -> np.ndarray:
    """The same clouds in columns of one unit, as principal components need them."""
    return real(rng, n) / [1.0, 50.0, 0.02]


def counts(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.poisson(np.array([[2.0, 9], [6, 3], [12, 1]])[rng.integers(3, size=n)]).astype(float)


def codes(rng: np.random.Generator, n: int) -> np.ndarray:
    """Columns of 3 and 4 levels."""
    part = rng.integers(2, size=n)
    first = np.where(part, rng.choice(3, n, p=[0.7, 0.2, 0.1]), rng.choice(3, n, p=[0.1, 0.3, 0.6]))
    second = np.where(
        part, rng.choice(4, n, p=[0.4, 0.4, 0.1, 0.1]), rng.choice(4, n, p=[0.1, 0.1, 0.2, 0.6])
    )
    return np.column_stack([first, second]).astype(float)


def binary(rng: np.random.Generator, n: int) -> np.ndarray:
    p = np.array([[0.9, 0.8, 0.2, 0.6], [0.2, 0.3, 0.7, 0.1]])[rng.integers(2, size=n)]
    return (rng.random(p.shape) < p).astype(float)


def intervals(rng: np.random.Generator, n: int) -> np.ndarray:
    """The first two columns of the clouds, rounded unlike, some censored on either side."""
    x = real(rng, n)[:, :2]
    width = np.array([0.5, 40.0])
    ends = np.stack([np.floor(x / width), np.floor(x / width) + 1], axis=2) * width[:, None]
    ends[:, 0, 1][ends[:, 0, 1] > 13] = np.inf
    ends[:, 0, 0][np.isinf(ends[:, 0, 1])] = 13.0
    ends[rng.random(n) < 0.05, 1, 0] = -np.inf
    return ends.reshape(n, 4)


def hide(rows: np.ndarray, rng: np.random.Generator, share: float, law: Any) -> None:
    """About this share of the cells becomes missing; of intervals, both ends."""
    hidden = rng.random(rows.shape) < share
    if law.equivariance == "pair":
        hidden[:, 1::2] = hidden[:, ::2]
    rows[hidden] = np.nan


@dataclass(frozen=True)
class Case:
    name: str
    model: Any
    data: Callable[[np.random.Generator, int], np.ndarray]
    chained: bool = False

    def values(self, n: int = 60, seed: int = 0, holes: float = 0.15) -> np.ndarray:
        """n rows; about this share of the cells missing, and one row with nothing seen."""
        rng = np.random.default_rng(seed)
        rows = self.data(rng, n)
        if holes:
            hide(rows, rng, holes, self.model)
            rows[n // 2] = np.nan
        return rows

    def source(self, values: np.ndarray, **options: Any) -> MemorySource:
        """Rows in the fit's units; a chain gets sequences of 20 rows."""
        if self.chained and "lengths" not in options:
            options["lengths"] = np.full(len(values) // 20, 20)
        source = MemorySource(values, tuple(f"x{j}" for j in range(values.shape[1])), **options)
        return source.framed(source.natural_units(self.model.equivariance))

    def problem(self, source: MemorySource) -> Problem:
        return Problem(self.model.bind(source.columns), source, Local(threads=1))

    def point(self, problem: Problem, seed: int = 1) -> Any:
        """Generic parameters: a start, moved a little in every free coordinate."""
        rng = np.random.default_rng(seed)
        how = (*problem.model.starts, "")[0]
        start = problem.model.start(problem.source.sample(1000, 0), rng, how)
        vector = problem.pack(start)
        moved = problem.unpack(vector + 0.1 * rng.standard_normal(vector.size), start)
        return problem.unpack(problem.pack(moved), moved)  # loadings in the turn that packing gives them


def mean_estep(mean: float, block: Any) -> tuple[Any, float]:
    """A user's model: exponential lifetimes with missing cells."""
    seen = ~np.isnan(block.values[0])
    x, w = np.where(seen, block.values[0], 0.0), block.weights
    return {"n": (w * seen).sum(), "sum": (w * x).sum()}, float((w * seen * (-np.log(mean) - x / mean)).sum())


def mean_mstep(mean: float, stats: Any) -> float:
    return float(stats["sum"] / stats["n"])


FAMILIES: dict[str, tuple[Any, Callable[[np.random.Generator, int], np.ndarray]]] = {
    "full": (Gaussian("full"), real),
    "tied": (Gaussian("tied"), real),
    "diag": (Gaussian("diag"), real),
    "spherical": (Gaussian("spherical"), real),
    "one sphere": (Gaussian(OneSphere()), real),
    "full ridge": (Gaussian("full", floor=0.0, ridge=0.01), real),
    "tied ridge": (Gaussian("tied", floor=0.0, ridge=0.01), real),
    "one sphere ridge": (Gaussian(OneSphere(), floor=0.0, ridge=0.01), real),
    "poisson": (Poisson(), counts),
    "categorical": (Categorical(), codes),
    "bernoulli": (Bernoulli(), binary),
    "interval": (IntervalNormal(), intervals),
}

# moves that are held at 0 or elsewhere, or drawn towards the diagonal
LEFT_RIGHT = np.array([[np.nan, np.nan, 0.0], [0.0, np.nan, np.nan], [np.nan, 0.0, np.nan]])
PARTLY = np.array([[0.7, np.nan, np.nan], [np.nan, np.nan, np.nan], [0.2, 0.3, 0.5]])
STICKY = 1.0 + 4.0 * np.eye(3)
CHAINS = {
    "stationary": Chain(3, Poisson(), Transitions("stationary")),
    "fixed start": Chain(3, Poisson(), Transitions("fixed")),
    "a mask": Chain(3, Poisson(), Transitions(held=LEFT_RIGHT)),
    "a mask, stationary": Chain(3, Poisson(), Transitions("stationary", held=LEFT_RIGHT)),
    "held moves": Chain(3, Poisson(), Transitions(held=PARTLY)),
    "held moves, stationary": Chain(3, Poisson(), Transitions("stationary", held=PARTLY)),
    "priors": Chain(3, Poisson(), Transitions(start_prior=np.full(3, 2.0), moves_prior=STICKY)),
    "a prior, stationary": Chain(3, Poisson(), Transitions("stationary", moves_prior=STICKY)),
    "settled": Chain(3, Poisson(), settled=True),
}

CASES = (
    *(Case(f"mixture of {name}", Alone(Mixed(2, family)), data) for name, (family, data) in FAMILIES.items()),
    *(Case(f"chain of {name}", Chain(2, family), data, True) for name, (family, data) in FAMILIES.items()),
    Case("mixture, equal weights", Alone(Mixed(3, Gaussian("diag"), equal=True)), real),
    Case("mixture, fixed weights", Alone(Mixed(3, Gaussian("full"), fixed=True)), real),
    Case("mixture, fixed means", Alone(Mixed(2, Gaussian("tied", fixed=("means",)))), real),
    Case("mixture, fixed covariances", Alone(Mixed(2, Gaussian("diag", fixed=("covariances",)))), real),
    Case("one component", Alone(Mixed(1, Gaussian("full"))), real),
    Case("mixture of mixtures", Alone(Mixed(2, Mixed(2, Gaussian("diag")))), real),
    Case("chain of mixtures", Chain(2, Mixed(2, Poisson())), counts, True),
    *(Case(f"chain, {name}", chain, counts, True) for name, chain in CHAINS.items()),
    Case("normal", Normal(), real),
    Case("normal with prior rows", Normal(prior_rows=3.0), real),
    Case("ppca 1", PPCA(1), alike),
    Case("ppca 2", PPCA(2), alike),
    Case("custom", Custom(5.0, mean_estep, mean_mstep), partial(counts)),
)
IDS = [case.name for case in CASES]
