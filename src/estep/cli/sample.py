"""`estep sample`: rows drawn from a saved model."""

from __future__ import annotations

from typing import Annotated

import typer

from estep.cli import options as o
from estep.cli import words as w
from estep.cli.saving import check_place
from estep.cli.streams import note
from estep.errors import UsageError


def sample(
    *,
    model: o.ModelArgument,
    n: Annotated[int, typer.Option("-n", "--rows", metavar="N", parser=w.whole(1), help="How many rows.")],
    seed: Annotated[
        int,
        typer.Option(
            "--seed", metavar="N", parser=w.whole(0, 2**32 - 1), help="The same seed gives the same rows."
        ),
    ] = 0,
    out: o.TableOut = "-",
    labels: Annotated[
        bool, typer.Option("--labels", help="Also the component or state that each row came from.")
    ] = False,
    name: o.Name = "label",
    raw: o.Raw = False,
) -> None:
    """Draw rows from a saved model.

    A hidden Markov model gives one sequence.
    """
    import numpy as np

    from estep.cli.model import reopen
    from estep.data.files import write_table

    check_place(out, None)
    estimator = reopen(model)
    drawn = estimator.set_params(random_state=seed).sample(n)
    values, components = drawn if isinstance(drawn, tuple) else (drawn, None)
    names = [column.name for column in estimator.fitted_.columns]
    levels = [column.levels for column in estimator.fitted_.columns]
    if labels:
        if components is None:
            kind = type(estimator).__name__
            raise UsageError(
                f"{model} holds a model of the kind {kind}, whose rows have no components; leave out --labels"
            )
        if name in names:
            raise UsageError(f"the model has a column {name!r} already; name the new one with --name")
        names, levels = [*names, name], [*levels, None]
        values = np.column_stack([values, components])
    write_table(out, names, values, levels=levels, raw=raw)
    if out != "-":
        note(f"wrote {out}")
