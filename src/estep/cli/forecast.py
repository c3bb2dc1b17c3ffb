"""`estep forecast`: what follows the last row of each sequence of a hidden Markov model."""

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

Steps = Annotated[
    int, typer.Option("-n", "--steps", metavar="N", parser=w.whole(1, 10**6), help="How many rows ahead.")
]
Quantiles = Annotated[
    Any,
    typer.Option(
        "--quantiles", metavar="P,Q", parser=w.shares, help="Quantiles of each column, between 0 and 1."
    ),
]


def forecast(
    *,
    data: o.Data,
    model: o.Model,
    steps: Steps = 1,
    quantiles: Quantiles = "0.05,0.5,0.95",
    out: o.TableOut = "-",
    groups: o.Groups = None,
    columns: o.ModelColumns = None,
    na: o.Na = None,
    sep: o.Separator = None,
    decimal: o.Decimal = ".",
    inf_as_missing: o.InfAsMissing = False,
    threads: o.Threads = None,
    raw: o.Raw = False,
) -> None:
    """Say what follows the last row.

    A table of its own: a row for each step (with --groups, of each sequence), the probability of each state,
    and of each column the mean and the quantiles, as COLUMN_mean and COLUMN_q0.05.
    """
    import numpy as np

    from estep.data.files import write_table

    check_place(out, data)
    estimator = chain(model)
    with at_most(threads), held(Source(data, columns, na, sep, decimal, inf_as_missing)) as source:
        table = table_for(estimator, model, source)
        ahead = estimator.forecast(table, steps, **sequences(estimator, source, groups), quantiles=quantiles)
        label, levels = (None, None) if groups is None else _names(source, groups)
    found = {"step": ahead.step} | {f"state_p{j}": share for j, share in enumerate(ahead.states.T)}
    for j, column in enumerate(estimator.fitted_.columns):
        found[f"{column.name}_mean"] = ahead.means[:, j]
        found |= {
            f"{column.name}_q{level:g}": ahead.quantiles[:, j, q] for q, level in enumerate(ahead.levels)
        }
    if label is not None:
        found = {str(groups): label[ahead.sequence]} | found
    names, n_levels = list(found), [levels if name == groups else None for name in found]
    write_table(out, names, np.column_stack(list(found.values())), levels=n_levels, raw=raw)
    if out != "-":
        note(f"wrote {out}")


def _names(source: Source, groups: str) -> tuple[Any, Any]:
    """The code or number of each sequence, in order, and the names of the codes."""
    import numpy as np

    table = source.read([groups])
    codes = table.values[:, 0]
    return codes[np.concatenate([[True], codes[1:] != codes[:-1]])], table.levels[0]
