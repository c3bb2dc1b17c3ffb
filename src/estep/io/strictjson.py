"""JSON without its loose ends: no repeated keys, no NaN, no number beyond float64 or 64 bits.

Floats keep their bits: Python writes the shortest decimal that reads back as the same float64.
"""

from __future__ import annotations

import json
from collections import Counter
from math import isfinite
from typing import Any, NoReturn

from estep.errors import ModelFileError, UsageError

LARGEST = 2**64  # no number of a model file needs more bits


def dumps(document: Any) -> str:
    """The document as ASCII text; `UsageError` for what JSON does not have, NaN and infinities with it."""
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"it cannot be written as JSON: {error}") from None


def loads(text: str | bytes) -> Any:
    """The document; `ModelFileError` says what keeps it from being one."""
    try:
        return json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_bounded,
        )
    except RecursionError:
        raise ModelFileError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise ModelFileError(f"the JSON cannot be read: {error}") from None


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
