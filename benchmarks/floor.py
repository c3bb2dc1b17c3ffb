"""The floor of an EM iteration: its two BLAS products and its exponentials, from one compiled loop.

For each tile of rows: features (x, and the products x_a x_b), log-densities = natural @ features, their
log-sum-exp, sums += resp @ features'. Two threads take half the tiles each, BLAS is pinned to one thread,
and nothing else is done: no weights, no missing cells, no order of sums, no M-step, no likelihood kept but
one number. The best of several tile sizes counts. The exponential is the one of `estep.kernels.cpu`, so
that the two differ in nothing but what surrounds them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

from benchmarks.common import SIZES, THREADS, Problem, alternate, fit, iteration_times, make, met, ms, write
from estep.kernels.cpu.exponential import exp_nonpositive, log_from_one
from estep.run import Local

TILES = (64, 128, 256, 512, 1024)
TARGET = 1.5


@njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _floor(tiles, natural, constant, full):
    """The sums (k, P), the counts and the log-likelihood of (count, d, t) tiles."""
    count, d, t = tiles.shape
    k, p = natural.shape
    features, joint = np.empty((p, t)), np.empty((k, t))
    top, total = np.empty(t), np.empty(t)
    sums, part, counts, loglik = np.zeros((k, p)), np.empty((k, p)), np.zeros(k), 0.0
    for c in range(count):
        x = tiles[c]
        features[:d] = x
        row = d
        for a in range(d):
            for b in range(a, d if full else a + 1):
                for i in range(t):
                    features[row, i] = x[a, i] * x[b, i]
                row += 1
        np.dot(natural, features, joint)
        for i in range(t):
            top[i] = joint[0, i] + constant[0]
            total[i] = 0.0
        for j in range(k):
            for i in range(t):
                joint[j, i] += constant[j]
                top[i] = max(top[i], joint[j, i])
        for j in range(k):
            for i in range(t):
                e = exp_nonpositive(joint[j, i] - top[i])
                joint[j, i] = e
                total[i] += e
        for i in range(t):
            loglik += top[i] + log_from_one(total[i])
            total[i] = 1.0 / total[i]
        for j in range(k):
            for i in range(t):
                joint[j, i] *= total[i]
                counts[j] += joint[j, i]
        np.dot(joint, features.T, part)
        sums += part
    return sums, counts, loglik


def natural_form(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Natural parameters (k, P) of (x, products) and the constants (k,), at the problem's start."""
    d = problem.X.shape[1]
    full = problem.shape == "full"
    precisions = problem.precisions if full else problem.precisions[:, :, None] * np.eye(d)
    linear = np.einsum("kij,kj->ki", precisions, problem.means)
    a, b = np.triu_indices(d) if full else (np.arange(d), np.arange(d))
    quadratic = precisions[:, a, b] * np.where(a == b, -0.5, -1.0)
    constant = 0.5 * np.linalg.slogdet(precisions)[1] - 0.5 * d * np.log(2 * np.pi)
    constant += np.log(problem.weights) - 0.5 * (linear * problem.means).sum(axis=1)
    return np.ascontiguousarray(np.hstack([linear, quadratic])), constant


def floor_times(problem: Problem) -> dict[int, float]:
    """Seconds of a pass by tile size."""
    natural, constant = natural_form(problem)
    n, d = problem.X.shape
    found, loglik = {}, []
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(THREADS) as pool:
        for t in TILES:
            count = n // t
            tiles = np.ascontiguousarray(problem.X[: count * t].reshape(count, t, d).transpose(0, 2, 1))
            halves = np.array_split(tiles, THREADS)

            def once(halves: list[np.ndarray] = halves) -> list:
                jobs = [
                    pool.submit(_floor, half, natural, constant, problem.shape == "full") for half in halves
                ]
                return [job.result() for job in jobs]

            (found[t],) = alternate(lambda once=once: [once() for _ in range(3)])
            found[t] /= 3
            loglik.append(sum(part[2] for part in once()) / (count * t))
    if np.ptp(loglik) > 0.1:
        raise AssertionError(f"the floor's mean log-likelihoods differ: {loglik}")
    return found


def main() -> None:
    rows = []
    problems = [make(*size) for size in SIZES] + [make(100_000, 32, 16, "diag")]
    for problem in problems:
        by_tile = floor_times(problem)
        tile = min(by_tile, key=by_tile.__getitem__)
        floor = by_tile[tile]
        with Local(threads=THREADS) as run:
            (ours,), _ = iteration_times(problem, lambda n, p=problem, r=run: fit(p, n, r))
        wanted = problem.X.shape[1] >= 8
        verdict = [f"{TARGET}x", met(ours <= TARGET * floor)] if wanted else ["", ""]
        label = [problem.label, problem.shape]
        rows.append([*label, ms(floor), str(tile), ms(ours), f"{ours / floor:.2f}x", *verdict])
    header = ["n x d, k", "shape", "floor, ms", "its tile", "estep, ms", "ratio", "at most", ""]
    notes = (
        "The floor is two BLAS products, exponentials and nothing else, from one compiled loop in two "
        f"threads at the best of the tile sizes {', '.join(map(str, TILES))}. estep's time is a whole "
        "iteration, M-step included."
    )
    write("floor", "An EM iteration against its compiled floor", header, rows, notes)


if __name__ == "__main__":
    main()
