"""Why normal components are no sound optimum: too few rows, nearly flat, or held up by the floor alone."""

from __future__ import annotations

import numpy as np

from estep.linalg import cholesky, solve_lower
from estep.records import Array

NARROWEST = 1e-3  # smallest variance of a sound component, relative to the pooled within-variance
FLAT = 1e-8  # of a component's own variances, where there is no floor


def too_thin(rows: Array, dense: Array, needed: int) -> str | None:
    """Of components with rows (k,) and covariances (k, d, d); those of no rows say nothing of the data."""
    alive = rows > 0
    thin = int(np.argmin(np.where(alive, rows, np.inf)))
    if rows[thin] < needed * (1 - 1e-9):
        shown = f"{min(rows[thin], needed - 0.001):.4g}"  # 2.9999 of 3 are not "3"
        return f"component {thin} holds {shown} rows' worth; {needed} are needed"
    pooled = np.einsum("k,kij->ij", rows / rows.sum(), dense)
    for j in np.flatnonzero(alive):
        if _least(dense[j], pooled) < NARROWEST:
            return f"component {j} is thinner than {NARROWEST} of the pooled variance in some direction"
    return None


def on_floor(dense: Array, variances: Array, floor: float) -> str | None:
    """Which component only the floor, or rounding, holds up; `variances` (d,) are the columns'."""
    for j, covariance in enumerate(dense):
        # with no floor, a covariance may be small, but not flat: then rounding is all that holds it up
        limit = variances * floor if floor else np.diag(covariance) * FLAT
        if _least(covariance, np.diag(limit)) < 1 + 1e-6:
            if floor:
                return f"component {j} lies on the floor of {floor} of the column variances"
            return f"component {j} is flat: some direction has under {FLAT} of its own variances"
    return None


def _least(matrix: Array, reference: Array) -> float:
    """The least generalised eigenvalue: the smallest variance ratio in any direction."""
    factor = cholesky(reference)
    half = solve_lower(factor, solve_lower(factor, matrix).T)
    return float(np.linalg.eigvalsh((half + half.T) / 2)[0])
