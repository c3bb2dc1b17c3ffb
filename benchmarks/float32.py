"""float32 rows against the same numbers as float64: whole fits from one start to convergence.

The speed is that of the fit from the array on; the log-likelihoods at the end may differ by 1e-6 of the sum
of their absolute terms. `--long` adds the rows of 64 columns: a quarter of an hour.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

from benchmarks.common import SIZES, alternate, make, met, ms, times, write
from estep import GaussianMixture

TARGET, TOLERANCE = 1.5, 1e-6


def main() -> None:
    rows = []
    for n, d, k in SIZES if "--long" in sys.argv else SIZES[:3]:
        problem = make(n, d, k)
        single = problem.X.astype(np.float32)
        double = single.astype(np.float64)

        def climb(X: np.ndarray, problem=problem) -> GaussianMixture:
            start = {"weights_init": problem.weights, "means_init": problem.means}
            mixture = GaussianMixture(problem.k, **start, precisions_init=problem.precisions, max_iter=200)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that the iterations ran out
                return mixture.fit(X)

        short, long = climb(single), climb(double)
        scale = np.abs(long.score_samples(double)).sum()
        gap = abs(short.loglik_ - long.loglik_) / scale
        a, b = alternate(lambda c=climb, x=single: c(x), lambda c=climb, x=double: c(x), rounds=5)
        target = TARGET if d >= 8 else None
        close = [f"{gap:.0e}", f"{TOLERANCE:.0e}", met(gap <= TOLERANCE)]
        iterations = f"{short.n_iter_} / {long.n_iter_}"
        rows.append([problem.label, iterations, ms(a), ms(b), *times(b / a, target), *close])
    header = ["n x d, k", "iterations: 32 / 64", "float32, ms", "float64, ms", "faster by", "at least", ""]
    header += ["log-likelihoods differ by", "at most", ""]
    write("float32", "float32", header, rows, "Whole fits, full covariances, default tol; all the cores.")


if __name__ == "__main__":
    main()
