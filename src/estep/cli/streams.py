"""Standard output for results, standard error for messages; either may be closed or a pipe that broke."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from estep.errors import ResourceError

MOST = 20  # columns that a message names


def tell(text: str) -> None:
    """A result, on standard output."""
    if sys.stdout is None:  # print would drop it without a word
        raise ResourceError("standard output is closed, so the result cannot be written")
    print(text)


def note(text: str) -> None:
    """A message, on standard error."""
    if sys.stderr is not None:  # print would write to standard output
        print(text, file=sys.stderr, flush=True)


def named(columns: Iterable[str]) -> str:
    """Names of columns in a message: no line ends or control characters, and not too many."""
    every = ["".join(c if c.isprintable() else "?" for c in name) for name in columns]
    return ", ".join(every[:MOST]) + (f" and {len(every) - MOST} more" if len(every) > MOST else "")


def soften_encoding() -> None:
    """A character that the terminal cannot show becomes an escape instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def flush() -> None:
    """What is still held goes out here, where an error can be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def drop_stdout() -> None:
    """After a broken pipe: what is still held goes nowhere, without a word at the end of the process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
