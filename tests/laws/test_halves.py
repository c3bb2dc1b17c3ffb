"""A long sequence done from both ends: the sums of the plain way, the same bits however it is shared out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cases import FAMILIES, hide

from estep import HMM
from estep.data.source import MemorySource
from estep.engine import Problem
from estep.families import Gaussian, Mixed, Poisson
from estep.families.gaussian import GaussianParams
from estep.models import Chain, halves
from estep.models.chain import ChainParams
from estep.records import named_leaves
from estep.run import Local

ROWS = 700  # of several tiles, and of several of the chunks below


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "FEWEST", 2)
    monkeypatch.setattr(halves, "CELLS", 1)
    monkeypatch.setattr(halves, "LEAST_ROWS", 130)


def plain(monkeypatch: pytest.MonkeyPatch, problem: Problem, params: Any) -> Any:
    """The sums of one thread from end to end."""
    with monkeypatch.context() as patch:
        patch.setattr(halves, "FEWEST", 10**9)
        return problem.measure(params).stats


def agree(found: Any, expected: Any, rtol: float = 1e-10) -> None:
    for (name, a), (_, b) in zip(named_leaves(found), named_leaves(expected), strict=True):
        if name != "magnitude":  # the terms are others
            np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-10 * np.abs(b).max(), err_msg=name)


@pytest.mark.parametrize("name", [*FAMILIES, "mixture"])
@pytest.mark.parametrize("rows", [ROWS, 2, 3])
def test_both_ways_have_the_same_sums(monkeypatch: pytest.MonkeyPatch, name: str, rows: int) -> None:
    family, data = (Mixed(2, Poisson()), FAMILIES["poisson"][1]) if name == "mixture" else FAMILIES[name]
    rng = np.random.default_rng(rows)
    values = data(rng, max(rows, 60))
    hide(values, rng, 0.1, family)
    evidence = np.where(rng.random((3, rows)) < 0.05, -np.inf, 0.0)
    evidence[0] = 0.0
    start = MemorySource(values, tuple("abcd"[: values.shape[1]]))
    units = start.natural_units(family.equivariance)
    model: Chain = Chain(3, family).bind(start.framed(units).columns)
    params = model.start(start.framed(units).sample(100, 0), rng, "random")
    source = MemorySource(
        values[:rows], start._names, lengths=np.array([rows]), weights=np.full(rows, 1.5), evidence=evidence
    ).framed(units)
    with Local(threads=1) as run:
        problem = Problem(model, source, run)
        found = problem.measure(params).stats
        agree(found, plain(monkeypatch, problem, params))
        assert found.start.sum() == pytest.approx(1.5, rel=1e-12)
        assert found.moves.sum() == pytest.approx(1.5 * (rows - 1), rel=1e-12)
        for threads, lean, few in ((2, False, 10**9), (1, True, 0), (2, True, 0), (2, False, 0)):
            monkeypatch.setattr(halves, "FEW", few)
            with Local(threads) as other:
                again = Problem(replace(model, lean=lean), source, other).measure(params).stats
            for (_, a), (_, b) in zip(named_leaves(found), named_leaves(again), strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("runs", "loglik"),
    [
        ([(0, -60, 20), (-61, 0, 20)], -1200.6931471785),
        ([(0, -10, 20), (-9, 0, 20)], -180.6931471785),
        ([(0, -700, 1), (-100, 0, 25), (0, -700, 1)], -1400 - np.log(2)),
        ([(0, -70, 10), (-10, 0, 250), (0, -70, 10)], -1400 - np.log(2)),
        ([(0, -400, 1), (-400, 0, 1)], -400 + np.log(0.5) + np.log(2)),
    ],
)
def test_what_is_lost_on_the_way_to_the_middle_is_seen(runs: list[Any], loglik: float) -> None:
    """Two states that are never left: all that tells them apart may underflow on either side."""
    logs = np.concatenate([np.tile([[float(a)], [float(b)]], n) for a, b, n in runs], axis=1)
    n = logs.shape[1]
    source = MemorySource(np.zeros((n, 1)), ("x",), lengths=np.array([n]), evidence=logs)
    model: Chain = Chain(2, Gaussian("diag")).bind(source.columns)
    law = GaussianParams(np.zeros((2, 1)), np.full((2, 1), 1 / (2 * np.pi)))  # of density 1 at 0
    with Local(threads=1) as run:
        found = Problem(model, source, run).measure(ChainParams(np.full(2, 0.5), np.eye(2), law))
    assert found.loglik == pytest.approx(loglik, rel=1e-12)
    gap = logs[0].sum() - logs[1].sum()
    np.testing.assert_allclose(
        found.stats.start[0], 1 / (1 + np.exp(np.clip(-gap, -700, 700))), rtol=1e-9, atol=1e-50
    )


def test_a_fit_is_that_of_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 2)) + 4.0 * rng.integers(2, size=ROWS // 7).repeat(7)[:, None]
    both = HMM(2, random_state=0, tol=1e-8).fit(X)
    assert both.loglik(X) == both.loglik_
    monkeypatch.setattr(halves, "FEWEST", 10**9)
    one = HMM(2, random_state=0, tol=1e-8).fit(X)
    assert both.loglik_ == pytest.approx(one.loglik_, rel=1e-12)
    np.testing.assert_allclose(both.transmat_, one.transmat_, atol=1e-6)
    assert both.score_samples(X).sum() == pytest.approx(both.loglik_, rel=1e-12)
