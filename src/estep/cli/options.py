"""Options that several commands share, so that each has one name, one meaning and one help text."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from estep.cli import words as w


def example(*commands: str) -> str:
    """The end of a command's help; the backspace keeps the lines as they are."""
    lines = "".join(f"\n  {command}" for command in commands)
    return f"\b\nExample{'s' if len(commands) > 1 else ''}:{lines}"


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="CSV, TSV, Parquet or Feather file with named columns; '-' is CSV on standard input; "
        "example:NAME is a shipped data set (airquality, casino, earthquakes, faithful, galaxies, geyser, "
        "iris).",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="A,B",
        callback=w.names,
        help="The columns to use; by default all that hold numbers.",
    ),
]
ModelColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="A,B",
        callback=w.names,
        help="The columns to use, for a model that was fitted to columns without names.",
    ),
]
Na = Annotated[
    list[str] | None,
    typer.Option("--na", metavar="CODE", help="A cell that means 'missing', such as -999; may be repeated."),
]
Separator = Annotated[
    str | None,
    typer.Option(
        "--sep",
        metavar="CHAR",
        callback=w.separator,
        help="Between the cells of a CSV file: , or ; or tab.",
    ),
]
Decimal = Annotated[
    str,
    typer.Option(
        "--decimal",
        metavar="CHAR",
        callback=w.one_of(".", ","),
        help="The decimal sign of a CSV file: . or ,",
    ),
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
        parser=w.whole(1),
        help="How many components (clusters, states), at least 1.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed", metavar="N", parser=w.whole(0, 2**32 - 1), help="Seed of the random starts, >= 0."
    ),
]
Tol = Annotated[
    float,
    typer.Option(
        "--tol",
        metavar="NATS",
        parser=w.number(zero=True),
        help="Stop when less than this is still to gain, in nats of log-likelihood.",
    ),
]
MaxIter = Annotated[
    int,
    typer.Option("--max-iter", metavar="N", parser=w.whole(1), help="Passes over the data at most, >= 1."),
]
Starts = Annotated[
    Any,
    typer.Option(
        "--starts",
        metavar="N",
        parser=w.starts,
        help="How many random starts; by default as many as it takes to meet the best optimum again.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        parser=w.whole(1, 1024),
        help="Threads to use; by default one for each processor. The answer does not depend on it.",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print every tenth pass on standard error.")]
Model = Annotated[
    str, typer.Option("-m", "--model", metavar="FILE", help="A model file, made with estep fit ... -o FILE.")
]
ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model file, made with estep fit ... -o FILE.")
]
ModelOut = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FILE",
        callback=w.model_place,
        help="Save the fitted model here (m.estep); after Ctrl-C, the best point so far.",
    ),
]
TableOut = Annotated[
    str,
    typer.Option(
        "-o",
        "--out",
        metavar="FILE",
        callback=w.table_place,
        help="CSV, TSV, Parquet or Feather; '-' prints CSV.",
    ),
]
RowsOut = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--out",
        metavar="FILE",
        callback=w.table_place,
        help="Write the log-likelihood of each row here, beside the columns of DATA: CSV, TSV, Parquet or "
        "Feather; '-' prints CSV in place of the total.",
    ),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the new column.")]
Only = Annotated[
    bool, typer.Option("--only", help="Write only the new columns, not those of DATA beside them.")
]
Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        help="Write text as it is. Without it, text in CSV that begins with = + - @, a tabulator or a "
        "carriage return gets a leading ', so that no spreadsheet runs it as a formula.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the summary.")]
