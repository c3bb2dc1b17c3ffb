"""The search by default: its kinds of start, its budget in units of work, and when it has seen enough."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import numpy as np
import pytest
from cases import Case, real

from estep import GaussianMixture
from estep.datasets import load_faithful
from estep.engine import Aitken, Plain, Search, Status, fit
from estep.engine.loop import Trace, Way
from estep.engine.moves import move
from estep.engine.pool import DUPLICATE, MEETINGS
from estep.engine.search import Explorer
from estep.engine.watch import silent
from estep.engine.work import LARGE, START
from estep.errors import Degenerate, EstepWarning
from estep.families import Gaussian, Mixed
from estep.families.hierarchy import projected
from estep.families.partition import AUTO_KINDS, partition
from estep.models import Alone
from estep.run import Local

FAITHFUL = load_faithful().values
TWO = Case("two", Alone(Mixed(2, Gaussian("full"))), real)
THREE = Case("three", Alone(Mixed(3, Gaussian("full"))), real)


def explored(case: Case, values: np.ndarray, stop: Any = Aitken()) -> Explorer:  # noqa: B008  it is frozen
    problem = case.problem(case.source(values))

    def draw(rows: Any, rng: Any, turn: int) -> Any:
        return problem.model.start(rows, rng, AUTO_KINDS[turn % len(AUTO_KINDS)])

    explorer = Explorer(problem, Way(Plain(), stop, silent), 0, draw, lambda params: params)
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


def test_a_projected_start_finds_the_direction_that_parts_clusters() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((4, 400)) * [[20.0], [1.0], [1.0], [1.0]]
    part = np.repeat(np.arange(4), 100)
    rows[1] += 8.0 * part
    turned = np.linalg.qr(rng.standard_normal((4, 4)))[0] @ rows
    for seed in range(3):
        along = projected(turned, np.ones(400), np.random.default_rng(seed))
        assert abs(np.corrcoef(along, rows[1])[0, 1]) > 0.99


def test_a_move_gives_memberships() -> None:
    rng = np.random.default_rng(0)
    points, resp = rng.standard_normal((2, 50)), rng.dirichlet(np.ones(3), 50).T
    for _ in range(20):
        moved = move(resp, points, np.ones(50), rng)
        np.testing.assert_allclose(moved.sum(axis=0), 1)
        assert (moved > 0).all()
        assert not np.allclose(moved, resp)


def test_the_work_stays_inside_the_budget() -> None:
    explorer = explored(THREE, FAITHFUL)
    assert explorer.cost is not None
    assert explorer.optima.best is not None
    assert 0 < explorer.spent <= explorer.cost.budget(len(explorer.optima.best.history)) * 1.02


class Counting(Alone):
    """A mixture that counts the rows its passes go over, those of starts as well."""

    rows: ClassVar[list[int]] = []

    def estep(self, prep: Any, block: Any) -> Any:
        self.rows.append(block.weights.size)
        return super().estep(prep, block)


def clouds(k: int, apart: float, d: int = 2) -> np.ndarray:
    rng = np.random.default_rng(k)
    return apart * rng.normal(size=(k, d))[rng.integers(k, size=LARGE)] + rng.normal(size=(LARGE, d))


@pytest.mark.parametrize(
    ("values", "k", "stop"),
    [
        (clouds(3, 20.0), 3, Aitken()),  # the final run is as short as it can be
        (clouds(3, 4.0), 3, Aitken()),
        (clouds(2, 20.0, d=6), 2, Aitken()),
        (clouds(3, 20.0), 3, Aitken(max_iter=2)),
        (clouds(3, 20.0), 3, Aitken(max_iter=1)),
        (clouds(2, 3.0, d=1), 2, Aitken(tol=1e9)),
    ],
)
def test_of_large_data_the_search_costs_no_more_than_the_final_run(
    values: np.ndarray, k: int, stop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in rows: passes over the sample, its starts, and the optima measured on all rows."""
    monkeypatch.setattr(
        sys.modules["estep.engine.search"], "leave_saddles", lambda problem, trace, way: trace
    )
    case = Case("counted", Counting(Mixed(k, Gaussian("full"))), real)
    Counting.rows.clear()
    explorer = explored(case, values, stop)
    (final,) = [entry for entry in explorer.found if isinstance(entry, Trace)]
    last = LARGE * (1 + sum(info.passes for info in final.history))
    starts = len(explorer.found) * (START - 1) * explorer.sample.n_rows  # its measurement is counted already
    assert explorer.sample.n_rows < 0.03 * LARGE
    assert sum(Counting.rows) - last + starts <= last
    assert len(explorer.found) >= 2  # a search, all the same


def fit_starts(case: Case, values: np.ndarray) -> tuple[Any, ...]:
    return fit(case.model, case.source(values), starts=Search()).starts


def test_an_easy_search_stops_when_the_best_was_met_often_enough() -> None:
    explorer = explored(TWO, FAITHFUL)
    assert explorer.optima.enough
    assert explorer.optima.known[0].met >= MEETINGS
    assert explorer.cost is not None
    assert explorer.spent < 0.7 * explorer.cost.budget(1)


def test_starts_that_lead_the_same_way_have_all_met_its_optimum() -> None:
    rng = np.random.default_rng(0)
    clusters = rng.normal(size=(300, 4)) + 6 * rng.integers(3, size=(300, 1))
    explorer = explored(THREE, clusters)
    assert explorer.optima.enough
    assert explorer.cost is not None
    assert explorer.spent < 0.2 * explorer.cost.budget(1)  # nearly all starts are duplicates


def test_duplicates_are_dropped() -> None:
    verdicts = fit_starts(TWO, FAITHFUL)
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


def test_a_covariance_singular_at_some_starts_only_is_said_and_the_others_are_used() -> None:
    """Without a floor: a start that cuts the cloud of 7 rows in two leaves too few for a covariance."""
    rows = np.random.default_rng(0).standard_normal((27, 4))
    rows[20:] += 30
    mixture = GaussianMixture(
        2, reg_covar=0, n_init=20, init_params="random_from_data", random_state=0, covariance_type="full"
    )
    with pytest.warns(
        EstepWarning, match=r"EM026: 2 of 20 starts failed and the others were used; start 1: c"
    ):
        mixture.fit(rows)
    assert mixture.converged_
    np.testing.assert_allclose(np.sort(mixture.weights_), [7 / 27, 20 / 27], atol=1e-6)
    status, message = mixture.diagnostics_["starts"][0]
    assert (status, message) == (
        "DEGENERATE",
        "start 1: component 0: its covariance is not positive definite",
    )


@pytest.mark.parametrize(
    ("k", "shape", "target"), [(3, "full", -1114.4399), (3, "tied", -1126.3159), (4, "tied", -1120.8281)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_one_call_finds_the_maximum(k: int, shape: Any, target: float, seed: int) -> None:
    mixture = GaussianMixture(k, covariance_type=shape, random_state=seed).fit(FAITHFUL)
    assert mixture.converged_
    assert mixture.loglik_ > target - 0.01
