"""Log-likelihoods of mixtures of normals against 50-digit arithmetic at the returned parameters."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest

from estep import GaussianMixture
from estep.datasets import load_faithful, load_iris
from estep.engine import Status
from estep.errors import EstepWarning

DIGITS = 50
SHAPES = ["full", "tied", "diag", "spherical"]


def log_normal(gap: list[Any], covariance: Any) -> Any:
    """log N(gap; 0, covariance) by a Cholesky factor, all in mpmath."""
    if not gap:
        return mp.mpf(0)
    factor = mp.cholesky(covariance)
    z: list[Any] = []
    for i, g in enumerate(gap):
        z.append((g - mp.fsum(factor[i, j] * z[j] for j in range(i))) / factor[i, i])
    log_det = 2 * mp.fsum(mp.log(factor[i, i]) for i in range(len(gap)))
    return -(len(gap) * mp.log(2 * mp.pi) + log_det + mp.fsum(v**2 for v in z)) / 2


def exact_loglik(X: np.ndarray, weights: Any, means: Any, covariances: Any) -> Any:
    """Sum over rows of log sum_j weight_j N(seen cells; mean_j, covariance_j); arguments taken as exact."""
    total = []
    for row in X:
        o = np.flatnonzero(~np.isnan(row))
        terms = []
        for weight, mean, covariance in zip(weights, means, covariances, strict=True):
            part = mp.matrix([[covariance[a][b] for b in o] for a in o]) if o.size else None
            gap = [mp.mpf(float(row[a])) - mean[a] for a in o]
            terms.append(mp.mpf(float(weight)) * mp.exp(log_normal(gap, part)))
        total.append(mp.log(mp.fsum(terms)))
    return mp.fsum(total)


def dense(covariances: np.ndarray, shape: str, k: int, d: int) -> np.ndarray:
    """k full matrices from a covariance attribute of this shape."""
    if shape == "full":
        return covariances
    if shape == "tied":
        return np.stack([covariances] * k)
    columns = covariances if shape == "diag" else np.repeat(covariances[:, None], d, axis=1)
    return np.stack([np.diag(row) for row in columns])


def at_fitted_record(mixture: GaussianMixture, X: np.ndarray) -> Any:
    """At the parameters that the fit holds: exact in the user's units too, as scales are powers of two."""
    params, (centre, scale) = mixture.fitted_.params, mixture.fitted_.units
    k, d = params.inner.means.shape
    with mp.workdps(DIGITS):
        c, s = [mp.mpf(float(v)) for v in centre], [mp.mpf(float(v)) for v in scale]
        means = [[mp.mpf(float(m)) * s[a] + c[a] for a, m in enumerate(row)] for row in params.inner.means]
        covariances = [
            [[mp.mpf(float(matrix[a, b])) * s[a] * s[b] for b in range(d)] for a in range(d)]
            for matrix in dense(np.asarray(params.inner.covariances), mixture.covariance_type, k, d)
        ]
        return exact_loglik(X, params.weights[0], means, covariances)


def at_published(mixture: GaussianMixture, X: np.ndarray) -> Any:
    """At `weights_`, `means_`, `covariances_`."""
    k, d = mixture.means_.shape
    with mp.workdps(DIGITS):
        means = [[mp.mpf(float(m)) for m in row] for row in mixture.means_]
        covariances = [
            [[mp.mpf(float(v)) for v in row] for row in m]
            for m in dense(mixture.covariances_, mixture.covariance_type, k, d)
        ]
        return exact_loglik(X, mixture.weights_, means, covariances)


def holed(X: np.ndarray) -> np.ndarray:
    return np.where(np.random.default_rng(7).random(X.shape) < 0.15, np.nan, X)


def assert_exact(mixture: GaussianMixture, X: np.ndarray, rel: float = 1e-12) -> None:
    for truth in (at_fitted_record(mixture, X), at_published(mixture, X)):
        assert float(abs(mixture.loglik_ - truth) / abs(truth)) < rel


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
def test_irises(shape: str, holes: bool) -> None:
    X = holed(load_iris().values[::3]) if holes else load_iris().values[::3]
    assert_exact(GaussianMixture(2, covariance_type=shape, random_state=0).fit(X), X)


def test_far_from_the_origin() -> None:
    X = holed(load_faithful().values[:100]) + [1e8, -1e6]
    assert_exact(GaussianMixture(2, random_state=0).fit(X), X, rel=1e-11)


def tiny(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds of deviation 1e-6 at distance 1, and which rows are whose."""
    labels = np.repeat([0, 1], 60)
    return labels[:, None] + 1e-6 * np.random.default_rng(d).standard_normal((120, d)), labels


@pytest.mark.filterwarnings("ignore:EM008")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("d", [1, 3])
def test_components_a_millionth_wide_at_distance_one(shape: str, d: int) -> None:
    X, labels = tiny(d)
    mixture = GaussianMixture(2, covariance_type=shape, reg_covar=0, resp_init=labels).fit(X)
    assert mixture.converged_
    assert_exact(mixture, X, rel=1e-9)
    parts = [X[labels == j] for j in (0, 1)]
    np.testing.assert_allclose(mixture.weights_, 0.5, rtol=1e-14)
    np.testing.assert_allclose(mixture.means_, [part.mean(axis=0) for part in parts], rtol=0, atol=1e-15)
    moments = np.stack([np.atleast_2d(np.cov(part.T, bias=True)) for part in parts])
    expected = {
        "full": moments,
        "tied": np.stack([moments.mean(axis=0)] * 2),
        "diag": np.stack([np.diag(np.diag(m)) for m in moments]),
        "spherical": np.stack([np.eye(d) * np.trace(m) / d for m in moments]),
    }[shape]
    np.testing.assert_allclose(dense(mixture.covariances_, shape, 2, d), expected, rtol=1e-8, atol=1e-20)


@pytest.mark.filterwarnings("ignore:EM008")
@pytest.mark.parametrize("shape", SHAPES)
def test_by_default_such_components_lie_on_the_floor_and_the_loglik_is_still_the_true_one(shape: str) -> None:
    X, labels = tiny(2)
    with pytest.warns(EstepWarning, match="EM002: degenerate: .* lies on the floor"):
        mixture = GaussianMixture(2, covariance_type=shape, resp_init=labels).fit(X)
    assert mixture.status_ is Status.DEGENERATE
    assert not mixture.converged_
    assert_exact(mixture, X)
    assert mixture.objective_ == mixture.loglik_
    floor = 1e-8 * X.var(axis=0)
    expected = np.diag(floor if shape != "spherical" else np.full(2, floor.max()))
    np.testing.assert_allclose(
        dense(mixture.covariances_, shape, 2, 2), np.stack([expected] * 2), rtol=1e-8, atol=1e-20
    )
