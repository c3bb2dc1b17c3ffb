"""The plots, by what is drawn: lines, patches, labels and the numbers behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, poisson

from estep import EM, HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans, load
from estep.datasets import load_airquality, load_earthquakes, load_faithful, load_galaxies
from estep.errors import UsageError
from estep.families import Gaussian, Mixed

mpl.use("Agg")
import matplotlib.pyplot as plt

NAMES = ["Ozone", "Solar.R", "Wind", "Temp"]
AIR = pd.DataFrame(load_airquality().select(*NAMES), columns=NAMES)
FAITHFUL = pd.DataFrame(load_faithful().values, columns=["eruptions", "waiting"])
COUNTS = load_earthquakes().select("count")
SHORT: dict[str, Any] = {"random_state": 0, "n_init": 2, "tol": 0.1}


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def mixture() -> GaussianMixture:
    return GaussianMixture(2, random_state=0).fit(FAITHFUL)


@pytest.fixture(scope="module")
def normal() -> Normal:
    return Normal().fit(AIR)


def lines(ax: Any) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        line.get_label(): (np.asarray(line.get_xdata()), np.asarray(line.get_ydata())) for line in ax.lines
    }


def legend(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


DENSITIES: dict[str, tuple[Any, Any, int]] = {
    "full": (GaussianMixture(3, **SHORT), FAITHFUL, 3),
    "tied, holes": (GaussianMixture(2, covariance_type="tied", **SHORT), AIR, 2),
    "one component": (GaussianMixture(1), FAITHFUL, 1),
    "gaussian": (Mixture(2, "gaussian-diag", **SHORT), FAITHFUL, 2),
    "nested": (Mixture(2, Mixed(2, Gaussian("diag")), **SHORT), FAITHFUL, 4),
    "chain": (HMM(2, "gaussian-spherical", **SHORT), AIR, 2),
    "chain of mixtures": (HMM(2, Mixed(2, Gaussian("diag")), **SHORT), AIR, 4),
    "soft": (SoftKMeans(2, **SHORT), load_galaxies().values, 2),
    "normal": (Normal(), AIR, 1),
    "ppca": (PPCA(2, tol=0.1), AIR, 1),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_a_density_and_its_histogram_have_area_one(name: str) -> None:
    estimator, X, k = DENSITIES[name]
    ax = estimator.fit(X).plot("density", X)
    assert np.isclose(sum(bar.get_width() * bar.get_height() for bar in ax.patches), 1)
    drawn = lines(ax)
    x, fitted = drawn.pop("fitted")
    assert np.isclose(np.trapezoid(fitted, x), 1, atol=0.01)
    assert len(drawn) == (k if k > 1 else 0)
    if k > 1:
        assert np.allclose(sum(y for _, y in drawn.values()), fitted)
        shares = [float(label.split("(")[1][:-2]) / 100 for label in drawn]
        areas = [np.trapezoid(y, x) for _, y in drawn.values()]
        assert np.allclose(areas, shares, atol=0.012)
    names = getattr(estimator, "feature_names_in_", ["x0"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == (names[0], "density")
    ax.figure.canvas.draw()


def test_the_density_is_that_of_the_chosen_column(mixture: GaussianMixture) -> None:
    x, drawn = lines(mixture.plot("density", FAITHFUL, columns="waiting"))["fitted"]
    deviations = np.sqrt(mixture.covariances_[:, 1, 1])
    parts = norm.pdf(x[:, None], mixture.means_[:, 1], deviations)
    assert np.allclose(drawn, parts @ mixture.weights_)
    assert np.array_equal(drawn, lines(mixture.plot("density", FAITHFUL, columns=1))["fitted"][1])


@pytest.mark.parametrize("make", [lambda: Mixture(2, "poisson", **SHORT), lambda: HMM(2, "poisson", **SHORT)])
def test_counts_are_drawn_at_whole_numbers(make: Any) -> None:
    estimator = make().fit(COUNTS)
    ax = estimator.plot("density", COUNTS)
    x, fitted = lines(ax)["fitted"]
    assert np.array_equal(x, np.arange(x[0], x[-1] + 1))
    assert np.isclose(fitted.sum(), 1, atol=0.01)
    weights = estimator.predict_proba(COUNTS).mean(axis=0)
    assert np.allclose(fitted, poisson.pmf(x[:, None], estimator.rates_.T) @ weights, atol=2e-3)
    assert np.isclose(sum(bar.get_width() * bar.get_height() for bar in ax.patches), 1)
    assert all(bar.get_width() == 1 for bar in ax.patches)
    assert ax.get_ylabel() == "probability"


def test_a_narrow_component_is_not_missed() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1000, 300), rng.normal(500, 0.01, 300)])[:, None]
    with pytest.warns(UserWarning, match="EM002"):
        narrow = GaussianMixture(2, **SHORT).fit(X)
    assert narrow.covariances_.min() < 0.1
    x, fitted = lines(narrow.plot("density", X))["fitted"]
    assert np.isclose(np.trapezoid(fitted, x), 1, atol=0.01)


def test_ellipses_are_those_of_the_covariances(mixture: GaussianMixture) -> None:
    ax = mixture.plot("ellipses", FAITHFUL)
    assert len(ax.patches) == 4
    for j in range(2):
        for times, patch in zip((1, 2), ax.patches[2 * j : 2 * j + 2], strict=True):
            # the points of the drawn curve lie at that many standard deviations
            points = patch.get_patch_transform().transform(patch.get_path().vertices[::3]) - mixture.means_[j]
            distance = np.einsum("ni,ij,nj->n", points, np.linalg.inv(mixture.covariances_[j]), points)
            inside = distance[distance > 1e-9]
            assert np.allclose(np.sqrt(inside), times, rtol=0.01)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("eruptions", "waiting")
    assert legend(ax) == ["component 0", "component 1"]
    assert ax.collections[0].get_offsets().shape == (272, 2)
    low, high = ax.get_ylim()
    assert low < FAITHFUL["waiting"].min() and high > FAITHFUL["waiting"].max()  # noqa: PT018
    ax.figure.canvas.draw()


def test_rows_have_the_mixed_colour_of_their_components(mixture: GaussianMixture) -> None:
    colours = mixture.plot("ellipses", FAITHFUL).collections[0].get_facecolors()[:, :3]
    own = np.array([mpl.colors.to_rgb("#0072B2"), mpl.colors.to_rgb("#E69F00")])
    assert np.allclose(colours, mixture.predict_proba(FAITHFUL) @ own)


def test_ellipses_of_two_named_columns_leave_out_rows_with_holes(normal: Normal) -> None:
    ax = normal.plot("ellipses", AIR, columns=("Temp", "Ozone"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Temp", "Ozone")
    assert ax.collections[0].get_offsets().shape == (116, 2)
    assert "37 rows with a missing cell are not shown" in ax.get_title()
    assert np.allclose(ax.patches[0].get_center(), normal.mean_[[3, 0]])
    area = ax.patches[0].get_width() * ax.patches[0].get_height() / 4
    assert np.isclose(area**2, np.linalg.det(normal.covariance_[np.ix_([3, 0], [3, 0])]))


def test_inner_components_have_the_colour_of_their_state() -> None:
    hmm = HMM(2, Mixed(2, Gaussian("diag")), **SHORT).fit(AIR)
    ax = hmm.plot("ellipses", AIR)
    edges = [patch.get_edgecolor() for patch in ax.patches]
    assert len(edges) == 8
    assert len(set(edges[:4])) == len(set(edges[4:])) == 1
    assert edges[0] != edges[4]
    assert legend(ax) == ["state 0.0", "state 0.1", "state 1.0", "state 1.1"]


def test_many_rows_are_thinned_and_it_is_said() -> None:
    X = np.random.default_rng(0).standard_normal((50_001, 2))
    ax = Normal().fit(X).plot("ellipses", X)
    assert len(ax.collections[0].get_offsets()) == 16_667
    assert "one row in 3 is shown" in ax.get_title()


def test_history_shows_the_objective_and_the_gains(mixture: GaussianMixture) -> None:
    ax = mixture.plot()
    drawn = lines(ax)["objective"][1]
    assert np.array_equal(drawn[1:], [info.objective for info in mixture.history_])
    assert np.isclose(drawn[1] - drawn[0], mixture.history_[0].gain)  # from the start on
    assert lines(ax)["objective"][0].tolist() == list(range(mixture.n_iter_ + 1))
    right = next(other for other in ax.figure.axes if other is not ax)
    assert right.get_yscale() == "log"
    assert np.array_equal(lines(right)["gain"][1], [info.gain for info in mixture.history_ if info.gain > 0])
    assert ax.get_title() == f"Converged after {mixture.n_iter_} iterations"
    assert ax.yaxis.label.get_color() == ax.lines[0].get_color() != right.yaxis.label.get_color()
    ax.figure.canvas.draw()


def test_history_of_a_model_that_was_loaded(mixture: GaussianMixture, tmp_path: Any) -> None:
    mixture.save(tmp_path / "model.estep")
    drawn = lines(load(tmp_path / "model.estep").plot())["objective"][1]
    assert np.array_equal(drawn, lines(mixture.plot())["objective"][1])


def test_missing_shows_patterns_by_frequency(normal: Normal) -> None:
    ax = normal.plot("missing", AIR)
    cells = ax.collections[0].get_array().reshape(-1, 4)
    assert cells.tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["111", "35", "5", "2"]
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "Ozone\n24%",
        "Solar.R\n5%",
        "Wind\n0%",
        "Temp\n0%",
    ]
    assert ax.get_title() == "44 of 612 cells missing, 111 of 153 rows complete"
    assert ax.yaxis_inverted()
    assert legend(ax) == ["seen", "missing"]
    ax.figure.canvas.draw()


def test_missing_of_many_columns_and_patterns_says_what_it_leaves_out() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 100))
    X[rng.random(X.shape) < 0.2] = np.nan
    ax = Normal(prior_rows=10, tol=10).fit(X).plot("missing", X)
    assert ax.collections[0].get_array().size == 25 * 100
    assert "(55 rarer ones not shown)" in ax.get_ylabel()
    assert len(ax.get_xticklabels()) == 34
    ax.figure.canvas.draw()


def test_missing_is_for_every_model() -> None:
    text = pd.DataFrame({"a": ["x", None, "y", "x", "y", "x"], "b": ["u", "u", "v", "v", "u", "v"]})
    estimator = Mixture(2, "categorical", **SHORT).fit(text)
    assert estimator.plot("missing", text).get_title() == "1 of 12 cells missing, 5 of 6 rows complete"


@pytest.mark.parametrize("kind", ["density", "ellipses", "history", "missing"])
def test_the_axes_that_are_given_are_drawn_on_and_returned(mixture: GaussianMixture, kind: str) -> None:
    figure, ax = plt.subplots()
    assert mixture.plot(kind, FAITHFUL, ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


def test_names_of_columns_are_inert_text() -> None:
    frame = pd.DataFrame(FAITHFUL.to_numpy(), columns=["$x_{", "a\nb"])
    fitted = Normal().fit(frame)
    for kind in ("density", "ellipses", "missing"):
        fitted.plot(kind, frame).figure.canvas.draw()  # an open formula would raise
    ax = fitted.plot("ellipses", frame)
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"\$x_{", "a?b")


def test_what_cannot_be_drawn_says_what_can(mixture: GaussianMixture) -> None:
    with pytest.raises(UsageError, match="kind must be 'history', 'density'"):
        mixture.plot("pie")
    for kind in ("density", "ellipses", "missing"):
        with pytest.raises(UsageError, match=f"kind='{kind}' shows the data: give them as X"):
            mixture.plot(kind)
    galaxies = load_galaxies().values
    with pytest.raises(UsageError, match=r"ellipses.* needs 2 columns.*kind='density'"):
        Normal().fit(galaxies).plot("ellipses", galaxies)
    for columns, match in (
        (("eruptions", "weight"), "no column 'weight'.*'eruptions', 'waiting'"),
        ((0, 2), "no column 2; choose a number from 0 to 1"),
        ((0, 0), "2 different columns"),
        ("waiting", "2 different columns"),
        ((0, True), "no column True"),
    ):
        with pytest.raises(UsageError, match=match):
            mixture.plot("ellipses", FAITHFUL, columns=columns)
    with pytest.raises(UsageError, match="one column"):
        mixture.plot("density", FAITHFUL, columns=("eruptions", "waiting"))
    classes = pd.DataFrame({"a": ["x", "y", "x", "y"] * 3, "b": ["u", "u", "v", "v"] * 3})
    for model in (Mixture(2, "categorical", **SHORT), HMM(2, "categorical", **SHORT)):
        with pytest.raises(UsageError, match=r"not of Categorical; summary\(\) tells"):
            model.fit(classes).plot("density", classes)
    counts = np.column_stack([COUNTS, COUNTS])
    with pytest.raises(UsageError, match="these are Poisson; use kind='density'"):
        Mixture(2, "poisson", **SHORT).fit(counts).plot("ellipses", counts)
    hidden = FAITHFUL.assign(waiting=np.nan)
    with pytest.raises(UsageError, match=r"'waiting' .*no seen value"):
        mixture.plot("density", hidden, columns="waiting")

    def estep(rate: float, block: Any) -> tuple[Any, float]:
        return {"x": block.values.sum()}, float(-rate)

    own = EM(0.5, estep, lambda rate, stats: rate / 2).fit([[1.0], [2.0]])
    with pytest.raises(UsageError, match="no components to draw; use kind='history'"):
        own.plot("density", [[1.0], [2.0]])
    assert plt.get_fignums() == []
