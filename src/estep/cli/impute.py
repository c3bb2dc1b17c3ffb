"""`estep impute`: missing cells at their means given the cells that are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from estep.cli import options as o
from estep.cli.rows import lengths_of, numbers
from estep.cli.saving import check_place, reopen
from estep.cli.source import Source, held
from estep.cli.streams import named, note
from estep.errors import DataError, UsageError

if TYPE_CHECKING:
    from estep.data.table import Table


def impute(
    *,
    data: o.Data,
    model: Annotated[
        str | None,
        typer.Option(
            "-m", "--model", metavar="FILE", help="A model file; by default a normal is fitted to the data."
        ),
    ] = None,
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="FILE", help="CSV, TSV, Parquet or Feather; '-' prints CSV.")
    ] = "-",
    columns: o.Columns = None,
    groups: o.Groups = None,
    na: o.Na = None,
    sep: o.Separator = None,
    decimal: o.Decimal = ".",
    inf_as_missing: o.InfAsMissing = False,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw", help="Write text as it is, even where a spreadsheet would run it as a formula."
        ),
    ] = False,
) -> None:
    """Fill missing cells by a model.

    Each gets its mean given the cells of its row that are seen; every other cell keeps its text. In CSV a
    byte-order mark, line ends and needless quotes may change, and text that a spreadsheet would run gets a
    leading ' unless --raw is given.
    """
    from estep.cli.filling import Filling, kind_of, write

    kind_of(out)  # a suffix is refused before the work, not after it
    check_place(out, data)
    with held(Source(data, columns, na, sep, decimal, inf_as_missing)) as source:
        estimator, table = _with_normal(source) if model is None else _with_model(source, model)
        how: dict[str, Any] = {}
        if groups is not None:
            if not hasattr(estimator, "transmat_"):
                raise UsageError("--groups is for the sequences of a hidden Markov model; leave it out")
            how["lengths"] = lengths_of(source.read([groups]), groups)
        levels = tuple(column.levels for column in estimator.fitted_.columns)
        filling = Filling(table, estimator.impute(table, **how), levels)
        note(filling.sentence())
        write(out, source, filling, raw=raw)
    if out != "-":
        note(f"wrote {out}")


def _with_normal(source: Source) -> tuple[Any, Table]:
    """A normal fitted to the columns of numbers, and these columns."""
    from estep import Normal

    chosen = source.chosen()
    table = numbers(source.read(chosen), source)
    note(f"note: no model given with -m; a normal is fitted to {named(table.names)}")
    return Normal().fit(table), table


def _with_model(source: Source, path: str) -> tuple[Any, Table]:
    """The saved model, and the columns it was fitted to."""
    estimator = reopen(path)
    if not hasattr(estimator, "impute"):
        raise UsageError(f"{path} holds a model of the kind {type(estimator).__name__}, which cannot impute")
    names, chosen = getattr(estimator, "feature_names_in_", None), source.chosen()
    if names is None:
        return estimator, numbers(source.read(chosen), source)
    if chosen is not None:
        raise UsageError(
            f"leave out --columns: with -m the model takes the columns it was fitted to, {named(names)}"
        )
    try:
        return estimator, source.read(tuple(names))
    except DataError as error:
        raise DataError(f"{error}; the model in {path} takes {named(names)}") from error
