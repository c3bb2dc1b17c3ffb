"""`estep decode` and `estep filter`: states of a hidden Markov model, as a path or as of each row."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from estep.cli import options as o
from estep.cli import words as w
from estep.cli.model import chain, sequences, table_for
from estep.cli.saving import check_place
from estep.cli.source import Source, held
from estep.cli.streams import note
from estep.cli.threads import at_most

Algorithm = Annotated[
    str,
    typer.Option(
        "--algorithm",
        metavar="viterbi|map",
        callback=w.one_of("viterbi", "map"),
        help="viterbi: the most probable path of each sequence. map: at each row its most probable state, "
        "which may be no path.",
    ),
]


def decode(
    *,
    data: o.Data,
    model: o.Model,
    out: o.TableOut = "-",
    algorithm: Algorithm = "viterbi",
    name: o.Name = "state",
    only: o.Only = False,
    groups: o.Groups = None,
    columns: o.ModelColumns = None,
    na: o.Na = None,
    sep: o.Separator = None,
    decimal: o.Decimal = ".",
    inf_as_missing: o.InfAsMissing = False,
    threads: o.Threads = None,
    raw: o.Raw = False,
) -> None:
    """Say which path of states explains the rows best.

    The table comes out as it went in, with a column more. The log-probability of the rows together with the
    path is told on standard error.
    """
    from estep.cli.adding import Adding
    from estep.cli.writing import write

    check_place(out, data)
    estimator = chain(model)
    with at_most(threads), held(Source(data, columns, na, sep, decimal, inf_as_missing)) as source:
        table = table_for(estimator, model, source)
        joint, states = estimator.decode(table, **sequences(estimator, source, groups), algorithm=algorithm)
        write(out, source, Adding({name: states}, table, only), raw=raw)
    note(f"log-probability of the rows and this path: {joint:.6f}")


def filter_(
    *,
    data: o.Data,
    model: o.Model,
    out: o.TableOut = "-",
    name: o.Name = "state",
    only: o.Only = False,
    groups: o.Groups = None,
    columns: o.ModelColumns = None,
    na: o.Na = None,
    sep: o.Separator = None,
    decimal: o.Decimal = ".",
    inf_as_missing: o.InfAsMissing = False,
    threads: o.Threads = None,
    raw: o.Raw = False,
) -> None:
    """Say how probable each state is, given the rows so far.

    Nothing of the future is used: each row gets what a monitor would have said there.
    The new columns are the most probable state, and NAME_p0, NAME_p1, ...: the probability of each.
    """
    from estep.cli.adding import Adding
    from estep.cli.writing import write

    check_place(out, data)
    estimator = chain(model)
    with at_most(threads), held(Source(data, columns, na, sep, decimal, inf_as_missing)) as source:
        table = table_for(estimator, model, source)
        shares = estimator.filter(table, **sequences(estimator, source, groups))
        new: dict[str, Any] = {name: shares.argmax(axis=1)}
        new |= {f"{name}_p{j}": share for j, share in enumerate(shares.T)}
        write(out, source, Adding(new, table, only), raw=raw)
