"""Rows X, D, V29 and V30 of FAULTS.md: signals, memory, threads, a user's functions, fresh processes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.doors import DOORS, parquet
from sklearn.exceptions import ConvergenceWarning

from estep import EM, GaussianMixture, Normal, load
from estep.engine import Status
from estep.errors import HookError, ResourceError
from estep.models.alone import Alone

X = np.random.default_rng(0).normal(size=(300, 3)) + np.repeat([[0.0], [6.0]], 150, axis=0)
ENDLESS = "gaussian-mixture -k 2 --starts 1 --tol 0 --max-iter 1000000000"


def model(**changed: Any) -> GaussianMixture:
    return GaussianMixture(2, **{"random_state": 0, "n_init": 1, **changed})


@pytest.mark.parametrize(
    ("number", "kind"),
    [(signal.SIGINT, "library"), (signal.SIGINT, "command-line"), (signal.SIGTERM, "command-line")],
    ids=["X01-SIGINT-library", "X01-SIGINT-command-line", "X01-SIGTERM-command-line"],
)
@pytest.mark.parametrize("iteration", [1, 2, 7])
def test_a_signal_at_an_iteration(
    run: Any, monkeypatch: pytest.MonkeyPatch, number: int, kind: str, iteration: int
) -> None:
    """The fit ends at its best point. Whole processes, and a second signal: tests/cli/test_shell.py."""

    def watch(start: int, at: int, info: Any) -> None:
        assert at < 5000, "the fit goes on"
        # much later again: a signal that comes just before a thread falls asleep does not wake it
        if at == iteration or (at % 1000 == 0 and signal.getsignal(number) is not signal.SIG_DFL):
            signal.pthread_kill(threading.main_thread().ident or 0, number)

    monkeypatch.setattr("estep.estimators.base.silent", watch)
    kept = model(tol=0, max_iter=10**9)
    usual = signal.signal(number, signal.default_int_handler)  # a shell's background jobs ignore Ctrl-C
    try:
        if kind == "command-line":
            found = run("fit", *ENDLESS.split(), parquet(X), "-o", "m.estep")
            assert (found.code, found.out) == (128 + number, "")
            assert "best point so far" in found.err
            kept = load("m.estep")
        else:
            with (
                pytest.warns(ConvergenceWarning, match="EM001"),
                pytest.raises(KeyboardInterrupt, match=r"^$"),
            ):
                kept.fit(X)
    finally:
        signal.signal(number, usual)
    assert kept.status_ is Status.INTERRUPTED
    assert kept.n_iter_ >= iteration - 1  # the iteration in which it came may be lost
    assert kept.loglik(X) == kept.loglik_


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("nth", [1, 2, 5], ids=lambda nth: f"X06-pass-{nth}")
def test_no_memory_at_a_pass(run: Any, monkeypatch: pytest.MonkeyPatch, nth: int, kind: str) -> None:
    fitted = model().fit(X[:, :2])
    before = dict(vars(fitted))
    estep, calls = Alone.estep, [0]

    def failing(self: Any, *given: Any) -> Any:
        calls[0] += 1
        if calls[0] == nth:
            raise MemoryError
        return estep(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Alone, "estep", failing)
        if kind == "library":
            with pytest.raises(
                ResourceError, match="not enough memory to fit GaussianMixture; use fewer"
            ) as caught:
                fitted.fit(X)
            assert caught.value.exit_code == 5
            assert isinstance(caught.value, MemoryError)
        else:
            found = run("fit", "gaussian-mixture", "-k", "2", "--starts", "1", parquet(X), "-o", "m.estep")
            assert (found.code, found.out) == (5, "")
            assert "not enough memory" in found.error
            assert not Path("m.estep").exists()
    assert vars(fitted) == before  # of the fit to two columns
    assert fitted.loglik(X[:, :2]) == fitted.loglik_
    assert model().fit(X).converged_


@pytest.mark.parametrize(
    "make", [lambda: np.zeros((3, 4)) * np.nan, lambda: [[1], [1, 2]]], ids=["X06-data", "X06-list"]
)
def test_a_fit_that_is_refused_leaves_the_one_before(make: Any) -> None:
    fitted = Normal().fit(X)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=r"seen value|ragged"):
        fitted.fit(make())
    assert vars(fitted) == before


class Gone(io.StringIO):
    def write(self, *_: Any) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [Gone(), None, "closed"], ids=["X07-broken", "X07-none", "X07-closed"])
def test_progress_that_cannot_be_told_does_not_end_a_fit(
    monkeypatch: pytest.MonkeyPatch, stream: Any
) -> None:
    if stream == "closed":
        stream = io.StringIO()
        stream.close()
    expected = model().fit(X).loglik_
    monkeypatch.setattr(sys, "stderr", stream)
    assert model(verbose=1, verbose_interval=1).fit(X).loglik_ == expected


@pytest.mark.parametrize(
    "fault", [BrokenPipeError, ValueError], ids=["X07-command-pipe", "X07-command-closed"]
)
def test_nor_on_the_command_line(run: Any, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]) -> None:
    expected = run("fit", "gaussian-mixture", "-k", "2", "--starts", "1", parquet(X)).out

    def fail(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(sys.stderr, "write", fail)
    assert run("fit", "gaussian-mixture", "-k", "2", "--starts", "1", parquet(X), "-v").out == expected


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("threads", [1, 2], ids=lambda threads: f"X09-{threads}-threads")
def test_an_error_in_a_thread_is_the_callers(
    run: Any, monkeypatch: pytest.MonkeyPatch, threads: int, kind: str
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a worker broke")

    many = np.random.default_rng(0).normal(size=(60_000, 2))  # several blocks
    monkeypatch.setattr(Alone, "estep", broken)
    monkeypatch.setattr("estep.run.local._processors", lambda: threads)
    if kind == "library":
        with pytest.raises(RuntimeError, match=r"^a worker broke$"):
            model().fit(many)
    else:
        found = run("fit", "gaussian-mixture", "-k", "2", "--starts", "1", parquet(many))
        assert found.code == 1
        assert "RuntimeError: a worker broke" in found.error


def own(estep: Any = None, mstep: Any = None) -> Any:
    def usual(mean: float, block: Any) -> Any:
        x = block.values[0]
        return (x.sum(), float(x.size)), -0.5 * float(((x - mean) ** 2).sum())

    return EM(0.0, estep or usual, mstep or (lambda mean, sums: sums[0] / sums[1]))


@pytest.mark.parametrize("away", [9.0, -400.0], ids=["V29-away", "V29-far"])
def test_an_mstep_that_leads_downhill(away: float) -> None:
    bad = own(mstep=lambda mean, sums: mean - np.sign(sums[0] / sums[1] - mean) * abs(away))
    with (
        pytest.warns(ConvergenceWarning, match="EM003"),
        pytest.raises(
            HookError, match=r"mstep: .* fell by [\d.]+ at iteration \d+.*; check it against estep"
        ),
    ):
        bad.fit(X[:, :1] + 1)


def overshooting(mean: float, sums: Any) -> float:
    return mean + 2.5 * (sums[0] / sums[1] - mean)


@pytest.mark.parametrize("mstep", [overshooting], ids=["V29-halved"])
def test_an_mstep_that_overshoots_is_halved_first(mstep: Any) -> None:
    assert own(mstep=mstep).fit(X[:, :1] + 1).params_ == pytest.approx(X[:, 0].mean() + 1, abs=1e-2)


HOOKS: dict[str, tuple[Any, str, Any]] = {
    "V30-estep-raises": ({"estep": lambda p, b: 1 / 0}, "estep raised ZeroDivisionError", ZeroDivisionError),
    "V30-mstep-raises": ({"mstep": lambda p, s: {}["x"]}, "mstep raised KeyError", KeyError),
    "V30-estep-nan": ({"estep": lambda p, b: (1.0, np.nan)}, "estep.*must return a number as loglik", None),
    "V30-estep-shape": ({"estep": lambda p, b: np.ones(3)}, "estep.*must return a pair", None),
    "V30-mstep-nan": ({"mstep": lambda p, s: np.nan}, "mstep.*finite|mstep.*nan", None),
    "V30-mstep-shape": ({"mstep": lambda p, s: np.ones(2)}, "mstep.*same shape", None),
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_users_function(name: str) -> None:
    hooks, words, cause = HOOKS[name]
    with pytest.raises(HookError, match=words) as caught:
        own(**hooks).fit(X[:, :1])
    assert cause is None or isinstance(caught.value.__cause__, cause)


FRESH = """
import {first}, sys
from estep.cli import main
sys.exit(main(["fit", "gaussian-mixture", "data.parquet", "-k", "2", "--starts", "2", "--json"]))
"""


@pytest.mark.parametrize(
    ("seed", "first"), [("77", "pandas, sklearn.mixture")], ids=["D03-library and D03-command-line"]
)
def test_a_fresh_process_of_another_hash_seed(run: Any, seed: str, first: str) -> None:
    parquet(X)
    environment = os.environ | {"PYTHONHASHSEED": seed}
    words = [sys.executable, "-c", FRESH.format(first=first)]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    assert (
        run("fit", "gaussian-mixture", "data.parquet", "-k", "2", "--starts", "2", "--json").out
        == done.stdout
    )
    fresh, here = json.loads(done.stdout), GaussianMixture(2, random_state=0, n_init=2).fit(X)
    assert (fresh["loglik_"], fresh["means_"]) == (here.loglik_, here.means_.tolist())
