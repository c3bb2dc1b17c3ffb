"""Items shared out among threads: each takes the next one when it is free, and the results come out in order.

The thread that asks for them only waits: see `local.py`.

One future for each item would cost as much as a small block's own arithmetic; here a pass costs one a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Shared(Generic[A, R]):
    """`fn` of each item, computed by those who call `help`, in order for the one who iterates."""

    def __init__(self, fn: Callable[[A], R], items: Sequence[A], ahead: int) -> None:
        self._fn, self._items, self._ahead = fn, items, ahead  # at most `ahead` results wait to be taken
        self._changed = threading.Condition()
        self._next = self._taken = 0
        self._ended = False
        self._done: dict[int, tuple[bool, Any]] = {}

    def help(self) -> None:
        """Compute items until none is left; for the other threads."""
        while (i := self._claim()) is not None:
            self._compute(i)

    def end(self) -> None:
        """No further item is begun."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[R]:
        for i in range(len(self._items)):
            with self._changed:
                self._changed.wait_for(lambda: i in self._done)  # noqa: B023  called at once
            well, found = self._done.pop(i)
            if not well:
                raise found
            with self._changed:
                self._taken = i + 1
                self._changed.notify_all()
            yield found

    def _claim(self) -> int | None:
        with self._changed:
            while not self._ended and self._next < len(self._items):
                if self._next < self._taken + self._ahead:
                    self._next += 1
                    return self._next - 1
                self._changed.wait()
        return None

    def _compute(self, i: int) -> None:
        try:
            result: tuple[bool, Any] = True, self._fn(self._items[i])
        except BaseException as error:  # noqa: BLE001  raised again in order, by the thread that iterates
            result = False, error
        with self._changed:
            self._done[i] = result
            self._ended = self._ended or not result[0]
            self._changed.notify_all()
