"""The executor on this machine: a pool of threads, alive for a whole fit."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

import numpy as np

from estep.records import add as add_records
from estep.records import map_leaves
from estep.run.pin import pin_this_thread, pinned_blas
from estep.run.shared import Shared
from estep.run.tree import tree_sum

A = TypeVar("A")
B_co = TypeVar("B_co", covariant=True)
S = TypeVar("S")
R = TypeVar("R")


# for callers that make no executor themselves; a context's own, so that two fits side by side may differ
_most: ContextVar[int | None] = ContextVar("most_threads", default=None)


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Executors made inside without a number of their own use so many threads; None changes nothing."""
    before = _most.set(threads or _most.get())
    try:
        yield
    finally:
        _most.reset(before)


class Blocks(Protocol[B_co]):
    """All that an executor asks of a source."""

    def __len__(self) -> int: ...

    def block(self, i: int) -> B_co: ...


class Executor(Protocol):
    """Sums over blocks; a context manager whose pool and BLAS pin last a whole fit, not one pass."""

    def __enter__(self) -> Executor: ...

    def __exit__(self, *exc: object) -> None: ...

    def sum(self, fn: Callable[[Any], S], source: Blocks[Any], add: Callable[[S, S], S] = add_records) -> S:
        """The merged results of `fn` over all blocks, in a fixed binary tree."""
        ...

    def rows(self, fn: Callable[[Any], R], source: Blocks[Any]) -> R:
        """The results of `fn`, arrays with rows last, joined in order along that axis."""
        ...

    def map(self, fn: Callable[[A], R], items: Iterable[A]) -> list[R]:
        """`fn` of each item: whole fits, never called from inside `sum`."""
        ...

    def drain(self) -> None:
        """Wait for what an interrupted `map` left running."""
        ...


class Local:
    """Threads over the blocks, a bounded number of them in flight; the caller's own thread only waits.

    For Ctrl-C reaches the main thread alone, and inside compiled code it would end the process: Numba runs
    Python while it makes return values, and takes no notice of an exception there.

    Parameters
    ----------
    threads : int, optional
        Threads to use; by default as many as `limited` says, or all the processor's. The answer's bits do
        not depend on it.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or _most.get() or _processors()
        self._lock, self._depth = threading.Lock(), 0
        self._leftover: list[Future[Any]] = []

    def __enter__(self) -> Local:
        with self._lock:
            self._depth += 1
            if self._depth > 1:  # a fit inside the user's own `with`
                return self
            self._pin = pinned_blas()
            self._pin.__enter__()
            self._pool = ThreadPoolExecutor(self.threads, "estep", pin_this_thread)
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth > 0:
                return
            try:
                self._pool.shutdown(wait=True, cancel_futures=True)
            finally:  # a second Ctrl-C must not leave the process pinned
                self._pin.__exit__(*exc)

    def sum(self, fn: Callable[[Any], S], source: Blocks[Any], add: Callable[[S, S], S] = add_records) -> S:
        return tree_sum(self._blocks(fn, source), add)

    def rows(self, fn: Callable[[Any], R], source: Blocks[Any]) -> R:
        return _join(list(self._blocks(fn, source)))

    def map(self, fn: Callable[[A], R], items: Iterable[A]) -> list[R]:
        return list(self._each(fn, list(items)))

    def drain(self) -> None:
        wait(self._leftover)

    def _blocks(self, fn: Callable[[Any], R], source: Blocks[Any]) -> Iterator[R]:
        def one(i: int) -> R:
            return fn(source.block(i))

        items = range(len(source))
        if self._depth == 0:  # a whole fit in one of another executor's threads
            yield from map(one, items)
            return
        shared = Shared(one, items, 2 * self.threads)
        helpers = [self._pool.submit(shared.help) for _ in range(min(self.threads, len(items)))]
        try:
            yield from shared
        finally:
            shared.end()
            self._leftover = [helper for helper in helpers if not helper.cancel()]

    def _each(self, fn: Callable[[A], R], items: Sequence[A]) -> Iterator[R]:
        if self._depth == 0 or len(items) == 1:  # what is alone may share out its own passes
            yield from map(fn, items)
            return
        flying: deque[Future[R]] = deque()
        try:
            for item in items:
                flying.append(self._pool.submit(fn, item))
                if len(flying) > 2 * self.threads:
                    yield flying[0].result()
                    flying.popleft()
            while flying:
                yield flying[0].result()
                flying.popleft()
        finally:
            self._leftover = [future for future in flying if not future.cancel()]


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # a container's share, not the whole machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _join(parts: list[R]) -> R:
    """Records of arrays joined leaf by leaf along the last axis."""
    if len(parts) == 1:
        return parts[0]
    leaves: list[list[Any]] = []
    for part in parts:
        found: list[Any] = []
        map_leaves(found.append, part)
        leaves.append(found)
    joined = iter([np.concatenate(pieces, axis=-1) for pieces in zip(*leaves, strict=True)])
    record: R = map_leaves(lambda _: next(joined), parts[0])
    return record
