"""What a fit has to say of itself: coded findings, each with a section in docs/warnings.md."""

from __future__ import annotations

from estep.engine import Status
from estep.estimators.fitted import Fitted
from estep.report.columns import of_columns


def findings_of(fitted: Fitted, remedy: str) -> list[tuple[str, str]]:
    """Codes and sentences; `remedy` is what helps against a degenerate fit of this kind."""
    verdict, found = fitted.verdict, []
    if verdict.status is Status.MAX_ITER:
        found.append(("EM001", f"not converged: {verdict.message}; raise max_iter or tol"))
    if verdict.status is Status.INTERRUPTED:
        found.append(("EM001", f"not converged: {verdict.message}; this is the best point so far"))
    if verdict.status is Status.DEGENERATE:
        found.append(("EM002", f"degenerate: {verdict.message}; {remedy}"))
    if verdict.status is Status.DECREASED:
        found.append(("EM003", f"{verdict.message}; this is a bug in an M-step, please report it"))
    if verdict.status is Status.SADDLE:
        found.append(("EM007", f"a saddle: {verdict.message}; raise max_iter"))
    if verdict.status is Status.NONFINITE:
        found.append(
            ("EM006", f"{verdict.message}; look for values of extreme size, and for probabilities of 0")
        )
    failed = [start for start in fitted.starts if start.status is Status.DEGENERATE and not start.iteration]
    if failed:
        count = f"{len(failed)} of {len(fitted.starts)} starts failed and the others were used"
        found.append(("EM026", f"{count}; {failed[0].message}; give more rows or fewer components"))
    once = fitted.seen_in_rows.once
    constant = [
        column.name
        for j, column in enumerate(fitted.columns)
        if column.variance == 0 and column.seen > 0 and j not in once
    ]
    # of an interval one end may well be the same in every row
    if constant and fitted.model.equivariance not in ("none", "pair"):
        names = ", ".join(map(repr, constant))
        held = ", with a variance held at a floor" if fitted.model.equivariance == "column" else ""
        which = f"columns {names} are" if len(constant) > 1 else f"column {names} is"
        found.append(("EM004", f"{which} constant{held}; leave such columns out"))
    return [*found, *of_columns(fitted), *fitted.said, *fitted.notes]
