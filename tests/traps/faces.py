"""The estimators that the traps are set for, and their data."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.datasets import load_iris
from estep.records import named_leaves

TIGHT = 1e-8
Make = Callable[[], Any]


def _mixture(shape: str) -> Make:
    return lambda: GaussianMixture(2, covariance_type=shape, random_state=0, tol=TIGHT, n_init=2)


# Models of real numbers, by what units they allow. Two full runs each: the oracles try the default search.
BY_COLUMN: dict[str, Make] = {
    "full": _mixture("full"),
    "tied": _mixture("tied"),
    "diag": _mixture("diag"),
    "normal": lambda: Normal(tol=TIGHT),
    "hmm": lambda: HMM(2, random_state=0, tol=TIGHT, n_init=2),
}
BY_SCALAR: dict[str, Make] = {
    "spherical": _mixture("spherical"),
    "soft k-means": lambda: SoftKMeans(2, random_state=0, tol=TIGHT, n_init=2),
    "ppca": lambda: PPCA(1, tol=TIGHT),
}
REAL: dict[str, Make] = {**BY_COLUMN, **BY_SCALAR}
DISCRETE: dict[str, Make] = {
    name: lambda name=name: Mixture(2, name, random_state=0, tol=TIGHT, n_init=2)  # type: ignore[misc]
    for name in ("poisson", "categorical", "bernoulli")
}
ALL: dict[str, Make] = {**REAL, **DISCRETE}
ROWS = {name: make for name, make in ALL.items() if name != "hmm"}  # rows are independent


def irises() -> np.ndarray:
    return load_iris().values[::2]


def holed_irises() -> np.ndarray:
    X = irises()
    i, j = np.indices(X.shape)
    return np.where((7 * i + 3 * j + i * j) % 9 == 0, np.nan, X)


def data_for(name: str) -> np.ndarray:
    """75 rows with holes that the estimator of this name takes."""
    X = holed_irises()
    if name == "poisson":
        return np.rint(X)
    return (X > [5.8, 3.0, 3.7, 1.2]).astype(float) + np.where(np.isnan(X), X, 0) if name in DISCRETE else X


def record(model: Any) -> list[Any]:
    """Everything a fit found, for comparison to the bit."""
    leaves = [leaf for _, leaf in named_leaves(model.fitted_.params)]
    return [*map(np.asarray, leaves), model.loglik_, model.n_iter_]


def assert_same_bits(a: Any, b: Any) -> None:
    for x, y in zip(record(a), record(b), strict=True):
        np.testing.assert_array_equal(x, y)


def over(table: dict[str, Make]) -> Any:
    """Parametrise a test over a table of estimators."""
    return pytest.mark.parametrize("name", list(table))


@contextmanager
def saying(*codes: str) -> Iterator[None]:
    """What happens inside must warn with exactly these codes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert sorted({str(w.message)[:5] for w in caught}) == sorted(codes), [str(w.message) for w in caught]
