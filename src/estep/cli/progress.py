"""How a fit is coming on, told on standard error: a line that is rewritten on a terminal, or plain lines."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import isfinite
from typing import TYPE_CHECKING

from estep.cli.streams import ERASE, is_terminal

if TYPE_CHECKING:
    from estep.engine import Info

EVERY = 10  # passes between two plain lines
SECONDS = 0.1  # between two states of the live line


class Progress:
    """A watch of the engine's: says the sentence of an iteration, from whichever thread climbs.

    Parameters
    ----------
    starts : int or None
        How many there will be; None where the search decides. The start is not told if there is one only.
    word : str
        What climbs: "log-likelihood", or "objective" where a prior is in it.
    live : bool
        Whether to rewrite one line, at most ten times a second, or to add a line every tenth pass.
    """

    def __init__(self, starts: int | None, word: str, *, live: bool) -> None:
        self._starts, self._word, self._live = starts, word, live
        self._last: defaultdict[int, deque[Info]] = defaultdict(lambda: deque(maxlen=3))
        self._lock, self._due = threading.Lock(), 0.0

    def __call__(self, start: int, iteration: int, info: Info) -> None:
        """Tell of an iteration that has ended, if it is time to."""
        self._last[start].append(info)  # a start is climbed by one thread at a time
        if not self._live:
            if iteration % EVERY == 0:
                self._write(self._sentence(start, iteration) + "\n")
        elif time.monotonic() >= self._due and self._lock.acquire(blocking=False):
            try:
                self.say(self._sentence(start, iteration))
                self._due = time.monotonic() + SECONDS
            finally:
                self._lock.release()

    def say(self, text: str) -> None:
        """Put this on the live line; nothing elsewhere."""
        if self._live:
            width = 80
            with suppress(OSError, ValueError, AttributeError):
                width = os.get_terminal_size(sys.stderr.fileno()).columns
            # the cursor goes back, so that whatever is told next takes the line's place
            self._write(f"{text[: width - 1]}{ERASE}\r")

    def clear(self) -> None:
        """Leave no live line behind."""
        self.say("")

    def _sentence(self, start: int, iteration: int) -> str:
        from estep.engine import still_to_gain

        last = list(self._last[start])
        remaining, info = still_to_gain(last), last[-1]
        of = f" of {self._starts}" if self._starts else ""
        where = "" if self._starts == 1 else f"start {start + 1}{of}, "
        come = f"about {remaining:.2g} still to gain" if isfinite(remaining) else f"gained {info.gain:.3g}"
        return f"{where}iteration {iteration}: {self._word} {info.objective:.4f}, {come}"

    @staticmethod
    def _write(text: str) -> None:
        # a terminal that went away, or a closed stream, is no reason to lose a fit
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(text)  # one write: climbs in other threads tell theirs as well
            sys.stderr.flush()


@contextmanager
def progress(starts: int | None, word: str, *, verbose: bool) -> Iterator[Progress | None]:
    """The progress of a fit: lines with --verbose, else a live line on a terminal, else None."""
    live = not verbose and is_terminal(sys.stderr)
    told = Progress(starts, word, live=live) if live or verbose else None
    try:
        yield told
    finally:
        if told is not None:
            told.clear()
