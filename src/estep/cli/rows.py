"""The rows that a model is fitted to: its columns, and apart from them weights and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from estep.cli.source import Source
from estep.cli.streams import named, note
from estep.cli.wordy import reasons
from estep.errors import DataError, UsageError

if TYPE_CHECKING:
    from estep.data.table import Table
    from estep.records import Array, Int


class Rows(NamedTuple):
    """What an estimator is fitted to."""

    table: Table
    weights: Array | None
    lengths: Int | None  # of the sequences


def read_rows(source: Source, *, text: bool, weights: str | None = None, groups: str | None = None) -> Rows:
    """The columns of the model, and apart from them the weights and the sequences.

    Parameters
    ----------
    source : Source
    text : bool
        Whether the model takes text columns, as categories. If not, those that were not asked for are left
        out with a note, and those that were are an error.
    weights, groups : str, optional
        Names of columns that are not data.
    """
    aside = [name for name in (weights, groups) if name is not None]
    chosen = source.columns
    if chosen is not None and set(chosen) & set(aside):
        raise UsageError(
            f"column {aside[0]!r} cannot be data and weights or groups as well; take it out of one"
        )
    from estep.data.sequences import lengths_of

    whole = source.read(None if chosen is None else (*chosen, *aside))
    if aside:
        whole.select(aside)  # an unknown name is an error here, with the nearest one
    table = whole.select([name for name in whole.names if name not in aside])
    if not text:
        table = numbers(table, source)
    return Rows(
        table,
        None if weights is None else weights_of(whole, weights),
        None if groups is None else lengths_of(whole, groups),
    )


def numbers(table: Table, source: Source) -> Table:
    """The columns of numbers; a text column is left out with a note, or refused if it was asked for."""
    words = {
        name: levels for name, levels in zip(table.names, table.levels, strict=True) if levels is not None
    }
    why = reasons(words, source)
    if words and source.columns is not None:
        told = "; ".join(
            f"column {names[0]!r} holds {reason}"
            if len(names) == 1
            else f"columns {named(map(repr, names))} hold {reason}"
            for reason, names in why.items()
        )
        raise DataError(f"{told}; take {'it' if len(words) == 1 else 'them'} out of --columns")
    for reason, names in why.items():
        note(f"note: left out: {named(names)} ({reason})")
    return table.numeric()


def weights_of(table: Table, name: str) -> Array:
    """A column as weights of the rows."""
    from estep.data.weights import check_weights

    if table.levels[table.names.index(name)] is not None:
        raise DataError(f"column {name!r} gives the weights and holds text; give a column of numbers")
    column = table.select([name]).values[:, 0]
    return check_weights(column, len(column), f"column {name!r}")
