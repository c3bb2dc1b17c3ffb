"""The order of rows and columns, repeats and weights, rows with nothing seen."""

from __future__ import annotations

import numpy as np
import pytest
from traps.faces import ALL, REAL, ROWS, data_for, over

from estep import HMM, GaussianMixture, Normal, SoftKMeans
from estep.datasets import load_iris

TOL = 1e-10  # two orders of summing may stop an iteration apart


def make(name: str) -> object:
    return ROWS[name]().set_params(tol=TOL)


@over(ROWS)
def test_permuted_rows(name: str) -> None:
    X = data_for(name)
    order = np.random.default_rng(0).permutation(len(X))
    a, b = make(name).fit(X), make(name).fit(X[order])
    assert b.loglik_ == pytest.approx(a.loglik_, rel=1e-10)
    if hasattr(a, "predict"):
        np.testing.assert_array_equal(b.predict(X), a.predict(X))  # canonical order of components
        np.testing.assert_allclose(b.predict_proba(X), a.predict_proba(X), rtol=0, atol=1e-4)


@over(REAL)
def test_permuted_columns(name: str) -> None:
    X, order = data_for(name), [2, 0, 3, 1]
    model = REAL[name]().set_params(tol=TOL)
    if hasattr(model, "n_init"):
        model.set_params(n_init="auto")  # the draws differ; the maximum found does not
    a = model.fit(X).loglik_
    assert model.fit(X[:, order]).loglik_ == pytest.approx(a, rel=1e-10)


@over(ROWS)
def test_whole_weights_are_repeated_rows(name: str) -> None:
    X = data_for(name)
    weights = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = make(name).fit(X, sample_weight=weights)
    repeated = make(name).fit(np.repeat(X, weights, axis=0))
    assert weighted.loglik_ == pytest.approx(repeated.loglik_, rel=1e-10)
    assert abs(weighted.n_iter_ - repeated.n_iter_) <= 0.02 * repeated.n_iter_ + 1  # the same path
    if hasattr(weighted, "predict"):
        np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))


@pytest.mark.parametrize("shape", ["full", "tied", "diag", "spherical"])
def test_whole_weights_are_repeated_rows_in_the_default_search(shape: str) -> None:
    X = load_iris().values
    weights = np.random.default_rng(2).integers(0, 4, len(X))
    model = GaussianMixture(3, covariance_type=shape, random_state=1, tol=TOL)
    weighted = model.fit(X, sample_weight=weights).loglik_
    assert model.fit(np.repeat(X, weights, axis=0)).loglik_ == pytest.approx(weighted, rel=1e-10)


def test_every_start_of_a_search_is_the_same_for_weights_and_repeated_rows() -> None:
    X = load_iris().values
    weights = np.random.default_rng(2).integers(0, 4, len(X))
    model = GaussianMixture(3, random_state=1, n_init=8)
    weighted = model.fit(X, sample_weight=weights).fitted_
    rows = np.repeat(X, weights, axis=0)
    repeated = model.fit(rows[np.random.default_rng(3).permutation(len(rows))]).fitted_
    found = [v.iteration for v in weighted.starts]
    assert found == [v.iteration for v in repeated.starts]
    assert len(set(found)) > 3  # the starts are unlike each other
    for a, b in zip(weighted.history, repeated.history, strict=True):
        assert a.objective == pytest.approx(b.objective, rel=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_components_come_in_the_order_of_their_means(seed: int) -> None:
    X = data_for("full")
    for model in (
        GaussianMixture(3, covariance_type="tied", random_state=seed, n_init=1),
        SoftKMeans(3, random_state=seed, n_init=1),
        HMM(3, "gaussian-diag", random_state=seed, n_init=1),
    ):
        found = model.fit(X).fitted_.user_params
        means = getattr(found, "inner", getattr(found, "emission", None)).means
        assert np.lexsort(means.T[::-1]).tolist() == [0, 1, 2]


def test_components_of_a_given_start_keep_their_order() -> None:
    X = load_iris().values
    labels = np.repeat([2, 0, 1], 50)
    model = GaussianMixture(3, resp_init=labels).fit(X)
    sizes = [np.bincount(model.predict(X)[labels == j], minlength=3).argmax() for j in range(3)]
    assert sizes == [0, 1, 2]
    assert np.lexsort(model.means_.T[::-1]).tolist() != [0, 1, 2]


def test_a_weighted_sequence_is_a_repeated_sequence() -> None:
    X = data_for("hmm")
    twice = np.concatenate([X[:25], X[:25], X[55:]])  # mostly setosas, whose petals are 0.2 cm wide
    with pytest.warns(UserWarning, match=r"EM015: .*'x3' \(one value is 48%\)"):
        weighted = HMM(2, random_state=0, tol=TOL).fit(X, lengths=[25, 30, 20], sequence_weight=[2, 0, 1])
    with pytest.warns(UserWarning, match=r"EM015: .*'x3' \(one value is 48%\)"):
        repeated = HMM(2, random_state=0, tol=TOL).fit(twice, lengths=[25, 25, 20])
    assert weighted.loglik_ == pytest.approx(repeated.loglik_, rel=1e-10)
    np.testing.assert_allclose(weighted.transmat_, repeated.transmat_, rtol=0, atol=1e-5)


@over(ROWS)
def test_rows_with_nothing_seen(name: str) -> None:
    X = data_for(name)
    holed = np.insert(X, [3, 40, 40], np.nan, axis=0)
    model, plain = make(name).fit(holed), make(name).fit(X)
    assert model.loglik_ == pytest.approx(plain.loglik_, rel=1e-10)  # they contribute 0
    blank = np.full((1, X.shape[1]), np.nan)
    np.testing.assert_allclose(model.score_samples(blank), [0.0], rtol=0, atol=1e-15)
    assert model.loglik(blank) == pytest.approx(0.0, abs=1e-15)
    # they count as rows
    assert model.score(holed) == pytest.approx(model.loglik_ / (len(X) + 3), rel=1e-14)
    assert model.bic(holed) + 2 * model.loglik_ == pytest.approx(
        model.fitted_.n_parameters * np.log(len(X) + 3), rel=1e-12
    )
    # imputed from the model alone
    found = model.impute(holed)
    assert not np.isnan(found).any()
    np.testing.assert_array_equal(found[~np.isnan(holed)], holed[~np.isnan(holed)])
    if name in ("normal", "ppca"):
        np.testing.assert_allclose(found[3], model.mean_, rtol=1e-13)
    elif hasattr(model, "weights_"):
        np.testing.assert_allclose(model.predict_proba(blank)[0], model.weights_, rtol=1e-13)
        centres = {"poisson": "rates_", "bernoulli": "probabilities_"}.get(name, "means_")
        if name != "categorical":
            np.testing.assert_allclose(found[3], model.weights_ @ getattr(model, centres), rtol=1e-12)


def test_rows_with_nothing_seen_stay_in_the_m_step() -> None:
    """A fifth of the rows missing: EM's linear rate is that fifth."""
    rng = np.random.default_rng(42)
    X = rng.normal(5, 2, size=(100, 1))
    X[rng.choice(100, 20, replace=False)] = np.nan
    with pytest.warns(UserWarning, match="EM001"):
        model = Normal(mean_init=[0.0], covariance_init=[[1.0]], tol=0, max_iter=25).fit(X)
    changes = np.array([info.change for info in model.history_])
    assert changes[9] / changes[8] == pytest.approx(0.2, abs=1e-4)
    seen = X[~np.isnan(X)]
    assert model.mean_[0] == pytest.approx(seen.mean(), rel=1e-12)
    assert model.covariance_[0, 0] == pytest.approx(seen.var(), rel=1e-12)
    assert model.fitted_.weight == 100


def test_a_gap_in_a_sequence_is_bridged() -> None:
    X = data_for("hmm")
    X[30:33] = np.nan
    model = HMM(2, random_state=0).fit(X)
    resp = model.predict_proba(X)
    np.testing.assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(model.impute(X)[30:33], resp[30:33] @ model.means_, rtol=1e-12)
    cut = model.loglik(X[:30], [30]) + model.loglik(X[33:], [len(X) - 33])
    assert model.loglik(X) != pytest.approx(cut, rel=1e-6)  # the state is carried over the gap


@over(ALL)
def test_imputing_leaves_the_seen_cells_to_the_bit(name: str) -> None:
    X = data_for(name) * (1.0 if name not in REAL else 1 / 3)
    found = ALL[name]().fit(X).impute(X)
    seen = ~np.isnan(X)
    assert found[seen].tobytes() == X[seen].tobytes()
    assert np.isfinite(found).all()
