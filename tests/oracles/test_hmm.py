"""`HMM` against published fits of the earthquake counts (Zucchini, MacDonald & Langrock 2016, chapter 4)."""

from __future__ import annotations

import numpy as np
import pytest

from estep import HMM, Mixture
from estep.datasets import load_earthquakes, load_iris

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
    chain = HMM(2, family, random_state=0, tol=1e-9).fit(X, lengths=np.ones(len(X), dtype=int))
    mixture = Mixture(2, family, random_state=0, tol=1e-9).fit(X)
    assert chain.loglik_ == pytest.approx(mixture.loglik_, rel=0, abs=1e-7)
    np.testing.assert_allclose(chain.startprob_, mixture.weights_, rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        chain.predict_proba(X, np.ones(len(X), dtype=int)), mixture.predict_proba(X), atol=1e-4
    )
