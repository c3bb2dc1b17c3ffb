"""Where results are written, checked before the work begins and said after it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from estep.cli.streams import note
from estep.errors import ModelFileError, ResourceError, UsageError


def check_place(out: str | None, data: str, suffix: str | None = None) -> None:
    """Refuse at once a place that could only be refused after a long fit."""
    if out is None or out == "-":
        if out is not None and suffix is not None:
            raise UsageError(
                f"a model is not written to standard output; give -o a file such as model{suffix}"
            )
        return
    place = Path(out)
    if suffix is not None and place.suffix != suffix:
        raise UsageError(
            f"-o {out}: a model file has the suffix {suffix}, such as {place.stem or 'model'}{suffix}"
        )
    if _same(place, data):
        raise UsageError(f"-o {out} is the data file itself; give another name")
    if place.is_dir():
        raise ResourceError(f"-o {out} is a folder; give the name of a file in it")
    if not place.parent.is_dir():
        raise ResourceError(f"-o {out}: the folder {place.parent} does not exist; make it first")
    special = place.exists() and not place.is_file()  # a pipe or a device, which is written to directly
    if not special and not os.access(place.parent, os.W_OK):
        raise ResourceError(f"-o {out}: the folder {place.parent} cannot be written to")


def save(estimator: Any, out: str | None) -> None:
    """Write the model file, if one was asked for, and say so."""
    if out is not None:
        estimator.save(out)
        note(f"wrote {out}")


def reopen(path: str) -> Any:
    """The estimator in a model file; ModelFileError for a user's own, whose functions no file holds."""
    from estep import load
    from estep.io import read

    if read(path).kind == "EM":
        raise ModelFileError(
            f"{path!r}: a user's own model: open it in Python with estep.load(path, estep=..., mstep=...)"
        )
    return load(path)


def _same(place: Path, data: str) -> bool:
    try:
        return place.samefile(data)
    except (OSError, ValueError):  # the data are not a file, or not there: reading them will say so
        return False
