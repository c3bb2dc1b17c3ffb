"""What of a chain is estimated: its start, masks, fixed moves, priors, known states; sequences by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import kstest, norm

from estep import GMMHMM, HMM, CategoricalHMM, GaussianHMM, PoissonHMM
from estep.datasets import load_earthquakes
from estep.engine import Status
from estep.errors import DataError, EstepError, UsageError
from estep.families import Gaussian, Mixed
from estep.models.ordering import likeliest_order
from estep.models.stationary import likeliest, recurrent, start_slope, stationary

COUNTS = load_earthquakes().select("count")
RNG = np.random.default_rng(0)
STATES = np.repeat([0, 1, 2, 3], 60)
STAIRS = RNG.normal(size=(240, 1)) + np.array([3.0, 0, 9, 6])[STATES][:, None]  # in no order of their means
LEFT_RIGHT = np.triu(np.tril(np.ones((4, 4)), 1))


def test_a_left_right_chain_finds_its_order() -> None:
    model = GaussianHMM(4, transmat_mask=LEFT_RIGHT, random_state=0).fit(STAIRS)
    assert model.status_ is Status.CONVERGED
    assert (model.transmat_[LEFT_RIGHT == 0] == 0).all()
    assert (model.predict(STAIRS) == STATES).mean() > 0.98
    np.testing.assert_allclose(model.startprob_, [1, 0, 0, 0], atol=1e-12)
    assert model.durations_[3] == np.inf
    np.testing.assert_allclose(model.durations_[:3], 60, rtol=0.05)
    # 3 free of start, 3 of moves, 4 means and variances
    assert model.fitted_.n_parameters == 3 + 3 + 8


def test_a_start_that_is_fixed_is_not_counted() -> None:
    model = GaussianHMM(4, transmat_mask=LEFT_RIGHT, startprob="fixed", startprob_init=[1, 0, 0, 0])
    model.set_params(random_state=0).fit(STAIRS)
    assert model.startprob_.tolist() == [1, 0, 0, 0]
    assert model.fitted_.n_parameters == 3 + 8


def test_the_order_of_states_is_that_of_their_counts() -> None:
    moves = np.array([[0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1.0]])
    order = np.array([2, 0, 3, 1])
    counts = np.zeros((4, 4))
    counts[np.ix_(order, order)] = 30 * moves
    found = likeliest_order(np.eye(4)[order[0]], counts, np.eye(4)[0], moves)
    assert found.tolist() == order.tolist()


def test_moves_that_are_fixed_stay() -> None:
    fixed = [[0.9, np.nan, np.nan], [np.nan] * 3, [np.nan, 0.0, np.nan]]
    model = HMM(3, "poisson", transmat_fixed=fixed, random_state=0).fit(COUNTS)
    assert model.transmat_[0, 0] == 0.9
    assert model.transmat_[2, 1] == 0.0
    np.testing.assert_allclose(model.transmat_.sum(axis=1), 1, rtol=1e-12)
    assert model.fitted_.n_parameters == 2 + (1 + 2 + 1) + 3
    free = HMM(3, "poisson", random_state=0).fit(COUNTS)
    assert model.loglik_ < free.loglik_


def test_all_that_is_fixed_stays_and_the_rest_is_fitted() -> None:
    given: dict[str, Any] = {"means_init": [[0.0], [6.0]], "transmat_init": [[0.9, 0.1], [0.2, 0.8]]}
    model = GaussianHMM(2, fixed=("means", "transmat"), **given, random_state=0).fit(STAIRS)
    np.testing.assert_array_equal(model.means_, given["means_init"])
    np.testing.assert_array_equal(model.transmat_, given["transmat_init"])
    assert model.fitted_.n_parameters == 1 + 2
    rates = [[15.0], [26.0]]
    counts = PoissonHMM(2, fixed="rates", rates_init=rates, random_state=0).fit(COUNTS)
    np.testing.assert_array_equal(counts.rates_, rates)
    assert counts.fitted_.n_parameters == 1 + 2


def test_a_prior_is_in_the_objective_and_draws_the_moves() -> None:
    """The mode against a direct maximisation of the two-state posterior, in logits."""
    alpha = np.array([[5.0, 2.0], [1.0, 3.0]])
    options: dict[str, Any] = {"transmat_prior": alpha, "startprob_prior": 2.0, "random_state": 0}
    model = HMM(2, "poisson", **options, tol=1e-12).fit(COUNTS)
    log_prior = ((alpha - 1) * np.log(model.transmat_)).sum() + np.log(model.startprob_).sum()
    assert model.objective_ == pytest.approx(model.loglik_ + log_prior, rel=1e-12)

    def depth(x: np.ndarray) -> float:
        start, stay = 1 / (1 + np.exp(-x[0])), 1 / (1 + np.exp(-x[1:3]))
        moves = np.array([[stay[0], 1 - stay[0]], [1 - stay[1], stay[1]]])
        rates, a, total = np.exp(x[3:]), np.array([start, 1 - start]), 0.0
        for t, count in enumerate(COUNTS[:, 0]):
            a = (a @ moves if t else a) * np.exp(count * np.log(rates) - rates - fold[int(count)])
            total, a = total + np.log(a.sum()), a / a.sum()
        prior = ((alpha - 1) * np.log(moves)).sum() + np.log(start * (1 - start))
        return -float(total + prior)

    fold = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 50)))])
    # under a prior that tells the states apart both orders are optima; the fit has the better one
    begun = [np.array([0.0, 2, 2, *np.log(rates)]) for rates in ((15, 26), (26, 15))]
    ends = [minimize(depth, x, method="BFGS", options={"gtol": 1e-7}).fun for x in begun]
    assert abs(ends[0] - ends[1]) > 0.1
    assert model.objective_ == pytest.approx(-min(ends), rel=0, abs=1e-7)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("weight", [0.01, 1.0])
def test_moves_with_a_stationary_start_are_the_likeliest(k: int, weight: float) -> None:
    """A few rounds of the M-step against a general maximiser."""
    rng = np.random.default_rng(k)
    counts, starts = rng.gamma(1, 10, size=(k, k)), weight * rng.gamma(1, 10, size=k)
    moves = rng.dirichlet(np.ones(k), size=k)
    rows = counts / counts.sum(axis=1, keepdims=True)

    def depth(x: np.ndarray) -> float:
        found = np.exp(x.reshape(k, k))
        found /= found.sum(axis=1, keepdims=True)
        law = stationary(found)
        assert law is not None
        return -float((counts * np.log(found)).sum() + starts @ np.log(law))

    for _ in range(20):
        moves = likeliest(counts, starts, np.ones(k), rows, moves)
    best = minimize(depth, np.log(rows).ravel(), method="BFGS", options={"gtol": 1e-8})
    assert depth(np.log(moves).ravel()) == pytest.approx(best.fun, rel=1e-9)


def test_the_law_of_a_chain_that_ends_in_some_states() -> None:
    moves = np.array([[0.5, 0.25, 0.25], [0, 0.9, 0.1], [0, 0.3, 0.7]])
    law = stationary(moves)
    assert law is not None
    np.testing.assert_allclose(law, [0, 0.75, 0.25], rtol=1e-15)
    assert stationary(np.eye(2)) is None
    assert recurrent(np.eye(2) > 0) is None
    # nearly apart: 1e-12 both ways keeps its digits
    nearly = np.array([[1 - 1e-12, 1e-12], [2e-12, 1 - 2e-12]])
    law = stationary(nearly)
    assert law is not None
    np.testing.assert_allclose(law, [2 / 3, 1 / 3], rtol=1e-12)


@pytest.mark.parametrize("rare", [0.1, 1e-12, 1e-40, 1e-100])
def test_the_slope_of_a_chain_that_hardly_changes(rare: float) -> None:
    """Two states: delta = (b, a) / (a + b), a and b the ways between them."""
    a, b, (s, t) = rare, 2 * rare, (3.0, 5.0)
    moves = np.array([[1 - a, a], [b, 1 - b]])
    slope = start_slope(moves, np.array([s, t]))
    expected = [t / a - (s + t) / (a + b), s / b - (s + t) / (a + b)]
    np.testing.assert_allclose([slope[0, 1] - slope[0, 0], slope[1, 0] - slope[1, 1]], expected, rtol=1e-12)
    # and the M-step goes on from there, uphill
    counts, starts = np.array([[50.0, rare], [rare, 20.0]]), np.array([s, t])
    rows = counts / counts.sum(axis=1, keepdims=True)
    found = likeliest(counts, starts, np.ones(2), rows, moves)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("k", [2, 3, 6])
def test_the_slope_is_that_of_differences(k: int) -> None:
    rng = np.random.default_rng(k)
    moves, starts, step = rng.dirichlet(np.ones(k), size=k), rng.gamma(1, size=k), 1e-6
    slope = start_slope(moves, starts)
    for i in range(k):
        for j in range(k):
            turned = step * (np.eye(k)[j] - np.eye(k)[i])
            laws = [stationary(moves + sign * np.outer(np.eye(k)[i], turned)) for sign in (1, -1)]
            assert laws[0] is not None and laws[1] is not None  # noqa: PT018 - for the type checker
            rise = starts @ (np.log(laws[0]) - np.log(laws[1])) / (2 * step)
            assert slope[i, j] - slope[i, i] == pytest.approx(rise, rel=1e-5, abs=1e-6)


def test_known_states_are_kept_and_order_the_others() -> None:
    known = np.where(np.arange(240) % 10 == 0, 3 - STATES, -1)
    model = GaussianHMM(4, random_state=0).fit(STAIRS, states=known)
    np.testing.assert_allclose(model.means_[:, 0], [6, 9, 0, 3], atol=0.5)
    assert model.loglik(STAIRS, states=known) == model.loglik_
    assert model.loglik(STAIRS) > model.loglik_
    every = GaussianHMM(4, random_state=0).fit(STAIRS, states=3 - STATES)
    assert len(every.diagnostics_["starts"]) == 1
    np.testing.assert_allclose(every.means_[0], STAIRS[STATES == 3].mean(axis=0), rtol=1e-12)


def test_sequences_by_name_are_those_by_length() -> None:
    frame = pd.DataFrame({"id": np.repeat(list("dbca"), 60), "x": STAIRS[:, 0]})
    by_length = GaussianHMM(2, random_state=0).fit(STAIRS, lengths=[60] * 4)
    by_name = GaussianHMM(2, random_state=0).fit(frame, groups="id")
    by_array = GaussianHMM(2, random_state=0).fit(STAIRS, groups=frame["id"])
    assert by_length.loglik_ == by_name.loglik_ == by_array.loglik_
    assert by_name.n_features_in_ == 1
    assert by_name.score(frame, groups="id") == by_name.loglik_
    np.testing.assert_array_equal(by_name.predict(frame, groups="id"), by_length.predict(STAIRS, [60] * 4))
    ahead = by_name.forecast(frame, 2, groups="id")
    assert ahead.sequence.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert ahead.step.tolist() == [1, 2] * 4
    assert not np.isnan(by_name.impute(frame.assign(x=frame["x"].where(frame.index != 5)), groups="id")).any()


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (["a", "b", "a"] * 80, "group 'a' are not together.*row 2"),
        ([None, *"a" * 239], "groups name no group in row 0"),
        (["a"] * 239, r"groups must have shape \(240,\)"),
        ([["a"]] * 240, "groups must be one name a row"),
    ],
)
def test_groups_that_make_no_sequences(groups: list[Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        GaussianHMM(2).fit(STAIRS, groups=groups)


def test_a_table_with_words_beside_its_groups() -> None:
    frame = pd.DataFrame({"id": ["a"] * 240, "x": STAIRS[:, 0], "word": ["w"] * 240})
    with pytest.raises(DataError, match=r"columns of text.*'word'"):
        GaussianHMM(2).fit(frame, groups="id")
    with pytest.raises(UsageError, match="lengths and groups"):
        GaussianHMM(2).fit(frame[["id", "x"]], groups="id", lengths=[240])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"startprob": "uniform"}, "startprob must be"),
        ({"startprob": "stationary", "startprob_init": [0.5, 0.5]}, "leave startprob_init out"),
        ({"startprob": "stationary", "transmat_mask": np.eye(2)}, "one stationary law"),
        ({"startprob": "stationary", "startprob_prior": 2}, "startprob_prior is for"),
        ({"transmat_mask": np.ones((3, 3))}, r"transmat_mask must be of shape \(2, 2\)"),
        ({"transmat_mask": [[1, 0.5], [1, 1]]}, "transmat_mask must be"),
        ({"transmat_mask": [[0, 0], [1, 1]]}, "moves from state 0 that are fixed sum to 0"),
        ({"transmat_fixed": [[0.5, 0.4], [np.nan, np.nan]]}, "moves from state 0 that are fixed sum to 0.9"),
        ({"transmat_fixed": [[1.0, np.nan], [np.nan, np.nan]]}, "leaves nothing to the free ones"),
        ({"transmat_fixed": [[1.5, np.nan], [np.nan, np.nan]]}, "transmat_fixed must be"),
        ({"transmat_fixed": [[0.5, 0.5]] * 2, "transmat_mask": [[1, 0], [1, 1]]}, r"transmat_fixed\[0, 1\]"),
        ({"transmat_mask": [[1, 0], [1, 1]], "transmat_init": [[0.5, 0.5]] * 2}, "transmat_init must keep"),
        ({"transmat_prior": 0.5}, "transmat_prior must be"),
        ({"transmat_prior": np.ones(3)}, "transmat_prior must be"),
        ({"fixed": "rates"}, "needs rates_init"),
        ({"fixed": "rate"}, "fixed may hold"),
    ],
)
def test_what_cannot_be_asked_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        HMM(2, "poisson", **options).fit(COUNTS)


def test_a_state_that_no_way_leads_to() -> None:
    given: dict[str, Any] = {"startprob_init": [1, 0], "transmat_init": [[1, 0], [0.5, 0.5]]}
    with pytest.warns(UserWarning, match="EM016: state 1 is never visited"):
        model = GaussianHMM(2, **given, means_init=[[0.0], [3.0]], covars_init=[[1.0], [2.0]]).fit(STAIRS)
    assert model.status_ is Status.CONVERGED
    assert model.means_[1, 0] == pytest.approx(3, rel=1e-12)
    assert model.covars_[1, 0] == pytest.approx(2, rel=1e-12)
    assert [finding.code for finding in model.diagnose()] == ["EM016"]
    with pytest.warns(UserWarning, match="EM016"):
        mixed = GMMHMM(2, 2, **given, random_state=0).fit(STAIRS)
    assert np.isfinite(mixed.predict_proba(STAIRS)).all()


@pytest.mark.parametrize(
    ("thin", "whole", "rows"),
    [
        (GaussianHMM(2), HMM(2, "gaussian-diag"), STAIRS),
        (GaussianHMM(2, "full"), HMM(2), STAIRS),
        (PoissonHMM(2), HMM(2, "poisson"), COUNTS),
        (CategoricalHMM(2), HMM(2, "categorical"), COUNTS // 15),
        (GMMHMM(2, 2), HMM(2, Mixed(2, Gaussian("diag"))), STAIRS),
    ],
    ids=["gaussian", "full", "poisson", "categorical", "mixture"],
)
def test_names_of_the_commonest_chains(thin: Any, whole: Any, rows: np.ndarray) -> None:
    found = [model.set_params(random_state=0).fit(rows).loglik_ for model in (thin, whole)]
    assert found[0] == found[1]


def test_a_shape_that_is_none() -> None:
    with pytest.raises(UsageError, match="covariance_type must be one of"):
        GaussianHMM(2, "diagonal").fit(STAIRS)  # type: ignore[arg-type]


def test_residuals_of_the_right_model_are_normal() -> None:
    start = {"startprob_init": [0.5, 0.5], "transmat_init": [[0.9, 0.1], [0.2, 0.8]]}
    truth = GaussianHMM(2, **start, means_init=[[0.0, 5], [3, 1]], covars_init=[[1.0, 4], [2, 1]])
    truth.set_params(fixed=("startprob", "transmat", "means", "covars"), random_state=0)
    rows, _ = truth.fit(RNG.normal(size=(50, 2))).sample(4000)
    for given in ("all", "past"):
        found = truth.pseudo_residuals(rows, given=given)
        for column in found.T:
            assert kstest(column, norm.cdf).pvalue > 1e-3
    rows[3, 0] = np.nan
    found = truth.pseudo_residuals(rows)
    assert np.argwhere(np.isnan(found)).tolist() == [[3, 0]]
    wrong = truth.pseudo_residuals(rows + 3)
    assert kstest(wrong[5:, 0], norm.cdf).pvalue < 1e-10


def test_quantiles_of_normal_forecasts() -> None:
    model = GaussianHMM(2, random_state=0).fit(STAIRS * 1e-3 + 7)
    ahead = model.forecast(STAIRS[:30] * 1e-3 + 7, 4, quantiles=[0.01, 0.5, 0.99])
    deviations = np.sqrt(model.covars_[:, 0])
    for row, places in zip(ahead.states, ahead.quantiles[:, 0], strict=True):
        reached = norm.cdf(places[:, None], model.means_[:, 0], deviations) @ row
        np.testing.assert_allclose(reached, ahead.levels, rtol=1e-8)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda model: model.forecast(COUNTS, 0), "h must be"),
        (lambda model: model.forecast(COUNTS, quantiles=[0.5, 1]), "quantiles must"),
        (lambda model: model.decode(COUNTS, algorithm="best"), "algorithm must"),
        (lambda model: model.pseudo_residuals(COUNTS, given="future"), "given must"),
        (lambda model: model.sample_posterior(COUNTS, 0), "n_samples must"),
        (lambda model: model.fit(COUNTS, states=np.full(107, 2)), "states must be 0 to 1"),
    ],
)
def test_questions_that_make_no_sense(ask: Any, words: str) -> None:
    with pytest.raises(EstepError, match=words):
        ask(PoissonHMM(2, random_state=0).fit(COUNTS))


def test_categories_have_no_order() -> None:
    model = CategoricalHMM(2, random_state=0).fit(COUNTS // 15)
    with pytest.raises(UsageError, match=r"Categorical has no order.*filter\(X\)"):
        model.forecast(COUNTS // 15)
