"""Columns on a log or logit scale, and bounds of what may be filled in.

A column x with scale g is modelled as g(x). The density of the user's values is that of g(x) times |g'(x)|:
log g' = -log x on a log scale, -log x - log(1 - x) on a logit scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from estep.data.convert.intake import find_columns
from estep.data.table import Table
from estep.errors import DataError, UsageError
from estep.records import Array

DOMAINS = {"log": (0.0, np.inf), "logit": (0.0, 1.0)}  # both ends excluded
_FLOAT = np.finfo(np.float64)
INSIDE = {"log": (_FLOAT.tiny, _FLOAT.max), "logit": (_FLOAT.tiny, 1 - _FLOAT.epsneg)}


class Scales(NamedTuple):
    """The scale of each column and its bounds, in the order of the columns."""

    kinds: tuple[str | None, ...]
    low: Array  # (d,) in the user's units, -inf where there is none
    high: Array  # (d,)

    def apply(self, table: Table) -> tuple[Array, Array | None]:
        """The values on their scales (n, d), and log g' summed over the seen cells of each row (n,).

        None in place of zeros where no column has a scale; `DataError` for a value that has no logarithm.
        """
        if not any(self.kinds):
            return table.values, None
        values, slopes = np.array(table.values, dtype=np.float64), np.zeros(len(table.values))
        for j, kind in enumerate(self.kinds):
            if kind is None:
                continue
            column = values[:, j]
            low, high = DOMAINS[kind]
            bad = np.flatnonzero((column <= low) | (column >= high))
            if bad.size:
                must = "must be > 0" if kind == "log" else "must lie between 0 and 1"
                more = f" (and {bad.size - 1} more)" if bad.size > 1 else ""
                raise DataError(
                    f"column {table.names[j]!r} is on a {kind} scale and {must}; row {bad[0]} (counted "
                    f"from 0) has {column[bad[0]]:g}{more}; make it NaN, or take the column out of scales"
                )
            logs = np.log(column)
            others = np.log1p(-column) if kind == "logit" else 0.0
            values[:, j] = logs - others
            slopes -= np.nan_to_num(logs + others)
        return values, slopes

    def undo(self, values: Array) -> Array:
        """Values on their scales (n, d) in the user's units again."""
        raw = np.array(values)
        for j, kind in enumerate(self.kinds):
            if kind is not None:
                with np.errstate(over="ignore"):
                    back = np.exp(raw[:, j]) if kind == "log" else 1 / (1 + np.exp(-raw[:, j]))
                raw[:, j] = np.clip(back, *INSIDE[kind])  # rounding may not leave the scale
        return raw

    def limits(self) -> tuple[Array, Array]:
        """The bounds on the scales of the columns; a bound outside a scale's domain is none."""
        ends = np.array([self.low, self.high])
        for j, kind in enumerate(self.kinds):
            if kind is not None:
                with np.errstate(divide="ignore"):
                    inside = np.clip(ends[:, j], *DOMAINS[kind])
                    ends[:, j] = np.log(inside) - (np.log1p(-inside) if kind == "logit" else 0.0)
        return ends[0], ends[1]

    def completed(self, raw: Array, values: Array) -> Array:
        """The user's rows (n, d), NaN replaced by what `values` has there (on its scale), within bounds."""
        filled: Array = np.where(np.isnan(raw), np.clip(self.undo(values), self.low, self.high), raw)
        return filled

    def labels(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the columns as modelled: log(income)."""
        return tuple(name if k is None else f"{k}({name})" for name, k in zip(names, self.kinds, strict=True))

    def spelled_scales(self, names: tuple[str, ...]) -> list[list[str]] | None:
        """For a model file: [column, kind] of each that has one."""
        return [[name, kind] for name, kind in zip(names, self.kinds, strict=True) if kind] or None

    def spelled_bounds(self, names: tuple[str, ...]) -> list[list[Any]] | None:
        """For a model file: [column, low, high] of each that has bounds, None for none on a side."""
        ends = (
            (None if np.isinf(end) else float(end) for end in pair)
            for pair in zip(self.low, self.high, strict=True)
        )
        each = [[name, *pair] for name, pair in zip(names, ends, strict=True)]
        return [one for one in each if one[1:] != [None, None]] or None


def read_scales(scales: Any, bounds: Any, names: tuple[str, ...]) -> Scales:
    """From dicts by the name or number of a column; `UsageError` for what makes no sense.

    Parameters
    ----------
    scales : dict or None
        "log" or "logit" for some columns.
    bounds : dict or None
        (low, high) for some columns; None or an infinity stands for no bound on that side.
    names : tuple of str
        All columns.
    """
    kinds: list[str | None] = [None] * len(names)
    for j, kind in _by_place(scales, "scales", names):
        if not isinstance(kind, str) or kind not in DOMAINS:
            raise UsageError(f"scales must be 'log' or 'logit'; column {names[j]!r} has {kind!r}")
        kinds[j] = kind
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    for j, pair in _by_place(bounds, "bounds", names):
        ends = tuple(pair) if isinstance(pair, tuple | list | np.ndarray) else ()
        good = len(ends) == 2 and all(
            end is None or (isinstance(end, Real) and not np.isnan(float(end))) for end in ends
        )
        if good:
            low[j] = -np.inf if ends[0] is None else float(ends[0])
            high[j] = np.inf if ends[1] is None else float(ends[1])
        domain = DOMAINS.get(kinds[j] or "", (-np.inf, np.inf))
        if not good or not low[j] < high[j] or not (low[j] < domain[1] and high[j] > domain[0]):
            raise UsageError(
                f"bounds must be (low, high), low < high, inside the scale; {names[j]!r} has {pair!r}"
            )
    return Scales(tuple(kinds), low, high)


def _by_place(given: Any, name: str, names: tuple[str, ...]) -> list[tuple[int, Any]]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise UsageError(f"{name} must be a dict by column name or number; found {given!r}")
    found = []
    for key, value in given.items():
        if isinstance(key, Integral) and not isinstance(key, bool) and 0 <= int(key) < len(names):
            found.append((int(key), value))
        elif isinstance(key, str):
            try:
                found.append((names.index(find_columns([key], names)[0]), value))
            except DataError as error:
                raise UsageError(f"{name}: {error}") from None
        else:
            raise UsageError(
                f"{name}: a column must be its name or a number from 0 to {len(names) - 1}; found {key!r}"
            )
    if len({j for j, _ in found}) < len(found):
        raise UsageError(f"{name} has a column twice, by name and by number; give each once")
    return found
