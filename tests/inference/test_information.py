"""Missing information and Little's test against closed forms, EM's own rate, and published numbers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpmath import mp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from estep import Normal, load
from estep.datasets import load_airquality, load_iris
from estep.errors import DataError, EstepWarning, ResourceError, UsageError

HOLE = float("nan")
# Snedecor & Cochran's apple crop (Little & Rubin 2019, example 7.3): 12 trees seen whole, 6 in size only
APPLES = np.array(
    [(8, 59), (6, 58), (11, 56), (22, 53), (14, 50), (17, 45), (18, 43), (24, 42), (19, 39), (23, 38)]
    + [(26, 30), (40, 27), *((size, HOLE) for size in (4, 4, 5, 6, 8, 10))]
)
AIR = load_airquality()


def exact(X: np.ndarray, **options: Any) -> Normal:
    return Normal(tol=1e-12, **options).fit(X)


def test_the_apple_crop_has_the_closed_form() -> None:
    """Var(mean of y) = s_y.x (1/r + R^2/(n (1 - R^2)) + (mean of x seen whole - mean of x)^2/(r s_x)).

    The inverse observed information of two columns of which the second has holes (Little & Rubin 2019,
    section 7.2.2), R^2 and s_y.x at the maximum, s_x the variance of x where both are seen.
    """
    normal = exact(APPLES)
    whole, n = APPLES[:12], 18
    x = APPLES[:, 0]
    slope, _ = np.polyfit(*whole.T, 1)
    left = np.mean((whole[:, 1] - np.polyval(np.polyfit(*whole.T, 1), whole[:, 0])) ** 2)
    variance = left + slope**2 * x.var()
    explained = slope**2 * x.var() / variance
    gap = whole[:, 0].mean() - x.mean()
    sampling = left * (1 / 12 + explained / (n * (1 - explained)) + gap**2 / (12 * whole[:, 0].var()))
    found = normal.missing_information()
    np.testing.assert_allclose(found.standard_error, np.sqrt([x.var() / n, sampling]), rtol=1e-6)
    np.testing.assert_allclose(found.fraction, [0.0, 1 - variance / n / sampling], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.fraction, normal.fraction_missing_information_)


def second_derivatives(X: np.ndarray, normal: Normal) -> tuple[np.ndarray, np.ndarray]:
    """Observed and complete information in (mean, upper triangle of the covariance), by 30 digits."""
    d = X.shape[1]
    i, j = np.triu_indices(d)
    start = [mp.mpf(float(v)) for v in [*normal.mean_, *normal.covariance_[i, j]]]
    patterns: dict[tuple[int, ...], list[list[Any]]] = {}
    for row in X:
        seen = tuple(int(c) for c in np.flatnonzero(~np.isnan(row)))
        if seen:
            patterns.setdefault(seen, []).append([mp.mpf(float(row[c])) for c in seen])

    def loglik(point: list[Any]) -> Any:
        s = mp.matrix(d, d)
        for value, a, b in zip(point[d:], i, j, strict=True):
            s[int(a), int(b)] = s[int(b), int(a)] = value
        total = mp.mpf(0)
        for o, rows in patterns.items():
            part = mp.matrix([[s[a, b] for b in o] for a in o])
            precision = mp.inverse(part)
            gaps = [[x - point[a] for a, x in zip(o, row, strict=True)] for row in rows]
            about = (
                precision[p, q] * g[p] * g[q] for g in gaps for p in range(len(o)) for q in range(len(o))
            )
            total -= (len(rows) * mp.log(mp.det(part)) + mp.fsum(about)) / 2
        return total

    size, h = len(start), mp.mpf(10) ** -8
    hessian = np.zeros((size, size))
    for a in range(size):
        for b in range(a + 1):
            terms = []
            for p, q, sign in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):
                at = list(start)
                at[a] += p * h
                at[b] += q * h
                terms.append(sign * loglik(at))
            hessian[a, b] = hessian[b, a] = float(mp.fsum(terms) / (4 * h * h))
    precision = np.linalg.inv(normal.covariance_)
    double = np.zeros((d * d, i.size))
    for column, (a, b) in enumerate(zip(i, j, strict=True)):
        double[a * d + b, column] = double[b * d + a, column] = 1.0
    complete = np.zeros_like(hessian)
    complete[:d, :d] = len(X) * precision
    complete[d:, d:] = len(X) / 2 * double.T @ np.kron(precision, precision) @ double
    return -hessian, complete


def test_by_second_differences_in_thirty_digits() -> None:
    X = load_iris().values[:18, :3].copy()
    X[::4, 0] = X[1::5, 2] = HOLE
    X[3:6, 1] = HOLE
    X[7] = HOLE  # a row with nothing seen is all missing information
    normal = exact(X)
    with mp.workdps(30):
        observed, complete = second_derivatives(X, normal)
    found = normal.missing_information()
    variance = np.diag(np.linalg.inv(observed))[:3]
    np.testing.assert_allclose(found.standard_error, np.sqrt(variance), rtol=1e-7)
    np.testing.assert_allclose(
        found.fraction, 1 - np.diag(normal.covariance_) / len(X) / variance, rtol=0, atol=1e-7
    )
    eigenvalues = 1 - np.linalg.eigvals(np.linalg.solve(complete, observed)).real
    np.testing.assert_allclose(found.rates, np.sort(eigenvalues)[::-1], rtol=0, atol=1e-7)


@pytest.mark.parametrize(("prior_rows", "rate"), [(0.0, 0.6140250451), (3.0, None)])
def test_the_largest_rate_is_the_one_at_which_em_converges(prior_rows: float, rate: float | None) -> None:
    with pytest.warns(ConvergenceWarning, match="EM001"):
        normal = Normal(tol=0, max_iter=60, prior_rows=prior_rows).fit(APPLES)
    found = normal.missing_information().rates[0]
    assert found == pytest.approx(normal.diagnostics_["rate"], rel=0, abs=1e-8)
    if rate is not None:
        assert found == pytest.approx(rate, rel=0, abs=1e-9)  # as in tests/oracles/test_normal.py


def test_without_holes_nothing_is_missing() -> None:
    X = load_iris().values
    found = exact(X).missing_information()
    np.testing.assert_allclose(found.fraction, 0, atol=1e-12)
    np.testing.assert_allclose(found.rates, 0, atol=1e-10)
    np.testing.assert_allclose(found.standard_error, np.sqrt(X.var(axis=0) / len(X)), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:EM009")
def test_columns_never_seen_together_leave_a_direction_unknown() -> None:
    X = load_iris().values[:, :3].copy()
    X[:75, 0] = X[75:, 1] = HOLE
    found = exact(X).missing_information()
    assert found.rates[0] == pytest.approx(1.0, abs=1e-8)
    assert np.isfinite(found.standard_error).all()  # every mean is known all the same
    assert (found.fraction[:2] > 0.2).all()
    assert (found.fraction < 0.99).all()


def test_units_and_the_order_of_columns_change_nothing() -> None:
    X = AIR.select("Ozone", "Solar.R", "Wind", "Temp")
    plain = exact(X).fraction_missing_information_
    moved = exact(X[:, ::-1] * [1e-3, 1e5, 7.0, 1.0] + [1e3, 0, -5, 1e6]).fraction_missing_information_
    np.testing.assert_allclose(moved[::-1], plain, rtol=0, atol=1e-6)


def test_weights_are_rows() -> None:
    X = AIR.select("Ozone", "Wind", "Temp")[:40]
    w = np.arange(40) % 3
    weighted, repeated = Normal(tol=1e-12).fit(X, sample_weight=w), exact(np.repeat(X, w, axis=0))
    np.testing.assert_allclose(
        weighted.fraction_missing_information_, repeated.fraction_missing_information_, rtol=0, atol=1e-7
    )
    np.testing.assert_allclose(weighted.mcar_test(), repeated.mcar_test(), rtol=1e-7)


def test_training_data_that_are_gone_or_changed(tmp_path: Path) -> None:
    X = AIR.select("Ozone", "Solar.R", "Wind", "Temp")
    normal = Normal().fit(X)
    fraction = normal.missing_information(X).fraction
    copy = pickle.loads(pickle.dumps(normal))  # noqa: S301  our own bytes
    assert X[0].tobytes() not in pickle.dumps(normal)
    normal.save(tmp_path / "air.estep")
    for other in (copy, load(tmp_path / "air.estep")):
        with pytest.raises(AttributeError, match="holds no rows; give them"):
            _ = other.fraction_missing_information_
        with pytest.raises(UsageError, match="holds no rows; give them"):
            other.mcar_test()
        np.testing.assert_array_equal(other.missing_information(X).fraction, fraction)
    with pytest.raises(NotFittedError, match="not fitted"):
        _ = clone(normal).fraction_missing_information_
    X[0, 0] += 1.0
    with pytest.raises(UsageError, match="changed after the fit"):
        normal.mcar_test()
    with pytest.raises(UsageError, match="sample_weight goes with X"):
        normal.mcar_test(sample_weight=np.ones(len(X)))


def test_a_new_fit_forgets_the_last_one() -> None:
    X = AIR.select("Ozone", "Solar.R", "Wind", "Temp")
    normal = Normal().fit(X)
    assert (normal.fraction_missing_information_ > 1e-6).sum() == 2
    np.testing.assert_allclose(normal.fit(load_iris().values).fraction_missing_information_, 0, atol=1e-12)


def test_a_hundred_columns_are_the_most() -> None:
    X = np.random.default_rng(0).standard_normal((300, 101))
    with pytest.raises(ResourceError, match="missing information of 101 columns"):
        Normal().fit(X).missing_information()


def test_little_on_air_quality() -> None:
    """All six columns, as R's naniar has it: `mcar_test(airquality)` prints 35.1, 14 and 0.00142."""
    normal = Normal().fit(AIR.values)  # at the default tolerance: the test itself goes to the end
    found = normal.mcar_test()
    assert found.statistic == pytest.approx(35.10617490715, rel=0, abs=1e-9)
    assert (found.df, found.n_patterns) == (14, 4)
    with mp.workdps(30):
        tail = mp.gammainc(7, mp.mpf("35.10617490715") / 2, mp.inf, regularized=True)
    assert found.p_value == pytest.approx(float(tail), rel=1e-9)
    np.testing.assert_allclose(normal.mcar_test(AIR.values), found, rtol=1e-12)


def test_little_in_other_units_and_orders() -> None:
    X = AIR.select("Ozone", "Solar.R", "Wind", "Temp")
    plain = Normal().fit(X).mcar_test()
    order = np.random.default_rng(0).permutation(len(X))
    moved = Normal().fit(X[order][:, ::-1] * [1e-5, 1e4, 2.0, 1.0] + [0, 1e6, 0, 0]).mcar_test()
    np.testing.assert_allclose(moved, plain, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:EM009")
@pytest.mark.parametrize(
    "X", [load_iris().values, np.array([[1.0, HOLE], [2.0, HOLE], [HOLE, 1.0], [HOLE, 3.0], [HOLE, 4.0]])]
)
def test_little_with_nothing_to_test(X: np.ndarray) -> None:
    with pytest.raises(DataError, match="nothing to test"):
        Normal().fit(X).mcar_test()


def test_asking_before_a_fit() -> None:
    for ask in (
        lambda: Normal().mcar_test(),
        lambda: Normal().missing_information(),
        lambda: Normal().marginal(0),
        lambda: Normal().conditional({0: 1.0}),
    ):
        with pytest.raises(NotFittedError, match="not fitted"):
            ask()


@pytest.mark.filterwarnings("ignore:EM008")
def test_a_repeated_column_is_asked_about_all_the_same() -> None:
    X = load_iris().values
    twice = np.column_stack([X, X[:, 0]])
    twice[::3, 1] = HOLE
    with pytest.warns(EstepWarning, match="EM002"):
        normal = Normal().fit(twice)
    fraction = normal.fraction_missing_information_
    assert ((fraction >= 0) & (fraction <= 1)).all()
