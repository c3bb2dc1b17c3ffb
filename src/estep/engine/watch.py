"""Watching a climb: called after every iteration, from whichever thread climbs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Protocol

from estep.engine.verdict import Info


class Watch(Protocol):
    def __call__(self, start: int, iteration: int, info: Info) -> None: ...


def silent(start: int, iteration: int, info: Info) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Printer:
    """A line on standard error every `interval` iterations."""

    interval: int = 10

    def __call__(self, start: int, iteration: int, info: Info) -> None:
        if iteration % self.interval == 0:
            where = f"start {start + 1}, iteration {iteration}"
            # one write: climbs in other threads print as well
            sys.stderr.write(f"{where}: objective {info.objective:.6f}, gain {info.gain:.3g}\n")
