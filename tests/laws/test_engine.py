"""The loop's word on how it ended, and the search over starts."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from cases import Case, real

from estep.engine import Aitken, Given, Info, Plain, Problem, Search, Status, fit, linear_rate
from estep.errors import Degenerate
from estep.families import Gaussian, Mixed
from estep.models import Alone, Custom
from estep.space import Positive

MIXTURE = Case("mixture", Alone(Mixed(2, Gaussian("full"))), real)


def history(*gains: float, noise: float = 1e-14) -> list[Info]:
    return [Info(0.0, gain, 1.0, noise, 1, "plain") for gain in gains]


@pytest.mark.parametrize(
    ("gains", "status"),
    [
        ((1.0, 0.1, 0.01, 0.001), None),  # .0001 to come is not yet below tol, twice
        ((1.0, 0.1, 0.01, 0.001, 1e-4, 1e-5), Status.CONVERGED),
        ((1e-6, 1e-6, 1e-6, 1e-6, 1e-6), None),  # a plateau: small steps alone prove nothing
        ((1e-6, 2e-6, 3e-6, 4e-6), None),  # leaving a saddle
        ((1.0, 0.0, 0.0), Status.CONVERGED),
        ((1.0, -1e-3), Status.DECREASED),
        ((1.0, -1e-13), None),  # rounding is neither a fall nor a gain
    ],
)
def test_aitkens_rule(gains: tuple[float, ...], status: Status | None) -> None:
    verdict = Aitken(tol=2e-5)(history(*gains))
    assert (verdict and verdict.status) == status


def test_tol_zero_never_stops_early_and_running_out_is_not_convergence() -> None:
    assert Aitken(0, 5)(history(1, 0, 0, 0)) is None
    verdict = Aitken(0, 5)(history(1, 0, 0, 0, 0))
    assert verdict is not None
    assert verdict.status is Status.MAX_ITER


def test_a_non_finite_objective_is_said() -> None:
    verdict = Aitken()([Info(float("nan"), float("nan"), 1.0, 0.0, 1, "plain")])
    assert verdict is not None
    assert verdict.status is Status.NONFINITE


def test_the_linear_rate_is_that_of_the_steps() -> None:
    steps = [Info(0.0, 0.0, 0.25**i, 0.0, 1, "plain") for i in range(40)]
    assert linear_rate(steps) == 0.25
    assert np.isnan(linear_rate(steps[:1]))


def overshooting(factor: float) -> Custom:
    """The variance of a sample about 0, with an M-step that moves too far in logarithms."""

    def estep(v: float, block: Any) -> tuple[Any, float]:
        x = block.values[0]
        return (x.size, (x**2).sum()), float(-0.5 * (x.size * np.log(v) + (x**2).sum() / v))

    def mstep(v: float, stats: Any) -> float:
        return float(v * (stats[1] / stats[0] / v) ** factor)

    return Custom(5.0, estep, mstep, parameter_spaces=Positive())


def test_a_step_that_falls_is_halved_until_it_rises() -> None:
    case = Case("overshoot", overshooting(3.5), real)
    values = np.random.default_rng(0).standard_normal((200, 1))
    result = fit(case.model, case.source(values), stop=Aitken(1e-9, 200))
    assert "fallback" in [info.kind for info in result.history]
    assert all(info.gain >= -64 * info.noise for info in result.history)
    assert np.isclose(result.params, (values**2).mean(), rtol=1e-4)


def test_a_step_that_always_falls_keeps_the_best_point_and_says_so() -> None:
    case = Case("backwards", overshooting(-1.0), real)
    values = np.random.default_rng(0).standard_normal((200, 1))
    result = fit(case.model, case.source(values), stop=Aitken(1e-9, 200))
    assert result.verdict.status is Status.DECREASED
    assert result.verdict.amount < 0
    assert "iteration 1" in result.verdict.message
    assert result.params == 5.0


def test_the_rest_of_the_search_goes_on_when_a_start_has_no_density() -> None:
    class Fragile(Custom):
        starts: ClassVar = ("bad", "good")

        def start(self, sample: Any, rng: Any, how: str) -> Any:
            if how == "bad":
                raise Degenerate(1, "made to fail")
            return super().start(sample, rng, how)

    good = overshooting(1.0)
    model = Fragile(good.first, good.user_estep, good.user_mstep, None, Positive())
    case = Case("fragile", model, real)
    values = np.random.default_rng(0).standard_normal((50, 1))
    result = fit(model, case.source(values), starts=Search(4))
    assert [v.status for v in result.starts] == [Status.DEGENERATE, Status.CONVERGED] * 2
    assert "made to fail" in result.starts[0].message
    with pytest.raises(Degenerate, match="every start failed"):
        fit(model, case.source(values), starts=Search(1))


def test_a_search_is_repeatable_and_full_runs_are_counted() -> None:
    source = MIXTURE.source(MIXTURE.values(80))
    one, two = (fit(MIXTURE.model, source, starts=Search(5, seed=3)) for _ in range(2))
    assert one.point.loglik == two.point.loglik
    assert len(one.starts) == 5


def test_a_given_start_keeps_the_order_the_user_gave() -> None:
    source = MIXTURE.source(MIXTURE.values(80))
    found = fit(MIXTURE.model, source)
    swapped = type(found.point.params)(
        found.point.params.weights[:, ::-1], Gaussian("full").take(found.point.params.inner, np.array([1, 0]))
    )
    again = fit(MIXTURE.model, source, starts=Given(swapped), units=found.units)
    np.testing.assert_allclose(again.params.inner.means, found.params.inner.means[::-1], rtol=1e-4)
    keys = found.params.inner.means[:, 0]
    assert list(keys) == sorted(keys)


def test_an_interrupted_climb_keeps_its_best_point() -> None:
    calls = 0

    def interrupt(start: int, iteration: int, info: Info) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt

    source = MIXTURE.source(MIXTURE.values(80))
    problem = MIXTURE.problem(source)
    result = fit(MIXTURE.model, source, starts=Given(MIXTURE.point(problem)), watch=interrupt)
    assert result.verdict.status is Status.INTERRUPTED
    assert len(result.history) == 4
    first = problem.measure(MIXTURE.point(problem)).objective
    assert result.point.objective > first


def test_stepping_by_hand_is_the_loop() -> None:
    source = MIXTURE.source(MIXTURE.values(80))
    problem = MIXTURE.problem(source)
    start = MIXTURE.point(problem)
    state = Plain().init(problem, problem.measure(start))
    for _ in range(3):
        state, _ = Plain().advance(problem, state)
    looped = fit(MIXTURE.model, source, starts=Given(start), stop=Aitken(0, 3), units=source.units)
    assert (
        Problem(looped.model, source, problem.run).measure(state.point.params).loglik == looped.point.loglik
    )
