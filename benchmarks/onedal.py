"""An EM iteration against oneDAL's `em_gmm` (package scikit-learn-intelex, module daal4py).

Same rows, same start, same number of iterations; oneDAL with 1 and with 2 threads, and the faster counts.
Its `goalFunction` belongs to the parameters before its last M-step, so one iteration more is asked of it
once, and that log-likelihood must agree with ours to 1e-8.
"""

from __future__ import annotations

import daal4py
import numpy as np

from benchmarks.common import SIZES, THREADS, Problem, fit, iteration_times, lengths, make, ms, times, write
from estep.run import Local

TARGETS = ((1.1, 2), (1.1, 1.5), (1.8, 2.5), (1.4, 1.8))  # at least so many times as fast (and the aim)


def rival(problem: Problem, iterations: int, threads: int) -> float:
    """The log-likelihood before the last M-step of so many iterations."""
    if daal4py.num_threads() != threads:  # asked twice for one number, oneDAL runs in a single thread
        daal4py.daalinit(nthreads=threads)
    algorithm = daal4py.em_gmm(problem.k, maxIterations=iterations, accuracyThreshold=0.0)
    start = problem.weights[None], problem.means, list(problem.covariances)
    result = algorithm.compute(problem.X, *start)
    if int(np.ravel(result.nIterations)[0]) != iterations:
        raise AssertionError(f"oneDAL made {result.nIterations} iterations, not {iterations}")
    return float(np.ravel(result.goalFunction)[0])


def main() -> None:
    rows = []
    for size, (target, aim) in zip(SIZES, TARGETS, strict=True):
        problem = make(*size)
        count = lengths(problem)[1]
        mine = lambda i, p=problem: fit(p, i, Local(threads=THREADS))  # noqa: E731
        one, two = (lambda i, t=t, p=problem: rival(p, i, t) for t in (1, 2))
        theirs, ours = rival(problem, count + 1, 2), mine(count).point.loglik
        if abs(theirs - ours) > 1e-8 * abs(ours):
            raise AssertionError(f"{problem.label}: log-likelihoods {ours!r} and {theirs!r}")
        (a, b, c), (whole, *others) = iteration_times(problem, mine, one, two)
        agree = f"{abs(theirs - ours) / abs(ours):.0e}"
        cells = [problem.label, ms(a), ms(b), ms(c), *times(min(b, c) / a, target, aim)]
        rows.append([*cells, f"{ms(whole)} / {ms(min(others))}", agree])
    header = ["n x d, k", "estep, ms", "oneDAL, 1 thread, ms", "2, ms", "faster by", "at least (aim)", ""]
    header += ["whole run, ms: estep / oneDAL", "log-likelihoods differ by"]
    notes = (
        "ms per iteration, full covariances, float64, estep with 2 threads; the faster of oneDAL's two "
        "columns counts. The whole run is 12 iterations (42 at d = 2) from the array on."
    )
    write("onedal", "An EM iteration against oneDAL's em_gmm", header, rows, notes)


if __name__ == "__main__":
    main()
