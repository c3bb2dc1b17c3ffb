"""What the benchmarks share: one clock, one set of problems, one table writer.

Contestants run in turn, a round at a time, after one warm-up that does not count; each is given the least
of its rounds. The time of an iteration is (time of `LONG` iterations - time of `SHORT`) / (LONG - SHORT),
for every contestant alike, so reading the data in and setting up are not in it.

`--quick` on the command line is a rehearsal: a tenth of the rows, two rounds, nothing written.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_info

import estep
from estep.data.source import MemorySource
from estep.engine import Aitken, Given, Result
from estep.families.gaussian import Gaussian, GaussianParams
from estep.families.mixed import Mixed, MixedParams
from estep.models import Alone
from estep.run import Local

QUICK = "--quick" in sys.argv
ROUNDS = 2 if QUICK else 5
THREADS = 2
RESULTS = Path(__file__).parent / "results"
SIZES = ((200_000, 2, 4), (200_000, 8, 8), (200_000, 16, 16), (50_000, 64, 32))  # n, d, k


class Problem(NamedTuple):
    """Rows and a start, in the user's units."""

    X: np.ndarray  # (n, d)
    k: int
    shape: str
    weights: np.ndarray  # (k,)
    means: np.ndarray  # (k, d)
    covariances: np.ndarray  # (k, d, d), (k, d) or (d, d): by shape

    @property
    def label(self) -> str:
        n, d = self.X.shape
        return f"{spaced(n)} x {d}, k={self.k}"

    @property
    def precisions(self) -> np.ndarray:
        return 1 / self.covariances if self.shape == "diag" else np.linalg.inv(self.covariances)

    @property
    def model(self) -> Alone:
        return Alone(
            Mixed(self.k, Gaussian(self.shape, floor=0.0))
        )  # plain maximum likelihood, as the rivals

    @property
    def source(self) -> MemorySource:
        return MemorySource(self.X, tuple(f"x{j}" for j in range(self.X.shape[1])))


def make(n: int, d: int, k: int, shape: str = "full", seed: int = 0) -> Problem:
    """Overlapping correlated clusters, about 3 deviations apart at any d: no run is at its end early."""
    rng = np.random.default_rng(seed)
    n = n // 10 if QUICK else n
    apart = 3 / np.sqrt(2 * d)
    centres = rng.normal(size=(k, d)) * apart
    factors = np.eye(d) + rng.normal(size=(k, d, d)) * (0.3 / np.sqrt(d))
    labels = rng.integers(k, size=n)
    X = np.empty((n, d))
    for j in range(k):
        mine = labels == j
        X[mine] = rng.normal(size=(mine.sum(), d)) @ factors[j].T + centres[j]
    covariance = {"full": np.tile(np.eye(d), (k, 1, 1)), "tied": np.eye(d), "diag": np.ones((k, d))}[shape]
    means = centres + rng.normal(size=(k, d)) * 0.3 * apart
    return Problem(X, k, shape, np.full(k, 1 / k), means, 1.5 * covariance)


def fit(problem: Problem, iterations: int, run: Local) -> Result:
    """Exactly so many EM iterations from the problem's start, from the array on."""
    source, model = problem.source, problem.model
    units = source.natural_units(model.equivariance)
    params = MixedParams(problem.weights[None], GaussianParams(problem.means, problem.covariances))
    starts = Given(model.rescale(params, units.inverse()))
    result = estep.fit(model, source, starts=starts, stop=Aitken(tol=0, max_iter=iterations), run=run)
    if result.model.family.prepare(result.point.params).inner.plan.centred:
        raise AssertionError(f"{problem.label}: the product path was not taken")
    return result


def alternate(*contestants: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Seconds of each contestant: the least of `rounds`, run in turn after a warm-up."""
    for contestant in contestants:
        contestant()
    times = np.empty((rounds, len(contestants)))
    for i in range(rounds):
        for j, contestant in enumerate(contestants):
            begun = perf_counter()
            contestant()
            times[i, j] = perf_counter() - begun
    return times.min(axis=0).tolist()


def lengths(problem: Problem) -> tuple[int, int]:
    """Iterations of the short and of the long run: the quicker an iteration, the more of them."""
    return (2, 42) if problem.X.shape[1] <= 4 else (2, 12)


def iteration_times(problem: Problem, *contestants: Callable[[int], Any]) -> tuple[list[float], list[float]]:
    """Seconds of an iteration, and of the whole long run, of each contestant(iterations)."""
    short, long = lengths(problem)
    runs = [lambda c=c, n=n: c(n) for c in contestants for n in (short, long)]
    seconds = alternate(*runs)
    pairs = list(zip(seconds[::2], seconds[1::2], strict=True))
    return [(late - early) / (long - short) for early, late in pairs], seconds[1::2]


def ms(seconds: float) -> str:
    """Milliseconds with three digits."""
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:.0f}"


def times(ratio: float, target: float | None = None, aim: float | None = None) -> list[str]:
    """Cells: the ratio, the target with its aim, and whether it is met."""
    wanted = "" if target is None else f"{target:g}x" + ("" if aim is None else f" ({aim:g}x)")
    return [f"{ratio:.2f}x", wanted, "" if target is None else met(ratio >= target)]


def spaced(n: int) -> str:
    """Thousands apart."""
    return f"{n:_}".replace("_", " ")


def met(yes: bool) -> str:
    return "met" if yes else "**not met**"


def machine() -> str:
    """The processor and the versions, for the head of a table."""
    blas = {
        f"{lib['internal_api']} {lib['version']}" for lib in threadpool_info() if lib["user_api"] == "blas"
    }
    packages = ("numpy", "scipy", "numba", "scikit-learn", "daal")  # daal is oneDAL's name as a package
    known = [f"{'oneDAL' if name == 'daal' else name} {version(name)}" for name in packages]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ", ".join(
        [
            f"{_processor()}, {cores} cores",
            f"{platform.system()} {platform.machine()}",
            f"Python {platform.python_version()}",
            *known,
            f"BLAS {' and '.join(sorted(blas))}",
        ]
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def write(name: str, title: str, header: list[str], rows: list[list[str]], notes: str) -> None:
    """Print the table, and keep it as results/<name>.md."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)]
    page = "\n\n".join([f"## {title}", machine(), "\n".join(lines), notes.strip()]) + "\n"
    print(page)
    if not QUICK:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text(page, encoding="utf-8")
