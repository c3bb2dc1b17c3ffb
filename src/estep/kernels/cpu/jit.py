"""The one jit policy of this package.

Compiled loops hold no GIL, divide as NumPy does, fuse a product into the sum that follows it, and are cached
on disk: beside the package, or where that is read-only in the user's cache folder; where neither can be
written, each process compiles anew, with a warning. No `prange`: threads belong to `run/`, whose blocks fix
the order of every sum.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numba

from estep.errors import EstepWarning

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile `function` at its first call for the types it is called with."""
    return _compiled(function, {"contract"})


def jit_sums(function: F) -> F:
    """The same, for loops that only add: terms may be taken in lanes, which changes the bits of a sum."""
    return _compiled(function, {"contract", "reassoc"})


def _compiled(function: F, liberties: set[str]) -> F:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": liberties}
    try:
        compiled: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # numba found no folder that it can write to
        _say_once()
        compiled = numba.njit(**options)(function)
    return compiled


@cache
def _say_once() -> None:
    warnings.warn(
        "EM012: compiled code cannot be kept, since neither the package's folder nor the user's cache can be "
        "written: every process compiles anew; set NUMBA_CACHE_DIR to a folder that can be written",
        EstepWarning,
        stacklevel=2,
    )
