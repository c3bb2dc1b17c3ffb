"""The header of a CSV file: distinct names that are not blank, in a line that is not data."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from estep.data.convert.intake import listed, shown
from estep.errors import DataError

HEADER_LIMIT = 2**21  # bytes; some 100 000 columns
YEARS = range(1000, 3000)
SEPARATORS = ";\t|, "


def read_names(head: bytes, separator: str) -> tuple[str, ...]:
    """The names in the first line that is not empty; `head` is the start of the file, HEADER_LIMIT bytes."""
    text = head.decode("utf-8-sig", errors="ignore")  # the limit may cut a character
    if not text.strip("\r\n"):
        raise DataError("the file is empty; expected a line of column names, and rows of numbers below it")
    cut = len(head) >= HEADER_LIMIT
    rows = (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row)
    try:
        header = next(rows)
    except csv.Error:
        header, cut = [""], True
    try:
        first = next(rows, None)
    except csv.Error:  # a cell too long for this reader; the parser will judge it
        first = []
    if first is None and cut:
        raise DataError(
            f"the header is longer than {HEADER_LIMIT} bytes; is the table transposed? Write it with "
            "variables as columns and observations as rows"
        )
    _check_separator(header, first or [], separator)
    _check_names(header)
    if not text.lstrip("\r\n").startswith('"'):  # a number in quotes is meant as a name
        _check_not_data(header)
    if first is None:
        raise DataError(f"the file has a header ({listed(header)}) and no rows below it; add some")
    return tuple(header)


def _check_separator(header: Sequence[str], first: Sequence[str], separator: str) -> None:
    if len(header) > 1:
        return
    row = separator.join(first)
    for other in SEPARATORS:
        if other != separator and other in header[0] and header[0].count(other) == row.count(other):
            comma = other != "," and "," in row
            decimal = ", and decimal=',' (--decimal ,) if the comma is the decimal point" if comma else ""
            raise DataError(
                f"the header is one column, {shown(header[0])}; the separator seems to be {other!r} and not "
                f"{separator!r}: give separator={other!r} (--sep {other!r}){decimal}"
            )


def _check_names(header: Sequence[str]) -> None:
    blank = [str(j) for j, name in enumerate(header) if not name.strip()]
    if blank:
        raise DataError(
            f"blank column names in the header, at column {listed(blank, quote=False)} (counted from 0); "
            "name them, or leave them out (pandas: to_csv(..., index=False))"
        )
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise DataError(f"duplicate column names in the header: {listed(twice)}; rename or drop them")


def _check_not_data(header: Sequence[str]) -> None:
    """Numbers in the first line are data, unless they are the labels 0, 1, ... or several rising years."""
    try:
        numbers = [float(name) for name in header]
    except ValueError:
        return
    labels = numbers == list(range(len(numbers)))
    years = len(numbers) > 1 and all(year in YEARS for year in numbers)
    rising = all(a < b for a, b in pairwise(numbers))
    if not ((labels or (years and rising)) and all(name.strip().isdigit() for name in header)):
        raise DataError(
            f"the first line holds numbers ({listed(header, quote=False)}) and no names; put a line of names "
            "above it, in quotes if they are numbers"
        )
