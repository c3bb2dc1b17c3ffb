"""A file that takes the place of an old one at once, or not at all."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from estep.errors import ResourceError


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """Where to write what `path` shall hold; "-" is standard output. On an error the old file is unchanged.

    A link stays a link, an old file's permissions are kept, and a pipe or a device is written to directly.
    """
    if path == "-":
        stream = getattr(sys.stdout, "buffer", None)
        if stream is None:
            raise ResourceError("standard output is closed, or no stream of bytes; give the path of a file")
        sys.stdout.flush()
        yield stream
        stream.flush()
        return
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise ResourceError("it is a link that leads back to itself; remove it or give another path")
    if target.is_dir():
        raise ResourceError("it is a folder; give the path of a file")
    if not target.parent.is_dir():
        raise ResourceError(f"the folder {str(target.parent)!r} does not exist; make it or name another")
    if target.exists() and not target.is_file():
        with target.open("wb") as handle:
            yield handle
        return
    new = target.with_name(
        f".estep-{secrets.token_hex(8)}"
    )  # short: the name itself may be as long as can be
    try:
        with new.open("xb") as handle:
            if target.exists():
                new.chmod(stat.S_IMODE(target.stat().st_mode))
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        new.replace(target)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a loss of power; some systems cannot, and the file is whole anyway."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
