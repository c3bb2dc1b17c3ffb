"""`estep score`: how probable a table is under a saved model, in all and row by row."""

from __future__ import annotations

from typing import Any

from estep.cli import options as o
from estep.cli.saving import check_place
from estep.cli.source import Source, held
from estep.cli.streams import tell
from estep.cli.threads import at_most
from estep.errors import UsageError


def score(
    *,
    data: o.Data,
    model: o.Model,
    out: o.RowsOut = None,
    json: o.Json = False,
    weights: o.Weights = None,
    name: o.Name = "loglik",
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
    """Print the log-likelihood of a table under a saved model.

    It is the natural logarithm of the density of the cells that are seen, summed over rows; on the data of
    the fit it is the fit's own. With -o it is also written row by row (in a hidden Markov model, each row
    given those before it).
    """
    from estep.cli.adding import Adding
    from estep.cli.model import reopen, sequences, table_for
    from estep.cli.rows import weights_of
    from estep.cli.writing import write

    if out == "-" and json:
        raise UsageError("--json and -o - both print to standard output; give -o a file")
    check_place(out, data)
    estimator = reopen(model)
    with at_most(threads), held(Source(data, columns, na, sep, decimal, inf_as_missing)) as source:
        table = table_for(estimator, model, source)
        how = sequences(estimator, source, groups)
        counts: dict[str, Any] = {}
        if weights is not None:
            if hasattr(estimator, "transmat_"):
                raise UsageError("--weights counts rows, which a hidden Markov model cannot; leave it out")
            counts["sample_weight"] = weights_of(source.read([weights]), weights)
        total = estimator.loglik(table, **how, **counts)
        n = len(table.values)
        weight = float(counts["sample_weight"].sum()) if counts else float(n)
        if out is not None:
            new = {name: estimator.score_samples(table, **how)}
            write(out, source, Adding(new, table, only), raw=raw)
    if out != "-":
        tell(_told(estimator, n, weight, total, json=json))


def _told(estimator: Any, n: int, weight: float, total: float, *, json: bool) -> str:
    if json:
        from estep.cli.describe import document

        found = {"rows": n, "weight": weight, "loglik": total, "loglik_per_row": total / weight}
        return document({"model": type(estimator).__name__, **found})
    from estep.report.tables import pairs

    lines = [
        ("rows", str(n) if weight == n else f"{n}, of weight {weight:g}"),
        ("log-likelihood", f"{total:.3f}"),
        ("per row", f"{total / weight:.5f}"),
    ]
    return "\n".join(line.strip() for line in pairs(lines))
