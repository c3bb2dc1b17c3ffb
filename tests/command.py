"""Running the command line in this process, and what came of it."""

import io
import sys
from typing import NamedTuple

from estep.cli import main


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def error(self):
        """The one error, in which there is no traceback; with the lines below it, where it is a list."""
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        (at,) = [i for i, line in enumerate(lines) if line.startswith("error: ")]
        below = [line for line in lines[at + 1 :] if line.startswith("- ")]
        return "\n".join([lines[at], *below])


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def caller(capsys, monkeypatch, folder):
    """`run("fit", ...)` in an empty folder; `stdin` is what comes on standard input."""
    monkeypatch.chdir(folder)

    def run(*argv, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        code = main([str(word) for word in argv])
        return Outcome(code, *capsys.readouterr())

    return run
