"""Options that several commands share, so that each has one name, one meaning and one help text."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Annotated, Any

import typer


def example(*commands: str) -> str:
    """The end of a command's help; the backspace keeps the lines as they are."""
    lines = "".join(f"\n  {command}" for command in commands)
    return f"\b\nExample{'s' if len(commands) > 1 else ''}:{lines}"


def one_of(*known: str, **aliases: str) -> Callable[[str], str]:
    """A check that a word is one of those known; the message suggests the nearest."""

    def check(word: str) -> str:
        word = aliases.get(word, word)
        if word in known:
            return word
        near = difflib.get_close_matches(word, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise typer.BadParameter(f"{word!r} is unknown; {hint}Choose from {', '.join(known)}")

    return check


def whole(least: int, most: int | None = None) -> Callable[[Any], int]:
    """A reader of whole numbers, whose message is a sentence; a default comes as a number already."""
    span = f">= {least}" if most is None else f"from {least} to {most}"

    def read(word: Any) -> int:
        try:
            value = int(word)
        except ValueError:
            raise typer.BadParameter(f"{word!r} is not a whole number; give one {span}") from None
        if value < least or (most is not None and value > most):
            raise typer.BadParameter(f"{value} is out of range; give a whole number {span}")
        return value

    return read


def number(word: Any) -> float:
    """A number, or a message that is a sentence."""
    try:
        return float(word)
    except ValueError:
        raise typer.BadParameter(f"{word!r} is not a number; give one such as 0.5") from None


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="CSV, TSV, Parquet or Feather file with named columns; '-' is CSV on standard input; "
        "example:NAME is a shipped data set (airquality, casino, earthquakes, faithful, galaxies, iris).",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--columns", metavar="A,B", help="The columns to use; by default all that hold numbers."),
]
Na = Annotated[
    list[str] | None,
    typer.Option("--na", metavar="CODE", help="A cell that means 'missing', such as -999; may be repeated."),
]
Separator = Annotated[
    str | None,
    typer.Option("--sep", metavar="CHAR", help="Between the cells of a CSV file: , or ; or tab."),
]
Decimal = Annotated[
    str, typer.Option("--decimal", metavar="CHAR", help="The decimal sign of a CSV file: . or ,")
]
InfAsMissing = Annotated[
    bool, typer.Option("--inf-as-missing", help="Take infinite cells as missing instead of refusing them.")
]
Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="COLUMN", help="A column that says how often each row counts."),
]
Groups = Annotated[
    str | None,
    typer.Option(
        "--groups",
        metavar="COLUMN",
        help="A column that names the sequence of each row; the rows of a sequence stand together. "
        "By default all rows are one sequence.",
    ),
]
K = Annotated[
    int,
    typer.Option(
        "-k",
        "--components",
        metavar="K",
        parser=whole(1),
        help="How many components (clusters, states), at least 1.",
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", parser=whole(0, 2**32 - 1), help="Seed of the random starts, >= 0."),
]
Tol = Annotated[
    float,
    typer.Option(
        "--tol",
        metavar="NATS",
        parser=number,
        help="Stop when less than this is still to gain, in nats of log-likelihood.",
    ),
]
MaxIter = Annotated[
    int,
    typer.Option("--max-iter", metavar="N", parser=whole(1), help="Passes over the data at most, >= 1."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print every tenth pass on standard error.")]
ModelOut = Annotated[
    str | None, typer.Option("-o", "--out", metavar="FILE", help="Save the fitted model here (m.estep).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the summary.")]
