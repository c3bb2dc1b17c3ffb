"""Cells of a CSV file, still text, as float64: numbers, missing, true and false, or the names of levels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from estep.data.convert.arrow import from_arrow
from estep.data.convert.intake import FAULT_CAP, LARGEST_EXACT, Intake, Numbers, shown

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity|nan)$"
DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"
THOUSANDS = r"^[+-]?\d{1,3}([,. ']\d{3})+([.,]\d+)?$"
COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"
LONG = r"^[+-]?\d{16,}$"  # 2**53 has 16 digits
MISSING_WORDS = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "None")
PLACEHOLDERS = frozenset({"?", "-", "--", ".", "*"})  # missing among numbers, with a warning
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")


class CsvOptions(NamedTuple):
    """How a CSV file is written."""

    separator: str = ","
    decimal: str = "."
    na: tuple[str, ...] = MISSING_WORDS


def from_cells(intake: Intake, name: str, cells: Any, options: CsvOptions) -> Numbers:
    """One column of a CSV file, a pyarrow ChunkedArray of strings."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.utf8_trim_whitespace(cells)
    missing = pc.is_in(bare, value_set=pa.array(["", *options.na], pa.string()))
    bare, cells = pc.if_else(missing, None, bare), pc.if_else(missing, None, cells)
    numbers = _with_point(bare) if options.decimal == "," else bare
    other = pc.invert(pc.match_substring_regex(numbers, NUMBER))  # null where missing
    words = pc.filter(bare, other).unique().to_pylist()
    n_numbers = len(cells) - cells.null_count - (pc.sum(other).as_py() or 0)
    if n_numbers and words and PLACEHOLDERS.issuperset(words):
        intake.blanks += [f"column {name!r} holds {pc.sum(pc.equal(bare, w)).as_py()}x {w!r}" for w in words]
        numbers, words = pc.if_else(other, None, numbers), []
    if not words:
        if has_long_integer(numbers):
            intake.long.append(name)
        return numbers.cast(pa.float64()).to_numpy(), None
    if not n_numbers and set(words) <= {*TRUE, *FALSE}:
        truth = pc.is_in(bare, value_set=pa.array(TRUE, pa.string()), skip_nulls=True)
        return pc.if_else(pc.is_valid(bare), truth, None).cast(pa.float64()).to_numpy(), None
    if not n_numbers and pc.all(pc.match_substring_regex(pc.filter(bare, other), DATE)).as_py():
        intake.refuse_dates(name, f"for instance {shown(words[0])}")
    elif 2 * n_numbers > len(cells) - cells.null_count or intake.text == "refuse":
        row = pc.index(other, value=True).as_py()
        why = _all_of(cells, other) if n_numbers else ""
        why += _why(pc.filter(bare, other), n_numbers, options.decimal)
        intake.refuse_text(name, cells[row].as_py(), row, why)
    else:
        return from_arrow(intake, name, cells)
    return np.full(len(cells), np.nan), None


def has_long_integer(cells: Any) -> bool:
    """Whether some cell is an integer in digits that is beyond 2**53."""
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(cells)
    digits = pc.filter(cells, pc.match_substring_regex(cells, LONG)).unique().to_pylist()
    return any(abs(int(text)) > LARGEST_EXACT for text in digits)


def _with_point(cells: Any) -> Any:
    """Numbers with a decimal comma, rewritten with a point; one with a point already is none."""
    import pyarrow.compute as pc

    return pc.replace_substring(pc.replace_substring(cells, ".", "'"), ",", ".")


def _all_of(cells: Any, other: Any) -> str:
    """The rows and cells that are no numbers, up to the cap; nothing where there is only one."""
    import pyarrow.compute as pc

    rows = np.flatnonzero(pc.fill_null(other, False).to_numpy())
    if rows.size == 1:
        return ""
    first = (f"{shown(cells[row].as_py())} in row {row}" for row in rows[:FAULT_CAP].tolist())
    rest = f" and {rows.size - FAULT_CAP} more" if rows.size > FAULT_CAP else ""
    return f"; {rows.size} such cells: {', '.join(first)}{rest}"


def _why(words: Any, n_numbers: int, decimal: str) -> str:
    """A guess at what the words are, for the message only."""
    import pyarrow.compute as pc

    def all_match(pattern: str) -> bool:
        return bool(pc.all(pc.match_substring_regex(words, pattern)).as_py())

    if all_match(THOUSANDS):
        return "; separators of thousands must be taken out"
    if all_match(NUMBER):
        return f"; the decimal sign was said to be {decimal!r}"
    if all_match(COMMA):
        return "; if the comma is the decimal point, give separator=';' and decimal=',' (--sep ; --decimal ,)"
    if n_numbers:
        distinct = words.unique().to_pylist()
        most = f"; the other {n_numbers} cells that are not empty are numbers"
        if len(distinct) == 1:
            most += f": if it stands for a missing value, give na=[{distinct[0]!r}] (--na {distinct[0]!r})"
        return most
    return ""
