"""Running the command line in this process, and what came of it."""

import io
import sys
from typing import NamedTuple

import pytest

from estep.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def error(self):
        """The one error, in which there is no traceback."""
        assert "Traceback" not in self.err
        (line,) = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return line


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """`run("fit", ...)` in an empty folder; `stdin` is what comes on standard input."""
    monkeypatch.chdir(tmp_path)

    def call(*argv, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main([str(word) for word in argv])
        return Outcome(code, *capsys.readouterr())

    return call
