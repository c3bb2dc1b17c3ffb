"""Why a column counts as text: it holds words, or numbers written in a way that is not read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from estep.cli.source import Source

WORDS = "text; this model takes numbers"
SIGNED = r"^[+-]?\W{0,3}[+-]?\d[\d.,' ]*\s?[%\u20ac$\u00a3\u00a5]?$"  # $5, 6%, 1 234,5


def reasons(columns: Mapping[str, Sequence[str]], source: Source) -> dict[str, list[str]]:
    """The names of text columns, given with their distinct cells, by what to say of them."""
    found: dict[str, list[str]] = {}
    for name, cells in columns.items():
        like = [cell for cell in map(str.strip, cells) if re.match(SIGNED, cell)]
        why = WORDS
        if 2 * len(like) > len(cells):
            odd = next((cell for cell in like if not cell.isdigit()), like[0])
            why = f"text that looks like numbers, for instance {odd!r}: {_way_out(like, source)}"
        found.setdefault(why, []).append(name)
    return found


def _way_out(cells: Sequence[str], source: Source) -> str:
    from estep.data.formats.csvcells import COMMA, THOUSANDS

    fractions = [cell for cell in cells if not cell.isdigit()]
    if not fractions:
        return "store it as numbers"
    if all(re.match(THOUSANDS, cell) for cell in fractions):
        return "take out what separates the thousands"
    if source.decimal == "." and all(re.match(COMMA, cell) for cell in fractions):
        between = source.separator or ("\t" if source.path.lower().endswith(".tsv") else ",")
        if between != ",":
            return "--decimal , reads a decimal comma"
        return "write a point for the decimal comma"  # between commas no option can tell them apart
    return "leave only digits, a sign and the decimal sign"
