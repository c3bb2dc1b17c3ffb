"""What is found wrong, or worth a warning, while columns of any kind become numbers.

Faults are collected over all columns and raised together, so that a user mends a file once.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, get_args

from estep.errors import DataError, EstepWarning, UsageError
from estep.records import Array

Text = Literal["refuse", "codes"]
Inf = Literal["refuse", "missing", "keep"]
Numbers = tuple[Array, tuple[str, ...] | None]  # (n,) values and, for a text column, the names of its codes

FAULT_CAP = 20  # faults listed in one message
LARGEST_EXACT = 2**53  # beyond it, neighbouring integers share a float64
WORDS_SHOWN = 40  # characters of a cell that a message repeats


class Frame(NamedTuple):
    """Columns on their way to a table."""

    names: tuple[str, ...]
    named: bool  # the names came with the data
    n_rows: int
    columns: Iterable[Numbers]  # may be converted only as they are asked for


class CellTypeError(DataError, TypeError):
    """A cell that is neither a number, nor text, nor missing; scikit-learn raises TypeError here."""


class Intake:
    """How to take text and infinities, and the faults and oddities met so far."""

    def __init__(self, text: Text = "refuse", inf: Inf = "refuse") -> None:
        if text not in get_args(Text) or inf not in get_args(Inf):
            raise UsageError(
                f"text={text!r}, inf={inf!r}: text is one of {get_args(Text)}, inf of {get_args(Inf)}"
            )
        self.text = text
        self.inf = inf
        self.faults: list[str] = []
        self.wrong_type = False
        self.long: list[str] = []  # columns with integers beyond 2**53
        self.codes: dict[str, tuple[float, int]] = {}  # a column's -999, 37 times; likely to mean missing
        self.blanks: list[str] = []  # "column 'x' holds 37x '?'": taken as missing

    def fault(self, sentence: str, *, wrong_type: bool = False) -> None:
        self.faults.append(sentence)
        self.wrong_type = self.wrong_type or wrong_type

    def refuse_text(self, name: str, example: str, row: int, why: str = "") -> None:
        self.fault(
            f"column {name!r} holds text, for instance {shown(example)} in row {row} (counted from 0){why}; "
            "give numbers, NaN where a value is missing, or leave the column out"
        )

    def refuse_dates(self, name: str, kind: object) -> None:
        self.fault(
            f"column {name!r} holds dates or times ({kind}); give a number instead, such as the days since "
            "a fixed date, or leave the column out"
        )

    def raise_faults(self) -> None:
        """Raise what was found, if anything: all of it in one message."""
        if not self.faults:
            return
        message = self.faults[0]
        if len(self.faults) > 1:
            lines = [f"\n- {sentence}" for sentence in self.faults[:FAULT_CAP]]
            rest = len(self.faults) - len(lines)
            more = f"\n- and {rest} more" if rest else ""
            message = f"{len(self.faults)} faults in the data:" + "".join(lines) + more
        raise CellTypeError(message) if self.wrong_type else DataError(message)

    def warn(self) -> tuple[tuple[str, str], ...]:
        """Warn of what was taken, but may surprise; the codes and sentences, which a fit keeps."""
        found = tuple(self._oddities())
        for code, sentence in found:
            warnings.warn(f"{code}: {sentence}", EstepWarning, stacklevel=4)
        return found

    def _oddities(self) -> Iterator[tuple[str, str]]:
        if self.long:
            columns, verb = ("column", "holds") if len(self.long) == 1 else ("columns", "hold")
            which = f"{columns} {listed(self.long)} {verb}"
            yield "EM010", f"{which} integers beyond 2**53; they lose precision as float64"
        if self.codes:
            columns = "column" if len(self.codes) == 1 else "columns"
            found = (f"{name!r} ({count} times {code:g})" for name, (code, count) in self.codes.items())
            codes = sorted({f"{code:g}" for code, _ in self.codes.values()})
            words, options = ", ".join(map(repr, codes)), " ".join(f"--na {code}" for code in codes)
            yield (
                "EM011",
                (
                    f"{columns} {listed(found, quote=False)} may hold a code for missing values. Where it "
                    f"is one, put NaN in its place, or name it when a file is read (na=[{words}], on the "
                    f"command line {options})"
                ),
            )
        if self.blanks:
            yield (
                "EM011",
                (
                    f"taken as missing: {listed(self.blanks, quote=False)}; all other cells are numbers. "
                    "Name it when the file is read (na=['?'], on the command line --na '?') to say "
                    "so yourself"
                ),
            )


def number_advice(cells: Iterable[Any]) -> str:
    """What to say of text cells that are numbers every one; nothing of others."""
    try:
        for cell in cells:
            float(cell)
    except ValueError:
        return ""
    return ", and every cell of text is a number: convert with astype(float)"


def listed(names: Iterable[str], *, quote: bool = True) -> str:
    """`'a', 'b' and 3 more`: at most 20 of them."""
    every = [repr(name) if quote else name for name in names]
    rest = len(every) - FAULT_CAP
    return ", ".join(every[:FAULT_CAP]) + (f" and {rest} more" if rest > 0 else "")


def shown(cell: str) -> str:
    """A cell as a message repeats it: quoted and not too long."""
    return repr(cell) if len(cell) <= WORDS_SHOWN else repr(cell[:WORDS_SHOWN]) + "..."


def find_columns(wanted: Sequence[str], have: Sequence[str]) -> tuple[str, ...]:
    """The names that are asked for; DataError unless they are there, distinct and at least one."""
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    known = set(have)
    missing = [name for name in names if name not in known]
    if missing:
        hints = [_with_hint(name, have) for name in missing[:FAULT_CAP]]
        more = f" and {len(missing) - FAULT_CAP} more" if len(missing) > FAULT_CAP else ""
        columns = "column" if len(missing) == 1 else "columns"
        raise DataError(f"no {columns} {', '.join(hints)}{more}; the data have {listed(have)}")
    if not names or len(set(names)) < len(names):
        raise DataError(f"ask for distinct columns, at least one; got {listed(names) or 'none'}")
    return names


def _with_hint(name: str, have: Sequence[str]) -> str:
    by_lower = {each.lower(): each for each in have}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"{name!r} (did you mean {by_lower[near[0]]!r}?)" if near else repr(name)
