"""`estep impute`: missing cells at their means given the cells that are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from estep.cli import options as o
from estep.cli.saving import check_place
from estep.cli.source import Source, held
from estep.cli.streams import named, note
from estep.cli.threads import at_most
from estep.errors import UsageError

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
    out: o.TableOut = "-",
    columns: o.Columns = None,
    groups: o.Groups = None,
    na: o.Na = None,
    sep: o.Separator = None,
    decimal: o.Decimal = ".",
    inf_as_missing: o.InfAsMissing = False,
    threads: o.Threads = None,
    raw: o.Raw = False,
) -> None:
    """Fill missing cells by a model.

    Each gets its mean given the cells of its row that are seen; every other cell keeps its text. In CSV a
    byte-order mark, line ends and needless quotes may change, and text that a spreadsheet would run gets a
    leading ' unless --raw is given.
    """
    from estep.cli.filling import Filling
    from estep.cli.model import reopen, sequences, table_for
    from estep.cli.writing import write

    check_place(out, data)
    with at_most(threads), held(Source(data, columns, na, sep, decimal, inf_as_missing)) as source:
        if model is None:
            estimator, table = _with_normal(source)
        else:
            estimator = reopen(model)
            if not hasattr(estimator, "impute"):
                raise UsageError(
                    f"{model} holds a model of the kind {type(estimator).__name__}, which cannot impute; "
                    "give one that can, or leave out -m"
                )
            table = table_for(estimator, model, source)
        how = sequences(estimator, source, groups)
        levels = tuple(column.levels for column in estimator.fitted_.columns)
        filling = Filling(table, estimator.impute(table, **how), levels)
        note(filling.sentence())
        write(out, source, filling, raw=raw)


def _with_normal(source: Source) -> tuple[Any, Table]:
    """A normal fitted to the columns of numbers, and these columns."""
    from estep import Normal
    from estep.cli.rows import numbers

    table = numbers(source.read(source.columns), source)
    note(f"note: no model given with -m; a normal is fitted to {named(table.names)}")
    return Normal().fit(table), table
