"""`HMM` against published fits of the earthquake counts (Zucchini, MacDonald & Langrock 2016, chapter 4)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import poisson

from estep import HMM, Mixture
from estep.data.source import MemorySource
from estep.datasets import load_casino, load_earthquakes, load_iris
from estep.engine import Aitken, Given, Problem, fit
from estep.families import Categorical, Poisson
from estep.families.categorical import CategoricalParams
from estep.families.poisson import PoissonParams
from estep.models import Chain
from estep.models.chain import ChainParams
from estep.models.paths import most_probable
from estep.run import Local

COUNTS = load_earthquakes().select("count")


@pytest.mark.parametrize(
    ("states", "loglik", "rates"),
    [(2, -341.8787, [15.421, 26.018]), (3, -328.5275, [13.134, 19.713, 29.710])],
)
def test_earthquakes(states: int, loglik: float, rates: list[float]) -> None:
    model = HMM(states, "poisson", random_state=0, tol=1e-9).fit(COUNTS)
    assert model.converged_
    assert model.loglik_ == pytest.approx(loglik, rel=0, abs=5e-5)
    np.testing.assert_allclose(model.rates_.ravel(), rates, rtol=0, atol=6e-4)
    assert model.fitted_.n_parameters == states - 1 + states * (states - 1) + states


@pytest.mark.parametrize(
    ("states", "loglik"), [(1, -391.9189), (2, -342.3183), (3, -329.4603), (4, -327.8316)]
)
def test_stationary_chains_of_the_earthquakes(states: int, loglik: float) -> None:
    model = HMM(states, "poisson", startprob="stationary", random_state=0, tol=1e-9).fit(COUNTS)
    assert model.converged_
    assert model.loglik_ == pytest.approx(loglik, rel=0, abs=6e-5)
    assert model.fitted_.n_parameters == states**2  # rates, and moves; the start follows from them
    np.testing.assert_allclose(model.startprob_ @ model.transmat_, model.startprob_, rtol=1e-13)
    climb = [info.objective for info in model.history_]
    assert all(after >= before - 1e-10 for before, after in pairwise(climb))


def test_forecasts_of_the_earthquakes() -> None:
    """State probabilities for 2007 to 2009, and the path, of the stationary chain of three states."""
    model = HMM(3, "poisson", startprob="stationary", random_state=0, tol=1e-11).fit(COUNTS)
    ahead = model.forecast(COUNTS, 3)
    expected = [[0.951, 0.028, 0.021], [0.909, 0.053, 0.038], [0.871, 0.077, 0.052]]
    np.testing.assert_allclose(ahead.states, expected, rtol=0, atol=6e-4)
    np.testing.assert_allclose(ahead.means, ahead.states @ model.rates_, rtol=1e-13)
    assert model.decode(COUNTS)[0] == pytest.approx(-336.397661, rel=0, abs=5e-5)
    # far ahead the states are forgotten
    np.testing.assert_allclose(model.forecast(COUNTS, 2000).states[-1], model.startprob_, rtol=1e-9)
    for level, place in zip(ahead.levels, ahead.quantiles[0, 0], strict=True):
        upto = ahead.states[0] @ poisson.cdf(place, model.rates_[:, 0])
        before = ahead.states[0] @ poisson.cdf(place - 1, model.rates_[:, 0])
        assert before < level <= upto


def test_the_most_probable_path_of_the_earthquakes() -> None:
    model = HMM(3, "poisson", random_state=0, tol=1e-11).fit(COUNTS)
    joint, path = model.decode(COUNTS)
    assert joint == pytest.approx(-335.433673, rel=0, abs=2e-5)
    with np.errstate(divide="ignore"):
        start, moves = np.log(model.startprob_), np.log(model.transmat_)
    rates, x = model.rates_[path, 0], COUNTS[:, 0]
    emission = x * np.log(rates) - rates - [np.log(np.arange(1, count + 1)).sum() for count in x]
    assert joint == pytest.approx(
        start[path[0]] + moves[path[:-1], path[1:]].sum() + emission.sum(), rel=1e-13
    )
    assert np.array_equal(model.predict(COUNTS), path)


def test_two_poissons_without_order() -> None:
    mixture = Mixture(2, "poisson", random_state=0, tol=1e-9).fit(COUNTS)
    # table 1.2 of the book: weights .676, .324, means 15.777, 26.840
    np.testing.assert_allclose(mixture.weights_, [0.676, 0.324], rtol=0, atol=6e-4)
    np.testing.assert_allclose(mixture.rates_.ravel(), [15.777, 26.840], rtol=0, atol=6e-4)
    assert mixture.loglik_ == pytest.approx(-360.3690, rel=0, abs=6e-4)


@pytest.mark.parametrize(("family", "data"), [("poisson", COUNTS), ("gaussian", load_iris().values)])
def test_sequences_of_one_row_are_a_mixture(family: str, data: np.ndarray) -> None:
    X = data.copy()
    X[3, 0] = X[70, -1] = np.nan
    with pytest.warns(UserWarning, match="EM016: no row follows one in states 0, 1"):
        chain = HMM(2, family, random_state=0, tol=1e-9).fit(X, lengths=np.ones(len(X), dtype=int))
    mixture = Mixture(2, family, random_state=0, tol=1e-9).fit(X)
    assert chain.loglik_ == pytest.approx(mixture.loglik_, rel=0, abs=1e-7)
    np.testing.assert_allclose(chain.startprob_, mixture.weights_, rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        chain.predict_proba(X, np.ones(len(X), dtype=int)), mixture.predict_proba(X), atol=1e-4
    )


@pytest.mark.parametrize(
    ("rates", "heights"),
    [
        ([10.0, 30.0], [-413.27542, -343.76023, -343.13618]),
        ([10.0, 20.0, 30.0], [-342.90781, -332.12143, -330.63689]),
    ],
)
def test_the_first_iterations_on_the_earthquakes(rates: list[float], heights: list[float]) -> None:
    """EM's iterates from off-diagonals .1 and equal starts."""
    k = len(rates)
    moves = np.full((k, k), 0.1) + np.eye(k) * (1 - 0.1 * k)
    params = ChainParams(np.full(k, 1 / k), moves, PoissonParams(np.array(rates)[:, None]))
    source = MemorySource(COUNTS, ("count",), lengths=np.array([len(COUNTS)]))
    model = Chain(k, Poisson()).bind(source.columns)
    with Local(threads=1) as run:
        problem = Problem(model, source, run)
        for height in heights:
            point = problem.measure(params)
            assert point.loglik == pytest.approx(height, rel=0, abs=6e-6)
            params = model.mstep(params, point.stats)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_four_states_of_the_earthquakes_by_default(seed: int) -> None:
    """A likelihood of many maxima, the best of them reached in one call."""
    model = HMM(4, "poisson", random_state=seed, tol=1e-8).fit(COUNTS)
    assert model.loglik_ == pytest.approx(-326.2850, rel=0, abs=6e-5)


def test_the_occasionally_dishonest_casino() -> None:
    """300 rolls of two dice (Durbin, Eddy, Krogh & Mitchison 1998, section 3.2)."""
    rolls = load_casino().values - 1
    fair, loaded = np.full(6, 1 / 6), np.array([0.1] * 5 + [0.5])
    moves = np.array([[0.95, 0.05], [0.1, 0.9]])
    params = ChainParams(
        np.array([0.99, 0.01]), moves, CategoricalParams(np.stack([fair, loaded])[:, None, :])
    )
    source = MemorySource(rolls, ("roll",), lengths=np.array([300]))
    model = Chain(2, Categorical()).bind(source.columns)
    prep = model.prepare(params)
    block = source.block(0)
    assert model.estep(prep, block).loglik == pytest.approx(-516.4525301856, rel=0, abs=5e-11)
    paths = most_probable(model, prep, block)
    assert paths.log_joint[0] == pytest.approx(-538.8109058011, rel=0, abs=5e-11)
    assert np.bincount(paths.states).tolist() == [216, 84]
    fitted = fit(model, source, starts=Given(params), stop=Aitken(1e-9, 10_000))
    assert fitted.point.loglik == pytest.approx(-513.449519, rel=0, abs=6e-7)
