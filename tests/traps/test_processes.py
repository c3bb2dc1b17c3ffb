"""Two fits at once, copies, forked children, Ctrl-C."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import signal
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info, threadpool_limits
from traps.faces import ALL, TIGHT, assert_same_bits, data_for, over

from estep import EM, HMM, GaussianMixture, Normal
from estep.data.source import MemorySource
from estep.engine import Search, Status, fit
from estep.families import Gaussian, Mixed
from estep.models import Alone
from estep.run import pin


def blas_threads() -> dict[str, int]:
    return {each["filepath"]: each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def wide() -> np.ndarray:
    """Enough columns that BLAS would use several threads if it might."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(600, 80)) @ rng.normal(size=(80, 80))


def test_two_fits_in_two_threads_have_the_bits_of_each_alone() -> None:
    before = blas_threads()
    X, irises = wide(), data_for("full")
    makers: list[Callable[[], Any]] = [
        lambda: Normal(tol=TIGHT).fit(X),
        lambda: GaussianMixture(2, random_state=0, tol=TIGHT).fit(irises),
    ]
    alone = [make() for make in makers]
    assert blas_threads() == before
    for _ in range(3):
        barrier, found = threading.Barrier(2), [None, None]

        def work(i: int, barrier: threading.Barrier = barrier, found: list[Any] = found) -> None:
            barrier.wait(timeout=60)
            found[i] = makers[i]()

        workers = [threading.Thread(target=work, args=(i,)) for i in (0, 1)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=120)
        for model, expected in zip(found, alone, strict=True):
            assert_same_bits(model, expected)
        assert blas_threads() == before


def test_the_bits_do_not_depend_on_the_threads_blas_had() -> None:
    X = wide()
    with threadpool_limits(1):
        one = Normal().fit(X)
    with threadpool_limits(2):
        inside = blas_threads()
        two = Normal().fit(X)
        assert blas_threads() == inside
    assert_same_bits(one, two)


@pytest.mark.parametrize("hook", ["estep", "mstep"])
def test_blas_has_one_thread_in_every_hook_and_its_own_after(hook: str) -> None:
    seen: list[dict[str, int]] = []

    def estep(mean: float, block: Any) -> tuple[Any, float]:
        if hook == "estep":
            seen.append(blas_threads())
        x = block.values[0]
        return (x.sum(), float(x.size)), -0.5 * float(((x - mean) ** 2).sum())

    def mstep(mean: float, stats: Any) -> float:
        if hook == "mstep":
            seen.append(blas_threads())
        return stats[0] / stats[1]

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        EM(0.0, estep, mstep).fit([[1.0], [2.0], [4.0]])
        assert blas_threads() == before
    assert seen
    assert all(set(threads.values()) == {1} for threads in seen)


def test_blas_gets_its_threads_back_after_a_failure() -> None:
    def estep(mean: float, block: Any) -> tuple[Any, float]:
        raise OSError("no")

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with pytest.raises(RuntimeError, match="estep raised OSError: no"):
            EM(0.0, estep, lambda mean, stats: mean).fit([[1.0]])
        assert blas_threads() == before


@over(ALL)
def test_copies_of_a_fitted_estimator_score_to_the_bit(name: str) -> None:
    X = data_for(name)
    model = ALL[name]().fit(X)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):  # noqa: S301
        assert_same_bits(twin, model)
        assert twin.loglik(X) == model.loglik_
        np.testing.assert_array_equal(twin.score_samples(X), model.score_samples(X))
        np.testing.assert_array_equal(twin.impute(X), model.impute(X))
        assert twin.status_ is model.status_


@over(ALL)
def test_a_clone_is_unfitted_and_fits_to_the_same_bits(name: str) -> None:
    X = data_for(name)
    model = ALL[name]().fit(X)
    twin = clone(model)
    assert not hasattr(twin, "fitted_")
    assert twin.get_params() == model.get_params()
    assert_same_bits(twin.fit(X), model)
    assert_same_bits(model.fit(X), twin)  # fitting again forgets the first fit


def test_a_fit_that_ends_lifts_no_other_fits_pin() -> None:
    inside, go_on = threading.Event(), threading.Event()
    seen: list[dict[str, int]] = []

    def estep(mean: float, block: Any) -> tuple[Any, float]:
        inside.set()
        assert go_on.wait(60)
        seen.append(blas_threads())
        return (block.values.sum(), float(block.weights.size)), 0.0

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        worker = threading.Thread(
            target=lambda: EM(0.0, estep, lambda mean, stats: stats[0] / stats[1]).fit([[1.0], [2.0]])
        )
        worker.start()
        try:
            assert inside.wait(60)
            Normal().fit(data_for("normal"))
        finally:
            go_on.set()
            worker.join(60)
        assert blas_threads() == before
    assert set(seen[0].values()) == {1}


def _fit_and_send(pipe: Any, X: np.ndarray) -> None:
    model = GaussianMixture(2, random_state=0, tol=TIGHT).fit(X)
    pipe.send((model.loglik_, model.means_, model.n_iter_, blas_threads()))
    pipe.close()


def in_a_forked_child(X: np.ndarray) -> tuple[float, np.ndarray, int, dict[str, int]]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_fit_and_send, args=(theirs, X))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        child.start()
    theirs.close()
    try:
        assert ours.poll(60), "the child does not answer"
        return ours.recv()
    finally:
        child.kill()
        child.join()


needs_fork = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork"
)


@needs_fork
def test_a_forked_child_fits_to_the_same_bits() -> None:
    X = data_for("full")
    model = GaussianMixture(2, random_state=0, tol=TIGHT).fit(X)
    loglik, means, n_iter, threads = in_a_forked_child(X)
    assert (loglik, n_iter) == (model.loglik_, model.n_iter_)
    np.testing.assert_array_equal(means, model.means_)
    assert threads == blas_threads()


@needs_fork
def test_a_child_forked_while_another_thread_holds_the_pins_lock() -> None:
    X = data_for("full")
    with pin._lock:
        loglik, *_ = in_a_forked_child(X)
    assert loglik == GaussianMixture(2, random_state=0, tol=TIGHT).fit(X).loglik_


@needs_fork
def test_a_child_forked_in_the_middle_of_a_fit() -> None:
    """Another thread is in a fit, BLAS pinned and perhaps a lock held; the child must know nothing of it."""
    X = data_for("full")
    expected = GaussianMixture(2, random_state=0, tol=TIGHT).fit(X)
    inside, go_on = threading.Event(), threading.Event()

    def estep(mean: float, block: Any) -> tuple[Any, float]:
        inside.set()
        assert go_on.wait(60)
        return (block.values.sum(), float(block.weights.size)), 0.0

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        worker = threading.Thread(
            target=lambda: EM(0.0, estep, lambda mean, stats: stats[0] / stats[1]).fit([[1.0], [2.0]])
        )
        worker.start()
        try:
            assert inside.wait(60)
            loglik, means, _, threads = in_a_forked_child(X)
        finally:
            go_on.set()
            worker.join(60)
        assert blas_threads() == before
    assert loglik == expected.loglik_
    np.testing.assert_array_equal(means, expected.means_)
    assert threads == before


def linkage(interrupt_at: int, hook: str) -> EM:
    """Genetic linkage, with Ctrl-C in the n-th call of one of its hooks."""
    calls = {"estep": 0, "mstep": 0}

    def count(name: str) -> None:
        calls[name] += 1
        if name == hook and calls[name] == interrupt_at:
            raise KeyboardInterrupt

    def estep(theta: float, block: Any) -> tuple[Any, float]:
        count("estep")
        a, b, c, d = block.values.sum(axis=1)
        loglik = a * np.log(2 + theta) + (b + c) * np.log(1 - theta) + d * np.log(theta)
        return (a * theta / (2 + theta) + d, b + c), loglik

    def mstep(theta: float, stats: Any) -> float:
        count("mstep")
        return stats[0] / (stats[0] + stats[1])

    return EM(0.5, estep, mstep, tol=1e-12)


PATH = [0.5, 0.608247423, 0.624321050, 0.626488879]


@pytest.mark.parametrize(("hook", "call", "iteration"), [("estep", 4, 2), ("estep", 2, 0), ("mstep", 4, 3)])
def test_an_interrupt_leaves_the_best_point_so_far(hook: str, call: int, iteration: int) -> None:
    model = linkage(call, hook)
    with (
        pytest.warns(ConvergenceWarning, match="EM001: not converged: interrupted"),
        pytest.raises(KeyboardInterrupt, match=r"^$"),
    ):
        model.fit([[125, 18, 20, 34]])
    assert model.status_ is Status.INTERRUPTED
    assert not model.converged_
    assert model.n_iter_ == iteration
    assert model.params_ == pytest.approx(PATH[iteration], abs=5e-10)
    assert model.loglik([[125, 18, 20, 34]]) == model.loglik_


def test_an_interrupt_before_anything_was_measured_leaves_it_unfitted() -> None:
    model = linkage(1, "estep")
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        model.fit([[125, 18, 20, 34]])
    assert not hasattr(model, "status_")


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to a thread here")
@pytest.mark.parametrize("processors", [1, 2])
@pytest.mark.parametrize("n_init", ["auto", 5])
def test_ctrl_c_ends_every_climb_of_a_search(
    monkeypatch: pytest.MonkeyPatch, processors: int, n_init: Any
) -> None:
    """SIGINT arrives in the main thread; the climbs, which would run for ever, may be in others."""
    counted, lock, taken = [0], threading.Lock(), threading.Event()

    def handler(signum: int, frame: Any) -> None:
        if not taken.is_set():  # once
            taken.set()
            raise KeyboardInterrupt

    def watch(start: int, iteration: int, info: Any) -> None:
        with lock:
            counted[0] += 1
            # again and again: a signal that comes just before a thread falls asleep does not wake it
            if counted[0] % 40 == 0 and not taken.is_set():
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        assert counted[0] < 5000, "the search goes on after Ctrl-C"

    monkeypatch.setattr("estep.estimators.base.silent", watch)
    monkeypatch.setattr("estep.run.local._processors", lambda: processors)
    model = GaussianMixture(2, random_state=0, n_init=n_init, tol=0, max_iter=10**9)
    before, usual = blas_threads(), signal.signal(signal.SIGINT, handler)
    try:
        with (
            pytest.warns(ConvergenceWarning, match="EM001: not converged: interrupted"),
            pytest.raises(KeyboardInterrupt, match=r"^$"),
        ):
            model.fit(data_for("full"))
    finally:
        signal.signal(signal.SIGINT, usual)
    assert model.status_ is Status.INTERRUPTED
    assert np.isfinite(model.loglik_)
    assert model.loglik(data_for("full")) == model.loglik_
    assert blas_threads() == before


def test_an_interrupt_from_a_watch_of_the_engine_ends_the_fit() -> None:
    def watch(start: int, iteration: int, info: Any) -> None:
        if iteration == 3:
            raise KeyboardInterrupt

    source = MemorySource(data_for("full"), ("a", "b", "c", "d"))
    result = fit(Alone(Mixed(2, Gaussian())), source, starts=Search(n_init=1), watch=watch)
    assert result.verdict.status is Status.INTERRUPTED
    assert len(result.history) == 3


def test_an_error_in_one_thread_of_a_search_is_the_callers_and_the_next_fit_is_sound() -> None:
    X = data_for("hmm")
    bad = X.copy()
    bad[3] = 1e308  # beyond the range in which squares exist
    with pytest.raises(ValueError, match="column 'x0'"):
        HMM(2, random_state=0).fit(bad)
    assert HMM(2, random_state=0).fit(X).converged_
