"""Columns of NumPy arrays and Python objects as float64, (n,) each; NaN = missing."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estep.data.convert.intake import LARGEST_EXACT, Intake, Numbers, number_advice
from estep.records import Array

MISSING = ("NAType", "NaTType", "MaskedConstant")  # by name: pandas is not imported to ask
DATES = (dt.date, dt.time, dt.timedelta, np.datetime64, np.timedelta64)


def from_numbers(intake: Intake, names: Sequence[str], array: NDArray[Any]) -> Array:
    """An (n, d) array of booleans, integers or floats as float64: itself if it is so already."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        beyond = (array.max(axis=0) > LARGEST_EXACT) | (array.min(axis=0) < -LARGEST_EXACT)
        intake.long += [names[j] for j in np.flatnonzero(beyond).tolist()]
    with np.errstate(over="ignore"):  # a longer float beyond float64 becomes inf, which is refused later
        values: Array = array.astype(np.float64, copy=False)
    return values


def from_numpy(intake: Intake, name: str, column: NDArray[Any]) -> Numbers:
    """One column, (n,), of any dtype."""
    kind = column.dtype.kind
    if kind in "biuf":
        return from_numbers(intake, (name,), column[:, None])[:, 0], None
    if kind in "OUT":
        return from_objects(intake, name, column.astype(object).tolist())
    if kind == "c":
        intake.fault(f"Complex data not supported: column {name!r}; give the real and imaginary parts as two")
    elif kind in "Mm":
        intake.refuse_dates(name, column.dtype)
    else:
        intake.fault(f"column {name!r} holds {column.dtype}, not numbers; decode it or leave it out")
    return np.full(len(column), np.nan), None


def from_objects(intake: Intake, name: str, cells: list[Any]) -> Numbers:
    """One column of Python objects: numbers of any kind, text, None."""
    if set(map(type, cells)) <= {float, NoneType}:
        return np.array(cells, dtype=np.float64), None
    values = np.full(len(cells), np.nan)
    texts: list[int] = []
    number: int | None = None  # the first row that holds one
    for row, cell in enumerate(cells):
        if isinstance(cell, str):
            texts.append(row)
        elif cell is not None and type(cell).__name__ not in MISSING:
            try:
                values[row] = _number(cell)
            except TypeError as error:
                intake.fault(f"column {name!r}, row {row} (counted from 0): {error}", wrong_type=True)
                return values, None
            if number is None and not math.isnan(values[row]):  # NaN beside text means missing
                number = row
    if any(isinstance(c, (int, np.integer)) and not -LARGEST_EXACT <= int(c) <= LARGEST_EXACT for c in cells):
        intake.long.append(name)
    if texts and number is not None:
        why = f", and numbers, as in row {number}"
        intake.refuse_text(name, cells[texts[0]], texts[0], why)
    elif texts:
        return encode(intake, name, [cell if isinstance(cell, str) else None for cell in cells])
    return values, None


def encode(intake: Intake, name: str, cells: Sequence[str | None]) -> Numbers:
    """Text as the codes 0, 1, ... of its sorted distinct strings, if text is taken at all."""
    if intake.text == "refuse":
        row = next(i for i, cell in enumerate(cells) if cell is not None)
        why = number_advice(cell for cell in cells if cell is not None)
        intake.refuse_text(name, str(cells[row]), row, why)
        return np.full(len(cells), np.nan), None
    levels = sorted({str(cell) for cell in cells if cell is not None})
    code: dict[str | None, float] = {level: float(i) for i, level in enumerate(levels)}
    return np.array([code.get(cell, np.nan) for cell in cells], dtype=np.float64), tuple(levels)


def _number(cell: Any) -> float:
    if isinstance(cell, DATES):
        raise TypeError(f"a date or time ({cell!r}); give a number, such as the days since a fixed date")
    if isinstance(cell, (complex, np.complexfloating)):
        raise TypeError("Complex data not supported; give the real and imaginary parts as two columns")
    # bytes and one-cell arrays have a float() of their own, and are no numbers here
    odd = isinstance(cell, (bytes, bytearray, np.ndarray, np.bytes_, np.void))
    if odd or not (hasattr(cell, "__float__") or hasattr(cell, "__index__")):
        raise TypeError(f"float() argument must be a string or a real number, not {type(cell).__name__!r}")
    try:
        return float(cell)
    except OverflowError:  # an integer beyond float64; refused with the other infinities
        return math.inf if cell > 0 else -math.inf
    except ValueError:  # a signalling Decimal NaN
        return math.nan
