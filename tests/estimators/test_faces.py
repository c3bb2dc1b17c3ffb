"""The faces: scikit-learn's meanings where they promise them, and their own."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn import mixture as rival
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from estep import EM, HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.datasets import load_airquality, load_earthquakes, load_faithful, load_iris
from estep.engine import Status
from estep.families import Categorical, Gaussian, Mixed

FAITHFUL, IRIS = load_faithful().values, load_iris().values
COUNTS = load_earthquakes().select("count")
SHAPES = ("full", "tied", "diag", "spherical")


def fitted(name: str) -> tuple[Any, np.ndarray]:
    made: dict[str, tuple[Any, np.ndarray]] = {
        "gaussian mixture": (GaussianMixture(2, random_state=0), FAITHFUL),
        "mixture": (Mixture(2, "poisson", random_state=0), COUNTS),
        "soft k-means": (SoftKMeans(3, random_state=0), FAITHFUL),
        "normal": (Normal(), load_airquality().values),
        "hmm": (HMM(2, "poisson", random_state=0), COUNTS),
        "ppca": (PPCA(2), IRIS),
    }
    estimator, X = made[name]
    return estimator.fit(X), X


every_face = pytest.mark.parametrize(
    "name", ["gaussian mixture", "mixture", "soft k-means", "normal", "hmm", "ppca"]
)


@every_face
def test_loglik_of_the_training_data_is_the_fits_to_the_bit(name: str) -> None:
    estimator, X = fitted(name)
    assert estimator.loglik(X) == estimator.loglik_
    assert np.isclose(estimator.score_samples(X).sum(), estimator.loglik_, rtol=1e-10)
    per_row = 1 if name == "hmm" else len(X)
    assert np.isclose(estimator.score(X) * per_row, estimator.loglik_, rtol=1e-12)


@every_face
def test_clone_and_pickle(name: str) -> None:
    estimator, X = fitted(name)
    again = pickle.loads(pickle.dumps(estimator))  # noqa: S301  our own bytes
    assert again.loglik(X) == estimator.loglik_
    assert again.get_params() == estimator.get_params()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        clone(estimator).score_samples(X)


@every_face
def test_bic_charges_for_free_parameters(name: str) -> None:
    estimator, X = fitted(name)
    free = {
        "gaussian mixture": 1 + 2 * 2 + 2 * 3,
        "mixture": 1 + 2,
        "soft k-means": 3 * 2 + 1,
        "normal": 6 + 21,
        "hmm": 1 + 2 + 2,
        "ppca": 4 + 4 * 2 + 1 - 1,  # loadings are free up to a rotation of two axes
    }[name]
    assert np.isclose(estimator.bic(X), -2 * estimator.loglik_ + free * np.log(len(X)))
    assert np.isclose(estimator.aic(X), -2 * estimator.loglik_ + free * 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_pass_from_given_parameters_is_scikit_learns(shape: str) -> None:
    rng = np.random.default_rng(0)
    means = FAITHFUL[rng.choice(len(FAITHFUL), 3)]
    variances = FAITHFUL.var(axis=0)
    precisions = {
        "full": np.tile(np.diag(1 / variances), (3, 1, 1)),
        "tied": np.diag(1 / variances),
        "diag": np.tile(1 / variances, (3, 1)),
        "spherical": np.full(3, 1 / variances.mean()),
    }[shape]
    given = {"weights_init": [0.5, 0.2, 0.3], "means_init": means, "precisions_init": precisions}
    with pytest.warns(ConvergenceWarning):
        theirs = rival.GaussianMixture(3, covariance_type=shape, max_iter=4, tol=0, reg_covar=0, **given).fit(
            FAITHFUL
        )
    with pytest.warns(ConvergenceWarning, match="EM001"):
        ours = GaussianMixture(3, covariance_type=shape, max_iter=4, tol=0, reg_covar=0, **given).fit(
            FAITHFUL
        )
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-8, err_msg=name)
    np.testing.assert_allclose(ours.score_samples(FAITHFUL), theirs.score_samples(FAITHFUL), rtol=1e-8)
    np.testing.assert_allclose(ours.predict_proba(FAITHFUL), theirs.predict_proba(FAITHFUL), atol=1e-9)
    assert np.isclose(ours.bic(FAITHFUL), theirs.bic(FAITHFUL), rtol=1e-10)
    assert ours.n_iter_ == len(ours.history_) == len(ours.lower_bounds_) == 4


@pytest.mark.parametrize("shape", SHAPES)
def test_reg_covar_is_scikit_learns_on_equal_components(shape: str) -> None:
    """Two mirror-image clusters hold n/k rows each, where the prior's effect is scikit-learn's."""
    rng = np.random.default_rng(1)
    cloud = rng.standard_normal((50, 2))
    X = np.concatenate([cloud + 20, -cloud - 20])
    theirs = rival.GaussianMixture(2, covariance_type=shape, reg_covar=0.3, random_state=0, tol=1e-9).fit(X)
    ours = GaussianMixture(2, covariance_type=shape, reg_covar=0.3, random_state=0, tol=1e-9).fit(X)
    np.testing.assert_allclose(
        np.sort(ours.covariances_, axis=None), np.sort(theirs.covariances_, axis=None), rtol=1e-6
    )
    assert ours.objective_ < ours.loglik_


def test_given_starts_make_no_search() -> None:
    labels = (FAITHFUL[:, 1] > 68).astype(int)
    for start in (labels, np.eye(2)[labels]):
        estimator = GaussianMixture(2, resp_init=start).fit(FAITHFUL)
        assert len(estimator.diagnostics_["starts"]) == 1
        assert np.isclose(estimator.loglik_, -1130.26396, atol=1e-3)
    flipped = GaussianMixture(2, resp_init=1 - labels).fit(FAITHFUL)
    np.testing.assert_allclose(flipped.means_, estimator.means_[::-1], rtol=1e-4)  # the order the user gave
    one = GaussianMixture(2, means_init=[[4.3, 80], [2, 54]]).fit(FAITHFUL)
    assert one.means_[0, 1] > one.means_[1, 1]
    assert len(GaussianMixture(2, n_init=4, random_state=0).fit(FAITHFUL).diagnostics_["starts"]) == 4


def test_warm_start_goes_on_where_the_last_fit_stopped() -> None:
    whole = GaussianMixture(3, random_state=0).fit(FAITHFUL)
    pieces = GaussianMixture(3, random_state=0, max_iter=5, n_init=1, warm_start=True)
    with pytest.warns(ConvergenceWarning, match="EM001"):
        first = pieces.fit(FAITHFUL).loglik_
    pieces.set_params(max_iter=10_000)
    assert pieces.fit(FAITHFUL).converged_
    assert pieces.loglik_ > first
    assert pieces.loglik_ >= whole.loglik_ - 10  # an optimum, perhaps another


def test_soft_kmeans_hardens_to_kmeans() -> None:
    """As stiffness grows soft k-means becomes k-means."""
    X = np.concatenate([np.random.default_rng(s).standard_normal((40, 2)) + 8 * s for s in range(3)])
    hard = KMeans(3, n_init=5, random_state=0).fit(X)
    soft = SoftKMeans(3, stiffness=50.0, random_state=0).fit(X)
    assert soft.stiffness_ == pytest.approx(50.0, rel=1e-12)
    assert np.isclose(soft.inertia_, hard.inertia_, rtol=1e-6)
    order = np.lexsort(hard.cluster_centers_.T[::-1])
    np.testing.assert_allclose(soft.cluster_centers_, hard.cluster_centers_[order], rtol=1e-6)
    np.testing.assert_allclose(soft.transform(X).min(axis=1) ** 2 @ np.ones(len(X)), soft.inertia_)
    np.testing.assert_allclose(soft.memberships_.sum(axis=1), 1)
    free = SoftKMeans(3, random_state=0).fit(X)
    assert free.loglik_ > soft.loglik_
    variance = 0.5 / free.stiffness_
    np.testing.assert_allclose(
        variance, (free.memberships_ * free.transform(X) ** 2).sum() / X.size, rtol=1e-3
    )


def test_text_categories_keep_their_names() -> None:
    rng = np.random.default_rng(0)
    part = rng.integers(2, size=200)
    rows = [["red" if p ^ (rng.random() < 0.1) else "blue", "small" if p else "large"] for p in part]
    model = Mixture(2, "categorical", random_state=0).fit(rows)
    assert [column.levels for column in model.fitted_.columns] == [("blue", "red"), ("large", "small")]
    np.testing.assert_array_equal(
        model.predict([["blue", "large"], ["red", "small"]]),
        model.predict(rows[:0] + [["blue", "large"], ["red", "small"]]),
    )
    with pytest.raises(ValueError, match=r"column .* holds 'green'"):
        model.predict([["green", "large"]])
    with pytest.raises(ValueError, match="text at the fit"):
        model.predict([[0, 1]])


def test_hmm_over_a_mixture_and_several_sequences() -> None:
    X = np.concatenate([FAITHFUL, FAITHFUL[::-1]])
    model = HMM(2, Mixed(2, Gaussian("diag")), random_state=0, n_init=3, tol=0.01)
    model.fit(X, lengths=[272, 272])
    assert model.loglik(X, lengths=[272, 272]) == model.loglik_
    assert model.predict(X, lengths=[272, 272]).shape == (544,)
    weighted = HMM(2, "gaussian", random_state=0).fit(FAITHFUL, lengths=[272], sequence_weight=[2.0])
    twice = HMM(2, "gaussian", random_state=0).fit(np.tile(FAITHFUL, (2, 1)), lengths=[272, 272])
    assert np.isclose(weighted.loglik_, twice.loglik_, rtol=1e-9)
    with pytest.raises(ValueError, match="sum to the number of rows, 272"):
        HMM(2).fit(FAITHFUL, lengths=[200, 100])


def test_statuses_and_findings_are_honest() -> None:
    with pytest.warns(ConvergenceWarning, match="EM001: not converged: stopped at max_iter=2"):
        short = GaussianMixture(3, max_iter=2, random_state=0).fit(FAITHFUL)
    assert short.status_ is Status.MAX_ITER
    assert not short.converged_
    assert short.diagnostics_["findings"][0][0] == "EM001"
    done = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    assert done.converged_
    assert done.diagnostics_["findings"] == []


def test_samples_come_from_the_fit() -> None:
    model = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    X, labels = model.sample(5000)
    np.testing.assert_allclose(np.bincount(labels) / 5000, model.weights_, atol=0.03)
    np.testing.assert_allclose(X[labels == 1].mean(axis=0), model.means_[1], rtol=0.02)
    path, states = HMM(2, "poisson", random_state=0).fit(COUNTS).sample(50)
    assert path.shape == (50, 1)
    assert set(states) <= {0, 1}
    assert Normal(random_state=1).fit(IRIS).sample(3).shape == PPCA(2).fit(IRIS).sample(3).shape == (3, 4)


def test_ppca_transforms_there_and_back() -> None:
    model = PPCA(3).fit(IRIS)
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(3), atol=1e-10)
    np.testing.assert_allclose(model.get_covariance(), np.cov(IRIS.T, bias=True), rtol=1e-6)
    back = model.inverse_transform(model.transform(IRIS))
    assert np.abs(back - IRIS).mean() < 0.1
    holes = IRIS.copy()
    holes[::7, 2] = np.nan
    filled = PPCA(2).fit(holes).impute(holes)
    assert np.abs(filled[::7, 2] - IRIS[::7, 2]).mean() < 0.4
    np.testing.assert_array_equal(filled[1::7], IRIS[1::7])


def test_em_keeps_named_parameters_and_counts_them() -> None:
    def estep(params: Any, block: Any) -> tuple[Any, float]:
        x, w = block.values[0], block.weights
        gap = x - params["mean"]
        loglik = -0.5 * (w * (np.log(2 * np.pi * params["variance"]) + gap**2 / params["variance"])).sum()
        return {"n": w.sum(), "x": (w * x).sum(), "xx": (w * x * x).sum()}, float(loglik)

    def mstep(params: Any, stats: Any) -> Any:
        mean = stats["x"] / stats["n"]
        return {"mean": mean, "variance": stats["xx"] / stats["n"] - mean**2}

    X = FAITHFUL[:, :1]
    model = EM({"mean": 0.0, "variance": 1.0}, estep, mstep).fit(X)
    assert model.converged_
    assert np.isclose(model.params_["mean"], X.mean())
    assert np.isclose(model.score(X), Normal().fit(X).score(X))
    assert model.fitted_.n_parameters == 2


def test_family_objects_are_taken_as_they_are() -> None:
    codes = (COUNTS > 18).astype(float)
    named = Mixture(2, "categorical", random_state=0).fit(codes)
    given = Mixture(2, Categorical(levels=(2,)), random_state=0).fit(codes)
    assert named.loglik_ == given.loglik_
    with pytest.raises(ValueError, match="family 'normal' is unknown"):
        Mixture(2, "normal").fit(codes)
