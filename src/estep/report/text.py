"""The summary of a fit: the model, the data, how good the fit is, why it stopped, the parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite, log
from textwrap import wrap
from typing import Any

import numpy as np

from estep.report.html import page
from estep.report.parameters import sections
from estep.report.tables import WIDTH, pairs
from estep.report.words import clean, title


class Summary(str):
    """Lines of text; shown as they are by a prompt, and as tables by a notebook."""

    __slots__ = ("_page",)

    _page: Callable[[], str]

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self._page()


def summary(estimator: Any, X: Any = None) -> Summary:
    """A fitted estimator in lines of plain text.

    Parameters
    ----------
    estimator : any estimator of this package
        Fitted or loaded. BIC counts the total weight of the rows of the fit.
    X : array-like of shape (n, d), optional
        The data of the fit, for what is told of rows.

    Returns
    -------
    Summary
        A string: lines of at most 80 characters where the names of the columns allow it.
    """
    fitted = estimator._fitted()._replace(columns=estimator._modelled_columns())
    facts = [
        _data(fitted),
        [*_fit(fitted), *_rows(estimator, X)],
        _stop(fitted, estimator.diagnostics_["rate"]),
    ]
    lines = wrap(title(fitted.model), WIDTH)
    for part in facts:
        lines += ["", *pairs(part)]
    lines += sections(fitted)
    saddles = estimator.diagnostics_["saddles"]
    findings = [f"{code}: {text}" for code, text in estimator.diagnostics_["findings"]]
    for heading, texts in (("Saddles", saddles), ("Findings", findings)):
        if texts:
            lines += ["", heading]
        for text in texts:
            lines += wrap(clean(text, 1000), WIDTH, initial_indent="  ", subsequent_indent="    ")
    found = Summary("\n".join(line.rstrip() for line in lines))
    found._page = partial(page, fitted, facts, [*saddles, *findings])
    return found


def _data(fitted: Any) -> list[tuple[str, str]]:
    names = [clean(column.name, 20) for column in fitted.columns]
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return [
        ("rows" if float(fitted.weight).is_integer() else "weight of rows", _amount(fitted.weight)),
        ("columns", clean(f"{len(names)}: {shown}", 60)),
        ("missing cells", _missing(fitted, names)),
    ]


def _missing(fitted: Any, names: list[str]) -> str:
    """By weight, as the likelihood counts them."""
    lost = [max(fitted.weight - column.seen, 0.0) for column in fitted.columns]
    holes = [(n, name) for n, name in zip(lost, names, strict=True) if n > 1e-9 * fitted.weight]
    if not holes:
        return "none"
    total, cells = sum(lost), fitted.weight * len(names)
    where = ", ".join(f"{name} {_amount(n)}" for n, name in sorted(holes, key=lambda hole: -hole[0])[:6])
    more = ", ..." if len(holes) > 6 else ""
    return clean(f"{_amount(total)} of {_amount(cells)} ({total / cells:.1%}): {where}{more}", 60)


def _fit(fitted: Any) -> list[tuple[str, str]]:
    free = fitted.n_parameters
    bic = free * log(fitted.weight) - 2 * fitted.loglik if fitted.weight > 0 else float("nan")
    found = [("log-likelihood", _score(fitted.loglik))]
    if fitted.objective != fitted.loglik:
        found.append(("with the prior", _score(fitted.objective)))
    return [
        *found,
        ("free parameters", str(free)),
        ("BIC", f"{_score(bic)} (lower is better)"),
        ("AIC", f"{_score(2 * free - 2 * fitted.loglik)} (lower is better)"),
    ]


def _rows(estimator: Any, X: Any) -> list[tuple[str, str]]:
    """What mclust tells beside: the ICL, and the sizes of the clusters."""
    if X is None or not hasattr(estimator, "predict"):
        return []
    sizes = np.bincount(estimator.predict(X)).tolist()
    icl = [("ICL", f"{_score(estimator.icl(X))} (lower is better)")] if hasattr(estimator, "icl") else []
    return [*icl, ("rows by component", clean(", ".join(map(str, sizes)), 60))]


def _stop(fitted: Any, rate: float) -> list[tuple[str, str]]:
    verdict = fitted.verdict
    unbegun = [start.status.name for start in fitted.starts if start.iteration == 0]
    waiting = unbegun.count("INTERRUPTED")
    counts = [(len(unbegun) - waiting, "failed"), (waiting, "had not begun")]
    starts = ", ".join([str(len(fitted.starts)), *(f"{n} of which {what}" for n, what in counts if n)])
    return [
        ("status", f"{verdict.status.name}: {verdict.status.value}"),
        *zip(("why", "", "", ""), wrap(clean(verdict.message, 240), 60), strict=False),
        ("iterations", str(verdict.iteration)),
        ("EM's linear rate", f"{rate:.3f}" if isfinite(rate) else "not measured"),
        ("starts", starts),
    ]


def _amount(weight: float) -> str:
    return str(int(weight)) if float(weight).is_integer() and weight < 1e15 else f"{weight:.5g}"


def _score(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1e9 else f"{value:.10g}"
