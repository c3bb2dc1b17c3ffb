"""Opening what a path names: a file, a pipe, standard input or a folder."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from estep.errors import DataError, ResourceError, SourceError

CHUNK = 2**20
PIPE_LIMIT = 2**32  # bytes held of a source that cannot be read twice
NOT_THERE = "there is no such file; check the path"
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    "": "csv",  # a pipe, /dev/stdin
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".ipc": "feather",
}


class Opened(NamedTuple):
    """A seekable file and the kind of its contents."""

    handle: BinaryIO
    kind: str  # csv, parquet or feather


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """A path, or "-" for standard input, as a seekable file; SourceError where it cannot be opened."""
    if path == "-":
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None or stream.closed:
            raise SourceError("it is closed, or no stream of bytes; give the path of a file")
        yield Opened(_hold(stream, "csv"), "csv")
        return
    suffix = Path(path).suffix.lower()
    kind = SUFFIXES.get(suffix)
    if kind is None:
        _require_there(path)
        if suffix == ".estep":
            raise DataError("it is a model file; `estep show` prints it; give a file of data")
        known = ", ".join(suffix for suffix in SUFFIXES if suffix)
        raise DataError(f"the format is not known by the suffix; rename the file to one of {known}")
    try:
        handle = Path(path).open("rb")  # noqa: SIM115 - only opening it is a SourceError; see below
    except FileNotFoundError as error:
        raise SourceError(NOT_THERE) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise SourceError(
            f"it cannot be opened: {reason(error)}; check the path and its permissions"
        ) from error
    with handle:
        regular = stat.S_ISREG(os.fstat(handle.fileno()).st_mode)
        yield Opened(handle if regular else _hold(handle, kind), kind)


def _require_there(path: str) -> None:
    try:
        there = Path(path).exists()
    except (OSError, ValueError):  # a NUL in the path, or a folder that may not be searched
        there = True
    if not there:
        raise SourceError(NOT_THERE)


def is_folder(path: str) -> bool:
    """Whether the path names a folder; False where it names nothing."""
    try:
        return path != "-" and Path(path).is_dir()
    except (OSError, ValueError):
        return False


def reason(error: BaseException) -> str:
    """What the system says of an error, without the path."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _hold(handle: BinaryIO, kind: str) -> BinaryIO:
    """The contents of a pipe or a device, in memory; an endless one is refused."""
    held = io.BytesIO()
    try:
        while chunk := handle.read(CHUNK):
            if kind == "csv" and b"\x00" in chunk:
                raise DataError("it is not text: it holds a NUL byte; give CSV saved as UTF-8")
            held.write(chunk)
            if held.tell() > PIPE_LIMIT:
                raise ResourceError(
                    f"more than {PIPE_LIMIT} bytes came, and a pipe is held in memory; write the data to a "
                    "file and give its path"
                )
    except MemoryError as error:
        raise ResourceError(
            f"no memory left after {held.tell()} bytes; write the data to a file first"
        ) from error
    held.seek(0)
    return held
