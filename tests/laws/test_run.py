"""Executors: a fixed tree, bounded work in flight, one shared BLAS pin."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from estep.run import Local
from estep.run.pin import pinned_blas
from estep.run.tree import tree_sum


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


class Numbers:
    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def block(self, i: int) -> str:
        return str(i)


@pytest.mark.parametrize(
    ("n", "tree"),
    [(1, "0"), (2, "(0+1)"), (3, "((0+1)+2)"), (5, "(((0+1)+(2+3))+4)"), (7, "(((0+1)+(2+3))+((4+5)+6))")],
)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_tree_depends_on_the_number_of_blocks_alone(n: int, tree: str, threads: int) -> None:
    with Local(threads) as run:
        assert run.sum(lambda block: block, Numbers(n), lambda a, b: f"({a}+{b})") == tree


@pytest.mark.parametrize("threads", [1, 2])
def test_the_thread_that_takes_signals_only_waits(threads: int) -> None:
    with Local(threads) as run:
        where = run.sum(lambda _: {threading.current_thread()}, Numbers(5), lambda a, b: a | b)
        where |= set(run.map(lambda _: threading.current_thread(), range(3)))
    assert threading.main_thread() not in where
    assert len(where) <= threads


def test_one_whole_fit_shares_out_its_own_sums() -> None:
    with Local(1) as run:
        assert run.map(lambda _: run.sum(str, Numbers(2), lambda a, b: a + b), [0]) == ["01"]


def test_an_interrupt_inside_an_item_comes_out() -> None:
    def interrupt(block: str) -> str:
        if block == "2":
            raise KeyboardInterrupt
        return block

    with Local(2) as run, pytest.raises(KeyboardInterrupt, match=r"^$"):
        run.sum(interrupt, Numbers(5), lambda a, b: a + b)


def test_few_results_are_held_at_once() -> None:
    alive, most = 0, 0

    def items() -> Iterator[int]:
        nonlocal alive, most
        for _ in range(1000):
            alive += 1
            most = max(most, alive)
            yield 1

    def merge(a: int, b: int) -> int:
        nonlocal alive
        alive -= 1
        return a + b

    assert tree_sum(items(), merge) == 1000
    assert most <= 11


def test_rows_come_back_in_order() -> None:
    with Local(3) as run:
        joined = run.rows(lambda block: (np.full((2, 3), float(block)),), Numbers(20))[0]
    np.testing.assert_array_equal(joined[0], np.repeat(np.arange(20.0), 3))


def test_an_error_in_a_worker_is_the_callers() -> None:
    def fail(block: str) -> int:
        if block == "7":
            raise ZeroDivisionError("block seven")
        return 1

    with Local(2) as run, pytest.raises(ZeroDivisionError, match="block seven"):
        run.sum(fail, Numbers(50))


def test_overlapping_pins_share_one_and_lift_it_last() -> None:
    before = blas_threads()
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with pinned_blas():
            inside.set()
            leave.wait(10)

    with pinned_blas():
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(10)
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {1}  # the other one still holds it
    leave.set()
    thread.join()
    assert blas_threads() == before
