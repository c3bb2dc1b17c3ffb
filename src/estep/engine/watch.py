"""Watching a climb: called after every iteration, from whichever thread climbs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from estep.engine.verdict import Info


class Watch(Protocol):
    def __call__(self, start: int, iteration: int, info: Info) -> None: ...


def silent(start: int, iteration: int, info: Info) -> None:
    """Say nothing."""


# for callers that reach the engine through an estimator
_watching: ContextVar[Watch | None] = ContextVar("watching", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Estimators fitted inside call `watch` after every iteration, whatever their `verbose` says."""
    before = _watching.set(watch)
    try:
        yield
    finally:
        _watching.reset(before)


def chosen(otherwise: Watch) -> Watch:
    """The watch of the innermost `watched`, if there is one."""
    return _watching.get() or otherwise


@dataclass(frozen=True)
class Printer:
    """A line on standard error every `interval` iterations."""

    interval: int = 10

    def __call__(self, start: int, iteration: int, info: Info) -> None:
        if iteration % self.interval == 0:
            where = f"start {start + 1}, iteration {iteration}"
            # closed, or gone with its reader: no reason to lose the fit
            with suppress(OSError, ValueError, AttributeError):
                # one write: climbs in other threads print as well
                sys.stderr.write(f"{where}: objective {info.objective:.6f}, gain {info.gain:.3g}\n")
