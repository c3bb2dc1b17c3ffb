"""The search over starts that an estimator's parameters ask for."""

from __future__ import annotations

from typing import Any, Literal

from estep.engine import Search
from estep.errors import UsageError
from estep.estimators.parameters import count, draw_seed
from estep.families.partition import KINDS


def search(estimator: Any, **how: Any) -> Search:
    """From `n_init`, `init_params` and `random_state`; `how` goes to `Search`."""
    if isinstance(estimator.n_init, str) and estimator.n_init != "auto":
        raise UsageError(f"n_init must be 'auto' or an integer >= 1; found {estimator.n_init!r}")
    n_init: int | Literal["auto"] = "auto" if estimator.n_init == "auto" else count(estimator, "n_init")
    if estimator.init_params != "auto" and estimator.init_params not in KINDS:
        known = ", ".join(map(repr, ("auto", *KINDS)))
        raise UsageError(f"init_params must be one of {known}; found {estimator.init_params!r}")
    kinds = None if estimator.init_params == "auto" else (estimator.init_params,)
    return Search(n_init, kinds, draw_seed(estimator.random_state), **how)
