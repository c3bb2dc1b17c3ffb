"""A fitted estimator as one JSON object, under the names it has in Python."""

from __future__ import annotations

import json
import math
import re
from enum import Enum
from typing import Any

import numpy as np

from estep import __version__

ROWS = frozenset({"memberships_", "labels_"})  # of the training rows, not of the model
INSIDE = frozenset(
    {"fitted_", "lower_bound_", "lower_bounds_", "feature_names_in_"}
)  # told under other names


def as_json(estimator: Any) -> str:
    """All that the fit holds: NaN and infinities become null, which JSON has instead."""
    columns = [{"name": column.name, "levels": column.levels} for column in estimator.fitted_.columns]
    found = {
        name: value
        for name, value in vars(estimator).items()
        if name.endswith("_") and not name.startswith("_") and name not in ROWS | INSIDE
    }
    return document(
        {
            "model": type(estimator).__name__,
            "estep": __version__,
            "columns": columns,
            "parameters": estimator.get_params(deep=False),
            "n_parameters": estimator.fitted_.n_parameters,
            **dict(sorted(found.items())),
        }
    )


def document(content: dict[str, Any]) -> str:
    """A JSON object, its lists of numbers each on one line."""
    text = json.dumps(plain(content), indent=2, allow_nan=False)
    # a list of numbers on one line; a string holds no line end, so none is touched
    return re.sub(r"\[\n[^\[\]{}]*\]", lambda found: re.sub(r"\n\s*", " ", found[0]), text)


def plain(value: Any) -> Any:
    """The value in JSON's own types."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.name if isinstance(value, Enum) else repr(value)  # the repr of a family is how to make it
