"""Around every command: errors as one line and an exit code, warnings as lines, signals as a tidy end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import typer

from estep.cli.app import app
from estep.cli.refusing import REFUSED, sentence, together
from estep.cli.streams import drop_stdout, flush, note, soften_encoding
from estep.errors import EstepError

INTERRUPTED = 128 + signal.SIGINT
PACKAGE = Path(__file__).parents[1]
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(argv: Sequence[str] | None) -> int:
    """Run one command and return its exit code; see `estep.cli.main`."""
    soften_encoding()
    with _warning_lines(), _one_interrupt() as caught:
        try:
            code = app(None if argv is None else list(argv), prog_name="estep", standalone_mode=False)
            flush()
        except SystemExit as end:  # typer's own way out when a pipe breaks
            code = end.code
        except (KeyboardInterrupt, typer.Abort):
            code = INTERRUPTED
        except Exception as error:  # noqa: BLE001 - the last place where a traceback can become a sentence
            return _explain(error)
        if code == INTERRUPTED:  # typer may have caught it first
            note("interrupted")
            return 128 + (caught[0] if caught else signal.SIGINT)
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    """Say what went wrong in a line, and with which exit code to end."""
    if isinstance(error, BrokenPipeError) or isinstance(error.__cause__, BrokenPipeError):
        drop_stdout()  # the reader has what it wanted
        return 1
    if isinstance(error, REFUSED):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "estep"
        note(f"error: {together([sentence(error)], command)}")
        return 2
    if isinstance(error, EstepError):
        note(f"error: {error}")
        return error.exit_code
    if isinstance(error, MemoryError):
        note("error: not enough memory; use fewer columns (--columns) or rows, or a machine with more")
        return 5
    if isinstance(error, OSError):
        where = error.filename or "standard output"
        note(f"error: {where}: {error.strerror or error}")
        return 5
    if os.environ.get("ESTEP_DEBUG"):
        import traceback

        note("".join(traceback.format_exception(error)))
    what = f"{type(error).__name__}: {error}".rstrip()
    note(f"error: a bug in estep, please report it: {what} (ESTEP_DEBUG=1 shows where)")
    return 1


@contextmanager
def _warning_lines() -> Iterator[None]:
    """Each distinct warning as one line on standard error."""
    told: set[str] = set()

    def show(message: Any, *_: Any, **__: Any) -> None:
        if str(message) not in told:
            told.add(str(message))
            note(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.filterwarnings("always", category=UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def _one_interrupt() -> Iterator[list[int]]:
    """The first Ctrl-C or SIGTERM ends the fit at its best point; the second ends the process."""
    caught: list[int] = []

    def first(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        caller = _calling_compiled(frame)
        if caller is None:
            raise KeyboardInterrupt
        caller.f_trace = _stop
        sys.settrace(lambda *_: None)

    # a shell's background job ignores Ctrl-C, and only the main thread may set handlers
    ours = [s for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
    ours = ours if threading.current_thread() is threading.main_thread() else []
    before = {each: signal.signal(each, first) for each in ours}
    try:
        yield caught
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _calling_compiled(frame: FrameType | None) -> FrameType | None:
    """The frame of `kernels/cpu` that waits for compiled code, if this one runs inside of its call.

    Numba runs Python to make the arrays and records that compiled code returns, and does not look for an
    exception: a KeyboardInterrupt there ends the process with a segmentation fault.
    """
    top = frame
    while frame is not None and not frame.f_code.co_filename.startswith(str(PACKAGE)):
        frame = frame.f_back
    if frame is None or frame is top or not frame.f_code.co_filename.startswith(str(PACKAGE / "kernels")):
        return None
    return frame


def _stop(*_: Any) -> NoReturn:
    """A trace function: the interrupt, at the first line after compiled code."""
    sys.settrace(None)
    raise KeyboardInterrupt
