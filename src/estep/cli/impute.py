"""`estep impute`: missing cells at their means given the cells that are seen, or drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from estep.cli import options as o
from estep.cli import words as w
from estep.cli.saving import check_place
from estep.cli.source import Source, held
from estep.cli.streams import named, note
from estep.cli.threads import at_most
from estep.errors import UsageError

if TYPE_CHECKING:
    from estep.data.table import Table
    from estep.records import Array


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
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws",
            metavar="M",
            parser=w.whole(1),
            help="Draw the missing cells M times, for multiple imputation: M tables, one below the other. "
            "By default they get their means, once.",
        ),
    ] = None,
    seed: o.Seed = 0,
    name: o.Name = "imputation",
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

    With --draws each cell is drawn given those that are seen, each time from a model fitted anew to rows
    drawn again from the data, so that the draws differ as the truth is uncertain; a first column counts them.
    """
    from estep.cli.filling import Filling
    from estep.cli.model import reopen, sequences, table_for
    from estep.cli.stacking import Stacking
    from estep.cli.writing import write

    if draws is None and (seed, name) != (0, "imputation"):
        raise UsageError("--seed and --name are for --draws; give it too, or leave them out")
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
        filling: Filling | Stacking = (
            Filling(table, estimator.impute(table, **how), levels)
            if draws is None
            else Stacking(table, _drawn(estimator, table, draws, seed), levels, name)
        )
        note(filling.sentence())
        write(out, source, filling, raw=raw)


def _drawn(estimator: Any, table: Table, draws: int, seed: int) -> Array:
    from estep import Normal

    if not isinstance(estimator, Normal):
        raise UsageError(
            f"--draws needs a normal, and not a {type(estimator).__name__}; leave out -m or --draws"
        )
    found: Array = estimator.impute(table, draws=draws, random_state=seed)
    return found


def _with_normal(source: Source) -> tuple[Any, Table]:
    """A normal fitted to the columns of numbers, and these columns."""
    from estep import Normal
    from estep.cli.rows import numbers

    table = numbers(source.read(source.columns), source)
    note(f"note: no model given with -m; a normal is fitted to {named(table.names)}")
    return Normal().fit(table), table
