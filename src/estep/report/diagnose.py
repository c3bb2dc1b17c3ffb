"""What is found of a fit: each finding with its cause, a remedy, and its page in the documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from estep.data.convert.intake import listed
from estep.engine import Status, linear_rate
from estep.report.columns import correlations
from estep.report.components import Components, normal_laws
from estep.report.words import clean

EQUAL = 0.99  # overlap of two components that are one
SCARCE = 1.0  # rows' worth of an empty component
THIN = 1e-6  # of the columns' variances
SLOW = 0.99  # linear rate
CLOSE = 0.9999  # correlation

# cause, and what to do
CODES = {
    "EM001": ("the iterations ran out, or the fit was stopped", "raise max_iter, or tol"),
    "EM002": ("a component sits on too few rows or directions", "ask for less, or share covariances"),
    "EM003": ("an M-step leads downhill: a bug", "report it, with the data"),
    "EM004": ("a column never changes", "leave it out"),
    "EM006": (
        "a log-density overflowed, or is minus infinity",
        "look for extreme values or zero probabilities",
    ),
    "EM007": ("the iterations ran out at a saddle", "raise max_iter"),
    "EM008": ("columns measure the same thing, or add up", "leave out those that others determine"),
    "EM009": ("no row shows two columns together", "find rows that do, or fit the columns apart"),
    "EM010": ("integers have more digits than float64", "subtract a constant, or leave identifiers out"),
    "EM011": ("a number or word may stand for a missing cell", "name it with na=, or put NaN in its place"),
    "EM013": ("a single value has no variance", "leave the column out"),
    "EM014": ("an offset left no digits for what varies", "subtract it before the data are rounded"),
    "EM015": ("a column is discrete, or has a spike", "model it as categories or counts, or leave it out"),
    "EM016": ("no row is in a state, or follows one in it", "fewer states, a way there, or longer sequences"),
    "EM020": ("there are more components than groups", "ask for fewer, and compare by BIC"),
    "EM021": ("there are more components than groups", "ask for fewer"),
    "EM022": ("rows lie nearly in a plane, or repeat", "look at the columns, or share covariances"),
    "EM023": ("much of the information is missing", "a simpler model or more rows; not another start"),
    "EM024": ("two columns measure nearly the same", "keep one of them"),
    "EM026": ("starts ended without a density", "more rows or fewer components"),
}


class Finding(NamedTuple):
    """One finding."""

    code: str
    what: str
    cause: str
    fix: str
    page: str  # where more is said

    def __str__(self) -> str:
        lines = (f"cause: {self.cause}", f"fix: {self.fix}", f"see {self.page}")
        return "\n  ".join((f"{self.code}: {clean(self.what, 1000)}", *lines))


class Diagnosis(tuple[Finding, ...]):
    """All findings; a prompt shows them in lines."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "nothing to report"


def diagnose(estimator: Any) -> Diagnosis:
    """The findings of a fitted estimator, those that were warnings first."""
    fitted = estimator._fitted()
    found = [*estimator.diagnostics_["findings"], *_further(fitted)]
    return Diagnosis(Finding(code, what, *CODES[code], f"docs/warnings.md, {code}") for code, what in found)


def _further(fitted: Any) -> Iterator[tuple[str, str]]:
    """What deserves a look, from the parameters and the history alone."""
    laws = normal_laws(fitted.model, fitted.params)
    if laws is not None and fitted.verdict.status is not Status.DEGENERATE:  # which says it all already
        yield from _of_laws(laws, fitted)
    rate = linear_rate(fitted.history)
    if rate > SLOW:
        yield "EM023", f"EM's linear rate is {rate:.4f}: an iteration leaves that share of the way"


def _of_laws(laws: Components, fitted: Any) -> Iterator[tuple[str, str]]:
    for i, j, overlap in _overlaps(laws):
        yield "EM020", f"{laws.labels[i]} and {laws.labels[j]} overlap by {overlap:.3f}, where 1 is all"
    rows = laws.weights * fitted.weight
    for j in np.flatnonzero(rows < SCARCE).tolist():
        yield "EM021", f"{laws.labels[j]} holds {rows[j]:.2g} rows' worth"
    assert laws.covariances is not None
    names = [column.name for column in fitted.columns]
    varies = [j for j, column in enumerate(fitted.columns) if column.variance > 0]
    deviations = np.sqrt([fitted.columns[j].variance for j in varies])
    for label, covariance in zip(laws.labels, laws.covariances, strict=True):
        ratios, axes = np.linalg.eigh(covariance[np.ix_(varies, varies)] / np.outer(deviations, deviations))
        if varies and ratios[0] < THIN:
            most = names[varies[int(np.abs(axes[:, 0]).argmax())]]
            whose = "the normal" if len(laws.labels) == 1 else label
            yield "EM022", f"{whose} has {ratios[0]:.1g} of the variance in a direction, mostly of {most!r}"
    matrix = np.abs(np.triu(correlations(laws), 1))
    pairs = [
        f"{names[i]!r} with {names[j]!r} ({matrix[i, j]:.6f})"
        for i, j in np.argwhere(matrix > CLOSE).tolist()
        if i in varies and j in varies
    ]
    if pairs:
        yield "EM024", f"columns that are nearly the same: {listed(pairs, quote=False)}"


def _overlaps(laws: Components) -> Iterator[tuple[int, int, float]]:
    """Pairs of laws whose coefficient (Bhattacharyya 1943) is above `EQUAL`."""
    assert laws.covariances is not None
    logs = np.linalg.slogdet(laws.covariances)[1]
    for i in range(len(logs) - 1):
        middle = (laws.covariances[i] + laws.covariances[i + 1 :]) / 2
        apart = laws.means[i] - laws.means[i + 1 :]
        distance = np.einsum("ki,ki->k", apart, np.linalg.solve(middle, apart[:, :, None])[:, :, 0]) / 8
        distance += (np.linalg.slogdet(middle)[1] - (logs[i] + logs[i + 1 :]) / 2) / 2
        overlaps = np.exp(-distance)
        for j in np.flatnonzero(overlaps > EQUAL).tolist():
            yield i, i + 1 + j, float(overlaps[j])
