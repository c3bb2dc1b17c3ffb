"""Rubin's rules against a published analysis and fifty digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpmath import mp

import estep
from estep import combine
from estep.errors import UsageError

# SAS/STAT 9.2 User's Guide (2008), chapter "The MIANALYZE Procedure", example 1, Oxygen: means of 31 men's
# oxygen intake and their standard errors in five completed data sets, EDF=30
OXYGEN = np.array([47.0120, 47.2407, 47.4995, 47.1485, 47.0042])
ERRORS = np.array([0.95984, 0.93540, 1.00766, 0.95439, 0.96528])


def test_a_published_analysis() -> None:
    """As printed there; the tolerances are what the four or five printed digits of the inputs allow."""
    found = combine(OXYGEN, ERRORS**2, df_complete=30)
    assert found.estimate == pytest.approx(47.180993, abs=5e-5)
    assert found.within == pytest.approx(0.930853, abs=1e-5)
    assert found.between == pytest.approx(0.041478, abs=3e-5)
    assert found.variance == pytest.approx(0.980626, abs=3e-5)
    assert found.df == pytest.approx(26.298, abs=2e-3)
    assert found.fraction_missing_information == pytest.approx(0.051977, abs=3e-5)
    np.testing.assert_allclose(found.interval(), [45.1466, 49.2154], rtol=0, atol=2e-4)


@pytest.mark.parametrize("df_complete", [None, 30, 2.5])
def test_in_fifty_digits(df_complete: float | None) -> None:
    with mp.workdps(50):
        q, u = [mp.mpf(float(x)) for x in OXYGEN], [mp.mpf(float(x)) for x in ERRORS**2]
        m = len(q)
        estimate, within = mp.fsum(q) / m, mp.fsum(u) / m
        between = mp.fsum((x - estimate) ** 2 for x in q) / (m - 1)
        total = within + (1 + mp.mpf(1) / m) * between
        r = (1 + mp.mpf(1) / m) * between / within
        large = (m - 1) * (1 + 1 / r) ** 2  # Rubin (1987), equation 3.1.6, in his own letters
        fraction = (r + 2 / (large + 3)) / (r + 1)
        df = large
        if df_complete is not None:
            c = mp.mpf(df_complete)
            observed = (c + 1) / (c + 3) * c * (1 - r / (1 + r))
            df = large * observed / (large + observed)
        # the quantile of t by its distribution function, an incomplete beta
        quantile = mp.findroot(
            lambda x: mp.betainc(df / 2, 0.5, 0, df / (df + x * x), regularized=True) - mp.mpf("0.1"), 1.7
        )
        ends = [float(estimate - quantile * mp.sqrt(total)), float(estimate + quantile * mp.sqrt(total))]
    found = combine(OXYGEN, ERRORS**2, df_complete)
    got = [found.estimate, found.variance, found.within, found.between, found.df]
    expected = [float(x) for x in (estimate, total, within, between, df)]
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert found.fraction_missing_information == pytest.approx(float(fraction), rel=1e-12)
    np.testing.assert_allclose(found.interval(0.9), ends, rtol=1e-12)


def test_several_quantities_are_each_by_itself() -> None:
    q, u = np.column_stack([OXYGEN, 2 * OXYGEN, OXYGEN**2]), np.column_stack([ERRORS**2, ERRORS, ERRORS])
    both = combine(q, u, df_complete=[30, 10, np.inf])
    for j, df in enumerate((30, 10, None)):
        one = combine(q[:, j], u[:, j], df_complete=df)
        np.testing.assert_allclose([field[j] for field in both], one, rtol=1e-14)
        np.testing.assert_allclose(both.interval(0.8)[:, j], one.interval(0.8), rtol=1e-14)


def test_estimates_that_agree_leave_the_complete_analysis() -> None:
    found = combine([2.0, 2.0, 2.0], [0.25, 0.25, 0.25])
    assert found.df == np.inf
    assert found.fraction_missing_information == 0.0
    np.testing.assert_allclose(found.interval(), [2 - 1.959963984540054 / 2, 2 + 1.959963984540054 / 2])
    assert combine([2.0, 2.0], [0.25, 0.25], df_complete=9).df == pytest.approx(10 / 12 * 9)
    np.testing.assert_array_equal(combine([2.0, 2.0], [0.0, 0.0]).interval(), [2.0, 2.0])


def test_no_certainty_within_leaves_only_the_spread() -> None:
    found = combine([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    assert found.variance == pytest.approx(4 / 3)
    assert found.df == pytest.approx(2.0)
    assert found.fraction_missing_information == pytest.approx(1.0)
    assert combine([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], df_complete=5).df == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("estimates", "variances", "df", "message"),
    [
        ([1.0], [1.0], None, r"m >= 2 data sets; found \(1,\)"),
        (1.0, 1.0, None, r"found \(\)"),
        ([], [], None, "m >= 2"),
        (np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), None, "m >= 2"),
        ([1.0, 2.0], [[1.0], [1.0]], None, r"shape of the estimates, \(2,\)"),
        ([1.0, np.nan], [1.0, 1.0], None, "data set 1 has nan"),
        ([1.0, 2.0], [1.0, -1.0], None, "data set 1 has -1.0"),
        ([1.0, 2.0], [1.0, np.inf], None, "data set 1 has inf"),
        ([1.0, 2.0], ["a", 1.0], None, "variances must hold numbers"),
        ([1.0, 2.0], [1.0, 1.0], 0, "df_complete must be > 0"),
        ([1.0, 2.0], [1.0, 1.0], np.nan, "df_complete must be > 0"),
        ([1.0, 2.0], [1.0, 1.0], [3, 4], "one number or one a quantity"),
    ],
)
def test_what_cannot_be_combined(estimates: Any, variances: Any, df: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        combine(estimates, variances, df)


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(UsageError, match="level must lie between 0 and 1"):
        estep.combine(OXYGEN, ERRORS**2).interval(level)
