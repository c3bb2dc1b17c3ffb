"""`estep predict`: the component or state of each row, by a saved model."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from estep.cli import options as o
from estep.cli.saving import check_place
from estep.cli.source import Source, held
from estep.cli.threads import at_most
from estep.errors import UsageError


def predict(
    *,
    data: o.Data,
    model: o.Model,
    out: o.TableOut = "-",
    probabilities: Annotated[
        bool,
        typer.Option(
            "--probabilities", help="Also NAME_p0, NAME_p1, ...: the probability of each component."
        ),
    ] = False,
    name: o.Name = "label",
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
    """Say which component each row belongs to.

    The table comes out as it went in, with a column more: the most probable component, or the state on
    the most probable path of a hidden Markov model, counted from 0 as in the summary.
    """
    from estep.cli.adding import Adding
    from estep.cli.model import reopen, sequences, table_for
    from estep.cli.writing import write

    check_place(out, data)
    estimator = reopen(model)
    if not hasattr(estimator, "predict"):
        kind = type(estimator).__name__
        raise UsageError(
            f"{model} holds a model of the kind {kind}, which has no components to choose from; give one of "
            "a mixture or a hidden Markov model"
        )
    with at_most(threads), held(Source(data, columns, na, sep, decimal, inf_as_missing)) as source:
        table = table_for(estimator, model, source)
        how = sequences(estimator, source, groups)
        new: dict[str, Any] = {name: estimator.predict(table, **how)}
        if probabilities:
            shares = estimator.predict_proba(table, **how)
            new |= {f"{name}_p{j}": share for j, share in enumerate(shares.T)}
        write(out, source, Adding(new, table, only), raw=raw)
