"""The data that a command names: where they are, how they are written, and which columns are asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from estep.cli.streams import named, note
from estep.errors import DataError, EstepError, ResourceError, SourceError

if TYPE_CHECKING:
    from estep.data.table import Table

EXAMPLE = "example:"


class Source(NamedTuple):
    """What the command line says of the data."""

    path: str
    columns: Sequence[str] | None = None
    na: Sequence[str] | None = None
    separator: str | None = None
    decimal: str = "."
    inf_as_missing: bool = False
    open_ends: bool = False  # infinite cells are the open ends of intervals
    stamp: tuple[tuple[int, ...], ...] = ()  # of the files when they were first looked at

    def require_unchanged(self) -> None:
        """SourceError where the files are no longer those of the first reading."""
        if self.stamp and stamp(self.path) != self.stamp:
            raise SourceError("the data changed while they were read; run the command again")

    def require(self, names: Sequence[str]) -> None:
        """DataError where the data have no column of such a name, with the nearest."""
        from estep.cli.sheet import open_sheet
        from estep.data.convert.intake import find_columns

        try:
            have = open_sheet(self).names
        except EstepError as error:
            where = "" if self.path in str(error) else f"{self.path}: "
            raise type(error)(f"{where}{error}") from error
        if names:
            find_columns(tuple(dict.fromkeys(names)), have)

    def read(self, columns: Sequence[str] | None = None) -> Table:
        """These columns, or all but dates, which are left out with a note; text as codes."""
        try:
            table = self._table(columns)
        except DataError as error:
            if columns is not None:
                raise
            names, dates = self._dates()
            others = [name for name in names if name not in dates]
            if not dates or not others:
                raise type(error)(f"{error}{self._ways_out(str(error))}") from error
            table = self._table(others)
            note(f"note: left out: {named(dates)} (dates)")
        if self._is_csv() and all(name.strip().isdigit() for name in table.names):
            note(
                f"note: the numbers {named(table.names)} in the first line are taken as names; if they are "
                "data, put a line of names above them"
            )
        return table

    @staticmethod
    def _ways_out(message: str) -> str:
        """The options that take the data as they are."""
        ways = {
            "leave the column out": "--columns takes only the columns it names",
            "infinite cell": "--inf-as-missing takes infinite cells as missing",
        }
        found = [way for fault, way in ways.items() if fault in message]
        return f" ({'; '.join(found)})" if found else ""

    def _is_csv(self) -> bool:
        from estep.data.formats.opening import SUFFIXES

        return SUFFIXES.get(Path(self.path).suffix.lower()) == "csv"

    def _dates(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """All columns, and those that hold dates; none where the data have other faults."""
        from estep.cli.sheet import open_sheet

        try:
            sheet = open_sheet(self)
            return sheet.names, sheet.dates()
        except EstepError:
            return (), ()

    def _table(self, columns: Sequence[str] | None) -> Table:
        from estep.data.files import read_table

        return read_table(
            self.path,
            columns=columns,
            na=self.na or (),
            text="codes",
            inf="missing" if self.inf_as_missing else "keep" if self.open_ends else "refuse",
            separator=self.separator,
            decimal=self.decimal,
        )


@contextmanager
def held(source: Source) -> Iterator[Source]:
    """The source as a file that can be read twice: standard input or a pipe is copied into one."""
    if source.path.startswith(EXAMPLE):
        from estep.datasets import path

        source = source._replace(path=str(path(source.path.removeprefix(EXAMPLE))))
    if not is_read_once(source.path):
        yield source._replace(stamp=stamp(source.path))
        return
    place = "standard input" if source.path == "-" else source.path
    with _temporary_folder() as folder:
        copy = Path(folder) / f"data{Path(source.path).suffix or '.csv'}"
        _copy(source.path, place, copy)
        try:
            yield source._replace(path=str(copy))
        except (DataError, SourceError) as error:
            raise type(error)(str(error).replace(str(copy), place)) from error


def stamp(path: str) -> tuple[tuple[int, ...], ...]:
    """What changes whenever a file, or one of a folder, is written to or replaced."""
    try:
        place = Path(path)
        # without hidden files: one may be the table that is being written there
        parts = sorted(place.rglob("[!.]*.parquet")) if place.is_dir() else [place]
        found = [each.stat() for each in parts]
    except (OSError, ValueError):  # told by the one who reads it
        return ()
    return tuple((each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns) for each in found)


def is_read_once(path: str) -> bool:
    """Whether the data can be read only once."""
    try:
        file = Path(path)
        return path == "-" or (file.exists() and not file.is_file() and not file.is_dir())
    except (OSError, ValueError):
        return False


@contextmanager
def _temporary_folder() -> Iterator[str]:
    try:
        folder = TemporaryDirectory(prefix="estep-")
    except OSError as error:
        raise ResourceError(
            f"no folder for temporary files: {error.strerror or error}; set TMPDIR"
        ) from error
    with folder as name:
        yield name


def _copy(path: str, place: str, copy: Path) -> None:
    from estep.data.formats.opening import opened, reason

    try:
        with opened(path) as (handle, _), copy.open("wb") as sink:
            shutil.copyfileobj(handle, sink)
    except EstepError as error:
        raise type(error)(f"{place}: {error}") from error
    except OSError as error:
        raise ResourceError(
            f"{place} cannot be held in {copy.parent}: {reason(error)}; set TMPDIR to a folder with room"
        ) from error
