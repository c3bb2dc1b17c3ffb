"""Pairs, uncertainty, imputed against observed, and the BIC curve, by what is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from estep import HMM, GaussianMixture, Mixture, Normal, datasets
from estep.errors import UsageError
from estep.report.plots import bic_curve

mpl.use("Agg")
import matplotlib.pyplot as plt

NAMES = ["Ozone", "Solar.R", "Wind", "Temp"]
AIR = pd.DataFrame(datasets.load_airquality().select(*NAMES), columns=NAMES)
FAITHFUL = pd.DataFrame(datasets.load_faithful().values, columns=["eruptions", "waiting"])
COUNTS = datasets.load_earthquakes().select("count")
SHORT: dict[str, Any] = {"random_state": 0, "n_init": 1, "tol": 0.1}


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def mixture() -> GaussianMixture:
    return GaussianMixture(2, **SHORT).fit(FAITHFUL)


@pytest.fixture(scope="module")
def normal() -> Normal:
    return Normal().fit(AIR)


def test_pairs_are_densities_and_ellipses(normal: Normal) -> None:
    grid = normal.plot("pairs", AIR, columns=("Temp", "Ozone", "Wind"))
    assert grid.shape == (3, 3)
    assert [[ax.axison for ax in row] for row in grid] == [
        [True, False, False],
        [True, True, False],
        [True] * 3,
    ]
    for i, name in enumerate(("Temp", "Ozone", "Wind")):
        bars = sum(bar.get_width() * bar.get_height() for bar in grid[i, i].patches)
        assert np.isclose(bars, 1)
        assert grid[2, i].get_xlabel() == name
        assert grid[i, 0].get_ylabel() == name
        assert grid[i, i].get_legend() is None
    below = grid[2, 1]  # Wind by Ozone
    assert len(below.collections[0].get_offsets()) == 116
    assert np.allclose(below.patches[0].get_center(), normal.mean_[[0, 2]])
    grid[0, 0].figure.canvas.draw()


def test_pairs_name_the_components_once(mixture: GaussianMixture) -> None:
    grid = mixture.plot("pairs", FAITHFUL)
    (legend,) = grid[0, 0].figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["fitted", "component 0 (36%)", "component 1 (64%)"]
    assert len(grid[1, 0].patches) == 4


def test_pairs_take_the_first_six_columns() -> None:
    X = np.random.default_rng(0).normal(size=(30, 8))
    normal = Normal(tol=1.0).fit(X)
    assert normal.plot("pairs", X).shape == (6, 6)
    with pytest.raises(UsageError, match="'pairs' shows 2 to 6 columns; found 7"):
        normal.plot("pairs", X, columns=range(7))
    with pytest.raises(UsageError, match="2 to 6 columns; found 1"):
        normal.plot("pairs", X, columns="x0")
    with pytest.raises(UsageError, match="draws a figure of its own; leave out ax"):
        normal.plot("pairs", X, ax=plt.gca())


def test_uncertain_rows_are_larger_and_on_top(mixture: GaussianMixture) -> None:
    ax = mixture.plot("uncertainty", FAITHFUL, columns=("waiting", "eruptions"))
    dots = ax.collections[0]
    doubt = 1 - mixture.predict_proba(FAITHFUL).max(axis=1)
    order = np.argsort(doubt, kind="stable")
    assert np.array_equal(dots.get_offsets(), FAITHFUL[["waiting", "eruptions"]].to_numpy()[order])
    assert np.array_equal(dots.get_array(), doubt[order])
    assert (np.diff(dots.get_sizes()) >= 0).all()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("waiting", "eruptions")
    assert dots.get_clim() == (0, doubt.max())
    ax.figure.canvas.draw()


def test_uncertainty_of_one_column_is_drawn_by_its_values() -> None:
    chain = HMM(2, "poisson", **SHORT).fit(COUNTS)
    dots = chain.plot("uncertainty", COUNTS).collections[0]
    found = np.asarray(sorted(dots.get_offsets().tolist()))
    doubt = 1 - chain.predict_proba(COUNTS).max(axis=1)
    assert np.array_equal(found, sorted(zip(COUNTS.ravel().tolist(), doubt.tolist(), strict=True)))


def test_imputed_cells_stand_beside_observed_ones(normal: Normal) -> None:
    ax = normal.plot("imputed", AIR)  # Ozone misses most
    assert ax.get_xlabel() == "Ozone"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["observed (116)", "imputed (37)"]
    bars = [patch for patch in ax.patches if isinstance(patch, mpl.patches.Rectangle)]
    assert np.isclose(sum(bar.get_width() * bar.get_height() for bar in bars), 1)
    (marks,) = ax.lines
    lost = AIR["Ozone"].isna().to_numpy()
    assert np.array_equal(marks.get_xdata(), normal.impute(AIR)[lost, 0])
    assert normal.plot("imputed", AIR, columns="Solar.R").get_xlabel() == "Solar.R"
    ax.figure.canvas.draw()


def test_the_bic_curve_has_a_line_a_kind_and_the_lowest_marked() -> None:
    fits = [
        GaussianMixture(k, covariance_type=shape, **SHORT).fit(FAITHFUL)
        for shape in ("diag", "full")
        for k in (2, 3, 1)
    ]
    ax = bic_curve(fits, FAITHFUL)
    drawn = {line.get_label(): line.get_xydata() for line in ax.lines}
    lowest = min(fits, key=lambda fit: fit.bic(FAITHFUL))
    assert drawn.keys() == {
        "Gaussian mixture, diag covariances",
        "Gaussian mixture, full covariances",
        "lowest",
    }
    assert drawn["lowest"].tolist() == [[lowest.n_components, lowest.bic(FAITHFUL)]]
    curve = drawn["Gaussian mixture, full covariances"]
    assert curve[:, 0].tolist() == [1, 2, 3]
    assert curve[0, 1] == fits[5].bic(FAITHFUL)
    assert ax.get_title().startswith(f"Lowest BIC: {lowest.n_components} components (")
    ax.figure.canvas.draw()


def test_what_cannot_be_drawn_says_what_can(mixture: GaussianMixture, normal: Normal) -> None:
    with pytest.raises(UsageError, match="uncertainty is drawn of mixtures and hidden Markov models"):
        normal.plot("uncertainty", AIR)
    with pytest.raises(UsageError, match="column 'Temp' of X has no missing cell; give a column that"):
        normal.plot("imputed", AIR, columns="Temp")
    with pytest.raises(UsageError, match="column 'Temp' of X has no observed cell"):
        normal.plot("imputed", AIR.assign(Temp=np.nan), columns="Temp")
    counts = np.column_stack([COUNTS, COUNTS])
    with pytest.raises(UsageError, match="normal laws, and these are Poisson; use kind='density'"):
        Mixture(2, "poisson", **SHORT).fit(counts).plot("pairs", counts)
    with pytest.raises(UsageError, match="fits is empty"):
        bic_curve([], FAITHFUL)
    with pytest.raises(UsageError, match="Normal has no number of components"):
        bic_curve([normal], AIR)
    assert plt.get_fignums() == []


def test_imputed_cells_of_a_column_on_a_scale_are_in_the_users_units() -> None:
    logged = Normal(scales={"Ozone": "log"}).fit(AIR)
    ax = logged.plot("imputed", AIR)
    assert ax.get_xlabel() == "Ozone"
    (marks,) = ax.lines
    lost = AIR["Ozone"].isna().to_numpy()
    assert np.array_equal(marks.get_xdata(), logged.impute(AIR)[lost, 0])


def test_a_law_on_a_scale_is_drawn_on_it_and_says_so() -> None:
    logged = Normal(scales={"Ozone": "log"}).fit(AIR)
    ax = logged.plot("density", AIR)
    assert ax.get_xlabel() == "log(Ozone)"
    fitted = next(line for line in ax.lines if line.get_label() == "fitted")
    assert np.isclose(fitted.get_xdata()[fitted.get_ydata().argmax()], logged.mean_[0], atol=0.05)
    assert logged.plot("ellipses", AIR, columns=("Ozone", "Temp")).get_xlabel() == "log(Ozone)"
