"""Mixtures of which something is known: labels of some rows, equal weights, parts held fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from estep import GaussianMixture, Mixture, SoftKMeans
from estep.datasets import load_earthquakes, load_faithful, load_iris
from estep.families.known import Known
from estep.families.partition import AUTO_KINDS, partition
from estep.records import Block

FAITHFUL, IRIS = load_faithful().values, load_iris().values
SPECIES = np.repeat([2, 0, 1], 50)  # in an order that no search would find
SOME = np.where(np.arange(150) % 7 == 0, SPECIES, -1)
SHAPES = ("full", "tied", "diag", "spherical")


def test_with_every_label_the_fit_is_that_of_each_class() -> None:
    model = GaussianMixture(3).fit(IRIS, labels=SPECIES)
    assert model.converged_
    assert len(model.diagnostics_["starts"]) == 1
    expected = 0.0
    for j in range(3):
        own = IRIS[j == SPECIES]
        np.testing.assert_allclose(model.means_[j], own.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(model.covariances_[j], np.cov(own.T, bias=True), rtol=1e-9, atol=1e-12)
        law = multivariate_normal(own.mean(axis=0), np.cov(own.T, bias=True))
        expected += law.logpdf(own).sum() + 50 * np.log(1 / 3)
    assert model.loglik_ == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_likelihood_is_of_cells_and_labels_together(shape: str) -> None:
    model = GaussianMixture(3, covariance_type=shape, random_state=0, n_init=2).fit(IRIS, labels=SOME)
    dense = model.fitted_.model.family.family.law.dense(model.covariances_, 3, 4)
    logs = np.stack(
        [
            np.log(w) + multivariate_normal(m, c).logpdf(IRIS)
            for w, m, c in zip(model.weights_, model.means_, dense, strict=True)
        ]
    )
    rows = np.where(SOME < 0, logsumexp(logs, axis=0), np.take_along_axis(logs, SOME[None], axis=0)[0])
    assert model.loglik_ == pytest.approx(rows.sum(), rel=1e-11)
    assert model.loglik(IRIS, labels=SOME) == model.loglik_
    assert model.loglik(IRIS) == pytest.approx(logsumexp(logs, axis=0).sum(), rel=1e-11)
    free = {"full": 44, "tied": 24, "diag": 26, "spherical": 17}[shape]
    assert model.bic(IRIS, labels=SOME) == pytest.approx(-2 * model.loglik_ + free * np.log(150))
    assert model.aic(IRIS, labels=SOME) == pytest.approx(-2 * model.loglik_ + free * 2)


def test_labels_give_the_order_and_are_kept() -> None:
    model = GaussianMixture(3, random_state=0)
    found = model.fit_predict(IRIS, labels=SOME)
    assert (found[SOME >= 0] == SOME[SOME >= 0]).all()
    assert (found == SPECIES).mean() > 0.95
    ends = np.full(272, -1)
    ends[[FAITHFUL[:, 0].argmax(), FAITHFUL[:, 0].argmin()]] = 0, 1
    turned = GaussianMixture(2, random_state=0).fit(FAITHFUL, labels=ends)
    plain = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    np.testing.assert_allclose(turned.means_, plain.means_[::-1], rtol=1e-4)


def test_unknown_labels_change_no_bit() -> None:
    plain = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    none = GaussianMixture(2, random_state=0).fit(FAITHFUL, labels=np.full(272, -1))
    np.testing.assert_array_equal(plain.means_, none.means_)
    assert plain.loglik_ == none.loglik_


def test_labels_move_with_their_rows_and_count_with_their_weights() -> None:
    options: dict[str, Any] = {"random_state": 0, "tol": 1e-9, "n_init": 3}
    weights = np.arange(150) % 3 + 0.0
    one = GaussianMixture(3, **options).fit(IRIS, sample_weight=weights, labels=SOME)
    rows = np.random.default_rng(0).permutation(np.repeat(np.arange(150), weights.astype(int)))
    other = GaussianMixture(3, **options).fit(IRIS[rows], labels=SOME[rows])
    assert one.loglik_ == pytest.approx(other.loglik_, rel=1e-11)
    np.testing.assert_allclose(one.means_, other.means_, rtol=1e-9)


def test_the_maximum_with_some_labels_is_that_of_a_general_optimiser() -> None:
    """One column, two components, weights held at 0.3 and 0.7: four free parameters."""
    x, weights = FAITHFUL[:, 1], np.log([0.3, 0.7])
    labels = np.where(np.arange(272) % 5 == 0, (x < 65).astype(int), -1)

    def minus_loglik(theta: np.ndarray) -> float:
        logs = weights[:, None] + norm.logpdf(x, theta[:2, None], np.exp(theta[2:, None]))
        own = np.take_along_axis(logs, labels[None], axis=0)[0]
        return -float(np.where(labels < 0, logsumexp(logs, axis=0), own).sum())

    best = minimize(
        minus_loglik, [80, 54, 1.8, 1.8], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11}
    )
    model = GaussianMixture(2, fixed=("weights",), weights_init=[0.3, 0.7], random_state=0, tol=1e-10)
    model.fit(x[:, None], labels=labels)
    assert model.loglik_ == pytest.approx(-best.fun, rel=1e-11)
    np.testing.assert_allclose(model.means_.ravel(), best.x[:2], rtol=1e-6)
    np.testing.assert_allclose(np.log(model.covariances_.ravel()) / 2, best.x[2:], rtol=1e-5)
    assert model.fitted_.n_parameters == 4


def test_any_mixture_takes_labels() -> None:
    counts = load_earthquakes().select("count")
    labels = np.where(counts[:, 0] > 30, 0, -1)
    model = Mixture(2, "poisson", random_state=0).fit(counts, labels=labels)
    assert model.rates_[0, 0] > model.rates_[1, 0]
    assert model.loglik(counts, labels=labels) == model.loglik_
    assert model.loglik(counts) > model.loglik_
    ends = np.full(272, -1)
    ends[[FAITHFUL[:, 0].argmax(), FAITHFUL[:, 0].argmin()]] = 0, 1
    clusters = SoftKMeans(2, random_state=0).fit(FAITHFUL, labels=ends)
    assert clusters.cluster_centers_[0, 0] > clusters.cluster_centers_[1, 0]
    np.testing.assert_array_equal(clusters.memberships_[ends == 0], [[1, 0]])


@pytest.mark.parametrize("how", AUTO_KINDS)
def test_every_kind_of_start_respects_labels(how: str) -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0], [12, 0], [0, 12]])
    points = np.concatenate([rng.standard_normal((2, 30)) + centre[:, None] for centre in centres], axis=1)
    evidence = np.zeros((3, 90))
    for row, label in ((0, 2), (31, 0), (62, 1)):
        evidence[:, row] = -np.inf
        evidence[label, row] = 0
    parts = partition(points, np.ones(90), 3, rng, how, evidence=evidence)
    np.testing.assert_array_equal(parts[:, [31, 62, 0]], np.eye(3))
    if not how.startswith("random"):  # clouds far apart: one labelled row each says which is which
        np.testing.assert_array_equal(parts.argmax(axis=0), np.repeat([2, 0, 1], 30))


def test_a_row_that_two_components_may_have_seeds_neither() -> None:
    evidence = np.array([[0, -np.inf, 0], [-np.inf, -np.inf, 0], [-np.inf, 0.0, 0]])
    known = Known.of(evidence, 3)
    assert known.rows.tolist() == [0, 1]
    assert known.labels.tolist() == [0, 2]


def test_a_thinned_sample_keeps_the_labelled_rows() -> None:
    from estep.data.source import MemorySource

    values = np.random.default_rng(0).standard_normal((3000, 2))
    evidence = np.zeros((2, 3000))
    evidence[0, ::300] = -np.inf
    drawn: Block = MemorySource(values, ("a", "b"), evidence=evidence).sample(100, 0)
    assert drawn.evidence is not None
    assert drawn.weights.size == 100
    assert np.isneginf(drawn.evidence[0]).sum() == 10
    kept = {tuple(row) for row in values[::300].tolist()}
    assert kept == {tuple(row) for row in drawn.values[:, np.isneginf(drawn.evidence[0])].T.tolist()}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full(272, 2), r"labels must be 0 to 1, or -1 where unknown; row 0 \(counted from 0\) has 2"),
        (np.full(272, np.nan), "row 0 .* has nan"),
        (np.r_[np.zeros(271), 0.5], r"row 271 .* has 0\.5"),
        (np.full(271, 0), r"labels must have shape \(272,\), one a row"),
        (["a"] * 272, "labels must hold numbers"),
    ],
)
def test_labels_that_make_no_sense(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2).fit(FAITHFUL, labels=labels)


GIVEN = {"weights": "weights_init", "means": "means_init", "covariances": "precisions_init"}
VALUES = {"weights": [0.4, 0.6], "means": [[4.0, 75.0], [2.5, 60.0]]}
PRECISIONS = {
    "full": np.tile(np.diag([4.0, 0.02]), (2, 1, 1)),
    "tied": np.diag([4.0, 0.02]),
    "diag": np.tile([4.0, 0.02], (2, 1)),
    "spherical": np.full(2, 0.1),
}
PARTS = [("weights",), ("means",), ("covariances",), ("weights", "means"), ("means", "covariances")]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fixed", PARTS, ids="-".join)
def test_what_is_fixed_stays_and_the_rest_climbs(fixed: tuple[str, ...], shape: str) -> None:
    values: dict[str, Any] = {**VALUES, "covariances": PRECISIONS[shape]}
    inits = {GIVEN[name]: values[name] for name in fixed}
    model = GaussianMixture(2, covariance_type=shape, fixed=fixed, n_init=2, random_state=0, **inits).fit(
        FAITHFUL
    )
    assert model.converged_
    assert all(info.gain >= -64 * info.noise for info in model.history_)
    for name in fixed:
        found = model.precisions_ if name == "covariances" else getattr(model, f"{name}_")
        np.testing.assert_allclose(found, values[name], rtol=1e-12, err_msg=name)
    free = {"weights": 1, "means": 4, "covariances": {"full": 6, "tied": 3, "diag": 4, "spherical": 2}[shape]}
    assert model.fitted_.n_parameters == sum(n for name, n in free.items() if name not in fixed)
    # at the maximum the gradient in what is free vanishes
    from estep.engine import Problem
    from estep.run import Local

    tight = GaussianMixture(
        2, covariance_type=shape, fixed=fixed, n_init=2, random_state=0, tol=1e-9, **inits
    )
    tight.fit(FAITHFUL)
    fit = tight.fitted_
    source = fit.seen(tight._open(FAITHFUL))
    point = Problem(fit.model, source, Local(threads=1)).measure(fit.params)
    slope = fit.model.score(fit.params, point.stats)
    if "means" not in fixed:
        assert np.abs(slope.inner.means).max() < 0.05  # against a curvature of hundreds
    if "covariances" not in fixed:
        assert np.abs(slope.inner.covariances).max() < 0.05
    if "weights" not in fixed:
        assert np.ptp(slope.weights) < 0.05


def test_equal_weights() -> None:
    model = GaussianMixture(3, equal_weights=True, random_state=0, n_init=3).fit(IRIS)
    np.testing.assert_array_equal(model.weights_, np.full(3, 1 / 3))
    assert model.fitted_.n_parameters == 42
    assert "equal weights" in model.summary()
    free = GaussianMixture(3, random_state=0, n_init=3).fit(IRIS)
    assert free.loglik_ > model.loglik_
    with pytest.raises(
        ValueError, match=r"equal_weights=True keeps the weights at 1/k; leave weights_init out"
    ):
        GaussianMixture(3, equal_weights=True, weights_init=np.full(3, 1 / 3)).fit(IRIS)


def test_everything_fixed_is_a_density_and_no_fit() -> None:
    found = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    inits = {"weights_init": found.weights_, "means_init": found.means_, "precisions_init": found.precisions_}
    still = GaussianMixture(2, fixed=("weights", "means", "covariances"), **inits).fit(FAITHFUL[:50])
    assert still.converged_
    assert still.fitted_.n_parameters == 0
    np.testing.assert_allclose(still.score_samples(FAITHFUL), found.score_samples(FAITHFUL), rtol=1e-10)
    assert "with fixed weights and means and covariances" in " ".join(still.summary().split())


def test_a_warm_start_and_given_memberships_keep_what_is_fixed() -> None:
    start = (FAITHFUL[:, 1] > 68).astype(int)
    model = GaussianMixture(
        2, fixed=("means",), means_init=[[2, 55], [4.2, 80]], resp_init=start, warm_start=True
    )
    first = model.fit(FAITHFUL).loglik_
    np.testing.assert_allclose(model.means_, [[2, 55], [4.2, 80]], rtol=1e-12)
    model.set_params(means_init=[[2.1, 55], [4.2, 80]]).fit(FAITHFUL)
    np.testing.assert_allclose(model.means_, [[2.1, 55], [4.2, 80]], rtol=1e-12)
    assert model.loglik_ != first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fixed": ("weights",)}, "fixed='weights' needs weights_init: the values to keep"),
        ({"fixed": ("covariances",)}, "fixed='covariances' needs precisions_init"),
        ({"fixed": ("precisions",)}, "fixed may hold 'weights', 'means', 'covariances'; found 'precisions'"),
        ({"fixed": "weights", "weights_init": [0, 1.0]}, "weights_init must be > 0 to be fixed"),
    ],
)
def test_what_cannot_be_fixed(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2, **options).fit(FAITHFUL)
