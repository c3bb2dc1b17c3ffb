"""A fit that fails leaves the estimator as it was, so that an earlier fit can be used on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from estep.errors import OutOfMemoryError

Fit = TypeVar("Fit", bound=Callable[..., Any])


def attempted(fit: Fit) -> Fit:
    """`fit`, which sets all attributes or, where it raises without a result, none of them."""

    @wraps(fit)
    def attempt(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(self))
        try:
            return fit(self, *args, **kwargs)
        except Exception as error:
            if vars(self).get("fitted_") is before.get("fitted_"):
                vars(self).clear()
                vars(self).update(before)
            if isinstance(error, MemoryError) and not isinstance(error, OutOfMemoryError):
                raise OutOfMemoryError(
                    f"not enough memory to fit {type(self).__name__}; use fewer rows or columns, or close "
                    "what else holds memory"
                ) from error
            raise

    return cast("Fit", attempt)
