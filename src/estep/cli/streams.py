"""Standard output for results, standard error for messages; either may be closed or a pipe that broke."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from estep.errors import ResourceError

MOST = 20  # columns that a message names
ERASE = "\x1b[K"  # what is right of the cursor
COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m"}
PLAIN = "\x1b[0m"


def tell(text: str) -> None:
    """A result, on standard output."""
    if sys.stdout is None:  # print would drop it without a word
        raise ResourceError("standard output is closed, so the result cannot be written; leave it open")
    print(text)


def note(text: str) -> None:
    """A message, on standard error; on a terminal it takes the place of a live line, and may have colour."""
    if sys.stderr is None:  # print would write to standard output
        return
    # names and paths come from others, and may hold what moves the cursor
    text = "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
    if is_terminal(sys.stderr):
        word, colon, rest = text.partition(":")
        if colon and word in COLOURS and not os.environ.get("NO_COLOR"):
            text = f"{COLOURS[word]}{word}:{PLAIN}{rest}"
        text = ERASE + text
    with suppress(OSError, ValueError):  # closed, or its reader went away; the result is another matter
        print(text, file=sys.stderr, flush=True)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a line on it can be rewritten."""
    try:
        there = stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False
    return there and os.environ.get("TERM", "dumb") not in ("dumb", "")


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
