"""Mixtures of normals on irises with holes, found by the default search."""

from __future__ import annotations

import numpy as np
import pytest

from estep import GaussianMixture
from estep.datasets import load_iris


def iris_with_holes() -> np.ndarray:
    """Cell (i, j), counted from 0, is missing where (7i + 3j + ij) mod 9 = 0."""
    X = load_iris().values
    i, j = np.indices(X.shape)
    return np.where((7 * i + 3 * j + i * j) % 9 == 0, np.nan, X)


def test_the_holes_are_where_the_rule_puts_them() -> None:
    missing = np.isnan(iris_with_holes())
    assert missing[0].tolist() == [True, False, False, True]
    assert missing.sum() == 51
    assert not missing.all(axis=1).any()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("shape", "k", "loglik"),
    [
        ("full", 1, -379.547259),
        ("full", 2, -220.847954),
        ("tied", 2, -298.630634),
        ("tied", 3, -260.738765),
    ],
)
def test_the_default_search_finds_the_maximum(shape: str, k: int, loglik: float, seed: int) -> None:
    X = iris_with_holes()
    mixture = GaussianMixture(k, covariance_type=shape, random_state=seed, tol=1e-8).fit(X)
    assert mixture.converged_
    assert mixture.loglik_ == pytest.approx(loglik, rel=0, abs=2e-6)


def test_the_default_search_finds_the_best_known_of_three_full_components() -> None:
    mixture = GaussianMixture(3, random_state=0, tol=1e-8).fit(iris_with_holes())
    assert mixture.converged_
    assert mixture.loglik_ > -191.341808 - 1e-6  # known to six places; a better one is welcome
