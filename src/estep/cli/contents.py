"""All that a model file holds: the fit, and of the file itself what the fit does not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from estep.cli.describe import as_json, document

ENDS = 3  # iterations and starts that are shown at either end of a long list


def contents(path: str, *, as_object: bool) -> str:
    """In lines of text, or as one JSON object, in which nothing is left out."""
    from estep.estimators.saved.files import look

    file, estimator = look(path)
    if as_object:
        return document({**json.loads(as_json(estimator)), "file": _rest(path, file, estimator)})
    return "\n".join([estimator.summary().rstrip("\n"), *_lines(path, file, estimator)])


def _rest(path: str, file: Any, estimator: Any) -> dict[str, Any]:
    """What the fit's own JSON lacks."""
    fitted = estimator.fitted_
    return {
        "library": file.library,
        "bytes": Path(path).stat().st_size,
        "weight": fitted.weight,
        "columns": [{**column, "levels": levels} for column, levels in _columns(fitted)],
        "starts": [verdict._asdict() for verdict in fitted.starts],
        "units": fitted.units,
        "params": fitted.params,  # in these units
        "functions": file.parameters["hooks"] if file.kind == "EM" else [],
    }


def _columns(fitted: Any) -> list[tuple[dict[str, Any], Any]]:
    """Each column in the user's units, and the names of its categories."""
    return [
        (
            {
                "name": column.name,
                "seen": column.seen,
                "mean": column.mean * scale + centre,
                "deviation": column.variance**0.5 * scale,
                "centre": centre,
                "scale": scale,
                "whole": column.whole,
            },
            column.levels,
        )
        for column, centre, scale in zip(
            fitted.columns, *(each.tolist() for each in fitted.units), strict=True
        )
    ]


def _lines(path: str, file: Any, estimator: Any) -> list[str]:
    from estep.estimators.saved.rebuild import FUNCTIONS
    from estep.report.tables import pairs, table
    from estep.report.words import clean

    fitted = estimator.fitted_
    found = ["", "File"]
    found += pairs(
        [
            ("written by", clean(file.library, 40)),
            ("holds", f"{file.kind}, {len(file.tensors)} arrays, {Path(path).stat().st_size} bytes"),
        ]
    )
    if file.kind == "EM":
        call = ", ".join(f"{name}=..." for name in file.parameters["hooks"])
        found += ["  its functions are code, which no file holds; in Python give them again:"]
        found += [f"  estep.load(path, {call})"]
    given = estimator.get_params(deep=False).items()
    words = [(name, clean(" ".join(repr(value).split()))) for name, value in given if name not in FUNCTIONS]
    found += ["", "Parameters of the estimator", *pairs(words)]
    columns = [column for column, _ in _columns(fitted)]
    shown = ("seen", "mean", "deviation", "centre", "scale")
    values = [[column[name] for name in shown] for column in columns]
    names = [column["name"] for column in columns]
    found += ["", "Columns (standard deviation; centre and scale: the units of the fit)"]
    found += table(values, names, shown, alike="columns")
    levels = [(name, each) for name, (_, each) in zip(names, _columns(fitted), strict=True) if each]
    if levels:
        found += [
            "",
            "Categories",
            *pairs([(clean(name, 20), clean(", ".join(each))) for name, each in levels]),
        ]
    starts = [(str(i + 1), f"{v.status.name}: {clean(v.message)}") for i, v in enumerate(fitted.starts)]
    found += ["", "Starts", *_ends(pairs(starts), "starts")]
    fields = ("objective", "gain", "change", "noise", "passes")
    steps = [[getattr(info, name) for name in fields] for info in fitted.history]
    if steps:
        kinds = [f"{i + 1} {info.kind}" for i, info in enumerate(fitted.history)]
        few = steps if len(steps) <= 2 * ENDS else [*steps[:ENDS], *steps[-ENDS:]]
        which = kinds if len(steps) <= 2 * ENDS else [*kinds[:ENDS], *kinds[-ENDS:]]
        found += ["", "Iterations", *table(few, which, fields, alike="cells")]
        found += [f"  ({len(steps)} in all; --json has each)"] if len(few) < len(steps) else []
    return found


def _ends(lines: list[str], what: str) -> list[str]:
    if len(lines) <= 2 * ENDS:
        return lines
    return [*lines[:ENDS], f"  ... {len(lines) - 2 * ENDS} more {what}; --json has each", *lines[-ENDS:]]
