"""`Normal` and `PPCA` against textbooks, closed forms and each other."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from estep import PPCA, Mixture, Normal
from estep.datasets import load_airquality, load_iris, make_normal

HOLE = float("nan")
# Snedecor & Cochran's apple crop: size in hundreds of fruits, percentage of wormy fruits of 12 trees
# (Little & Rubin 2019, example 7.3)
APPLES = np.array(
    [(8, 59), (6, 58), (11, 56), (22, 53), (14, 50), (17, 45), (18, 43), (24, 42), (19, 39), (23, 38)]
    + [(26, 30), (40, 27), *((size, HOLE) for size in (4, 4, 5, 6, 8, 10))]
)


def run_out(max_iter: int, X: np.ndarray, **options: float) -> Normal:
    """Exactly `max_iter` passes, as far as rounding lets EM go."""
    with pytest.warns(ConvergenceWarning, match="EM001"):
        return Normal(tol=0, max_iter=max_iter, **options).fit(X)


def log_density(X: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """Sum of log N over the seen cells of each row, one row at a time."""
    total = 0.0
    for row in X:
        o = ~np.isnan(row)
        gap, part = row[o] - mean[o], covariance[np.ix_(o, o)]
        total -= 0.5 * (gap @ np.linalg.solve(part, gap) + np.linalg.slogdet(2 * np.pi * part)[1])
    return total


def test_apple_crop() -> None:
    normal = run_out(70, APPLES)
    np.testing.assert_allclose(normal.mean_, [14.7222222222, 49.3333333333], rtol=0, atol=1e-10)
    covariance = [[89.5339506173, -90.6967291967], [-90.6967291967, 114.694955117]]
    np.testing.assert_allclose(normal.covariance_, covariance, rtol=0, atol=1e-9)
    assert normal.loglik_ == pytest.approx(-101.7856321278, rel=0, abs=1e-10)
    assert normal.loglik_ == pytest.approx(log_density(APPLES, normal.mean_, normal.covariance_), rel=1e-13)


def test_apple_crop_converges_at_the_rate_of_the_missing_information() -> None:
    normal = run_out(30, APPLES)
    changes = np.array([info.change for info in normal.history_])
    assert changes[-1] / changes[-2] == pytest.approx(0.6140250451, rel=0, abs=1e-7)
    assert normal.diagnostics_["rate"] == pytest.approx(0.6140250451, rel=0, abs=1e-7)


def test_apple_crop_converges() -> None:
    normal = Normal(tol=1e-10).fit(APPLES)
    assert normal.converged_
    assert normal.loglik_ == pytest.approx(-101.7856321278, rel=0, abs=1e-9)


def test_air_quality() -> None:
    normal = run_out(60, load_airquality().select("Ozone", "Solar.R", "Wind", "Temp"))
    mean = [41.8711730196, 184.8468062498, 9.9575163399, 77.8823529412]
    np.testing.assert_allclose(normal.mean_, mean, rtol=0, atol=1e-10)
    assert normal.loglik_ == pytest.approx(-2326.6973827983, rel=0, abs=1e-9)


def factored(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The maximum for a monotone pattern: each column regressed on those before it, by least squares.

    f(x1) f(x2 | x1) f(x3 | x1, x2) ... (Anderson 1957; Little & Rubin 2019, section 7.4).
    """
    d = X.shape[1]
    mean, covariance, loglik = np.zeros(d), np.zeros((d, d)), 0.0
    for j in range(d):
        rows = ~np.isnan(X[:, j])
        before = np.column_stack([np.ones(rows.sum()), X[rows, :j]])
        coefficients = np.linalg.lstsq(before, X[rows, j], rcond=None)[0]
        left = np.mean((X[rows, j] - before @ coefficients) ** 2)
        slopes = coefficients[1:]
        mean[j] = coefficients[0] + slopes @ mean[:j]
        covariance[j, :j] = covariance[:j, j] = covariance[:j, :j] @ slopes
        covariance[j, j] = left + slopes @ covariance[:j, :j] @ slopes
        loglik -= 0.5 * rows.sum() * (np.log(2 * np.pi * left) + 1)
    return mean, covariance, loglik


def test_a_monotone_pattern_has_the_closed_form() -> None:
    covariance = [[1.0, 0.5, -0.3, 0.2], [0.5, 2.0, 0.4, 0.1], [-0.3, 0.4, 1.5, 0.6], [0.2, 0.1, 0.6, 1.0]]
    X = make_normal(120, [1.0, -2.0, 0.5, 3.0], covariance, random_state=3)
    for j, seen in enumerate((120, 100, 85, 75)):
        X[seen:, j] = HOLE
    mean, covariance, loglik = factored(X)
    normal = run_out(400, X)
    np.testing.assert_allclose(normal.mean_, mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(normal.covariance_, covariance, rtol=0, atol=1e-9)
    assert normal.loglik_ == pytest.approx(loglik, rel=0, abs=1e-9)


def test_complete_data_have_the_closed_form() -> None:
    X = load_iris().values
    normal = Normal().fit(X)
    assert normal.converged_
    np.testing.assert_allclose(normal.mean_, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(normal.covariance_, np.cov(X.T, bias=True), rtol=0, atol=1e-12)
    assert normal.loglik_ == pytest.approx(log_density(X, X.mean(axis=0), np.cov(X.T, bias=True)), rel=1e-12)


def test_a_mixture_of_one_normal_is_a_normal() -> None:
    X = load_airquality().select("Ozone", "Solar.R", "Wind", "Temp")
    normal, mixture = Normal(tol=1e-9).fit(X), Mixture(1, "gaussian", tol=1e-9).fit(X)
    assert mixture.loglik_ == pytest.approx(normal.loglik_, rel=0, abs=1e-8)
    np.testing.assert_allclose(mixture.means_[0], normal.mean_, rtol=1e-6)
    np.testing.assert_allclose(mixture.covariances_[0], normal.covariance_, rtol=1e-4)


@pytest.mark.parametrize("rows", [0.5, 3.0, 40.0])
def test_prior_rows_are_rows_without_correlation(rows: float) -> None:
    X = load_iris().values
    n, moments = len(X), np.cov(X.T, bias=True)
    normal = Normal(prior_rows=rows, tol=1e-10).fit(X)
    expected = (n * moments + rows * np.diag(np.diag(moments))) / (n + rows)
    np.testing.assert_allclose(normal.mean_, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(normal.covariance_, expected, rtol=0, atol=1e-12)
    assert normal.loglik_ == pytest.approx(log_density(X, X.mean(axis=0), expected), rel=1e-12)
    # log|S D^-1| + tr(S^-1 D): the same in any units
    ratio = np.linalg.solve(np.diag(np.diag(moments)), expected)
    prior = np.linalg.slogdet(ratio)[1] + np.trace(np.linalg.inv(ratio))
    assert normal.objective_ - normal.loglik_ == pytest.approx(-0.5 * rows * prior, rel=1e-10)


def closed_ppca(X: np.ndarray, q: int) -> float:
    """The maximum of Tipping & Bishop (1999), equations 7 and 8."""
    n, d = X.shape
    variances = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    noise = variances[q:].mean()
    log_det = np.log(variances[:q]).sum() + (d - q) * np.log(noise)
    return -0.5 * n * (d * np.log(2 * np.pi) + log_det + d)


@pytest.mark.parametrize(("q", "loglik"), [(1, -470.669458321), (2, -404.962780156)])
def test_ppca_on_complete_irises(q: int, loglik: float) -> None:
    X = load_iris().values
    ppca = PPCA(q, tol=1e-9).fit(X)
    assert ppca.loglik_ == pytest.approx(loglik, rel=0, abs=1e-8)
    assert ppca.loglik_ == pytest.approx(closed_ppca(X, q), rel=0, abs=1e-9)
    variances = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]
    assert ppca.noise_variance_ == pytest.approx(variances[q:].mean(), rel=1e-6)


def test_ppca_with_holes_and_all_but_one_component_is_a_normal() -> None:
    mask = np.random.RandomState(5489).random_sample(600).reshape(4, 150).T < 0.2  # filled by column
    assert mask.sum() == 124
    X = np.where(mask, np.nan, load_iris().values)
    ppca, normal = PPCA(3, tol=1e-9).fit(X), Normal(tol=1e-9).fit(X)
    assert normal.loglik_ == pytest.approx(-344.8924811052, rel=0, abs=1e-8)
    assert ppca.loglik_ == pytest.approx(-344.8924811052, rel=0, abs=1e-7)
    assert ppca.converged_
    np.testing.assert_allclose(ppca.get_covariance(), normal.covariance_, rtol=0, atol=2e-4)
