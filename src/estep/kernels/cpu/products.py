"""Kinds of features, and what the sweeps over rows with holes share: log-sum-exp, terms, sums of rows."""

from __future__ import annotations

import numpy as np

from estep.kernels.cpu.exponential import exp_nonpositive, log_from_one
from estep.kernels.cpu.jit import jit, jit_sums
from estep.records import Array

FULL, DIAG, SPHERE, LINEAR = 0, 1, 2, 3


# loops in place of `out[:] = 0` and `+=`: those, with the texts of their errors, take a second to compile


@jit
def clear(out: Array) -> None:
    for i in range(out.size):
        out[i] = 0.0


@jit
def share(joint: Array, weights: Array, top: Array, total: Array, logs: Array) -> None:
    """From joint log-densities (k, t): logs (t,) of their sum, and joint becomes weight * p(j | row).

    A row that is impossible under every component has logs -inf and equal shares.
    """
    k, t = joint.shape
    for i in range(t):
        top[i] = joint[0, i]
        total[i] = 0.0
    for j in range(1, k):
        for i in range(t):
            top[i] = max(top[i], joint[j, i])
    for j in range(k):
        for i in range(t):
            e = exp_nonpositive(joint[j, i] - top[i])
            joint[j, i] = e
            total[i] += e
    for i in range(t):
        possible = top[i] > -np.inf
        logs[i] = top[i] + log_from_one(total[i]) if possible else top[i]
        total[i] = weights[i] / total[i] if possible else np.nan
    for j in range(k):
        for i in range(t):
            joint[j, i] = joint[j, i] * total[i] if total[i] == total[i] else weights[i] / k


@jit_sums
def add_terms(logs: Array, weights: Array, terms: Array) -> None:
    """terms (2,) += the sums of w l and |w l|; a row of weight 0 counts for nothing, even -inf."""
    total = size = 0.0
    for i in range(logs.size):
        term = weights[i] * logs[i] if weights[i] > 0 else 0.0
        total += term
        size += abs(term)
    terms[0] += total
    terms[1] += size


@jit_sums
def row_sums(matrix: Array, out: Array) -> None:
    """out (k,) += sum of each row of (k, t)."""
    for j in range(len(matrix)):
        s = 0.0
        for i in range(matrix.shape[1]):
            s += matrix[j, i]
        out[j] += s
