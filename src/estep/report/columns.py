"""What a fit finds about its columns: codes and sentences, each with a section in docs/warnings.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from estep.data.convert.intake import listed
from estep.data.look import Look, look
from estep.data.source import MemorySource
from estep.families import Gaussian, Mixed
from estep.linalg import solve_lower
from estep.models import Normal
from estep.records import Array, Column
from estep.report.components import Components, normal_laws

# A column of which others leave less than this share of the variance is a combination of them. The floor of a
# covariance, 1e-8 of the columns' variances, holds up what would be exactly 0.
REST = 1e-7
PART = 0.01  # standard deviations of the column for one of another that takes part in the combination
NAMED = 5  # columns of a combination that are named


def look_of(model: Any, params: Any, source: MemorySource) -> Look:
    """A look at the rows of a fit, if its laws are normal."""
    laws = normal_laws(model, params)
    if laws is None:
        return Look()
    return look(source, ties=laws.weights.size > 1 and shape(model) in ("full", "diag", "spherical"))


def of_columns(fitted: Any) -> Iterator[tuple[str, str]]:
    """The findings on the columns of normal laws; none of others."""
    laws = normal_laws(fitted.model, fitted.params)
    if laws is None:
        return
    seen, columns = fitted.seen_in_rows, fitted.columns
    # fewer rows lie in a plane whatever the columns are
    repeats = combinations(laws, columns) if fitted.weight > len(columns) + 1 else []
    if repeats:
        which = listed((f"{columns[j].name!r} {how}" for j, how in repeats), quote=False)
        yield "EM008", f"columns that others determine: {which}; leave them out"
    if seen.apart and shape(fitted.model) in ("full", "tied"):
        pairs = listed((f"{columns[i].name!r} with {columns[j].name!r}" for i, j in seen.apart), quote=False)
        yield (
            "EM009",
            (
                f"columns that no row shows together: {pairs}; their covariance rests on the start and the "
                "other columns, so read nothing from it, or find rows with both"
            ),
        )
    if seen.once:
        names = listed(columns[j].name for j in seen.once)
        yield "EM013", f"seen in one row only: {names}; a variance needs two, so leave such columns out"
    if seen.coarse:
        left = listed((f"{columns[j].name!r} ({n} distinct values)" for j, n in seen.coarse), quote=False)
        yield (
            "EM014",
            (
                f"columns whose offset takes up the digits of float64, with what is left: {left}; subtract a "
                "constant before the data are rounded"
            ),
        )
    ties = {j: f"{n} distinct values" for j, n in seen.discrete}
    ties |= {j: f"one value is {share:.0%}" for j, share in seen.tied}
    if ties:
        tied = (f"{columns[j].name!r} ({ties[j]})" for j in sorted(ties))
        yield (
            "EM015",
            (
                f"columns with heavy ties: {listed(tied, quote=False)}; a normal component can shrink onto "
                "such a value, so model the column as categories or counts, or leave it out"
            ),
        )


def shape(model: Any) -> str:
    """The shape of the covariances: "full" also of one normal, "" where there are none."""
    family = getattr(model, "family", None)
    while isinstance(family, Mixed):
        family = family.family
    if isinstance(model, Normal):
        return "full"
    return str(family.law.name) if isinstance(family, Gaussian) else ""


def correlations(laws: Components) -> Array:
    """Correlations, (d, d), of the columns under all components together."""
    assert laws.covariances is not None
    apart = laws.means - laws.weights @ laws.means
    total = np.einsum("k,kij->ij", laws.weights, laws.covariances) + (laws.weights * apart.T) @ apart
    deviations = np.sqrt(np.diag(total))
    free: Array = total / np.outer(deviations, deviations)
    return free


def combinations(laws: Components, columns: tuple[Column, ...]) -> list[tuple[int, str]]:
    """Each column that those before it determine, and how, by a Cholesky factor row by row."""
    varies = [j for j, column in enumerate(columns) if column.variance > 0]
    matrix = correlations(laws)[np.ix_(varies, varies)]
    factor, kept = np.zeros_like(matrix), list[int]()
    found = list[tuple[int, str]]()
    for row, j in enumerate(varies):
        m = len(kept)
        half = solve_lower(factor[:m, :m], matrix[kept, row]) if m else np.zeros(0)
        rest = float(matrix[row, row] - half @ half)
        if rest >= REST:
            factor[m, :m], factor[m, m] = half, np.sqrt(rest)
            kept.append(row)
            continue
        shares = solve_lower(factor[:m, :m], half, transposed=True)
        parts = [repr(columns[varies[kept[i]]].name) for i in np.flatnonzero(np.abs(shares) > PART)]
        of = " and ".join(parts) if len(parts) <= NAMED else f"{len(parts)} others"
        found.append((j, f"repeats {of}" if len(parts) == 1 else f"is a linear combination of {of}"))
    return found
