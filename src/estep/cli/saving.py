"""Where results are written, checked before the work begins and said after it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from estep.cli.streams import note
from estep.errors import ResourceError, UsageError


def check_place(out: str | None, data: str | None) -> None:
    """Refuse at once a place that could only be refused after a long fit."""
    if out is None or out == "-":
        return
    place = Path(out)
    if data is not None and _same(place, data):
        raise UsageError(f"-o {out} is the data file itself; give another name")
    if place.is_dir():
        raise ResourceError(f"-o {out} is a folder; give the name of a file in it")
    if not place.parent.is_dir():
        raise ResourceError(f"-o {out}: the folder {place.parent} does not exist; make it first")
    special = place.exists() and not place.is_file()  # a pipe or a device, which is written to directly
    if not special and not os.access(place.parent, os.W_OK):
        raise ResourceError(f"-o {out}: the folder {place.parent} cannot be written to; give another")


def save(estimator: Any, out: str | None) -> None:
    """Write the model file, if one was asked for, and say so."""
    if out is not None:
        estimator.save(out)
        note(f"wrote {out}")


def _same(place: Path, data: str) -> bool:
    try:
        return place.samefile(data)
    except (OSError, ValueError):  # the data are not a file, or not there: reading them will say so
        return False
