"""An iteration of a hidden Markov chain, kernels apart from the engine's overhead, against hmmlearn.

hmmlearn is no dependency: where it can be imported, both its implementations run on the same rows from the
same parameters, and their log-likelihoods must agree with ours; elsewhere our columns stand alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import QUICK, met, spaced, write
from estep.data.source import MemorySource
from estep.engine.problem import Problem
from estep.families.gaussian import Gaussian, GaussianParams
from estep.models import Chain
from estep.models.chain import ChainParams
from estep.run import Local

try:
    from hmmlearn.hmm import GaussianHMM
except ImportError:
    GaussianHMM = None

ROUNDS = 3 if QUICK else 40  # many, and short: the least counts
RIVAL_ROUNDS = 1 if QUICK else 3
OVERHEAD = 150e-6  # of an iteration, at most
# sequences, their length, states, columns, shape, ns an observation at most
CASES = (
    (50, 100, 4, 1, "diag", 60 + 1e9 * OVERHEAD / 5000),
    (1, 50_000, 4, 1, "diag", 70),
    (10_000, 10, 4, 2, "diag", 120),
    (100, 1000, 32, 4, "diag", 1500),
    (1, 100_000, 64, 2, "diag", 3000),
    (100, 1000, 8, 16, "full", 600),
)


class Scene(NamedTuple):
    X: np.ndarray  # (n, d)
    lengths: np.ndarray
    params: ChainParams  # in the user's units
    model: Chain

    def problem(self, run: Local) -> tuple[Problem, ChainParams]:
        names = tuple(f"x{j}" for j in range(self.X.shape[1]))
        source = MemorySource(self.X, names, lengths=self.lengths)
        source = source.framed(source.natural_units(self.model.equivariance))
        model = self.model.bind(source.columns)
        return Problem(model, source, run), model.rescale(self.params, source.units.inverse())


def make(sequences: int, length: int, k: int, d: int, shape: str) -> Scene:
    """Rows about k centres, in runs of ten or so, and parameters near those they were drawn from."""
    rng = np.random.default_rng(0)
    if QUICK:
        sequences, length = max(1, sequences // 10), max(10, length // 10)
    n = sequences * length
    means = 2 * rng.standard_normal((k, d))
    labels = np.repeat(rng.integers(k, size=n // 10 + 1), 10)[:n]
    X = means[labels] + rng.standard_normal((n, d))
    moves = np.full((k, k), 0.1 / max(k - 1, 1))
    np.fill_diagonal(moves, 0.9)
    covariances = np.ones((k, d)) if shape == "diag" else np.tile(np.eye(d), (k, 1, 1))
    emission = GaussianParams(means + 0.3 * rng.standard_normal((k, d)), 1.2 * covariances)
    params = ChainParams(np.full(k, 1 / k), moves, emission)
    return Scene(X, np.full(sequences, length), params, Chain(k, Gaussian(shape, floor=0.0)))


def rival(scene: Scene, implementation: str, iterations: int) -> Any:
    k = len(scene.params.start)
    model = GaussianHMM(
        k, scene.model.family.shape, init_params="", implementation=implementation, n_iter=iterations,
        tol=-np.inf, min_covar=0.0, covars_prior=0.0, covars_weight=0.0,
    )  # fmt: skip
    model.startprob_, model.transmat_ = scene.params.start, scene.params.moves
    model.means_, model.covars_ = scene.params.emission
    return model.fit(scene.X, scene.lengths)


def least(fn: Callable[[], Any], rounds: int) -> float:
    found = []
    for _ in range(rounds):
        begun = perf_counter()
        fn()
        found.append(perf_counter() - begun)
    return min(found)


def rival_time(scene: Scene, implementation: str) -> str:
    """ns an observation: the difference of runs of one and of two iterations."""
    if GaussianHMM is None:
        return ""
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)
    one, two = (least(lambda i=i: rival(scene, implementation, i), RIVAL_ROUNDS) for i in (1, 2))
    return f"{1e9 * (two - one) / len(scene.X):.0f}"


def measure(scene: Scene) -> tuple[float, float]:
    """Seconds of the E-steps of all blocks, and of everything else in an iteration; one thread.

    A single long sequence, which two threads would do from both ends, is timed as the whole of a pass.
    """
    with Local(threads=1) as run:
        problem, params = scene.problem(run)
        stats = problem.measure(params).stats
        if GaussianHMM is not None:
            theirs = rival(scene, "log", 1).monitor_.history[0]
            ours = problem.measure(params).loglik
            if abs(theirs - ours) > 1e-8 * abs(ours):
                raise AssertionError(f"log-likelihoods {ours!r} and {theirs!r}")
        blocks = [problem.source.block(i) for i in range(len(problem.source))]

        def pieces() -> list[float]:
            """Each block timed by itself, so that a disturbance spoils one block and not a pass."""
            prep = problem.model.prepare(params)
            return [timed(lambda b=b: problem.model.estep(prep, b)) for b in blocks]

        if len(scene.lengths) == 1:
            kernels = least(lambda: problem.measure(params), ROUNDS)
        else:
            kernels = float(np.min([pieces() for _ in range(ROUNDS)], axis=0).sum())
        step = least(lambda: problem.model.mstep(params, stats), ROUNDS)
        step += least(lambda: problem.model.prepare(params).law, ROUNDS)
        return kernels, step


def gain(scene: Scene) -> float:
    """How many times faster a pass is by two threads: the least of each, in turns."""
    with Local(threads=1) as one, Local(threads=2) as two:
        passes = []
        for run in (one, two):
            problem, params = scene.problem(run)
            passes.append(lambda problem=problem, params=params: problem.measure(params))
        found = [[timed(each) for each in passes] for _ in range(ROUNDS)]
    alone, both = np.min(found, axis=0)
    return float(alone / both)


def timed(fn: Callable[[], Any]) -> float:
    begun = perf_counter()
    fn()
    return perf_counter() - begun


def main() -> None:
    rows = []
    for sequences, length, k, d, shape, most in CASES:
        scene = make(sequences, length, k, d, shape)
        kernels, step = measure(scene)
        ours = 1e9 * kernels / len(scene.X)
        rows.append(
            [
                f"{spaced(len(scene.lengths))} x {spaced(scene.lengths[0])}, {k}, {d} {shape}",
                *(rival_time(scene, implementation) for implementation in ("log", "scaling")),
                f"{ours:.0f}",
                f"{most:.0f}",
                met(ours <= most),
                f"{1e6 * step:.0f}",
                f"{gain(scene):.2f}",
            ]
        )
    header = ["sequences x length, K, d", "hmmlearn log, ns", "scaling, ns", "estep, ns", "at most", ""]
    header += ["M-step and preparation, µs", "two threads"]
    notes = f"""ns per observation and iteration, one thread. Ours is the E-step of every block (densities,
recursions, sums), the least of {ROUNDS} rounds for each block, or of a single sequence the whole pass;
then what an iteration adds once, whatever the rows (at most {1e6 * OVERHEAD:.0f} µs are allowed, and are in
the first row's limit), and how many times faster two threads are (1.7 is asked of batches and of long
sequences). hmmlearn's is the difference of fits of two iterations and of one, each the least of
{RIVAL_ROUNDS}."""
    write("chain", "An iteration of a hidden Markov model against hmmlearn", header, rows, notes)


if __name__ == "__main__":
    main()
