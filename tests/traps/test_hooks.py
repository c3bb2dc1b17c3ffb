"""A user's own functions that raise, return what cannot be used, or make the objective fall."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from estep import EM
from estep.engine import Status
from estep.errors import HookError, UsageError
from estep.records import Block
from estep.space import PosDef, Unit

ANIMALS = [[125, 18, 20, 34]]


def estep(theta: float, block: Block) -> tuple[Any, float]:
    a, b, c, d = block.values @ block.weights
    hidden = a * theta / (2 + theta)
    loglik = a * np.log(2 + theta) + (b + c) * np.log(1 - theta) + d * np.log(theta)
    return (hidden + d, b + c), loglik


def mstep(theta: float, stats: Any) -> float:
    return stats[0] / (stats[0] + stats[1])


def linkage(**hooks: Any) -> EM:
    return EM(**{"start": 0.5, "estep": estep, "mstep": mstep, "spaces": Unit(), "tol": 1e-10, **hooks})


class BoomError(Exception):
    pass


def raising(after: int, hook: Callable[..., Any]) -> Callable[..., Any]:
    """The hook, until its n-th call raises."""
    calls = [0]

    def wrapped(*arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] == after:
            raise BoomError("no more")
        return hook(*arguments)

    return wrapped


@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize(
    ("name", "hook"),
    [("estep", estep), ("mstep", mstep), ("log_prior", lambda theta: 0.0)],
    ids=["estep", "mstep", "log_prior"],
)
def test_a_hook_that_raises_is_named_and_its_error_chained(name: str, hook: Any, after: int) -> None:
    model = linkage(**{name: raising(after, hook)})
    with pytest.raises(HookError, match=rf"^{name} raised BoomError: no more$") as caught:
        model.fit(ANIMALS)
    assert isinstance(caught.value.__cause__, BoomError)
    assert not hasattr(model, "fitted_")


def test_a_start_that_raises_is_named() -> None:
    with pytest.raises(HookError, match=r"^start raised BoomError: no more$") as caught:
        linkage(start=raising(1, lambda block, rng: 0.5)).fit(ANIMALS)
    assert isinstance(caught.value.__cause__, BoomError)


def test_an_error_of_the_package_itself_goes_through() -> None:
    def refusing(theta: float, block: Block) -> Any:
        raise UsageError("theta is not for me")

    with pytest.raises(UsageError, match="theta is not for me"):
        linkage(estep=refusing).fit(ANIMALS)


STATS = (1.0, 1.0)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (None, r"estep must return a pair \(stats, loglik\)"),
        (3.0, r"estep must return a pair \(stats, loglik\)"),
        ((STATS, 0.0, 0.0), r"estep must return a pair \(stats, loglik\)"),
        ([STATS, 0.0], r"estep must return a pair \(stats, loglik\)"),
        ((STATS, np.nan), r"estep must return a number as loglik; found nan at row 0"),
        ((STATS, np.zeros(1)), r"estep must return a number as loglik; found array"),
        ((STATS, None), r"estep must return a number as loglik; found None"),
        ((STATS, "high"), r"estep must return a number as loglik; found 'high'"),
        ((STATS, 1j), r"estep must return a number as loglik; found 1j"),
        (((np.nan, 1.0), 0.0), r"estep returned NaN in the statistic '0' at row 0"),
        (
            ({"n": 1.0, "x": np.array([1.0, np.nan])}, 0.0),
            r"estep returned NaN in the statistic 'x' at row 0",
        ),
        ((("many", 1.0), 0.0), r"estep returned 'many' in the statistic '0' at row 0"),
        (([[1.0], [1.0, 2.0]], 0.0), r"estep returned .* in the statistic 'stats' at row 0"),
    ],
)
def test_an_estep_that_returns_what_cannot_be_used(made: Any, message: str) -> None:
    with pytest.raises(HookError, match=message):
        linkage(estep=lambda theta, block: made).fit(ANIMALS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, "x", None, np.zeros(2), (0.5,), {"theta": 0.5}])
def test_an_mstep_that_returns_what_cannot_be_used(bad: Any) -> None:
    with pytest.raises(
        HookError, match=r"^mstep (must return parameters of the same shapes|returned a value)"
    ):
        linkage(mstep=lambda theta, stats: bad).fit(ANIMALS)


def test_the_bad_parameter_is_named() -> None:
    def normal_estep(params: Any, block: Block) -> Any:
        return {"n": 1.0}, 0.0

    model = EM({"mean": 0.0, "spread": 1.0}, normal_estep, lambda p, s: {"mean": 0.0, "spread": np.inf})
    with pytest.raises(HookError, match=r"mstep returned .* in the parameter 'spread': inf"):
        model.fit(ANIMALS)


@pytest.mark.parametrize("bad", [np.nan, None, "x", np.zeros(2)])
def test_a_log_prior_that_returns_no_number(bad: Any) -> None:
    with pytest.raises(HookError, match="log_prior must return a number"):
        linkage(log_prior=lambda theta: bad).fit(ANIMALS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, "x", None, object()])
def test_a_start_that_is_no_number(bad: Any) -> None:
    with pytest.raises(HookError, match="start returned a value that is no finite number"):
        linkage(start=lambda block, rng: bad).fit(ANIMALS)
    with pytest.raises(UsageError, match="start has a value that is no finite number"):
        linkage(start=bad).fit(ANIMALS)


@pytest.mark.parametrize("bad", [(Unit(), Unit()), "Unit", 3, {"theta": Unit()}])
def test_spaces_of_another_nesting_than_the_start(bad: Any) -> None:
    with pytest.raises(UsageError, match="spaces must hold a Space for each parameter"):
        linkage(spaces=bad).fit(ANIMALS)


@pytest.mark.parametrize("first", [True, False], ids=["at once", "later"])
def test_an_objective_that_falls_is_the_msteps_error(first: bool) -> None:
    def falling(theta: float, stats: Any) -> float:
        return 0.01 if first or theta > 0.6 else mstep(theta, stats)

    model = linkage(mstep=falling)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the error says it all
        with pytest.raises(HookError, match=r"^mstep: the objective fell by [\d.e-]+ at iteration [12]"):
            model.fit(ANIMALS)
    # fitted all the same, at the best point
    assert model.status_ is Status.DECREASED
    assert model.params_ == pytest.approx(0.5 if first else 0.608247423, abs=1e-9)


def test_an_mstep_that_overshoots_is_halved() -> None:
    """The step along the right way, ten times too long, still climbs to the maximum."""
    model = linkage(mstep=lambda theta, stats: min(0.999, theta + 10 * (mstep(theta, stats) - theta)))
    model.fit(ANIMALS)
    assert model.converged_
    assert model.params_ == pytest.approx(0.6268214978709824, abs=1e-4)
    assert {info.kind for info in model.history_} >= {"fallback"}
    assert all(info.gain > -1e-12 for info in model.history_)


def test_an_infinite_loglik_is_not_converged() -> None:
    for value in (np.inf, -np.inf):
        with pytest.warns(UserWarning, match="EM006"):
            model = linkage(estep=lambda theta, block, value=value: (STATS, value)).fit(ANIMALS)
        assert model.status_ is Status.NONFINITE


def test_hooks_may_write_to_their_parameters() -> None:
    """In place is a common idiom of an M-step; neither the engine nor the caller may notice."""

    def in_place(theta: np.ndarray, stats: Any) -> np.ndarray:
        theta[:] = mstep(theta[0], stats)
        return theta

    start = np.array([0.5])
    model = EM(start, lambda theta, block: estep(theta[0], block), in_place, tol=1e-10).fit(ANIMALS)
    pure = linkage(spaces=None).fit(ANIMALS)
    assert model.params_[0] == pure.params_
    assert model.history_ == pure.history_
    assert start[0] == 0.5
    assert model.start is start


def test_parameters_outside_their_spaces_are_named() -> None:
    with pytest.raises(UsageError, match=r"start: must lie in \[0, 1\]"):
        linkage(start=1.5).fit(ANIMALS)
    with pytest.raises(HookError, match=r"mstep: must lie in \[0, 1\]"):
        linkage(mstep=lambda theta, stats: 1.5).fit(ANIMALS)
    matrix = np.array([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(UsageError, match="start: must be positive definite"):
        EM(matrix, lambda p, block: ((1.0,), 0.0), lambda p, stats: p, spaces=PosDef()).fit(ANIMALS)


def test_a_hook_cannot_write_to_the_data() -> None:
    weights = np.ones(1)

    def vandal(theta: float, block: Block) -> Any:
        block.values[0, 0] = 0.0
        return estep(theta, block)

    def second_vandal(theta: float, block: Block) -> Any:
        block.weights[0] = 7.0
        return estep(theta, block)

    for hook in (vandal, second_vandal):
        with pytest.raises(HookError, match=r"estep raised ValueError: .*read-only"):
            linkage(estep=hook).fit(ANIMALS, sample_weight=weights)
    assert weights[0] == 1.0


@pytest.mark.parametrize("kind", [tuple, list, np.array, lambda stats: {"a": stats[0], "b": stats[1]}])
def test_statistics_of_any_kind_add_over_blocks(kind: Any) -> None:
    """A list, too: lists join where arrays add. 40 000 rows of four columns are more than one block."""
    X = np.repeat(ANIMALS, 40_000, axis=0)

    def estep_of_kind(theta: float, block: Block) -> tuple[Any, float]:
        stats, loglik = estep(theta, block)
        return kind(stats), loglik

    def mstep_of_kind(theta: float, stats: Any) -> float:
        return mstep(theta, (stats["a"], stats["b"]) if isinstance(stats, dict) else stats)

    model = linkage(estep=estep_of_kind, mstep=mstep_of_kind).fit(X)
    assert model.params_ == pytest.approx(0.6268214978709824, abs=1e-7)
    one = linkage().fit(ANIMALS)
    assert model.loglik_ == pytest.approx(40_000 * one.loglik_, rel=1e-9)
