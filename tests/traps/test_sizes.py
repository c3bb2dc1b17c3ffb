"""Few rows, few distinct rows, no spread: the fit is sound, or says that it is not, or is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from traps.faces import (
    DISCRETE,
    REAL,
    TIGHT,
    assert_same_bits,
    holed_irises,
    irises,
    over,
    record,
    saying,
)

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.engine import Status
from estep.errors import DataError, EstepWarning
from estep.families import Categorical

SHAPES = ["full", "tied", "diag", "spherical"]


def mixture(k: int, shape: str = "full", **options: Any) -> GaussianMixture:
    return GaussianMixture(k, covariance_type=shape, **{"random_state": 0, "tol": TIGHT, **options})


def assert_finite(model: Any) -> None:
    assert all(np.isfinite(leaf).all() for leaf in record(model))
    assert np.isfinite(model.objective_)


@pytest.mark.parametrize("shape", SHAPES)
def test_one_component_is_the_closed_form(shape: str) -> None:
    X = irises()
    model = mixture(1, shape).fit(X)
    assert model.converged_
    np.testing.assert_allclose(model.means_[0], X.mean(axis=0), rtol=1e-12)
    moments = np.cov(X.T, bias=True)
    expected = {
        "full": moments[None],
        "tied": moments,
        "diag": np.diag(moments)[None],
        "spherical": np.array([np.trace(moments) / 4]),
    }
    np.testing.assert_allclose(model.covariances_, expected[shape], rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(model.weights_, [1.0])
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))


@pytest.mark.parametrize("shape", ["full", "diag", "spherical"])
def test_as_many_components_as_rows(shape: str) -> None:
    X = np.random.default_rng(0).normal(size=(12, 2))
    with saying("EM002"):
        model = mixture(12, shape).fit(X)
    assert model.status_ is Status.DEGENERATE
    assert_finite(model)


def test_as_many_tied_components_as_rows() -> None:
    X = np.random.default_rng(0).normal(size=(12, 2))
    with saying("EM002"):
        model = mixture(12, "tied", resp_init=np.arange(12)).fit(X)
    assert model.status_ is Status.DEGENERATE
    np.testing.assert_allclose(model.means_, X, rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", ["gaussian", "poisson", "bernoulli", "categorical"])
def test_more_components_than_distinct_rows(name: str) -> None:
    X = np.array([[0.0, 1], [1, 1], [1, 0], [1, 1], [0, 1]])
    with pytest.raises(DataError, match=r"3 distinct rows for 4 components; ask for at most 3"):
        Mixture(4, name, random_state=0).fit(X)
    with pytest.raises(DataError, match=r"3 distinct rows for 4 components"):
        HMM(4, name, random_state=0).fit(X)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("shape", ["full", "tied"])
def test_fewer_rows_than_columns(shape: str, k: int) -> None:
    X = np.random.default_rng(1).normal(size=(6, 20))
    with saying("EM002"):
        model = mixture(k, shape).fit(X)
    assert model.status_ is Status.DEGENERATE
    assert_finite(model)


@pytest.mark.parametrize("shape", ["diag", "spherical"])
def test_fewer_rows_than_columns_do_not_matter_without_correlations(shape: str) -> None:
    X = np.random.default_rng(1).normal(size=(6, 20))
    model = mixture(1, shape).fit(X)
    assert model.converged_
    assert_finite(model)


def test_fewer_rows_than_columns_in_the_other_models() -> None:
    X = np.random.default_rng(1).normal(size=(6, 20))
    with saying("EM002"):
        assert_finite(Normal().fit(X))
    with saying("EM002"):
        assert_finite(HMM(2, random_state=0).fit(X))
    with saying("EM002"):
        assert_finite(PPCA(6).fit(X))
    for model in (PPCA(2), Normal(prior_rows=3), SoftKMeans(2, random_state=0)):
        model.fit(X)
        assert model.converged_
        assert_finite(model)


@pytest.mark.parametrize(
    "model", [mixture(1), Normal(), HMM(1), SoftKMeans(1), PPCA(1)], ids=lambda m: type(m).__name__
)
def test_a_single_row(model: Any) -> None:
    codes = ["EM004"] if isinstance(model, Normal | SoftKMeans) else ["EM002", "EM004"]
    with saying(*codes):
        model.fit([[1.5, -2.0, 3.0]])
    assert_finite(model)
    np.testing.assert_allclose(model.impute([[1.5, np.nan, 3.0]]), [[1.5, -2.0, 3.0]], rtol=0, atol=1e-12)


CONSTANT_FACES = {
    **{shape: lambda shape=shape: mixture(2, shape, n_init=2) for shape in ("full", "tied", "diag")},
    "normal": REAL["normal"],
    "hmm": REAL["hmm"],
}


@over(CONSTANT_FACES)
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("value", [7.0, 0.0, -1e9])
def test_a_constant_column_leaves_the_rest_as_it_is(name: str, holes: bool, value: float) -> None:
    X = holed_irises() if holes else irises()
    constant = np.full(len(X), value)
    if holes:
        constant[[2, 30, 31]] = np.nan
    both = np.column_stack([X[:, :2], constant, X[:, 2:]])
    with pytest.warns(EstepWarning, match="EM004: column 'x2' is constant") as caught:
        model = CONSTANT_FACES[name]().fit(both)
    assert len(caught) == 1
    plain = CONSTANT_FACES[name]().fit(X)
    assert model.converged_
    others = [0, 1, 3, 4]
    means = (lambda m: m.mean_) if name == "normal" else (lambda m: m.means_)
    covariances = {"normal": "covariance_", "hmm": "covars_"}.get(name, "covariances_")
    np.testing.assert_allclose(means(model)[..., others], means(plain), rtol=1e-8)
    np.testing.assert_allclose(means(model)[..., 2], value, rtol=1e-15, atol=1e-15)
    found = getattr(model, covariances)
    inside = (
        found[..., others] if name == "diag" else found[np.ix_(*map(range, found.shape[:-2]), others, others)]
    )
    np.testing.assert_allclose(inside, getattr(plain, covariances), rtol=1e-6, atol=1e-10)
    np.testing.assert_array_equal(model.impute(both)[:, 2], np.full(len(X), value))
    if name != "normal":
        np.testing.assert_allclose(model.predict_proba(both), plain.predict_proba(X), rtol=0, atol=1e-8)
    # the column's own density, at the floor's variance of 1e-8, is all that is added
    seen = np.count_nonzero(~np.isnan(constant))
    added = -0.5 * seen * np.log(2 * np.pi * 1e-8)
    assert model.loglik_ - plain.loglik_ == pytest.approx(added, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_identical_rows(shape: str) -> None:
    X = np.full((30, 2), 3.25)
    with pytest.raises(DataError, match=r"1 distinct row for 2 components; ask for at most 1"):
        mixture(2, shape).fit(X)
    with pytest.warns(EstepWarning, match="EM004: columns 'x0', 'x1' are constant"):
        model = mixture(1, shape).fit(X)
    np.testing.assert_array_equal(model.means_, [[3.25, 3.25]])
    assert model.loglik_ == pytest.approx(-30 * np.log(2 * np.pi * 1e-8), rel=1e-12)


@pytest.mark.parametrize(
    "model", [HMM(2), SoftKMeans(2), Mixture(2, "poisson")], ids=["hmm", "soft", "poisson"]
)
def test_identical_rows_in_two_components_of_other_models(model: Any) -> None:
    with pytest.raises(DataError, match="1 distinct row for 2 components"):
        model.fit(np.full((30, 2), 3.0))


@pytest.mark.parametrize("model", [Normal(), HMM(1), PPCA(1), SoftKMeans(1)], ids=lambda m: type(m).__name__)
def test_identical_rows_in_one_component_of_other_models(model: Any) -> None:
    with saying("EM004", *(["EM002"] if isinstance(model, PPCA) else [])):
        model.fit(np.full((30, 2), 3.0))
    assert_finite(model)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("weighted", [False, True], ids=["repeated", "weighted"])
def test_two_points(shape: str, weighted: bool) -> None:
    points = np.array([[0.0, 0], [1, 2]])
    ties = [] if shape == "tied" else ["EM015"]  # nothing shrinks onto a value where all share the covariance
    with saying("EM002", "EM008", *ties):
        if weighted:
            model = mixture(2, shape).fit(points, sample_weight=[150, 150])
        else:
            model = mixture(2, shape).fit(np.repeat(points, 150, axis=0))
    assert model.status_ is Status.DEGENERATE
    assert not model.converged_
    np.testing.assert_allclose(model.means_, points, rtol=0, atol=1e-12)
    np.testing.assert_allclose(model.weights_, 0.5, rtol=1e-12)
    assert_finite(model)


@pytest.mark.parametrize("shape", ["full", "diag", "spherical"])
def test_a_component_far_thinner_than_the_rest(shape: str) -> None:
    """No floor is near: 25 rows, a thousandth as wide as the others, in one direction or in all."""
    rng = np.random.default_rng(4)
    thin = [1e-3, 1e-3] if shape == "spherical" else [1.0, 1e-3]
    X = np.vstack([rng.normal(size=(100, 2)), [6, 6] + thin * rng.normal(size=(25, 2))])
    with saying("EM002"):
        model = mixture(2, shape, resp_init=np.repeat([0, 1], [100, 25])).fit(X)
    assert model.status_ is Status.DEGENERATE
    assert "thinner than 0.001 of the pooled variance" in model.fitted_.verdict.message
    assert model.weights_[1] == pytest.approx(0.2)


def test_a_search_prefers_a_sound_maximum_to_a_higher_degenerate_one() -> None:
    rng = np.random.default_rng(4)
    X = np.vstack([rng.normal(size=(60, 2)), rng.normal(4, 1, size=(60, 2)), np.full((5, 2), 9.0)])
    with saying("EM002"):
        spike = mixture(2, resp_init=np.repeat([0, 1], [120, 5])).fit(X)
    sound = mixture(2).fit(X)
    assert sound.converged_
    assert spike.status_ is Status.DEGENERATE
    assert spike.loglik_ > sound.loglik_


def test_nines_and_zeros_in_float32() -> None:
    nines = np.array([9999, 0] * 20, dtype=np.float32)[:, None]
    with saying("EM002", "EM011"):
        single = mixture(2).fit(nines)
    assert single.status_ is Status.DEGENERATE
    np.testing.assert_allclose(single.means_.ravel(), [0, 9999], rtol=0, atol=1e-9)
    with saying("EM002", "EM011"):
        assert_same_bits(single, mixture(2).fit(nines.astype(float)))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_nines_and_zeros_in_two_columns(k: int) -> None:
    X = np.random.default_rng(0).choice([9999, 0], size=(40, 2)).astype(np.float32)
    # four distinct rows: at three components or more some starts have none of their own
    with saying("EM011", *([] if k == 1 else ["EM002"]), *(["EM026"] if k > 2 else [])):
        model = mixture(k).fit(X)
    assert (model.status_ is Status.CONVERGED) == (k == 1)
    assert_finite(model)
    means = model.means_.astype(np.float64)
    assert ((means > -1e-6) & (means < 9999 + 1e-6)).all()


def test_a_search_does_not_return_a_run_that_it_set_aside() -> None:
    """The best three of twelve short runs end degenerate; the others were never finished."""
    X = np.random.default_rng(0).normal(size=(12, 2))
    with saying("EM002"):
        model = mixture(12, "spherical").fit(X)
    assert "set aside" not in model.fitted_.verdict.message
    assert model.status_ is not Status.MAX_ITER


@over(DISCRETE)
def test_a_level_or_count_that_no_component_allows(name: str) -> None:
    X = np.array([[0.0, 1], [1, 1], [0, 1], [1, 1], [0, 1]])
    law = Categorical(levels=(2, 2)) if name == "categorical" else name
    model = Mixture(1, law).fit(X * [1, 0])  # the second column is always 0
    logs = model.score_samples(X)
    assert np.isneginf(logs).all()
    assert np.isneginf(model.loglik(X))
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((5, 1)))


@over(DISCRETE)
def test_a_row_of_weight_0_may_be_impossible(name: str) -> None:
    X = np.array([[0.0, 0], [1, 0], [0, 0], [1, 0], [0, 1]])
    weighted = Mixture(1, name).fit(X, sample_weight=[1, 1, 1, 1, 0])
    assert weighted.converged_
    assert weighted.loglik_ == pytest.approx(Mixture(1, name).fit(X[:4]).loglik_, rel=1e-14)
    chain = HMM(1, name).fit(X, lengths=[4, 1], sequence_weight=[1, 0])
    assert chain.loglik_ == pytest.approx(weighted.loglik_, rel=1e-12)
