"""Conditional and marginal laws against closed forms, the chain rule and each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from mpmath import mp
from scipy.stats import multivariate_normal

from estep import Normal
from estep.datasets import load_airquality
from estep.errors import DataError, Degenerate, UsageError
from estep.inference.conditioning import Law, conditional, marginal, read_columns, read_given

NAMES = ("a", "b", "c", "d")


def law(k: int, d: int = 4, seed: int = 0) -> Law:
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((k, d, d))
    covariances = half @ np.swapaxes(half, 1, 2) + 0.1 * np.eye(d)
    return Law(NAMES[:d], rng.dirichlet(np.ones(k)), rng.standard_normal((k, d)), covariances)


def density(of: Law, x: np.ndarray) -> float:
    parts = zip(of.weights, of.means, of.covariances, strict=True)
    return float(sum(w * multivariate_normal(m, s).pdf(x) for w, m, s in parts))


def test_a_bivariate_normal_has_the_textbook_law() -> None:
    """Mean m1 + r s1/s2 (x2 - m2), variance s1^2 (1 - r^2)."""
    of = Law(("a", "b"), np.ones(1), np.array([[1.0, -2.0]]), np.array([[[4.0, 1.5], [1.5, 9.0]]]))
    found = conditional(of, np.array([np.nan, 1.0]))
    assert found.columns == ("a",)
    np.testing.assert_allclose(found.mean, [1 + 1.5 / 9 * 3], rtol=1e-15)
    np.testing.assert_allclose(found.covariance, [[4 * (1 - 1.5**2 / 36)]], rtol=1e-15)
    np.testing.assert_array_equal(found.weights, [1.0])


@pytest.mark.parametrize("k", [1, 3])
def test_conditional_times_marginal_is_the_joint_density(k: int) -> None:
    of = law(k)
    x = np.array([0.3, -1.0, 2.0, 0.7])
    for hidden in ([0], [1, 3], [0, 1, 2], [0, 1, 2, 3]):
        given = x.copy()
        given[hidden] = np.nan
        seen = np.flatnonzero(~np.isnan(given))
        rest = density(conditional(of, given), x[hidden])
        known = density(marginal(of, seen), x[seen]) if seen.size else 1.0
        assert rest * known == pytest.approx(density(of, x), rel=1e-12)


def test_conditional_in_fifty_digits() -> None:
    of = law(1)
    given = np.array([np.nan, 0.4, np.nan, -1.2])
    with mp.workdps(50):
        s, m = mp.matrix(of.covariances[0].tolist()), mp.matrix(of.means[0].tolist())
        soo = mp.matrix([[s[1, 1], s[1, 3]], [s[3, 1], s[3, 3]]])
        sho = mp.matrix([[s[0, 1], s[0, 3]], [s[2, 1], s[2, 3]]])
        slope = sho * mp.inverse(soo)
        mean = mp.matrix([m[0], m[2]]) + slope * (mp.matrix([0.4, -1.2]) - mp.matrix([m[1], m[3]]))
        left = mp.matrix([[s[0, 0], s[0, 2]], [s[2, 0], s[2, 2]]]) - slope * sho.T
    found = conditional(of, given)
    np.testing.assert_allclose(found.mean, np.array(mean.tolist(), float)[:, 0], rtol=1e-13)
    np.testing.assert_allclose(found.covariance, np.array(left.tolist(), float), rtol=1e-12)


def test_moments_of_a_mixture_are_those_of_its_draws() -> None:
    """Law of total covariance, by enumeration over components with points of the right moments."""
    of = law(3)
    points, shares = [], []
    for w, m, s in zip(of.weights, of.means, of.covariances, strict=True):
        for column in np.linalg.cholesky(s).T * 2.0:  # 8 points at +-sqrt(4) L_j have mean m, covariance S
            points += [m + column, m - column]
            shares += [w / 8, w / 8]
    draws, weight = np.array(points), np.array(shares)
    np.testing.assert_allclose(of.mean, weight @ draws, rtol=1e-12)
    np.testing.assert_allclose(of.covariance, np.cov(draws.T, aweights=weight, bias=True), rtol=1e-12)


def test_conditioning_in_two_steps_is_conditioning_at_once() -> None:
    of = law(2)
    once = conditional(of, np.array([np.nan, 0.5, np.nan, 1.0]))
    twice = conditional(
        conditional(of, np.array([np.nan, 0.5, np.nan, np.nan])), np.array([np.nan, np.nan, 1.0])
    )
    assert once.columns == twice.columns == ("a", "c")
    for name in ("weights", "means", "covariances"):
        np.testing.assert_allclose(getattr(once, name), getattr(twice, name), rtol=1e-11)


def test_nothing_given_is_the_whole_law() -> None:
    of = law(2)
    found = conditional(of, np.full(4, np.nan))
    np.testing.assert_allclose(found.weights, of.weights, rtol=1e-14)
    np.testing.assert_array_equal(found.means, of.means)
    np.testing.assert_array_equal(found.covariances, of.covariances)


def test_a_marginal_keeps_the_order_asked_for() -> None:
    found = marginal(law(2), np.array([3, 0]))
    assert found.columns == ("d", "a")
    np.testing.assert_array_equal(found.covariances[1], law(2).covariances[1][np.ix_([3, 0], [3, 0])])


def test_far_values_still_choose_a_component() -> None:
    means = np.array([[0.0, 0.0], [10.0, 10.0]])
    of = Law(("a", "b"), np.array([0.5, 0.5]), means, np.tile(np.eye(2), (2, 1, 1)))
    np.testing.assert_array_equal(conditional(of, np.array([np.nan, 1e6])).weights, [0.0, 1.0])
    with pytest.raises(DataError, match=r"given b=1e\+200 is too far"):
        conditional(of, np.array([np.nan, 1e200]))


def test_extreme_units_are_the_same_law() -> None:
    of, given = law(2), np.array([np.nan, 0.5, np.nan, 1.0])
    plain = conditional(of, given)
    for power in (-480, 480):
        c = 2.0**power
        found = conditional(Law(NAMES, of.weights, of.means * c, of.covariances * c * c), given * c)
        np.testing.assert_allclose(found.weights, plain.weights, rtol=1e-9)
        np.testing.assert_array_equal(found.means, plain.means * c)


def test_a_singular_given_block_is_named() -> None:
    of = Law(("a", "b", "c"), np.ones(1), np.zeros((1, 3)), np.ones((1, 3, 3)))
    with pytest.raises(Degenerate, match="component 0: its covariance is not positive definite"):
        conditional(of, np.array([np.nan, 1.0, 1.0]))


@pytest.mark.parametrize(
    "given",
    [
        {"b": 1, "d": 2.5},
        {1: 1.0, "d": 2.5},
        {np.int64(3): np.float32(2.5), 1: True + 0.0},
        pd.Series({"d": 2.5, "b": 1.0}),
        [np.nan, 1.0, None, 2.5],
        np.array([np.nan, 1.0, np.nan, 2.5]),
    ],
)
def test_given_as_a_dict_or_a_row(given: Any) -> None:
    np.testing.assert_array_equal(read_given(given, NAMES), [np.nan, 1.0, np.nan, 2.5])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"B": 1.0}, r"no column 'B' \(did you mean 'b'\?\)"),
        ({4: 1.0}, "number from 0 to 3; found 4"),
        ({-1: 1.0}, "number from 0 to 3; found -1"),
        ({True: 1.0}, "number from 0 to 3; found True"),
        ({"a": np.nan}, "given must have a number for 'a'"),
        ({"a": "1"}, "given must have a number for 'a'"),
        ({"a": np.inf}, "finite numbers; 'a' is infinite"),
        ({"a": 1.0, 0: 2.0}, "distinct columns"),
        (dict.fromkeys(NAMES, 0.0), "nothing is left"),
        ([1.0, 2.0, 3.0, 4.0], "nothing is left"),
        ([1.0, np.nan], r"row of shape \(4,\)"),
        ("a", "given must hold numbers"),
    ],
)
def test_what_cannot_be_given(given: Any, message: str) -> None:
    with pytest.raises((UsageError, DataError), match=message):
        read_given(given, NAMES)


def test_columns_by_name_or_number() -> None:
    assert read_columns("c", NAMES).tolist() == [2]
    assert read_columns(2, NAMES).tolist() == [2]
    assert read_columns(["d", 0], NAMES).tolist() == [3, 0]
    assert read_columns(np.array([1, 2]), NAMES).tolist() == [1, 2]
    for wrong, message in [
        ([], "at least one"),
        (["a", "a"], "distinct"),
        (1.5, "found 1.5"),
        ("e", "no column 'e'"),
    ]:
        with pytest.raises((UsageError, DataError), match=message):
            read_columns(wrong, NAMES)


def test_a_conditional_mean_is_what_a_normal_imputes() -> None:
    names = ["Ozone", "Solar.R", "Wind", "Temp"]
    air = pd.DataFrame(load_airquality().select(*names), columns=names)
    normal = Normal().fit(air)
    for row, filled in zip(air.to_numpy()[:30], normal.impute(air)[:30], strict=True):
        missing = np.isnan(row)
        if missing.any():
            law = normal.conditional(dict(zip(air.columns[~missing], row[~missing], strict=True)))
            assert law.columns == tuple(air.columns[missing])
            np.testing.assert_allclose(law.mean, filled[missing], rtol=1e-10)
            np.testing.assert_array_equal(law.covariance, normal.conditional(row).covariance)
    pair = normal.marginal(["Temp", "Ozone"])
    np.testing.assert_array_equal(pair.mean, normal.mean_[[3, 0]])
    np.testing.assert_array_equal(pair.covariance, normal.covariance_[np.ix_([3, 0], [3, 0])])
