"""The summary as HTML for notebooks: tables with headers, no script, no style that needs a network.

Every word of it that comes from the data, or from a model file, goes through `html.escape`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from estep.report.grids import Grid
from estep.report.parameters import APART, leaf, marks, told
from estep.report.tables import MOST, texts
from estep.report.words import clean, title

LABEL = 60  # places of a name


def page(fitted: Any, parts: Sequence[Sequence[tuple[str, str]]], notes: Iterable[str]) -> str:
    """The title, the parts of the summary as two columns, the parameters, and what was found."""
    lines = [f"<p><strong>{escape(title(fitted.model))}</strong></p>"]
    facts = [row for part in parts for row in part]
    lines += ["<table>", *(_line([name], [text], "left") for name, text in facts), "</table>"]
    tables = told(fitted)
    for grid in tables:
        if grid.heading:
            lines += _table(grid, fitted.seen_in_rows.apart)
    leaves = [_line([clean(grid.parameter)], [leaf(grid)], "left") for grid in tables if not grid.heading]
    lines += ["<table>", "<caption>Parameters</caption>", *leaves, "</table>"] if leaves else []
    found = [f"<li>{escape(clean(note, 1000))}</li>" for note in notes]
    lines += ["<p>Findings</p>", "<ul>", *found, "</ul>"] if found else []
    return "\n".join(["<div>", *lines, "</div>"])


def _table(grid: Grid, apart: tuple[tuple[int, int], ...]) -> list[str]:
    marked = marks(grid, apart)
    cells = texts(grid.values[:MOST, :MOST], grid.alike)
    if marked is not None:
        cells = [
            [text + "*" * int(star) for text, star in zip(row, stars, strict=True)]
            for row, stars in zip(cells, marked[:MOST, :MOST], strict=True)
        ]
    rows = [_line([clean(name, LABEL)], row, "right") for name, row in zip(grid.rows, cells, strict=False)]
    head = [_line(["", *(clean(name, LABEL) for name in grid.columns[:MOST])], [], "right")]
    left = [(len(grid.rows) - MOST, "rows"), (len(grid.columns) - MOST, "columns")]
    after = [f"... and {n} more {what}" for n, what in left if n > 0]
    after += [] if marked is None else [APART.strip()]
    return [
        "<table>",
        f"<caption>{escape(grid.heading)}</caption>",
        *(head if any(grid.columns) else []),
        *rows,
        "</table>",
        *(f"<p>{escape(text)}</p>" for text in after),
    ]


def _line(heads: Sequence[str], cells: Sequence[str], side: str) -> str:
    names = "".join(f"<th>{escape(head)}</th>" for head in heads)
    data = "".join(f'<td style="text-align:{side}">{escape(cell)}</td>' for cell in cells)
    return f"<tr>{names}{data}</tr>"
