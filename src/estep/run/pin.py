"""One BLAS thread for the length of a fit: the one mutable global of this package.

Cholesky at d = 200 differs in bits between one and two BLAS threads, so a fit runs with one. Where the
number belongs to the process (OpenBLAS as NumPy ships it, BLIS), overlapping fits share a single pin,
counted under a lock: the first sets it, the last lifts it; two independent pins would race, and the
loser would leave the process at one thread. Where it belongs to each thread (MKL, OpenMP builds), every
thread that computes sets its own.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_users = 0
_before: list[tuple[Any, int]] = []  # process-wide libraries and the threads they had


class pinned_blas:  # noqa: N801  used like a function: `with pinned_blas():`
    """Context in which BLAS uses one thread; any number of threads may be in it at once."""

    def __enter__(self) -> None:
        global _users  # noqa: PLW0603  see the module's docstring
        libraries = _libraries()
        self._own = [(library, library.num_threads) for library in libraries if _per_thread(library)]
        _set([(library, 1) for library, _ in self._own])
        with _lock:
            if _users == 0:
                _before[:] = [(lib, lib.num_threads) for lib in libraries if not _per_thread(lib)]
                _set([(library, 1) for library, _ in _before])
            _users += 1

    def __exit__(self, *exc: object) -> None:
        global _users  # noqa: PLW0603
        _set(self._own)
        with _lock:
            _users -= 1
            if _users == 0:
                _set(_before)


def pin_this_thread() -> None:
    """For the threads of a pool inside a pin: those libraries that count per thread."""
    _set([(library, 1) for library in _libraries() if _per_thread(library)])


def _libraries() -> list[Any]:
    return [lib for lib in ThreadpoolController().lib_controllers if lib.user_api == "blas"]


def _per_thread(library: Any) -> bool:
    return library.internal_api == "mkl" or getattr(library, "threading_layer", None) == "openmp"


def _set(numbers: list[tuple[Any, int]]) -> None:
    for library, threads in numbers:
        # threadpoolctl 3.8 lets one Python thread own OpenBLAS's number and ignores the others: a pin would
        # do nothing in a thread beside the owner, or would not be lifted; our lock already keeps the order
        getattr(library, "_real_set_num_threads", library.set_num_threads)(threads)


def _after_fork() -> None:
    # the child has one thread, which is in no pin: whoever held the lock stayed behind
    global _lock, _users  # noqa: PLW0603
    _lock = threading.Lock()
    if _users:
        _users = 0
        _set(_before)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
