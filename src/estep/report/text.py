"""The summary of a fit: the model, the data, how good the fit is, why it stopped, the parameters."""

from __future__ import annotations

from math import isfinite, log
from textwrap import wrap
from typing import Any

from estep.report.parameters import sections
from estep.report.tables import WIDTH, pairs
from estep.report.words import clean, title


def summary(estimator: Any) -> str:
    """A fitted estimator in lines of plain text.

    Parameters
    ----------
    estimator : any estimator of this package
        Fitted or loaded. The text needs no data; BIC counts the total weight of the rows of the fit.

    Returns
    -------
    str
        Lines of at most 80 characters where the names of the columns allow it.
    """
    fitted = estimator._fitted()
    lines = [*wrap(title(fitted.model), WIDTH), "", *pairs(_data(fitted)), "", *pairs(_fit(fitted))]
    lines += ["", *_stop(fitted, estimator.diagnostics_["rate"])]
    lines += sections(fitted.model, fitted.user_params, estimator._modelled_columns())
    saddles = estimator.diagnostics_["saddles"]
    if saddles:
        lines += ["", "Saddles"]
        for text in saddles:
            lines += _wrapped(text)
    findings = estimator.diagnostics_["findings"]
    if findings:
        lines += ["", "Findings"]
        for code, text in findings:
            lines += _wrapped(f"{code}: {clean(text, 1000)}")
    return "\n".join(line.rstrip() for line in lines)


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


def _stop(fitted: Any, rate: float) -> list[str]:
    verdict = fitted.verdict
    unbegun = [start.status.name for start in fitted.starts if start.iteration == 0]
    waiting = unbegun.count("INTERRUPTED")
    counts = [(len(unbegun) - waiting, "failed"), (waiting, "had not begun")]
    starts = ", ".join([str(len(fitted.starts)), *(f"{n} of which {what}" for n, what in counts if n)])
    return pairs(
        [
            ("status", f"{verdict.status.name}: {verdict.status.value}"),
            *zip(("why", "", "", ""), wrap(clean(verdict.message, 240), 60), strict=False),
            ("iterations", str(verdict.iteration)),
            ("EM's linear rate", f"{rate:.3f}" if isfinite(rate) else "not measured"),
            ("starts", starts),
        ]
    )


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def _amount(weight: float) -> str:
    return str(int(weight)) if float(weight).is_integer() and weight < 1e15 else f"{weight:.5g}"


def _score(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1e9 else f"{value:.10g}"
