"""The command line: `estep fit`, `estep impute`, `estep show` and `estep demo`.

Data, summaries and JSON go to standard output; warnings, errors and where files were written go to standard
error. Slow packages are imported inside the commands, so that `estep --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after `estep`; those of the process by default.

    Returns
    -------
    int
        The exit code: 0 done, 1 a bug, or a reader that went away; 2 usage; 3 data; 4 model file; 5 a disk,
        a folder or memory; 6 a source that cannot be read; 130 Ctrl-C; 143 SIGTERM.

    Examples
    --------
    >>> from estep.cli import main
    >>> main(["--version"])
    estep 0.1.0
    0
    """
    try:
        from estep.cli.shell import run  # inside, so that Ctrl-C during the import is no traceback either

        return run(argv)
    except KeyboardInterrupt:
        return 130
