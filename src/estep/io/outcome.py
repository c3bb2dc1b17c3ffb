"""How a fit ended, as strict JSON: log-likelihood, verdicts, columns. No row of the data is in it."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, Literal, NamedTuple

import numpy as np

from estep.engine.verdict import Info, Status, Verdict
from estep.errors import ModelFileError
from estep.io.container import Tensor
from estep.records import Array, Column

_WORDS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}  # JSON has no such numbers
# of iterations, as 0, 1 and 2
_KINDS: tuple[Literal["plain", "fallback", "probe"], ...] = ("plain", "fallback", "probe")


class Outcome(NamedTuple):
    """What a model file keeps of a fit beside its parameters."""

    loglik: float
    objective: float
    weight: float  # sum of the row weights
    verdict: Verdict
    starts: tuple[Verdict, ...]
    columns: tuple[Column, ...]
    named: bool  # the names of the columns came with the data
    float32: bool = False  # so did single precision


def to_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome in numbers, strings, lists and dicts."""
    verdict = outcome.verdict
    return {
        "loglik": _number(outcome.loglik),
        "objective": _number(outcome.objective),
        "weight": _number(outcome.weight),
        "status": verdict.status.name,
        "message": verdict.message,
        "iteration": verdict.iteration,
        "amount": _number(verdict.amount),
        "starts": [[v.status.name, v.message, v.iteration, _number(v.amount)] for v in outcome.starts],
        "named": outcome.named,
        "float32": outcome.float32,
        "columns": [
            {name: _number(x) if isinstance(x, float) else x for name, x in column._asdict().items()}
            for column in outcome.columns
        ],
    }


def from_json(document: dict[str, Any]) -> Outcome:
    """The outcome; `ModelFileError` names the field that is not as it must be."""
    floats = dict.fromkeys(("loglik", "objective", "weight", "amount"), float)
    others = {"status": str, "message": str, "iteration": int, "starts": list, "named": bool, "columns": list}
    if isinstance(document, dict):
        document = {"float32": False} | document  # the first files have no such field
    found = fields(document, {**floats, **others, "float32": bool}, "the outcome")
    if not 0 <= found["weight"] < float("inf"):
        raise ModelFileError("the outcome's 'weight' must be finite and not negative")
    columns = tuple(_column(each, f"column {j}") for j, each in enumerate(found["columns"]))
    names = [column.name for column in columns]
    if not names or len(set(names)) < len(names):
        raise ModelFileError("the columns must have distinct names, and there must be at least one")
    return Outcome(
        found["loglik"],
        found["objective"],
        found["weight"],
        _verdict([found[key] for key in ("status", "message", "iteration", "amount")], "the outcome"),
        tuple(_verdict(each, f"start {i + 1}") for i, each in enumerate(found["starts"])),
        columns,
        found["named"],
        found["float32"],
    )


def history_to_array(history: Sequence[Info]) -> Array:
    """(n, 6): objective, gain, change, noise, passes, 0, 1 or 2: a plain, fallback or probe's step."""
    return np.array([[*info[:-1], _KINDS.index(info.kind)] for info in history]).reshape(-1, 6)


def history_from_array(array: Tensor) -> tuple[Info, ...]:
    """The history again."""
    if array.ndim != 2 or array.shape[1] != 6 or array.dtype != np.float64:
        raise ModelFileError(f"the history must be float64 of shape (n, 6); found {array.shape}")
    passes, kinds = array[:, 4], array[:, 5]
    if not np.isin(kinds, (0, 1, 2)).all() or not (np.isfinite(passes) & (passes == np.floor(passes))).all():
        raise ModelFileError("the history holds a number of passes or a kind of step that cannot be")
    rows = array.tolist()
    return tuple(Info(a, b, c, d, int(e), _KINDS[int(f)]) for a, b, c, d, e, f in rows)


def fields(document: Any, expected: dict[str, Any], where: str) -> dict[str, Any]:
    """A dict of exactly these keys and types; float takes the words for NaN and infinities as well."""
    if not isinstance(document, dict):
        raise ModelFileError(f"{where} must be a JSON object")
    for key in sorted(document.keys() ^ expected.keys()):
        raise ModelFileError(
            f"{where} has the unknown field {key!r}"
            if key in document
            else f"{where} lacks the field {key!r}"
        )
    return {key: _typed(document[key], kind, f"{where}: {key!r}") for key, kind in expected.items()}


def _typed(value: Any, kind: Any, where: str) -> Any:
    if kind is float and isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if type(value) is not kind:
        raise ModelFileError(f"{where} must be of type {kind.__name__}; found {type(value).__name__}")
    return value


def _number(value: float) -> float | str:
    return float(value) if isfinite(value) else str(float(value))


def _verdict(document: Any, where: str) -> Verdict:
    if not isinstance(document, list) or len(document) != 4:
        raise ModelFileError(f"{where} must be a list of status, message, iteration and amount")
    keys = {"status": str, "message": str, "iteration": int, "amount": float}
    status, *rest = fields(dict(zip(keys, document, strict=True)), keys, where).values()
    if status not in Status.__members__:
        raise ModelFileError(f"{where} has the unknown status {status!r}")
    return Verdict(Status[status], *rest)


def _column(document: Any, where: str) -> Column:
    kinds: dict[str, Any] = dict.fromkeys(Column._fields, float) | {"name": str, "whole": bool}
    given = isinstance(document, dict) and document.get("levels") is not None
    found = fields(document, kinds | {"levels": list if given else type(None)}, where)
    numbers = [value for value in found.values() if isinstance(value, float)]
    if not all(map(isfinite, numbers)) or found["seen"] < 0 or found["variance"] < 0 or found["scale"] <= 0:
        raise ModelFileError(f"{where} must have finite numbers, 'seen' and 'variance' >= 0 and 'scale' > 0")
    if given:
        levels = found["levels"]
        if not all(isinstance(level, str) for level in levels) or len(set(levels)) < len(levels):
            raise ModelFileError(f"{where}: 'levels' must be distinct strings")
        found["levels"] = tuple(levels)
    return Column(**found)
