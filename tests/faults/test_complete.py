"""Every row of FAULTS.md has a parametrised test named after it, at both doors, or a reason why not.

Which tests there are is asked of pytest itself, in a process of its own, so that this file may be run alone
or among many. An id counts for the library, unless its test runs commands (the fixture `run`), for both doors
where it has `shell`, and for the door that it names where it names one.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ROWS = dict(re.findall(r"^\| ([A-Z]\d\d) \| (.*?) \|", (HERE / "FAULTS.md").read_text(), flags=re.MULTILINE))
WHERE = ("tests/faults",)  # tests/data has more of the same ids
LIBRARY, COMMANDS = "the library", "the command line"

_SQL = "there are no SQL sources"
_RESUME = "there are no checkpoints and no --resume"
_USERS = "a user's own functions cannot be given on the command line"
_TEXT = "cells are written as text by the command line alone"
ABSENT = {  # neither door
    "Q02": _SQL,
    "Q03": _SQL,
    "Q05": _SQL,
    "Q06": _SQL,
    "X03": _RESUME,
    "X04": _RESUME,
    "X10": "there is no Dask executor",
    "R04": "there is no report page; what notebooks show has tests in tests/report/test_text.py",
    "D02": "one machine has one BLAS; tests run on the systems of CI, and hold to 1e-10 there",
}
ONE_DOOR = {  # the other door, and why it has no such row
    "S04": (COMMANDS, "the rows of a file are the command's own"),
    "S05": (COMMANDS, "no file holds a sparse matrix"),
    "V29": (COMMANDS, _USERS),
    "V30": (COMMANDS, _USERS),
    "C11": (LIBRARY, "`read_table` reads a file once"),
    "X12": (LIBRARY, "terminals and streams are the command line's"),
    "X13": (LIBRARY, "the library makes no temporary files; kernels' cache: tests/estimators/test_home.py"),
    "R02": (LIBRARY, _TEXT),
}


def doors_of_rows() -> dict[str, set[str]]:
    """The rows, and the doors at which they are tried."""
    command = [sys.executable, str(HERE / "collected.py"), *WHERE]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, set[str]] = {row: set() for row in ROWS}
    for function, name, fixtures in json.loads(done.stdout):
        for row in re.findall(r"(?<![A-Za-z0-9])[A-Z]\d\d(?!\d)", name):
            if row in found and "test_complete" not in function:
                found[row] |= doors(name, set(fixtures))
    return found


def doors(name: str, fixtures: set[str]) -> set[str]:
    named = re.findall(r"(?<![a-z])(?:library|command-line)(?![a-z])", name)
    if named:
        return {LIBRARY if door == "library" else COMMANDS for door in named}
    if "shell" in fixtures:
        return {LIBRARY, COMMANDS}
    return {COMMANDS} if "run" in fixtures else {LIBRARY}


def test_every_row_has_a_test_at_both_doors_or_a_reason() -> None:
    found, faults = doors_of_rows(), []
    assert len(ROWS) == 80
    for row, case in ROWS.items():
        missing = {LIBRARY, COMMANDS} - found[row]
        if row in ABSENT:
            stale = bool(found[row])
            excused = {LIBRARY, COMMANDS}
        else:
            excused = {ONE_DOOR[row][0]} if row in ONE_DOOR else set()
            stale = bool(excused - missing)
        if stale:
            faults.append(f"{row} ({case}) has a test and a reason for having none")
        faults += [f"{row} ({case}) has no test through {door}" for door in sorted(missing - excused)]
    assert not faults, "\n".join(faults)


def test_reasons_are_of_rows() -> None:
    assert not (ABSENT.keys() | ONE_DOOR.keys()) - ROWS.keys()
    assert not ABSENT.keys() & ONE_DOOR.keys()


@pytest.mark.parametrize(
    ("name", "fixtures", "expected"),
    [
        ("command-line-V06-3", {"run", "door"}, {COMMANDS}),
        ("V06-3-library", {"run", "door"}, {LIBRARY}),
        ("F05-k", {"shell"}, {LIBRARY, COMMANDS}),
        ("C03-empty", {"run"}, {COMMANDS}),
        ("C03-empty", {"tmp_path"}, {LIBRARY}),
    ],
)
def test_the_door_of_a_test(name: str, fixtures: set[str], expected: set[str]) -> None:
    assert doors(name, fixtures) == expected
