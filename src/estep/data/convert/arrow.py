"""Columns of Arrow tables as float64, (n,) each; null = NaN = missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.data.convert.intake import LARGEST_EXACT, Intake, Numbers, number_advice


def from_arrow(intake: Intake, name: str, column: Any) -> Numbers:
    """One column, a pyarrow Array or ChunkedArray of any type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _plain(column)
    types, kind = pa.types, column.type
    if types.is_large_string(kind):
        return _text(intake, name, column)
    if types.is_decimal(kind):
        # through text: only the parser rounds to the nearest float64
        column = column.cast(pa.string())
    elif types.is_integer(kind):
        ends = pc.min_max(column).as_py()
        if ends["min"] is not None and (ends["min"] < -LARGEST_EXACT or ends["max"] > LARGEST_EXACT):
            intake.long.append(name)
    elif not (types.is_boolean(kind) or types.is_floating(kind) or types.is_null(kind)):
        if types.is_temporal(kind):
            intake.refuse_dates(name, kind)
        else:
            intake.fault(
                f"column {name!r} is of Arrow type {kind}; numbers and text can be used: unpack it into "
                "columns of numbers, or leave it out"
            )
        return np.full(len(column), np.nan), None
    return column.cast(pa.float64(), safe=False).to_numpy(), None


def _plain(column: Any) -> Any:
    """A chunked column without dictionaries and runs, and with one type for every kind of text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])
    types, kind = pa.types, column.type
    if types.is_run_end_encoded(kind):
        column = pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], kind.value_type)
    elif types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if types.is_string(column.type) or types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    return column


def _text(intake: Intake, name: str, column: Any) -> Numbers:
    """Text as the codes 0, 1, ... of its sorted distinct strings, if text is taken at all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    row = pc.index(column.is_valid(), value=True).as_py()
    if row >= 0 and intake.text == "refuse":
        why = number_advice(column.unique().drop_null().to_pylist())
        intake.refuse_text(name, column[row].as_py(), row, why)
    if row < 0 or intake.text == "refuse":
        return np.full(len(column), np.nan), None
    levels = sorted(column.unique().drop_null().to_pylist())
    codes = pc.index_in(column, value_set=pa.array(levels, pa.large_string()))
    return codes.cast(pa.float64()).to_numpy(), tuple(levels)
