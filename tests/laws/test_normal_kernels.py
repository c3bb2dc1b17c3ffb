"""The two compiled E-steps of `Normal` against the reference and each other, and the choice between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estep.data.patterns import find_patterns
from estep.data.source import MemorySource
from estep.engine.problem import Problem
from estep.errors import Degenerate
from estep.kernels.reference import gaussian as reference
from estep.models.by_pattern import Groups
from estep.models.by_row import Census, Loose, choose, split
from estep.models.normal import Normal, NormalParams, NormalStats
from estep.records import Block
from estep.run import Local


def all_rows(d: int, census: Census, blocks: int) -> np.ndarray:
    return census.rows > 0


def no_rows(d: int, census: Census, blocks: int) -> np.ndarray:
    return np.zeros(len(census.rows), dtype=bool)


def some_rows(d: int, census: Census, blocks: int) -> np.ndarray:
    return (census.rows > 0) & (np.arange(len(census.rows)) % 2 == 0)


CHOICES = [all_rows, no_rows, some_rows, choose]


def holed(n: int, d: int, holes: float, seed: int) -> tuple[np.ndarray, np.ndarray, NormalParams]:
    """Correlated rows, one full and one empty, weights with zeros, and a point that is not the maximum."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((d, d)) + 2 * np.eye(d)
    X = rng.standard_normal((n, d)) @ mix + rng.standard_normal(d)
    X[rng.random((n, d)) < holes] = np.nan
    X[0], X[1] = 1.0, np.nan
    weights = rng.integers(0, 4, n) / 2.0
    weights[0] = weights[1] = 1.0
    covariance = mix.T @ mix + 0.5 * np.eye(d)
    return X, weights, NormalParams(rng.standard_normal(d), covariance)


def stats_by(
    choice: Any, X: np.ndarray, weights: np.ndarray, params: NormalParams, threads: int = 1
) -> NormalStats:
    model, source = Normal(), MemorySource(X, tuple(map(str, range(X.shape[1]))), weights=weights)
    prep = model.prepare(params)
    with Local(threads=threads) as run:
        stats: NormalStats = run.sum(lambda item: model.estep(prep, item), split(source, run, choice))
    return stats


def expected(X: np.ndarray, weights: np.ndarray, params: NormalParams) -> NormalStats:
    values = np.ascontiguousarray(X.T)
    block = Block(values, weights, patterns=find_patterns(values))
    mean, covariance = params.mean[None], params.covariance[None]
    terms = reference.log_density(block, mean, covariance)[0] * weights
    rows, first, second = reference.moments(block, mean, covariance, weights[None])
    return NormalStats(float(terms.sum()), float("nan"), float(rows[0]), first[0], second[0])


def close(a: NormalStats, b: NormalStats, digits: float = 1e-10) -> None:
    assert a.loglik == pytest.approx(b.loglik, rel=digits, abs=digits)
    assert a.rows == pytest.approx(b.rows, rel=1e-14)
    for x, y in ((a.first, b.first), (a.second, b.second)):
        np.testing.assert_allclose(x, y, rtol=0, atol=digits * (np.abs(y).max() + 1e-300))


@pytest.mark.parametrize("choice", CHOICES)
@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(2, 90),
    d=st.integers(1, 9),
    holes=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
    seed=st.integers(0, 10**6),
)
def test_every_choice_is_the_reference(choice: Any, n: int, d: int, holes: float, seed: int) -> None:
    X, weights, params = holed(n, d, holes, seed)
    close(stats_by(choice, X, weights, params), expected(X, weights, params))


@pytest.mark.parametrize(
    ("n", "d", "holes"), [(3000, 20, 0.1), (2500, 50, 0.1), (2100, 70, 0.3), (5000, 5, 0.4)]
)
def test_the_two_esteps_agree(n: int, d: int, holes: float) -> None:
    X, weights, params = holed(n, d, holes, 7)
    close(stats_by(all_rows, X, weights, params), stats_by(no_rows, X, weights, params))
    assert stats_by(all_rows, X, weights, params).magnitude == pytest.approx(
        stats_by(no_rows, X, weights, params).magnitude, rel=1e-10
    )


@pytest.mark.parametrize("choice", CHOICES)
def test_threads_change_no_bit(choice: Any) -> None:
    X, weights, params = holed(9000, 12, 0.2, 3)
    one, two = stats_by(choice, X, weights, params, 1), stats_by(choice, X, weights, params, 2)
    assert (one.loglik, one.magnitude, one.rows) == (two.loglik, two.magnitude, two.rows)
    assert np.array_equal(one.first, two.first)
    assert np.array_equal(one.second, two.second)


@pytest.mark.parametrize("choice", CHOICES)
def test_rows_of_weight_zero_leave_no_trace(choice: Any) -> None:
    X, weights, params = holed(300, 6, 0.3, 5)
    weights[10:40] = 0.0
    wild = np.where((weights == 0)[:, None], 1e6, X)
    without = stats_by(choice, X[weights > 0], weights[weights > 0], params)
    close(stats_by(choice, wild, weights, params), without, 1e-13)


def ill(condition: float, d: int = 6) -> NormalParams:
    """A covariance with this condition number and no axis along a column."""
    axes = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0]
    return NormalParams(np.zeros(d), (axes * np.geomspace(1.0, 1 / condition, d)) @ axes.T)


@pytest.mark.parametrize(("condition", "inverted"), [(1e2, True), (1e4, True), (1e6, False), (1e13, False)])
def test_an_inverse_without_digits_is_not_used(condition: float, inverted: bool) -> None:
    X, weights, _ = holed(400, 6, 0.2, 11)
    params = ill(condition)
    assert (Normal().prepare(params).precision is not None) == inverted
    # near the floor even the reference has lost the digits of the condition number
    close(
        stats_by(all_rows, X, weights, params),
        expected(X, weights, params),
        max(1e-10, 1e-15 * condition) if not inverted else 1e-10,
    )


def test_units_do_not_decide_whether_the_inverse_is_used() -> None:
    params, scale = ill(1e4), 10.0 ** np.arange(-3, 3)
    stretched = NormalParams(params.mean, params.covariance * np.outer(scale, scale))
    assert Normal().prepare(stretched).precision is not None


def test_a_covariance_with_no_density_is_degenerate_either_way() -> None:
    X, weights, params = holed(200, 4, 0.2, 1)
    params.covariance[0, 1] = params.covariance[1, 0] = 1e3
    for choice in CHOICES:
        with pytest.raises(Degenerate, match="not positive definite"):
            stats_by(choice, X, weights, params)


def test_only_blocks_that_occur_need_a_density() -> None:
    """Columns 0 and 1 are never seen together: their covariance with each other is of no consequence."""
    X, weights, params = holed(200, 3, 0.0, 2)
    X[::2, 0], X[1::2, 1] = np.nan, np.nan
    params.covariance[0, 1] = params.covariance[1, 0] = 1e3
    close(stats_by(all_rows, X, weights, params), stats_by(no_rows, X, weights, params))
    assert Normal().prepare(params).precision is None


def kinds(X: np.ndarray) -> tuple[int, int]:
    """Patterns compressed, and rows that stay."""
    source = MemorySource(X, tuple(map(str, range(X.shape[1]))))
    with Local(threads=1) as run:
        items = split(source, run)
    found: list[Any] = [items.block(i) for i in range(len(items))]
    return (
        sum(len(item) for item in found if isinstance(item, Groups)),
        sum(len(item.counts) for item in found if isinstance(item, Loose)),
    )


def test_the_chooser_looks_at_how_often_patterns_come_back() -> None:
    assert kinds(holed(20_000, 4, 0.1, 0)[0])[1] == 0
    assert kinds(np.ones((5000, 3))) == (1, 0)
    groups, rows = kinds(holed(5000, 50, 0.1, 0)[0])
    assert rows > 4900
    groups, rows = kinds(holed(20_000, 20, 0.1, 0)[0])  # 12 % complete, 1.4 % miss this cell alone
    assert groups == 1 + 20
    assert 4000 < rows < 16_000


def test_a_fit_is_the_same_by_either_estep(monkeypatch: pytest.MonkeyPatch) -> None:
    X, _, _ = holed(1500, 8, 0.15, 21)
    found = []
    for choice in (all_rows, no_rows):
        model, source = Normal(), MemorySource(X, tuple("abcdefgh"))
        source = source.framed(source.natural_units("column"))
        bound = model.bind(source.columns)
        monkeypatch.setattr("estep.models.normal.split", lambda s, run, choice=choice: split(s, run, choice))
        with Local(threads=2) as run:
            problem = Problem(bound, source, run)
            point = problem.measure(bound.start(source.block(0), np.random.default_rng(0), ""))
            for _ in range(20):
                point = problem.measure(bound.mstep(point.params, point.stats))
        found.append(point)
    assert found[0].loglik == pytest.approx(found[1].loglik, rel=1e-12)
    np.testing.assert_allclose(found[0].params.covariance, found[1].params.covariance, rtol=0, atol=1e-11)
