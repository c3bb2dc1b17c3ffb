"""Each fault is tried through Python's calls and through the command line."""

from __future__ import annotations

from typing import Any

import pytest
from command import caller
from faults.doors import DOORS, Door, command_line, library


@pytest.fixture
def run(capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    return caller(capsys, monkeypatch, tmp_path)


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, run: Any) -> Door:
    """`door("normal", X)` fits in one of the two ways; both start in an empty folder."""
    return library if request.param == "library" else command_line(run)
