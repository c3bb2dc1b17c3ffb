"""Columns on a log or logit scale: densities in the user's units, and imputed cells that can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy.stats import lognorm, norm
from sklearn.base import clone

from estep import Normal, load
from estep.data.scales import read_scales
from estep.datasets import load_airquality
from estep.errors import DataError, UsageError

HOLE = float("nan")
AIR = load_airquality().select("Ozone", "Solar.R", "Wind", "Temp")
NAMES = ("a", "b", "c")


def on_scales() -> np.ndarray:
    """Ozone and wind by logarithms, temperature as a share of 120 degrees by logits."""
    X = AIR.copy()
    X[:, 3] /= 120
    return X


SCALES = {0: "log", 2: "log", 3: "logit"}


def by_hand(X: np.ndarray) -> np.ndarray:
    shares = X[:, 3]
    return np.column_stack([np.log(X[:, 0]), X[:, 1], np.log(X[:, 2]), np.log(shares / (1 - shares))])


def test_a_log_column_is_lognormal() -> None:
    """SciPy's densities at scikit-learn's parameters of one column, and of two that are independent."""
    x = AIR[~np.isnan(AIR[:, 0]), :1]
    normal = Normal(scales={0: "log"}).fit(x)
    deviation = np.log(x).std()
    expected = lognorm(deviation, scale=np.exp(np.log(x).mean())).logpdf(x[:, 0])
    np.testing.assert_allclose(normal.score_samples(x), expected, rtol=1e-12)
    assert normal.loglik_ == pytest.approx(expected.sum(), rel=1e-13)


def test_a_logit_column_has_the_density_of_its_shares() -> None:
    """f(x) = phi(logit x) / (x (1 - x)) integrates to one."""
    x = np.random.default_rng(0).beta(2, 3, (80, 1))
    normal = Normal(scales={0: "logit"}).fit(x)
    grid = np.linspace(0, 1, 20001)[1:-1, None]
    density = np.exp(normal.score_samples(grid))
    assert np.trapezoid(density, grid[:, 0]) == pytest.approx(1.0, abs=1e-6)
    logits = np.log(x / (1 - x))
    at = norm(logits.mean(), logits.std()).pdf(np.log(grid / (1 - grid)))[:, 0] / (grid * (1 - grid))[:, 0]
    np.testing.assert_allclose(density, at, rtol=1e-10)


def test_a_fit_is_that_of_the_columns_by_hand() -> None:
    X = on_scales()
    scaled, plain = Normal(scales=SCALES).fit(X), Normal().fit(by_hand(X))
    np.testing.assert_allclose(scaled.mean_, plain.mean_, rtol=1e-12)
    np.testing.assert_allclose(scaled.covariance_, plain.covariance_, rtol=1e-10, atol=1e-15)
    shares = X[:, 3]
    slopes = np.nansum(np.log(X[:, [0, 2]])) + np.sum(np.log(shares * (1 - shares)))
    assert scaled.loglik_ == pytest.approx(plain.loglik_ - slopes, rel=1e-12)
    assert scaled.loglik(X) == scaled.loglik_
    assert scaled.score_samples(X).sum() == pytest.approx(scaled.loglik_, rel=1e-12)
    weights = np.arange(len(X)) % 3
    weighted = Normal(scales=SCALES, tol=1e-9).fit(X, sample_weight=weights)
    repeated = Normal(scales=SCALES, tol=1e-9).fit(np.repeat(X, weights, axis=0))
    assert weighted.loglik_ == pytest.approx(repeated.loglik_, rel=1e-10)
    assert scaled.bic(X) == pytest.approx(-2 * scaled.loglik_ + 14 * np.log(len(X)))


def test_imputed_cells_come_back_in_the_users_units() -> None:
    X, holes = on_scales(), np.isnan(AIR)
    scaled, plain = Normal(scales=SCALES).fit(X), Normal().fit(by_hand(X))
    filled, other = scaled.impute(X), plain.impute(by_hand(X))
    np.testing.assert_allclose(filled[:, 0], np.exp(other[:, 0]), rtol=1e-10)
    np.testing.assert_allclose(filled[:, 1], other[:, 1], rtol=1e-10)
    assert filled[~holes].tobytes() == X[~holes].tobytes()
    drawn, others = (n.impute(x, draws=2, random_state=0) for n, x in ((scaled, X), (plain, by_hand(X))))
    np.testing.assert_allclose(drawn[:, :, 0], np.exp(others[:, :, 0]), rtol=1e-8)
    assert drawn[:, ~holes].tobytes() == np.stack([X[~holes]] * 2).tobytes()
    bounded = Normal(scales=SCALES, bounds={0: (5, 30)}).fit(X).impute(X, draws=2, random_state=0)
    assert (bounded[:, holes[:, 0], 0] >= 5).all()
    assert (bounded[:, holes[:, 0], 0] <= 30).all()
    sample = scaled.sample(500)
    assert (sample[:, [0, 2, 3]] > 0).all()
    assert (sample[:, 3] < 1).all()


def test_laws_say_on_which_scale_they_are() -> None:
    frame = pd.DataFrame(on_scales(), columns=["ozone", "sun", "wind", "heat"])
    normal = Normal(scales={"ozone": "log", "heat": "logit"}).fit(frame)
    law = normal.conditional({"heat": 0.6, "sun": 200})
    assert law.columns == ("log(ozone)", "wind")
    by_logit = Normal().fit(
        frame.assign(ozone=np.log(frame.ozone), heat=np.log(frame.heat / (1 - frame.heat)))
    )
    np.testing.assert_allclose(law.mean, by_logit.conditional([HOLE, 200, HOLE, np.log(1.5)]).mean, rtol=1e-9)
    assert normal.marginal(["heat", "sun"]).columns == ("logit(heat)", "sun")
    assert normal.missing_information().columns == ("log(ozone)", "sun", "wind", "logit(heat)")
    with pytest.raises(DataError, match="'heat' is on a logit scale and must lie between 0 and 1"):
        normal.conditional({"heat": 1.5})
    shuffled = frame[["wind", "heat", "ozone", "sun"]]
    with pytest.warns(UserWarning, match="EM005"):
        np.testing.assert_array_equal(normal.impute(shuffled), normal.impute(frame))


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (0.0, "log", r"column 'x0' is on a log scale and must be > 0; row 4 \(counted from 0\) has 0; make"),
        (-1.5, "log", r"row 4 \(counted from 0\) has -1.5"),
        (1.0, "logit", r"must lie between 0 and 1; row 0 \(counted from 0\) has 41 \(and 116 more\)"),
    ],
)
def test_values_that_a_scale_does_not_have(value: float, kind: str, message: str) -> None:
    X = AIR.copy()
    X[4, 0] = value
    with pytest.raises(DataError, match=message):
        Normal(scales={0: kind}).fit(X)
    if kind == "log":
        good = Normal(scales={0: "log"}).fit(AIR)
        for ask in (good.score_samples, good.impute, good.loglik):
            with pytest.raises(DataError, match=message):
                ask(X)


def test_far_values_do_not_overflow() -> None:
    X = np.column_stack([np.exp(np.linspace(-700, 700, 40)), np.sin(np.arange(40.0))])
    X[::5, 0] = HOLE
    normal = Normal(scales={0: "log"}).fit(X)
    drawn = normal.impute(X, draws=3, random_state=0)
    assert np.isfinite(drawn).all()
    assert np.isfinite([normal.loglik_, normal.loglik(drawn[0])]).all()  # drawn cells are on the scale again


def test_saved_and_cloned(tmp_path: Path) -> None:
    frame = pd.DataFrame(on_scales(), columns=["ozone", "sun", "wind", "heat"])
    bounds = {"ozone": (None, 100), "sun": (0, np.inf), 2: (-1.0, 7)}
    normal = Normal(scales={"ozone": "log", 3: "logit"}, bounds=bounds).fit(frame)
    assert clone(normal).get_params() == normal.get_params()
    normal.save(tmp_path / "air.estep")
    again = load(tmp_path / "air.estep")
    assert again.scales == {"ozone": "log", "heat": "logit"}
    assert again.bounds == {"ozone": (None, 100.0), "sun": (0.0, None), "wind": (-1.0, 7.0)}
    assert again.loglik(frame) == normal.loglik_
    np.testing.assert_array_equal(
        again.impute(frame, draws=2, random_state=0), normal.impute(frame, draws=2, random_state=0)
    )
    np.testing.assert_array_equal(again.sample(3).shape, (3, 4))
    normal.set_params(scales=None)  # after the fit: the file keeps what the fit had
    normal.save(tmp_path / "air.estep")
    assert load(tmp_path / "air.estep").scales == again.scales


def test_a_summary_says_on_which_scale_it_is() -> None:
    text = Normal(scales={0: "log", 3: "logit"}).fit(on_scales()).summary()
    assert "log(x0)" in text
    assert "logit(x3)" in text
    assert "log(x1)" not in text


def test_pictures_are_on_the_scale() -> None:
    mpl.use("Agg")
    X = on_scales()
    axes = Normal(scales=SCALES).fit(X).plot("density", X, columns=0)
    low, high = axes.get_xlim()
    assert low < np.nanmin(np.log(X[:, 0]))
    assert high < 10
    mpl.pyplot.close("all")


@pytest.mark.parametrize(
    ("scales", "bounds", "message"),
    [
        ({"a": "sqrt"}, None, "'log' or 'logit'; column 'a' has 'sqrt'"),
        ({"d": "log"}, None, "scales: no column 'd'"),
        ({3: "log"}, None, "number from 0 to 2; found 3"),
        ({True: "log"}, None, "found True"),
        ({"a": "log", 0: "logit"}, None, "scales has a column twice"),
        ("log", None, "scales must be a dict"),
        (None, [(0, 1)], "bounds must be a dict"),
        (None, {"a": (1, 1)}, "'a' has"),
        (None, {"a": (2, 1)}, "'a' has"),
        (None, {"a": (HOLE, 1)}, "'a' has"),
        (None, {"a": 1.0}, "'a' has"),
        (None, {"a": ("0", 1)}, "'a' has"),
        ({"a": "log"}, {"a": (-2, -1)}, "'a' has"),
        ({"a": "logit"}, {"a": (1, 2)}, "'a' has"),
    ],
)
def test_scales_and_bounds_that_make_no_sense(scales: Any, bounds: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_scales(scales, bounds, NAMES)
    with pytest.raises(UsageError, match=message):
        Normal(scales=scales, bounds=bounds).fit(pd.DataFrame(AIR[:, :3], columns=list(NAMES)))
