"""A climb that converged at a saddle is led away; one that converged at a maximum stays to the bit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, IDS, Case
from sklearn.exceptions import ConvergenceWarning

from estep import EM, HMM, PPCA, GaussianMixture, Normal, load
from estep.datasets import load_faithful, load_iris
from estep.engine import Aitken, Info, Plain, Problem, Status, fit
from estep.engine.probe import MOST, leave_saddles
from estep.run import Local
from estep.space import Real

NAN = np.nan
# Murray (1977), in the discussion of Dempster, Laird & Rubin: a saddle at correlation 0, maxima at +-1/2
CORNERS = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
HALF_SEEN = [(2, NAN), (2, NAN), (-2, NAN), (-2, NAN), (NAN, 2), (NAN, 2), (NAN, -2), (NAN, -2)]
MURRAY = np.array([*CORNERS, *HALF_SEEN], dtype=float)
MAXIMUM = np.array([[8, 4], [4, 8]]) / 3


def two_clouds(d: int, seed: int = 0, apart: float = 5.0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((300, d))
    rows[:150, 0] += apart
    return rows


def with_probe(patch: pytest.MonkeyPatch, probe: Any) -> None:
    for caller in ("fit", "search"):
        patch.setattr(sys.modules[f"estep.engine.{caller}"], "leave_saddles", probe)


def unprobed(monkeypatch: pytest.MonkeyPatch) -> None:
    with_probe(monkeypatch, lambda problem, trace, way: trace)


def test_murrays_saddle_is_left_for_a_maximum() -> None:
    normal = Normal(tol=1e-11).fit(MURRAY)
    assert normal.converged_
    signs = np.sign(normal.covariance_)
    np.testing.assert_allclose(normal.covariance_ * signs, MAXIMUM, atol=1e-4)
    np.testing.assert_allclose(normal.mean_, 0, atol=1e-5)
    kinds = [info.kind for info in normal.history_]
    assert kinds.count("probe") == 1
    assert all(info.gain >= -64 * info.noise for info in normal.history_)
    objectives = [info.objective for info in normal.history_]
    assert objectives[-1] == pytest.approx(normal.objective_, abs=1e-9)
    steps = np.diff(objectives)
    np.testing.assert_allclose(steps, [info.gain for info in normal.history_[1:]], atol=1e-12)


def test_the_start_is_the_saddle_and_without_the_probe_it_would_be_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unprobed(monkeypatch)
    stuck = Normal().fit(MURRAY)
    assert stuck.converged_
    assert abs(stuck.covariance_[0, 1]) < 1e-12


def test_a_saddle_that_was_left_is_said_and_survives_a_file(tmp_path: Path) -> None:
    normal = Normal().fit(MURRAY)
    (said,) = normal.diagnostics_["saddles"]
    assert said.startswith("the climb had converged at a saddle after iteration 2")
    assert normal.diagnostics_["findings"] == []
    assert "Saddles\n  the climb had converged at a saddle" in normal.summary()
    normal.save(tmp_path / "murray.estep")
    again = load(tmp_path / "murray.estep")
    assert again.history_ == normal.history_
    assert again.diagnostics_ == normal.diagnostics_


def test_the_probe_of_a_saddle_knows_no_order_of_rows_no_units_and_no_threads() -> None:
    plain = Normal().fit(MURRAY)
    for seed in range(5):
        mixed = Normal().fit(np.random.default_rng(seed).permutation(MURRAY))
        np.testing.assert_allclose(mixed.covariance_, plain.covariance_, atol=1e-9)
    weighted = Normal().fit(MURRAY[[0, 1, 2, 3, 4, 6, 8, 10]], sample_weight=np.repeat([1.0, 2.0], 4))
    np.testing.assert_allclose(weighted.covariance_, plain.covariance_, atol=1e-9)
    assert np.array_equal(
        Normal().fit(MURRAY * [1024, 0.5]).covariance_, plain.covariance_ * [[2**20, 512], [512, 0.25]]
    )
    case = Case("mixture", CASES[0].model, lambda rng, n: two_clouds(2, apart=5.0))
    source = case.source(two_clouds(2))
    one, two = (fit(case.model, source, run=Local(threads=n)) for n in (1, 2))
    assert one.history == two.history


@pytest.mark.parametrize("shape", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("d", [1, 2])
def test_equal_components_are_told_apart(shape: Any, d: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = two_clouds(d)
    start = [rows.mean(axis=0)] * 2
    left = GaussianMixture(2, covariance_type=shape, means_init=start).fit(rows)
    unprobed(monkeypatch)
    stuck = GaussianMixture(2, covariance_type=shape, means_init=start).fit(rows)
    assert np.ptp(stuck.means_, axis=0) == pytest.approx(0, abs=1e-9)
    assert left.converged_
    assert len(left.diagnostics_["saddles"]) >= 1
    assert left.objective_ > stuck.objective_ + 5


def test_a_start_given_in_full_is_probed_too_but_not_at_tol_zero() -> None:
    rows = two_clouds(1)
    given = {
        "weights_init": [0.5, 0.5],
        "means_init": [rows.mean(axis=0)] * 2,
        "precisions_init": [np.array([[1 / rows.var()]])] * 2,
    }
    left = GaussianMixture(2, **given).fit(rows)
    assert np.ptp(left.means_) == pytest.approx(5, abs=0.5)
    with pytest.warns(ConvergenceWarning, match="EM001"):
        plain = GaussianMixture(2, tol=0, max_iter=25, **given).fit(rows)
    assert plain.n_iter_ == 25
    assert {info.kind for info in plain.history_} == {"plain"}
    assert np.ptp(plain.means_) == pytest.approx(0, abs=1e-9)


def test_no_iterations_left_is_the_status_saddle() -> None:
    with pytest.warns(
        ConvergenceWarning, match="EM007: a saddle: the objective rises by .* no iterations remain"
    ):
        normal = Normal(max_iter=2).fit(MURRAY)
    assert normal.status_ is Status.SADDLE
    assert not normal.converged_
    assert normal.n_iter_ == 2
    with pytest.warns(ConvergenceWarning, match="EM001"):
        assert Normal(max_iter=4).fit(MURRAY).n_iter_ == 4


USUAL = [
    ("faithful 2", GaussianMixture(2, random_state=0), load_faithful),
    ("faithful 3", GaussianMixture(3, random_state=0), load_faithful),
    ("iris 2", GaussianMixture(2, random_state=0), load_iris),
    ("iris 3", GaussianMixture(3, random_state=0), load_iris),
    ("iris tied", GaussianMixture(3, covariance_type="tied", random_state=0), load_iris),
    ("ppca", PPCA(2), load_iris),
    ("hmm", HMM(2, random_state=0), load_faithful),
    ("normal", Normal(), load_iris),
]


@pytest.mark.parametrize(("estimator", "data"), [row[1:] for row in USUAL], ids=[row[0] for row in USUAL])
def test_a_maximum_is_no_saddle(estimator: Any, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    probed = estimator.fit(data().values)
    seen, probed_stop = (probed.objective_, probed.history_), probed.diagnostics_["stop"]
    assert probed.diagnostics_["saddles"] == []
    unprobed(monkeypatch)
    plain = estimator.fit(data().values)
    assert seen == (plain.objective_, plain.history_)
    assert "found no saddle" in probed_stop
    assert "found no saddle" not in plain.diagnostics_["stop"]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_probe_of_a_climb_is_cheap_and_keeps_its_point(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []

    def counted(problem: Problem, trace: Any, way: Any) -> Any:
        if trace.probed:  # by the search, which then has no more to ask
            assert leave_saddles(problem, trace, way) is trace
            return trace
        measure, own = Problem.measure, [0]

        def count(self: Problem, params: Any) -> Any:
            own[0] += 1
            return measure(self, params)

        with monkeypatch.context() as patch:
            patch.setattr(Problem, "measure", count)
            led = leave_saddles(problem, trace, way)
        passes.append(own[0])
        if all(info.kind != "probe" for info in led.history):
            assert led.state is trace.state
            assert led.history is trace.history
            if own[0]:
                assert led.verdict.message.endswith(
                    f"; a probe of {own[0]} pass{'es' * (own[0] > 1)} found no saddle"
                )
        return led

    with_probe(monkeypatch, counted)
    result = fit(case.model, case.source(case.values(200)))
    assert len(passes) >= 1
    if all(info.kind != "probe" for info in result.history):
        assert max(passes) <= MOST + 2 * (4 + 12)  # no saddle: directions, and a trial of those near 1


def test_a_model_that_says_nothing_of_its_spaces_is_not_moved() -> None:
    """-(x^2 - 1)^2 has two maxima beside the least point at 0; a user's model with spaces leaves it."""
    calls = 0

    def estep(params: Any, block: Any) -> tuple[Any, float]:
        nonlocal calls
        calls += 1
        return np.zeros(1), -float((params["x"] ** 2 - 1) ** 2)

    def mstep(params: Any, stats: Any) -> Any:
        x = params["x"]
        return {"x": x - 0.1 * 4 * x * (x**2 - 1)}

    rows = [[0.0]]
    silent = EM({"x": 0.0}, estep, mstep).fit(rows)
    assert silent.params_["x"] == 0.0
    assert calls <= 4
    spoken = EM({"x": 0.0}, estep, mstep, spaces={"x": Real()}).fit(rows)
    assert abs(spoken.params_["x"]) == pytest.approx(1, abs=0.01)


def test_a_stop_of_the_users_own_is_enough() -> None:
    def stop(history: Sequence[Info]) -> Any:
        return Aitken(1e-6)(history)

    case = Case("murray", Normal()._model(12.0), lambda rng, n: MURRAY)
    result = fit(case.model, case.source(MURRAY), stop=stop, step=Plain())
    assert [info.kind for info in result.history].count("probe") == 1
