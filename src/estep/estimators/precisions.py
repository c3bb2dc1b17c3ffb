"""Precisions from covariances and back, in the shapes of `covariance_type`."""

from __future__ import annotations

import numpy as np

from estep.errors import UsageError
from estep.records import Array


def cholesky_of(covariances: Array, shape: str) -> Array:
    """P with precision = P @ P.T, upper triangular, as scikit-learn's; else square roots of precisions."""
    if shape not in ("full", "tied"):
        roots: Array = np.sqrt(1.0 / covariances)
        return roots
    return np.triu(np.swapaxes(np.linalg.inv(np.linalg.cholesky(covariances)), -1, -2))


def inverse(matrices: Array, shape: str, name: str) -> Array:
    """Precisions from covariances, or back."""
    if shape not in ("full", "tied"):
        if np.any(matrices <= 0):
            raise UsageError(f"{name} must be > 0")
        return 1.0 / matrices
    try:
        half = np.linalg.inv(np.linalg.cholesky((matrices + np.swapaxes(matrices, -1, -2)) / 2))
    except np.linalg.LinAlgError:
        raise UsageError(f"{name} must hold symmetric positive definite matrices") from None
    inverse: Array = np.swapaxes(half, -1, -2) @ half
    return inverse
