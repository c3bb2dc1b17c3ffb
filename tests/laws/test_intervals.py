"""Laws of normal components seen through intervals, and the reference values of the geyser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_ndtr
from scipy.stats import norm

from estep import HMM, GaussianMixture, Mixture, load
from estep.data.sample import distinct_rows
from estep.data.source import MemorySource
from estep.data.table import as_table
from estep.datasets import load_geyser
from estep.engine import Status
from estep.errors import DataError, EstepWarning, UsageError
from estep.families import Gaussian, IntervalNormal, Mixed
from estep.records import Units

INF = np.inf
DEGENERATE = "ignore:EM002"


def two_clouds(n: int = 300, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.4, rng.normal(0, 1, n), rng.normal(6, 1.5, n))


def rounded(x: np.ndarray, width: float = 0.5) -> np.ndarray:
    """(n, 2) ends of the intervals of this width around x."""
    low = np.floor(x / width) * width
    return np.column_stack([low, low + width])


def geyser() -> np.ndarray:
    """Waiting times to the minute, each known to half a minute either side."""
    minutes = load_geyser().select("waiting")
    return np.column_stack([minutes - 0.5, minutes + 0.5])


# Zucchini, MacDonald & Langrock (2016), the stationary chain
@pytest.mark.parametrize(("states", "stationary"), [(2, -1092.794), (3, -1051.138)])
def test_geyser_from_a_stationary_and_from_a_free_start(states: int, stationary: float) -> None:
    X = geyser()
    model = HMM(states, "interval", random_state=0, tol=1e-8).fit(X)
    assert model.status_ is Status.CONVERGED
    exact = HMM(states, "interval", startprob="stationary", random_state=0, tol=1e-8).fit(X)
    assert exact.loglik_ == pytest.approx(stationary, rel=0, abs=6e-4)
    # a free start fits one row more
    assert stationary < model.loglik_ < stationary + 1.5
    assert model.loglik(X) == model.loglik_
    assert np.isclose(model.score_samples(X).sum(), model.loglik_, rtol=1e-12)
    paths = model.decode(X)
    assert paths[0] < model.loglik_
    for state, mean, variance in zip(range(states), model.means_[:, 0], model.covars_[:, 0], strict=True):
        assert abs(X[paths[1] == state].mean() - mean) < 0.5 * np.sqrt(variance)


def test_narrow_intervals_are_the_diagonal_normal_times_the_width() -> None:
    x = np.column_stack([two_clouds(), two_clouds(seed=1) * 100])
    width = np.array([1e-7, 1e-5])
    ends = np.stack([x - width / 2, x + width / 2], axis=2).reshape(len(x), 4)
    ends[5, :2] = ends[9, 2:] = ends[11] = np.nan
    x[5, 0] = x[9, 1] = np.nan
    x[11] = np.nan
    how = {"random_state": 0, "tol": 1e-9}
    one, other = Mixture(2, "interval", **how).fit(ends), Mixture(2, "gaussian-diag", **how).fit(x)
    shift = np.log(width) @ (~np.isnan(x)).sum(axis=0)
    assert np.isclose(one.loglik_, other.loglik_ + shift, rtol=0, atol=1e-4)
    np.testing.assert_allclose(one.means_, other.means_, rtol=1e-5)
    np.testing.assert_allclose(one.variances_, other.covariances_, rtol=1e-4)
    np.testing.assert_allclose(one.predict_proba(ends), other.predict_proba(x), atol=1e-5)
    np.testing.assert_allclose(one.impute(ends)[[5, 9, 11]][:, ::2], other.impute(x)[[5, 9, 11]], rtol=1e-4)


def test_one_component_is_the_maximum_of_the_grouped_likelihood() -> None:
    """By a search over log Phi of SciPy: rounded, censored on both sides, and missing rows."""
    x = np.random.default_rng(3).normal(2.0, 1.5, 200)
    ends = rounded(x, 1.0)
    ends[x > 4] = [4, INF]
    ends[x < 0] = [-INF, 0]
    ends[:3] = np.nan
    low, high = ends[3:].T

    def minus(at: np.ndarray) -> float:
        a, b = (low - at[0]) / np.exp(at[1]), (high - at[0]) / np.exp(at[1])
        a, b = np.where(a + b > 0, -b, a), np.where(a + b > 0, -a, b)
        logs = log_ndtr(b)
        return -float((logs + np.log1p(-np.exp(log_ndtr(a) - logs))).sum())

    best = minimize(minus, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11})
    model = Mixture(1, "interval", tol=1e-10).fit(ends)
    assert model.status_ is Status.CONVERGED
    assert np.isclose(model.loglik_, -best.fun, rtol=1e-11)
    np.testing.assert_allclose(model.means_[0, 0], best.x[0], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(model.variances_[0, 0]), np.exp(best.x[1]), rtol=1e-6)


@pytest.mark.parametrize("scale", [1e6, 1e-6, 1e150, 1e-140])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_a_probability_does_not_change_with_the_units(scale: float, offset: float) -> None:
    X = rounded(two_clouds())
    here = Mixture(2, "interval", random_state=0, tol=1e-9).fit(X)
    there = Mixture(2, "interval", random_state=0, tol=1e-9).fit((X + offset) * scale)
    assert np.isclose(here.loglik_, there.loglik_, rtol=0, atol=1e-6)
    np.testing.assert_allclose((there.means_ / scale) - offset, here.means_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(there.variances_ / scale / scale, here.variances_, rtol=1e-4)
    rows = there.score_samples((X + offset) * scale)
    assert np.isclose(rows.sum(), there.loglik_, rtol=1e-12)


def test_a_row_without_bounds_is_a_missing_one() -> None:
    X = rounded(two_clouds())
    gone, open_ = (np.concatenate([X, [[low, high]] * 20]) for low, high in ((np.nan, np.nan), (-INF, INF)))
    point = Mixture(2, "interval", random_state=0).fit(gone)
    assert np.isclose(point.loglik(open_), point.loglik_, rtol=1e-14)
    np.testing.assert_allclose(point.score_samples(open_)[-20:], 0.0, atol=1e-15)
    np.testing.assert_allclose(point.predict_proba(open_)[-1], point.weights_)


def test_a_sample_that_is_rounded_again_is_refitted() -> None:
    model = Mixture(2, "interval", random_state=0).fit(rounded(two_clouds()))
    drawn, labels = model.sample(4000)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    for j in range(2):
        x = drawn[labels == j, 0]
        assert abs(x.mean() - model.means_[j, 0]) < 4 * np.sqrt(model.variances_[j, 0] / x.size)
        assert abs(x.var() / model.variances_[j, 0] - 1) < 4 * np.sqrt(2 / x.size)
    again = Mixture(2, "interval", random_state=0).fit(rounded(drawn[:, 0], 1.0))
    np.testing.assert_allclose(again.means_, model.means_, atol=0.3)
    np.testing.assert_allclose(again.variances_, model.variances_, rtol=0.2)


def test_imputing_keeps_what_is_seen_and_open() -> None:
    X = np.column_stack([rounded(two_clouds()), rounded(two_clouds(seed=2))])
    X[3, :2], X[4, 2:], X[5] = np.nan, [2.0, INF], np.nan
    model = Mixture(2, "interval", random_state=0).fit(X)
    filled = model.impute(X)
    seen = ~np.isnan(X)
    np.testing.assert_array_equal(filled[seen], X[seen])
    assert filled[3, 0] == filled[3, 1]
    expected = model.weights_ @ model.means_
    np.testing.assert_allclose(filled[5], np.repeat(expected, 2), rtol=1e-12)


@pytest.mark.filterwarnings(DEGENERATE)
@pytest.mark.parametrize(
    ("rows", "k"),
    [
        ([[4.0, 5.0]], 1),  # a single row
        ([[4.0, 5.0]] * 30, 1),
        ([[4.0, 5.0]] * 10 + [[5.0, 6.0]] * 10, 1),  # half on either side of 5, whatever the variance
        ([[4.0, 5.0]] * 10 + [[7.0, 8.0]] * 10, 2),
        ([[4e-7, 5e-7]] * 30, 1),
    ],
)
def test_a_component_inside_an_interval_is_degenerate(rows: list[list[float]], k: int) -> None:
    model = Mixture(k, "interval", random_state=0).fit(rows)
    assert model.status_ is Status.DEGENERATE
    assert "'x0' and 'x1'" in model.diagnostics_["stop"]
    assert np.isfinite(model.loglik_)
    assert (model.variances_ > 0).all()


def test_a_sound_optimum_is_preferred_to_a_heap() -> None:
    """Forty rows in one interval invite a component onto it."""
    X = np.concatenate([rounded(two_clouds()), [[3.0, 3.5]] * 40])
    model = Mixture(3, "interval", random_state=0, n_init=20).fit(X)
    assert model.status_ is Status.CONVERGED
    assert (model.variances_ > 0.01).all()


def test_far_out_rows() -> None:
    """40 standard deviations: probabilities below float64, log-probabilities as they are."""
    model = Mixture(1, "interval").fit(rounded(two_clouds()))
    mean, deviation = model.means_[0, 0], np.sqrt(model.variances_[0, 0])
    z = np.array([40.0, 40.0, 1e6])
    ends = mean + deviation * np.column_stack([z, z + [1.0, INF, INF]])
    logs = model.score_samples(ends)
    np.testing.assert_allclose(logs[1:], norm.logsf(z[1:]), rtol=1e-9)  # the ends are rounded
    assert -1e-15 < logs[0] - logs[1] <= 0
    X = np.concatenate([rounded(two_clouds()), ends[:2]])
    assert Mixture(2, "interval", random_state=0).fit(X).status_ is Status.CONVERGED


def message(X: Any, k: int = 1) -> str:
    with pytest.raises(DataError, match=r"interval|seen") as caught:
        Mixture(k, "interval").fit(X)
    return str(caught.value)


def test_refusals_name_the_row_and_a_way_out() -> None:
    good = [[1.0, 2.0], [3.0, 4.0]]
    assert "there are 3" in message([[1.0, 2.0, 3.0]] * 4)
    for row, fault in {
        (5.0, 4.0): "lower end below the upper; put them in order",
        (np.nan, 4.0): "both its ends; make both NaN",
        (4.0, np.nan): "both its ends; make both NaN",
        (4.0, 4.0): "a width, for an exact number has a density, no probability; give it",
        (1e6, np.nextafter(1e6, 2e6)): "more width than float64 loses there; subtract an offset",
        (INF, INF): "right infinities; -inf stands for no lower bound",
        (4.0, -INF): "right infinities",
    }.items():
        said = message([*good, list(row), list(row)])
        assert "'x0' and 'x1' in row 2 (counted from 0; 1 more like it)" in said
        assert fault in said
    assert "has a finite upper end" in message([[1.0, INF], [2.0, INF]])
    assert "has a finite lower end" in message([[-INF, 1.0], [-INF, 2.0]])
    assert "has a finite end" in message([[-INF, INF], [-INF, INF]])
    assert "have no seen value" in message([[np.nan, np.nan]] * 2)
    assert "beside the mean of the fit's rows" in message([[1e-20, 2e-20], [1e8, 1e8 + 1]])
    model = Mixture(1, "interval").fit(rounded(two_clouds()))
    with pytest.raises(DataError, match=r"in row 1 \(counted from 0\), from 7 to 6"):
        model.predict([[1.0, 2.0], [7.0, 6.0]])
    with pytest.raises(UsageError, match="not of IntervalNormal"):
        model.plot("density", rounded(two_clouds()))


def test_only_intervals_may_be_infinite() -> None:
    rows = [[1.0, 2.0], [3.0, INF], [0.5, 4.0]]
    kept = as_table(rows, inf="keep")
    for X in (rows, kept):
        for model in (GaussianMixture(), Mixture(1, Gaussian("diag")), HMM(1, "poisson")):
            with pytest.raises(DataError, match="'x1' holds 1 infinite cell"):
                model.fit(X)
    assert Mixture(1, IntervalNormal()).fit(kept).loglik_ < 0
    assert Mixture(1, Mixed(1, IntervalNormal())).fit(rows).loglik_ < 0


def test_what_is_known_of_columns_is_of_their_finite_ends() -> None:
    values = np.array([[1.0, 3.0], [2.0, INF], [-INF, 4.0], [np.nan, np.nan], [-INF, INF]])
    lower, upper = MemorySource(values, ("l", "u")).columns
    assert (lower.seen, lower.low, lower.high, lower.mean) == (4.0, -INF, 2.0, 1.5)
    assert (upper.seen, upper.low, upper.high, upper.mean) == (4.0, 3.0, INF, 3.5)
    units = MemorySource(values, ("l", "u")).natural_units("pair")
    assert units.centre[0] == units.centre[1]
    assert units.scale[0] == units.scale[1]


def test_open_ends_are_apart_from_each_other_in_a_sample() -> None:
    """Also where rows are thinned by their hashes."""
    rows = np.array([[1.0, INF], [-INF, 1.0], [-INF, INF], [np.nan, np.nan], [1.0, 2.0]] * 3)
    source = MemorySource(rows, ("l", "u")).framed(Units(np.zeros(2), np.ones(2)))
    blocks = [source.block(0)]
    values, weights, _ = distinct_rows(blocks, source.columns, 100, 0)
    assert values.shape == (2, 5)
    np.testing.assert_array_equal(weights, 3.0)
    thinned, weights, _ = distinct_rows(blocks, source.columns, 3, 0)
    assert thinned.shape == (2, 3)
    np.testing.assert_array_equal(weights, 3.0)


def test_a_saved_model_answers_alike(tmp_path: Path) -> None:
    X = geyser()
    X[4] = np.nan
    X[7, 1] = INF
    how = {
        "startprob_init": [0.5, 0.5],
        "transmat_init": [[0.1, 0.9], [0.7, 0.3]],
        "means_init": [[59.0], [82.0]],
        "covars_init": [[80.0], [40.0]],
    }
    for model in (
        HMM(2, "interval", **how).fit(X),
        HMM(2, Mixed(2, IntervalNormal()), random_state=0, n_init=2, tol=1e-1).fit(X),
        Mixture(2, IntervalNormal(), random_state=0).fit(X),
    ):
        model.save(tmp_path / "m.estep")
        again = load(tmp_path / "m.estep")
        assert again.loglik(X) == model.loglik_
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        np.testing.assert_array_equal(again.impute(X), model.impute(X))
        assert "nterval-normal" in again.summary()
    assert "x0, x1" in model.summary()


def test_a_start_given_is_the_one_start() -> None:
    X = geyser()
    how = {"startprob_init": [0.5, 0.5], "transmat_init": [[0.1, 0.9], [0.7, 0.3]]}
    given = HMM(2, "interval", means_init=[[59], [82]], covars_init=[[80], [40]], tol=1e-8, **how).fit(X)
    assert len(given.diagnostics_["starts"]) == 1
    np.testing.assert_array_equal(given.covars_, given.variances_)
    searched = HMM(2, "interval", random_state=0, tol=1e-8).fit(X)
    assert np.isclose(given.loglik_, searched.loglik_, rtol=1e-8)
    with pytest.raises(UsageError, match="covars_init must be finite and not negative"):
        HMM(2, "interval", covars_init=[[-1], [40]]).fit(X)
    with pytest.raises(UsageError, match="rates_init is not a parameter of the emission"):
        HMM(2, "interval", rates_init=[[1], [40]]).fit(X)


def test_rows_of_no_weight_leave_no_trace() -> None:
    X, weights = rounded(two_clouds()), np.ones(300)
    X[:5], weights[:5] = [1e300, 1.1e300], 0.0
    model = Mixture(2, "interval", random_state=0).fit(X, sample_weight=weights)
    assert model.loglik_ == pytest.approx(Mixture(2, "interval", random_state=0).fit(X[5:]).loglik_)


def test_heaped_data_warn_of_nothing() -> None:
    """Ties and few distinct values are what intervals are for."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", EstepWarning)
        X = rounded(two_clouds(), 2.0)
        X[:, 1] = np.where(X[:, 1] > 8, INF, X[:, 1])
        assert Mixture(1, "interval").fit(X).diagnostics_["findings"] == []


def test_residuals_of_intervals_are_the_ends_of_their_segments() -> None:
    X = geyser()
    model = HMM(3, "interval", random_state=0).fit(X)
    ends = model.pseudo_residuals(X)
    assert (ends[:, 0] < ends[:, 1]).all()
    middle = ends.mean(axis=1)
    assert abs(middle.mean()) < 0.1
    assert 0.85 < middle.std() < 1.15
    open_ = X.copy()
    open_[3] = [-np.inf, 60.5]
    assert model.pseudo_residuals(open_)[3, 0] == -np.inf
    ahead = model.forecast(X, 2)
    np.testing.assert_array_equal(ahead.means[:, 0], ahead.means[:, 1])
    np.testing.assert_allclose(ahead.means[:, 0], ahead.states @ model.means_[:, 0], rtol=1e-12)
