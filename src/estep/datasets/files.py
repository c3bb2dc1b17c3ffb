"""How a shipped CSV file becomes a `Dataset`."""

from __future__ import annotations

import csv
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from estep.errors import ResourceError, UsageError
from estep.records import Array, Int

NAMES = ("airquality", "casino", "earthquakes", "faithful", "galaxies", "geyser", "iris")


class Dataset(NamedTuple):
    """A table of numbers, and what its columns mean."""

    values: Array  # (n, d) float64, NaN = missing
    columns: tuple[str, ...]  # (d,)
    target: Int | None  # (n,) the known class of each row, an index into target_names; None = no classes
    target_names: tuple[str, ...]  # empty where target is None
    description: str

    def select(self, *columns: str) -> Array:
        """The named columns only, in the order asked, as a new (n, len(columns)) array.

        Parameters
        ----------
        *columns : str
            Names from `columns`.

        Returns
        -------
        ndarray of shape (n, len(columns))

        Raises
        ------
        UsageError
            A name that this data set does not have, or no name at all.

        Examples
        --------
        >>> from estep.datasets import load_airquality
        >>> load_airquality().select("Ozone", "Temp").shape
        (153, 2)
        """
        if unknown := [name for name in columns if name not in self.columns]:
            raise UsageError(f"no column {unknown[0]!r}; the columns are {', '.join(self.columns)}")
        if not columns:
            raise UsageError(f"name at least one column of {', '.join(self.columns)}")
        chosen: Array = self.values[:, [self.columns.index(name) for name in columns]]
        return chosen


def path(name: str) -> Path:
    """Where the CSV file of a shipped data set lies.

    Parameters
    ----------
    name : {"airquality", "casino", "earthquakes", "faithful", "galaxies", "iris"}

    Returns
    -------
    pathlib.Path
        A file with a header line; empty cells are missing.

    Raises
    ------
    UsageError
        A name that is not shipped.
    ResourceError
        The package is not unpacked on disk (it was imported from a zip archive).

    Examples
    --------
    >>> from estep.datasets import path
    >>> path("faithful").name
    'faithful.csv'
    """
    if name not in NAMES:
        raise UsageError(f"{name!r} is not a shipped data set; they are {', '.join(NAMES)}")
    found = Path(str(_file(name)))
    if not found.is_file():
        raise ResourceError(f"{found} is not a file on disk; install estep unpacked, not as a zip archive")
    return found


def read(name: str, description: str, target: str | None = None) -> Dataset:
    """The shipped file `name`; the column `target` holds the names of the classes, not numbers."""
    # csv of the standard library: pyarrow takes longer to import than these files to read
    header, *rows = csv.reader(_file(name).read_text(encoding="utf-8").splitlines())
    cells = dict(zip(header, zip(*rows, strict=True), strict=True))
    classes = cells.pop(target) if target is not None else None
    values = np.array([[float(cell or "nan") for cell in column] for column in cells.values()])
    names = tuple(dict.fromkeys(classes or ()))
    return Dataset(
        values=np.ascontiguousarray(values.T),
        columns=tuple(cells),
        target=None if classes is None else np.array([names.index(each) for each in classes], dtype=np.int64),
        target_names=names,
        description=description,
    )


def _file(name: str) -> Traversable:
    return resources.files("estep.datasets") / "data" / f"{name}.csv"
