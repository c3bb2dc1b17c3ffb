"""Pictures of chains, by what is drawn: the series and its states, the graph, the forecast."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from estep import HMM, GaussianMixture, PoissonHMM
from estep.datasets import load_earthquakes
from estep.errors import UsageError

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch

COUNTS = pd.DataFrame({"quakes": load_earthquakes().select("count")[:, 0]})


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def chain() -> HMM:
    return PoissonHMM(3, startprob="stationary", random_state=0).fit(COUNTS)


def test_rows_have_the_colour_of_their_state(chain: HMM) -> None:
    ax = chain.plot("states", COUNTS)
    path = chain.predict(COUNTS)
    for state, dots in enumerate(ax.collections[:3]):
        own = np.flatnonzero(path == state)
        np.testing.assert_array_equal(dots.get_offsets(), np.column_stack([own, COUNTS["quakes"][own]]))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["state 0", "state 1", "state 2"]
    assert ax.get_ylabel() == "quakes"
    (strip,) = ax.child_axes
    assert len(strip.collections) == 3
    shares = chain.predict_proba(COUNTS)
    first = strip.collections[0].get_paths()[0].vertices[:, 1]
    assert np.isclose(first.max(), shares[:, 0].max())
    ax.figure.canvas.draw()


def test_sequences_are_parted(chain: HMM) -> None:
    whole = chain.plot("states", COUNTS)
    parted = chain.plot("states", COUNTS, lengths=[60, 47])
    assert len(parted.lines) == len(whole.lines) + 1
    drawn = parted.lines[0].get_ydata()
    assert np.flatnonzero(np.isnan(drawn)).tolist() == [60]
    named = COUNTS.assign(island=["a"] * 60 + ["b"] * 47)
    assert len(chain.plot("states", named, groups="island").lines) == len(parted.lines)


def test_arrows_are_the_moves(chain: HMM) -> None:
    ax = chain.plot("transitions")
    moves = chain.transmat_
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    off = ~np.eye(3, dtype=bool)
    assert len(arrows) == (moves[off] >= 0.005).sum()
    assert sum(isinstance(patch, Circle) for patch in ax.patches) == 3
    texts = {text.get_text() for text in ax.texts}
    assert f"0\nstays {moves[0, 0]:.2f}" in texts
    assert f"{moves[2, 1]:.2f}" in texts
    assert "1 move under 0.005 not drawn" in ax.get_title()
    ax.figure.canvas.draw()


def test_a_single_state_is_drawn() -> None:
    ax = PoissonHMM(1).fit(COUNTS).plot("transitions")
    assert [text.get_text() for text in ax.texts] == ["0\nstays 1.00"]


@pytest.mark.parametrize("h", [1, 8])
def test_a_fan_has_the_forecast_in_it(chain: HMM, h: int) -> None:
    ax = chain.plot("forecast", COUNTS, h=h)
    ahead = chain.forecast(COUNTS, h, quantiles=[0.025, 0.5])
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_array_equal(drawn["mean"], ahead.means[:, 0])
    np.testing.assert_array_equal(drawn["median"], ahead.quantiles[:, 0, 1])
    np.testing.assert_array_equal(drawn["rows so far"], COUNTS["quakes"][-60:])
    lowest = (
        [bar.get_y() for bar in ax.patches[:1]]
        if h == 1
        else [ax.collections[0].get_paths()[0].vertices[:, 1].min()]
    )
    assert lowest[0] == ahead.quantiles[:, 0, 0].min()
    ax.figure.canvas.draw()


def test_what_cannot_be_drawn(chain: HMM) -> None:
    with pytest.raises(UsageError, match="give them as X"):
        chain.plot("states")
    with pytest.raises(UsageError, match="'states', 'transitions', 'forecast'"):
        chain.plot("path", COUNTS)
    with pytest.raises(UsageError, match="kind must be"):
        GaussianMixture(1).fit(COUNTS + 0.5).plot("states", COUNTS)
