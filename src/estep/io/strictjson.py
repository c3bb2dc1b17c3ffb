"""JSON without its loose ends: no repeated keys, no NaN, nothing beyond float64 or 64 bits, no deep nests.

Floats keep their bits: Python writes the shortest decimal that reads back as the same float64.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from math import isfinite
from typing import Any, NoReturn

from estep.errors import ModelFileError, UsageError

LARGEST = 2**64  # no number of a model file needs more bits
DEEPEST = 64  # brackets in brackets; with a raised recursion limit json would overflow the stack of C
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)  # possessive: no memory for steps back
_BRACKETS = re.compile(r"[\[{]+|[\]}]+")


def dumps(document: Any) -> str:
    """The document as ASCII text; `UsageError` for what JSON does not have, NaN and infinities with it."""
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"it cannot be written as JSON: {error}; give finite numbers and text") from None


def loads(text: str | bytes) -> Any:
    """The document; `ModelFileError` says what keeps it from being one."""
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        _require_shallow(plain)
        return json.loads(
            plain,
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_bounded,
        )
    except ValueError as error:
        raise ModelFileError(f"the JSON cannot be read: {error}") from None


def _require_shallow(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:  # most documents, at the speed of a search
        return
    depth = 0
    for run in _BRACKETS.finditer(_STRING.sub("", text)):
        depth += len(run[0]) if run[0][0] in "[{" else -len(run[0])
        if depth > DEEPEST:
            raise ValueError(f"it is nested too deeply, beyond {DEEPEST} brackets")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r} stands there twice")
    return document


def _refuse(token: str) -> NoReturn:
    raise ValueError(f"{token} is not a JSON number")


def _finite(token: str) -> float:
    number = float(token)
    if not isfinite(number):
        raise ValueError(f"the number {token[:20]} is beyond float64")
    return number


def _bounded(token: str) -> int:
    # counted first: Python would take seconds over a million digits, or refuse them
    if len(token) > 21 or abs(int(token)) >= LARGEST:
        raise ValueError(f"the integer {token[:20]}... is beyond 64 bits")
    return int(token)
