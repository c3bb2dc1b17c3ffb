"""Faults that a hostile reading of the core found, each in the smallest case that shows it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.data.source import MemorySource
from estep.datasets import load_faithful
from estep.engine import Status, fit
from estep.errors import DataError, UsageError
from estep.families import Gaussian, Mixed
from estep.models import Normal as NormalModel
from estep.run import Local

CLOUDS = np.concatenate([np.random.default_rng(s).normal(6 * s, 1, (60, 2)) for s in (0, 1)])


@pytest.mark.parametrize(
    "change", [{"n_components": 3}, {"covariance_type": "diag"}, {"covariance_type": "spherical"}], ids=str
)
def test_a_warm_start_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    model = GaussianMixture(2, warm_start=True, random_state=0).fit(CLOUDS)
    with pytest.raises(UsageError, match="goes on from a fit of 2 full components in 2 columns"):
        model.set_params(**change).fit(CLOUDS)
    with pytest.raises(UsageError, match="set warm_start=False"):
        GaussianMixture(2, warm_start=True, random_state=0).fit(CLOUDS).fit(CLOUDS[:, :1])


@pytest.mark.parametrize(
    ("family", "X", "bad"),
    [
        ("bernoulli", [[0, 1], [1, 0], [1, 1]], [[2, 1]]),
        ("categorical", [[0, 1], [2, 0], [1, 1]], [[7, 0]]),
        ("categorical", [[0, 1], [2, 0], [1, 1]], [[0.5, 0]]),
        ("poisson", [[3, 1], [2, 0], [1, 1]], [[2.5, 0]]),
        ("poisson", [[3, 1], [2, 0], [1, 1]], [[-1, 0]]),
    ],
)
def test_new_data_are_checked_as_the_old_were(family: str, X: Any, bad: Any) -> None:
    model, chain = Mixture(1, family).fit(X), HMM(1, family).fit(X)
    unseen = [[np.nan, row[1]] for row in X]
    for each in (model, chain):
        assert np.isfinite(each.score_samples(unseen)).all()
        for ask in (each.score_samples, each.loglik, each.predict, each.impute):
            with pytest.raises(DataError, match="column 'x0' has"):
                ask(bad)


def test_a_cell_too_far_away_to_be_squared_is_named() -> None:
    with pytest.raises(DataError, match="column 'x1' has a value too far"):
        GaussianMixture(2, random_state=0).fit(CLOUDS).predict_proba([[0.0, 1e200]])


def test_a_column_seen_in_two_of_many_rows_starts_from_them() -> None:
    Z = np.random.default_rng(2).normal(size=(60_000, 3))
    Z[2:, 2] = np.nan  # a sample of 20 000 rows misses both
    for model in (Normal(max_iter=20), PPCA(1, max_iter=20)):
        with pytest.warns(UserWarning, match="EM00[12]"):
            assert np.isfinite(model.fit(Z).loglik_)
        assert np.isfinite(model.mean_).all()


def test_a_state_too_small_for_its_mixture_fails_one_start_and_not_the_fit() -> None:
    Y = np.concatenate([np.random.default_rng(0).normal(0, 1, (80, 1)), [[500.0]]])
    with pytest.warns(UserWarning, match="EM002"), pytest.warns(UserWarning, match="EM026"):
        model = HMM(2, Mixed(3, Gaussian()), random_state=0).fit(Y)
    assert any("distinct rows at the start" in message for _, message in model.diagnostics_["starts"])


def test_a_strong_prior_rounds_as_well() -> None:
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(50, 4))
    Z[::3, 1] = np.nan
    Z[1::4, 2] = np.nan
    Z = Z @ np.diag([1, 10, 3, 0.2])
    assert Normal(prior_rows=1e4, tol=1e-9).fit(Z).status_ is Status.CONVERGED


@pytest.mark.parametrize("seed", [9, 11])
def test_a_flat_covariance_is_degenerate_and_not_a_bug(seed: int) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(12, 3))
    Z[rng.random(Z.shape) < 0.3] = np.nan
    Z[0] = 0
    model = GaussianMixture(3, covariance_type="tied", reg_covar=0, random_state=seed, max_iter=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(Z)
    assert model.status_ in (Status.CONVERGED, Status.DEGENERATE, Status.MAX_ITER)


def test_a_row_of_weight_0_does_not_move_given_means() -> None:
    Y = np.concatenate([CLOUDS, [[100.0, 100.0]]])
    weights = np.append(np.ones(120), 0.0)
    means = [[0, 0], [6, 6], [100, 100]]
    with pytest.warns(UserWarning, match="EM002"):  # the third mean has no row of its own
        with_row = GaussianMixture(3, means_init=means).fit(Y, sample_weight=weights)
    with pytest.warns(UserWarning, match="EM002"):
        without = GaussianMixture(3, means_init=means).fit(CLOUDS)
    assert with_row.loglik_ == pytest.approx(without.loglik_, rel=1e-9)


def test_components_inside_states_are_in_order() -> None:
    rng = np.random.default_rng(0)
    Y = np.concatenate([rng.normal(m, 0.5, (40, 1)) for m in (0, 4, 20, 24) * 2])
    for seed in range(3):
        means = HMM(2, Mixed(2, Gaussian()), random_state=seed).fit(Y).inner_.means.ravel()
        np.testing.assert_allclose(means, [0, 4, 20, 24], atol=0.5)


def test_weights_of_a_mixture_of_mixtures_are_the_outer_ones() -> None:
    assert Mixture(2, Mixed(1, Gaussian()), random_state=0).fit(CLOUDS).weights_.shape == (2,)


def test_an_executor_in_use_outlives_the_fits_inside_it() -> None:
    source = MemorySource(CLOUDS, ("a", "b"))
    with Local(2) as run:
        fit(NormalModel(), source, run=run)
        assert run.map(lambda x: x + 1, [1, 2, 3]) == [2, 3, 4]


def test_each_block_is_framed_once() -> None:
    made: list[int] = []

    class Counting(MemorySource):
        def _frame(self, block: Any) -> Any:
            made.append(block.first)
            return super()._frame(block)

    source = Counting(np.random.default_rng(0).normal(size=(100_000, 8)), tuple("abcdefgh"))
    for i in (0, 3, 0, 6, 3):
        source.block(i)
    assert made == [0, 3 * 16384, 6 * 16384]


def test_a_range_beyond_float64_is_refused() -> None:
    with pytest.raises(DataError, match="variance outside float64"):
        Normal().fit([[-1.7e308], [1.7e308], [0.0], [1e307]])
    model = GaussianMixture(1).fit(CLOUDS[:, :1])
    assert np.isfinite(model.score_samples([[0.0], [1e-200]])).all()  # a fit could not, a score can


def test_an_identifier_is_no_category() -> None:
    with pytest.raises(DataError, match="column 'x0' has the code 1000000000000"):
        Mixture(2, "categorical").fit([[0.0], [1.0], [1e12]])


def test_a_shipped_data_set_brings_its_names() -> None:
    model = Normal().fit(load_faithful())
    assert model.feature_names_in_.tolist() == ["eruptions", "waiting"]


def test_one_weight_for_all_rows_is_taken() -> None:
    assert SoftKMeans(2, random_state=0).fit(CLOUDS, sample_weight=2.0).inertia_ > 0
