"""`HMM` from parameters that the user gives."""

from __future__ import annotations

import numpy as np
import pytest

from estep import HMM, load
from estep.datasets import load_casino, load_earthquakes
from estep.engine import Status
from estep.errors import UsageError

COUNTS = load_earthquakes().select("count")
START = {
    "startprob_init": [1 / 3] * 3,
    "transmat_init": np.full((3, 3), 0.1) + 0.7 * np.eye(3),
    "rates_init": [[10.0], [20.0], [30.0]],
}


@pytest.mark.parametrize(("iterations", "loglik"), [(1, -332.12143), (2, -330.63689)])
def test_all_given_is_that_one_run(iterations: int, loglik: float) -> None:
    """Zucchini, MacDonald & Langrock (2016), EM from rates (10, 20, 30) and off-diagonals .1."""
    model = HMM(3, "poisson", **START, tol=0, max_iter=iterations)
    with pytest.warns(UserWarning, match="EM001"):
        model.fit(COUNTS)
    assert model.loglik_ == pytest.approx(loglik, rel=0, abs=6e-6)
    assert len(model.diagnostics_["starts"]) == 1


def test_the_states_keep_the_order_of_the_start() -> None:
    turned = [2, 0, 1]
    start = START | {"rates_init": np.array(START["rates_init"])[turned]}
    model = HMM(3, "poisson", **start, tol=1e-8).fit(COUNTS)
    assert model.loglik_ == pytest.approx(-328.5275, rel=0, abs=1e-4)
    np.testing.assert_allclose(model.rates_[:, 0], np.array([13.134, 19.713, 29.710])[turned], atol=2e-3)


def test_a_probability_of_zero_stays_and_a_search_finds_the_rest() -> None:
    states = np.repeat([0, 1, 2], 60)
    rows = np.random.default_rng(0).normal(size=(180, 1)) + 5.0 * states[:, None]
    ahead = np.array([[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.0, 0.0, 1.0]])
    model = HMM(3, startprob_init=[1.0, 0.0, 0.0], transmat_init=ahead, random_state=0).fit(rows)
    assert (model.transmat_[ahead == 0] == 0).all()
    assert model.startprob_.tolist() == [1.0, 0.0, 0.0]
    assert model.status_ is Status.CONVERGED
    assert (model.predict(rows) == states).mean() > 0.97


def test_a_model_file_keeps_the_start(tmp_path) -> None:
    model = HMM(3, "poisson", **START).fit(COUNTS)
    model.save(tmp_path / "m.estep")
    again = load(tmp_path / "m.estep")
    for name, value in START.items():
        np.testing.assert_array_equal(again.get_params()[name], value)
    assert again.fit(COUNTS).loglik_ == model.loglik_


def test_probabilities_of_one_column_may_be_a_matrix() -> None:
    rolls = load_casino().values - 1
    dice = np.vstack([np.full(6, 1 / 6), [0.1] * 5 + [0.5]])
    model = HMM(
        2,
        "categorical",
        startprob_init=[0.99, 0.01],
        transmat_init=[[0.95, 0.05], [0.1, 0.9]],
        emissionprob_init=dice,
        tol=1e-9,
    ).fit(rolls)
    assert model.loglik_ == pytest.approx(-513.449519, rel=0, abs=6e-7)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"startprob_init": [0.5, 0.6]}, "startprob_init must be >= 0 and sum to 1"),
        ({"startprob_init": [1.5, -0.5]}, "startprob_init must be >= 0 and sum to 1"),
        ({"transmat_init": np.eye(3)}, r"transmat_init must be finite, of shape \(2, 2\)"),
        ({"transmat_init": [[0.5, 0.4], [0.5, 0.5]]}, "transmat_init must be >= 0 and sum to 1"),
        ({"rates_init": [[1.0], [-1.0]]}, "rates_init must be"),
        ({"rates_init": [[1.0], [np.nan]]}, "rates_init must be finite"),
        ({"means_init": [[1.0], [2.0]]}, "means_init is not a parameter of the emission 'poisson'"),
    ],
)
def test_what_cannot_be_a_start_is_named(given: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        HMM(2, "poisson", **given).fit(COUNTS)
