"""Numbers in aligned tables of plain text, at most 80 places wide where the names allow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, isfinite, log10
from typing import Any, Literal

import numpy as np

from estep.records import Array
from estep.report.words import clean, width

WIDTH = 80
MOST = 40  # rows or columns of a table that are shown
LABEL = 20  # places of a column's name
Alike = Literal["rows", "columns", "cells", "probabilities"]


def table(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    alike: Alike = "rows",
    marked: Any = None,
) -> list[str]:
    """Lines of a table; numbers that are alike (in one unit) share their decimals.

    A table wider than a page goes on below, with its row names again. Cells that are marked have a star.
    """
    array = np.asarray(values, dtype=np.float64)[:MOST, :MOST]
    labels = _padded(["", *(clean(row, LABEL) for row in rows[:MOST])], str.ljust)
    told = texts(array, alike)
    if marked is not None:
        told = [
            [text + (" ", "*")[star] for text, star in zip(row, stars, strict=True)]
            for row, stars in zip(told, np.asarray(marked, dtype=int)[:MOST, :MOST], strict=True)
        ]
    cells = zip(*told, strict=True)
    blocks = [
        _padded([clean(name, LABEL), *cell], str.rjust)
        for name, cell in zip(columns[:MOST], cells, strict=True)
    ]
    lines = ["  ".join(parts) for page in _pages(labels, blocks) for parts in page]
    left = [(len(rows) - MOST, "rows"), (len(columns) - MOST, "columns")]
    return ["  " + line for line in lines] + [f"  ... and {n} more {what}" for n, what in left if n > 0]


def texts(array: Array, alike: str) -> list[list[str]]:
    """The cells of each row of the table."""
    if alike == "rows":
        return [numbers(row) for row in array]
    if alike == "columns":
        return [list(row) for row in zip(*(numbers(column) for column in array.T), strict=True)]
    one = probability if alike == "probabilities" else lambda value: numbers([value])[0]
    return [[one(value) for value in row] for row in array]


def probability(value: float) -> str:
    """Five decimals; a smaller probability that is not 0 shows its size."""
    return f"{value:.1e}" if 0 < value < 5e-6 else f"{value:.5f}"


def numbers(values: Iterable[float]) -> list[str]:
    """Numbers of one unit: the largest with five digits, the others with as many decimals.

    Where that would leave the smallest without two digits, each has its own five.
    """
    array = [float(value) for value in values]
    sizes = [floor(log10(abs(value))) for value in array if isfinite(value) and value != 0]
    high, low = max(sizes, default=0), min(sizes, default=0)
    decimals = max(4 - high, 0)
    if high > 9 or decimals > 7 or decimals + low < 1:
        return [f"{value:.5g}" if len(array) == 1 else numbers([value])[0] for value in array]
    return [f"{value:.{decimals}f}" for value in array]


def pairs(items: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of "name  text", with the texts below each other."""
    names = _padded([name for name, _ in items], str.ljust)
    return [f"  {name}  {text}" for name, (_, text) in zip(names, items, strict=True)]


def _padded(texts: list[str], side: Any) -> list[str]:
    """Each text filled up to the widest, on the side that `str.ljust` or `str.rjust` fills."""
    widest = max(map(width, texts))
    return [side(text, widest - width(text) + len(text)) for text in texts]


def _pages(labels: list[str], blocks: list[list[str]]) -> Iterable[list[list[str]]]:
    """The columns that fit beside the labels, as rows of cells; then the next ones."""
    room = WIDTH - 2 - width(labels[0])
    page: list[list[str]] = []
    for block in blocks:
        if page and sum(width(each[0]) + 2 for each in [*page, block]) > room:
            yield _lines([labels, *page])
            page = []
        page.append(block)
    yield _lines([labels, *page])


def _lines(columns: list[list[str]]) -> list[list[str]]:
    return [list(row) for row in zip(*columns, strict=True)]
