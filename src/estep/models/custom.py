"""The model a user brings, as three functions.

`estep(params, block)` returns (stats, loglik) of one block of rows; stats of blocks add leaf by leaf.
`mstep(params, stats)` returns the next parameters from the summed statistics and never sees a row.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator

from estep import space
from estep.data.source import Source
from estep.data.units import Equivariance
from estep.errors import EstepError, HookError, UsageError
from estep.records import Block, Column, Units, map_leaves, named_leaves
from estep.run import Executor
from estep.space import Real


class CustomStats(NamedTuple):
    loglik: float
    magnitude: float
    own: Any  # what the user's estep returned


@dataclass(frozen=True, eq=False)
class Custom:
    """Adapts a user's functions to the engine.

    Parameters
    ----------
    first : Any
        The starting parameters (any nest of tuples, dicts, arrays and numbers), or a function
        `first(block, rng)` that makes them from a sample of distinct rows.
    user_estep, user_mstep : callable
        See the module's docstring.
    prior : callable, optional
        `prior(params)`, the log-density added to the objective.
    parameter_spaces : nest of Space, optional
        Where each parameter lives; `Real()` everywhere by default.
    """

    first: Any
    user_estep: Callable[[Any, Block], tuple[Any, float]]
    user_mstep: Callable[[Any, Any], Any]
    prior: Callable[[Any], float] | None = None
    parameter_spaces: Any = None

    equivariance: ClassVar[Equivariance] = "none"
    starts: ClassVar[tuple[str, ...]] = ()

    def bind(self, columns: tuple[Column, ...]) -> Custom:
        return self

    def check(self, columns: tuple[Column, ...]) -> None:
        """The user's E-step sees for itself."""

    def start(self, sample: Block, rng: Generator, how: str) -> Any:
        if callable(self.first):
            made = _call("start", self.first, sample, rng)
            _check_finite(made, HookError, "start returned")
        else:
            made = copy.deepcopy(self.first)
            _check_finite(made, UsageError, "start has")
        try:
            self._check_spaces(made, UsageError, "start")
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise UsageError(
                "spaces must hold a Space for each parameter, in the same nesting as start, or one for all"
            ) from error
        return made

    def compress(self, source: Source, run: Executor) -> Source:
        return source

    def prepare(self, params: Any) -> Any:
        return params

    def estep(self, params: Any, block: Block) -> CustomStats:
        made = _call("estep", self.user_estep, params, block)
        if not isinstance(made, tuple) or len(made) != 2:
            raise HookError("estep must return a pair (stats, loglik)")
        own, loglik = made
        if not _numeric(loglik) or np.ndim(loglik) != 0 or np.isnan(loglik):
            raise HookError(f"estep must return a number as loglik; found {loglik!r} at row {block.first}")
        for name, leaf in named_leaves(own):
            if not _numeric(leaf) or np.isnan(leaf).any():
                found = "NaN" if _numeric(leaf) else repr(leaf)
                raise HookError(
                    f"estep returned {found} in the statistic {name or 'stats'!r} at row {block.first}; "
                    "return numbers"
                )
        # a list would join where an array adds
        own = map_leaves(lambda leaf: np.asarray(leaf) if isinstance(leaf, list) else leaf, own)
        return CustomStats(float(loglik), abs(float(loglik)), own)

    def mstep(self, params: Any, stats: CustomStats) -> Any:
        made = _call("mstep", self.user_mstep, copy.deepcopy(params), stats.own)  # it may write to them
        before = [(name, np.shape(leaf)) for name, leaf in named_leaves(params)]
        after = [(name, np.shape(leaf)) for name, leaf in named_leaves(made)]
        if before != after:
            raise HookError(f"mstep must return parameters of the same shapes, {before}; found {after}")
        _check_finite(made, HookError, "mstep returned")
        self._check_spaces(made, HookError, "mstep")
        return made

    def log_prior(self, params: Any) -> float:
        if self.prior is None:
            return 0.0
        made = _call("log_prior", self.prior, params)
        if not _numeric(made) or np.ndim(made) != 0 or np.isnan(made):
            raise HookError(f"log_prior must return a number; found {made!r}")
        return float(made)

    def spaces(self) -> Any:
        return Real() if self.parameter_spaces is None else self.parameter_spaces

    def _check_spaces(self, params: Any, kind: type[EstepError], name: str) -> None:
        outside = space.faults(self.spaces(), params)
        if outside:
            raise kind(f"{name}: {'; '.join(fault.strip() for fault in outside)}")

    def guard(self, params: Any, stats: CustomStats) -> str | None:
        return None

    def rescale(self, params: Any, units: Units) -> Any:
        return params

    def canonical(self, params: Any) -> Any:
        return params

    def posterior(self, prep: Any, block: Block) -> CustomStats:
        return self.estep(prep, block)


def _check_finite(params: Any, kind: type[EstepError], verb: str) -> None:
    for name, leaf in list(named_leaves(params)) or [("", params)]:
        if not _numeric(leaf) or not np.isfinite(leaf).all():
            raise kind(
                f"{verb} a value that is no finite number in the parameter {name or 'params'!r}: {leaf!r}"
            )


def _numeric(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:  # a ragged list
        return False


def _call(name: str, hook: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return hook(*arguments)
    except EstepError:
        raise
    except Exception as error:
        raise HookError(f"{name} raised {type(error).__name__}: {error}") from error
