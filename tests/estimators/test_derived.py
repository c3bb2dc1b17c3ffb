"""What follows from a fitted mixture: ICL, uncertainty, marginal and conditional laws."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from estep import GaussianMixture, Mixture, load
from estep.datasets import load_earthquakes, load_faithful, load_iris

FAITHFUL, IRIS = load_faithful().values, load_iris().values
SHAPES = ("full", "tied", "diag", "spherical")
NAMES = ["length", "width", "petal length", "petal width"]


def irises(shape: str, **options: Any) -> GaussianMixture:
    options = {"n_init": 2, "random_state": 0} | options
    return GaussianMixture(3, covariance_type=shape, **options).fit(pd.DataFrame(IRIS, columns=NAMES))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_sum_rule(shape: str) -> None:
    """p(a) p(b | a) = p(a, b), at rows near and far."""
    model = irises(shape)
    rows = np.concatenate([IRIS[::50], IRIS[:2] + [0, 2.0, -3, 1]])
    whole = model.score_samples(pd.DataFrame(rows, columns=NAMES))
    some, others = ["petal width", "length"], ["width", "petal length"]
    a = model.marginal(some)
    assert list(a.feature_names_in_) == some
    first = a.score_samples(pd.DataFrame(rows[:, [3, 0]], columns=some))
    for i, row in enumerate(rows):
        b = model.conditional({"length": row[0], "petal width": row[3]})
        assert list(b.feature_names_in_) == others
        second = b.score_samples(pd.DataFrame(row[None, [1, 2]], columns=others))[0]
        assert first[i] + second == pytest.approx(whole[i], rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(
            b.weights_, a.predict_proba(pd.DataFrame(row[None, [3, 0]], columns=some))[0], atol=1e-12
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_conditional_mean_is_what_impute_fills_in(shape: str) -> None:
    model = GaussianMixture(3, covariance_type=shape, n_init=2, random_state=0).fit(IRIS)
    holed = IRIS[:150:30].copy()
    holed[:, [0, 2]] = np.nan
    filled = model.impute(holed)
    for row, full in zip(holed, filled, strict=True):
        law = model.conditional(row)
        np.testing.assert_allclose(law.weights_ @ law.means_, full[[0, 2]], rtol=1e-10)


def test_draws_near_a_value_have_the_conditional_law() -> None:
    model = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    drawn, _ = model.sample(200_000)
    near = drawn[np.abs(drawn[:, 0] - 3.0) < 0.05, 1]
    law = model.conditional({0: 3.0})
    mean = law.weights_ @ law.means_[:, 0]
    variance = law.weights_ @ (law.covariances_[:, 0, 0] + law.means_[:, 0] ** 2) - mean**2
    error = np.sqrt(variance / near.size)
    assert abs(near.mean() - mean) < 4 * error
    assert near.var() == pytest.approx(variance, rel=0.1)
    lone = model.marginal([1])
    below = (drawn[:, 1] < 70).mean()
    again, _ = lone.set_params(random_state=1).sample(200_000)
    assert abs((again < 70).mean() - below) < 4 * np.sqrt(0.5 / 200_000)


def test_a_derived_mixture_is_a_fitted_one(tmp_path: Path) -> None:
    model = irises("tied")
    law = model.conditional({"width": 3.0})
    assert law.covariances_.shape == (3, 3)
    assert law.converged_
    assert np.isnan(law.loglik_)
    assert "the law given width=3" in law.summary()
    rest = pd.DataFrame(IRIS[:, [0, 2, 3]], columns=[NAMES[j] for j in (0, 2, 3)])
    law.save(tmp_path / "law.estep")
    for again in (load(tmp_path / "law.estep"), pickle.loads(pickle.dumps(law))):  # noqa: S301  our own bytes
        np.testing.assert_array_equal(again.score_samples(rest), law.score_samples(rest))
    np.testing.assert_array_equal(
        model.marginal(NAMES).score_samples(pd.DataFrame(IRIS, columns=NAMES)),
        model.score_samples(pd.DataFrame(IRIS, columns=NAMES)),
    )
    equal = irises("full", equal_weights=True)
    assert equal.marginal("width").equal_weights
    assert not equal.conditional({"width": 3.0}).equal_weights


@pytest.mark.parametrize("scale", [1e-120, 1.0, 1e120])
def test_the_sum_rule_in_extreme_units(scale: float) -> None:
    model = GaussianMixture(2, n_init=2, random_state=0).fit(FAITHFUL * scale)
    row = FAITHFUL[0] * scale
    both = model.score_samples(row[None])[0]
    first = model.marginal(0).score_samples(row[None, :1])[0]
    second = model.conditional({0: row[0]}).score_samples(row[None, 1:])[0]
    assert first + second == pytest.approx(both, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"height": 1.0}, "no column 'height'"),
        ({"length": np.inf}, "infinite"),
        ({"length": 1e200}, "given length=1e\\+200 is too far"),
        (dict.fromkeys(NAMES, 1.0), "nothing is left to ask for"),
        ([1.0, np.nan], r"shape \(4,\)"),
        ({"length": "long"}, "must have a number for 'length'"),
    ],
)
def test_what_cannot_be_given(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        irises("full").conditional(given)


def test_icl_is_bic_and_the_charge_for_uncertain_rows() -> None:
    weights = np.arange(272) % 3 + 0.5
    model = GaussianMixture(2, random_state=0).fit(FAITHFUL, sample_weight=weights)
    top = model.predict_proba(FAITHFUL).max(axis=1)
    np.testing.assert_allclose(model.uncertainty_, 1 - top, atol=1e-12)
    charge = -2 * (weights * np.log(top)).sum()
    assert charge > 0.1
    assert model.icl(FAITHFUL, weights) == pytest.approx(model.bic(FAITHFUL, weights) + charge, rel=1e-12)
    one = GaussianMixture(1).fit(FAITHFUL)
    assert one.icl(FAITHFUL) == one.bic(FAITHFUL)


def test_uncertainty_keeps_the_digits_that_one_minus_p_loses() -> None:
    model = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    p = model.predict_proba(FAITHFUL)
    np.testing.assert_allclose(model.uncertainty_, p.min(axis=1), rtol=1e-12)
    assert 0 < model.uncertainty_.min() < 1e-9
    labels = np.where(np.arange(272) < 10, model.predict(FAITHFUL), -1)
    known = GaussianMixture(2, random_state=0).fit(FAITHFUL, labels=labels)
    assert (known.uncertainty_[:10] == 0).all()
    counts = load_earthquakes().select("count")
    assert Mixture(2, "poisson", random_state=0).fit(counts).uncertainty_.shape == (107,)


def test_a_model_file_holds_no_uncertainty(tmp_path: Path) -> None:
    model = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    model.save(tmp_path / "model.estep")
    assert not hasattr(load(tmp_path / "model.estep"), "uncertainty_")
    assert model.uncertainty_[7].tobytes() not in (tmp_path / "model.estep").read_bytes()
