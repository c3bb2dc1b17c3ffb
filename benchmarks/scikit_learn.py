"""An EM iteration against scikit-learn's `GaussianMixture`.

Same rows, same start, same number of iterations (`tol=0`), no ridge; scikit-learn with 1 and with 2 BLAS
threads, and the faster counts. The log-likelihoods after the last iteration must agree to 1e-8.
"""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from benchmarks.common import SIZES, THREADS, Problem, fit, iteration_times, lengths, make, ms, times, write
from estep.run import Local

# n, d, k, shape: at least so many times as fast (and the aim)
TARGETS = ((20, 40), (12, 18), (12, 18), (4, 5.5))
CASES = [(*size, "full", *target) for size, target in zip(SIZES, TARGETS, strict=True)]
CASES += [(100_000, 32, 16, "diag", 10, None), (100_000, 32, 16, "tied", 30, None)]


def rival(problem: Problem, iterations: int, threads: int) -> GaussianMixture:
    model = GaussianMixture(
        problem.k,
        covariance_type=problem.shape,
        weights_init=problem.weights,
        means_init=problem.means,
        precisions_init=problem.precisions,
        reg_covar=0,
        tol=0,
        max_iter=iterations,
    )
    with threadpool_limits(threads, "blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(problem.X)


def main() -> None:
    rows = []
    for n, d, k, shape, target, aim in CASES:
        problem = make(n, d, k, shape)
        count = lengths(problem)[1]
        # our pool and BLAS pin last one fit each, and not all of the rounds: the rival needs its own threads
        mine = lambda i, p=problem: fit(p, i, Local(threads=THREADS))  # noqa: E731
        one, two = (lambda i, t=t, p=problem: rival(p, i, t) for t in (1, 2))
        theirs, ours = rival(problem, count, 2).score(problem.X) * len(problem.X), mine(count).point.loglik
        if abs(theirs - ours) > 1e-8 * abs(ours):
            raise AssertionError(f"{problem.label} {shape}: log-likelihoods {ours!r} and {theirs!r}")
        (a, b, c), (whole, *others) = iteration_times(problem, mine, one, two)
        agree = f"{abs(theirs - ours) / abs(ours):.0e}"
        cells = [problem.label, shape, ms(a), ms(b), ms(c), *times(min(b, c) / a, target, aim)]
        rows.append([*cells, f"{ms(whole)} / {ms(min(others))}", agree])
    header = [
        "n x d, k",
        "shape",
        "estep, ms",
        "1 BLAS thread, ms",
        "2, ms",
        "faster by",
        "at least (aim)",
        "",
    ]
    header += ["whole run, ms: estep / rival", "log-likelihoods differ by"]
    notes = (
        "ms per iteration, float64, estep with 2 threads; the faster of the rival's two columns counts. The "
        "whole run is 12 iterations (42 at d = 2) from the array on, with all before and after them."
    )
    write("scikit_learn", "An EM iteration against scikit-learn's GaussianMixture", header, rows, notes)


if __name__ == "__main__":
    main()
