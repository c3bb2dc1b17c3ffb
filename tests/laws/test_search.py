"""The search by default: its kinds of start, its budget in units of work, and when it has seen enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import Case, real

from estep import GaussianMixture
from estep.datasets import load_faithful
from estep.engine import Aitken, Plain, Search, Status, fit
from estep.engine.loop import Way
from estep.engine.moves import move
from estep.engine.pool import DUPLICATE, MEETINGS
from estep.engine.search import Explorer
from estep.engine.watch import silent
from estep.engine.work import LARGE, START, cost_of
from estep.errors import Degenerate
from estep.families import Gaussian, Mixed
from estep.families.partition import AUTO_KINDS, partition
from estep.models import Alone
from estep.run import Local

FAITHFUL = load_faithful().values
TWO = Case("two", Alone(Mixed(2, Gaussian("full"))), real)
THREE = Case("three", Alone(Mixed(3, Gaussian("full"))), real)


def explored(case: Case, values: np.ndarray) -> Explorer:
    problem = case.problem(case.source(values))

    def draw(rows: Any, rng: Any, turn: int) -> Any:
        return problem.model.start(rows, rng, AUTO_KINDS[turn % len(AUTO_KINDS)])

    explorer = Explorer(problem, Way(Plain(), Aitken(), silent), 0, draw, lambda params: params)
    with problem.run:
        explorer.run()
    return explorer


@pytest.mark.parametrize("how", AUTO_KINDS)
def test_every_kind_of_start_is_a_partition_and_weights_are_repeats(how: str) -> None:
    points = np.random.default_rng(0).standard_normal((2, 60))
    parts = partition(points, np.ones(60), 4, np.random.default_rng(1), how)
    assert parts.shape == (4, 60)
    np.testing.assert_allclose(parts.sum(axis=0), 1)
    assert (parts.sum(axis=1) > 0).all()
    doubled = partition(points, np.full(60, 2.0), 4, np.random.default_rng(1), how)
    np.testing.assert_array_equal(parts, doubled)


def test_a_whitened_start_parts_long_clusters_that_lie_side_by_side() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((2, 200)) * [[10.0], [0.1]]
    rows[1, 100:] += 2
    parts = partition(rows, np.ones(200), 2, rng, "hierarchical")
    assert abs(parts[0, :100].mean() - parts[0, 100:].mean()) > 0.95


def test_a_move_gives_memberships() -> None:
    rng = np.random.default_rng(0)
    points, resp = rng.standard_normal((2, 50)), rng.dirichlet(np.ones(3), 50).T
    for _ in range(20):
        moved = move(resp, points, np.ones(50), rng)
        np.testing.assert_allclose(moved.sum(axis=0), 1)
        assert (moved > 0).all()
        assert not np.allclose(moved, resp)


def test_the_work_stays_inside_the_budget_and_large_data_may_spend_one_final_run() -> None:
    explorer = explored(THREE, FAITHFUL)
    assert explorer.cost is not None
    assert explorer.optima.best is not None
    assert 0 < explorer.spent <= explorer.cost.budget(len(explorer.optima.best.history)) * 1.02
    large = cost_of(11, LARGE, 4096)
    assert large.budget(100) <= 100 * large.final
    assert large.budget(100) > START * large.search


def fit_starts(case: Case, values: np.ndarray) -> tuple[Any, ...]:
    return fit(case.model, case.source(values), starts=Search()).starts


def test_an_easy_search_stops_when_the_best_was_met_often_enough() -> None:
    explorer = explored(TWO, FAITHFUL)
    assert explorer.optima.enough
    assert explorer.optima.known[0].met >= MEETINGS
    assert explorer.cost is not None
    assert explorer.spent < 0.7 * explorer.cost.budget(1)


def test_duplicates_are_dropped() -> None:
    verdicts = fit_starts(THREE, FAITHFUL)
    assert any(verdict.message == DUPLICATE for verdict in verdicts)


def test_the_bits_do_not_depend_on_the_threads() -> None:
    source = THREE.source(FAITHFUL)
    one, two = (fit(THREE.model, source, run=Local(threads=n)) for n in (1, 2))
    assert one.point.loglik == two.point.loglik
    assert [v.message for v in one.starts] == [v.message for v in two.starts]


def test_a_start_that_fails_is_marked_and_the_others_go_on() -> None:
    class Fragile(Alone):
        def start(self, sample: Any, rng: Any, how: str) -> Any:
            if how == "kmeans":
                raise Degenerate(1, "made to fail")
            return super().start(sample, rng, how)

    result = fit(Fragile(Mixed(2, Gaussian("full"))), TWO.source(FAITHFUL))
    assert "made to fail" in result.starts[0].message
    assert result.starts[0].status is Status.DEGENERATE
    assert result.verdict.status is Status.CONVERGED


@pytest.mark.parametrize(
    ("k", "shape", "target"), [(3, "full", -1114.4399), (3, "tied", -1126.3159), (4, "tied", -1120.8281)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_one_call_finds_the_maximum(k: int, shape: Any, target: float, seed: int) -> None:
    mixture = GaussianMixture(k, covariance_type=shape, random_state=seed).fit(FAITHFUL)
    assert mixture.converged_
    assert mixture.loglik_ > target - 0.01
