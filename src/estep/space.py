"""Parameter spaces: where each field lives; long because every space has the same six methods.

A space turns its field into free real coordinates and back (`pack`, `unpack`), counts its degrees
of freedom and checks a value that came from outside. Halved steps, BIC and model files come from it.
Covariances use log-Cholesky coordinates (Pinheiro & Bates 1996), simplexes the logits of stick-breaking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, Protocol, TypeVar

import numpy as np

from estep.linalg import cholesky
from estep.records import Array, Bool, Int

P = TypeVar("P")
# exp(-750) is exactly 0 in float64, so a coordinate at this edge is a probability or scale of exactly 0
EDGE = 750.0


class Space(Protocol):
    """Where one parameter field lives."""

    def size(self, shape: tuple[int, ...]) -> int:
        """Free coordinates of a field of this shape."""
        ...

    def pack(self, value: Array) -> Array:
        """The field as a vector of `size` free coordinates."""
        ...

    def unpack(self, vector: Array, like: Array) -> Array:
        """The field again; `like` gives its shape and whatever is fixed."""
        ...

    def fault(self, value: Array) -> str | None:
        """What keeps the value out of this space, as the end of a sentence; None if nothing."""
        ...


@dataclass(frozen=True)
class Real:
    """Any real numbers."""

    def size(self, shape: tuple[int, ...]) -> int:
        return prod(shape)

    def pack(self, value: Array) -> Array:
        return np.ravel(value).astype(np.float64)

    def unpack(self, vector: Array, like: Array) -> Array:
        return vector.reshape(np.shape(like))

    def fault(self, value: Array) -> str | None:
        return None if np.isfinite(value).all() else "must be finite"


@dataclass(frozen=True)
class Fixed:
    """A value that no step moves, inside the space it belongs to."""

    inner: Space = Real()

    def size(self, shape: tuple[int, ...]) -> int:
        return 0

    def pack(self, value: Array) -> Array:
        return np.empty(0)

    def unpack(self, vector: Array, like: Array) -> Array:
        return like

    def fault(self, value: Array) -> str | None:
        return self.inner.fault(value)


@dataclass(frozen=True)
class Positive:
    """Rates, variances: >= 0, in logarithms; an exact 0 survives."""

    def size(self, shape: tuple[int, ...]) -> int:
        return prod(shape)

    def pack(self, value: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(np.ravel(value)), -EDGE)

    def unpack(self, vector: Array, like: Array) -> Array:
        return np.exp(vector).reshape(np.shape(like))

    def fault(self, value: Array) -> str | None:
        good = np.isfinite(value).all() and np.all(np.asarray(value) >= 0)
        return None if good else "must be finite and not negative"


@dataclass(frozen=True)
class Unit:
    """Probabilities of an event, each in [0, 1], as logits."""

    def size(self, shape: tuple[int, ...]) -> int:
        return prod(shape)

    def pack(self, value: Array) -> Array:
        flat = np.ravel(value)
        with np.errstate(divide="ignore"):
            found: Array = np.clip(np.log(flat) - np.log1p(-flat), -EDGE, EDGE)
            return found

    def unpack(self, vector: Array, like: Array) -> Array:
        return _sigmoid(vector).reshape(np.shape(like))

    def fault(self, value: Array) -> str | None:
        good = np.all((np.asarray(value) >= 0) & (np.asarray(value) <= 1))
        return None if good else "must lie in [0, 1]"


@dataclass(frozen=True)
class Simplex:
    """Probabilities that sum to one along the last axis; where `allowed` is False they stay exactly 0."""

    allowed: Bool | None = None  # broadcast against the field; None = all

    def size(self, shape: tuple[int, ...]) -> int:
        return int((self._mask(shape).sum(axis=-1) - 1).sum())

    def pack(self, value: Array) -> Array:
        if self.allowed is None:
            return _sticks(np.asarray(value)).ravel()
        rows = zip(*self._rows(np.asarray(value)), strict=True)
        return np.concatenate([_sticks(row[free]) for row, free in rows] or [np.empty(0)])

    def unpack(self, vector: Array, like: Array) -> Array:
        out, start = np.zeros(np.shape(like)), 0
        for row, free in zip(*self._rows(out), strict=True):
            end = start + int(free.sum()) - 1
            row[free] = _break_sticks(vector[start:end])
            start = end
        return out

    def fault(self, value: Array) -> str | None:
        array = np.asarray(value)
        if not np.all(array >= 0) or not np.allclose(array.sum(axis=-1), 1, rtol=0, atol=1e-8):
            return "must be >= 0 and sum to 1 along the last axis"
        if np.any(array[~self._mask(array.shape)] != 0):
            return "must be 0 where the structure forbids it"
        return None

    def _mask(self, shape: tuple[int, ...]) -> Bool:
        return np.broadcast_to(True if self.allowed is None else self.allowed, shape)

    def _rows(self, value: Array) -> tuple[Array, Bool]:
        return value.reshape(-1, value.shape[-1]), self._mask(value.shape).reshape(-1, value.shape[-1])


@dataclass(frozen=True, eq=False)
class Partly:
    """Rows of probabilities of which some are held where they are; the others share what is left."""

    held: Array  # NaN = free

    def size(self, shape: tuple[int, ...]) -> int:
        return int(np.maximum(np.isnan(self.held).sum(axis=-1) - 1, 0).sum())

    def pack(self, value: Array) -> Array:
        return np.concatenate([_sticks(row[free]) for row, free in self._rows(value)] or [np.empty(0)])

    def unpack(self, vector: Array, like: Array) -> Array:
        out, start = np.nan_to_num(self.held), 0
        for row, free in self._rows(out):
            if free.any():
                end = start + int(free.sum()) - 1
                row[free] = _break_sticks(vector[start:end]) * (1 - row[~free].sum())
                start = end
        return out

    def fault(self, value: Array) -> str | None:
        held = ~np.isnan(self.held)
        if not np.allclose(np.asarray(value)[held], self.held[held], rtol=0, atol=1e-12):
            return "must keep what is held"
        return Simplex().fault(value)

    def _rows(self, value: Array) -> Iterator[tuple[Array, Bool]]:
        return zip(value, np.isnan(self.held), strict=True)


@dataclass(frozen=True)
class PosDef:
    """Covariance matrices in the last two axes, as log-Cholesky factors."""

    def size(self, shape: tuple[int, ...]) -> int:
        return prod(shape[:-2]) * shape[-1] * (shape[-1] + 1) // 2

    def pack(self, value: Array) -> Array:
        d = np.shape(value)[-1]
        lower, diagonal = _lower(d)
        packed = cholesky(value).reshape(-1, d * d)[:, lower]
        packed[:, diagonal] = np.log(packed[:, diagonal])
        return packed.ravel()

    def unpack(self, vector: Array, like: Array) -> Array:
        shape = np.shape(like)
        factors, (rows, columns) = np.zeros(shape), np.tril_indices(shape[-1])
        factors[..., rows, columns] = vector.reshape(*shape[:-2], rows.size)
        diagonal = np.arange(shape[-1])
        factors[..., diagonal, diagonal] = np.exp(factors[..., diagonal, diagonal])
        found: Array = np.matmul(factors, np.swapaxes(factors, -1, -2))
        return found

    def fault(self, value: Array) -> str | None:
        array = np.asarray(value)
        if not np.isfinite(array).all() or not np.array_equal(array, np.swapaxes(array, -1, -2)):
            return "must be finite and symmetric"
        try:
            np.linalg.cholesky(array)
        except np.linalg.LinAlgError:
            return "must be positive definite"
        return None


@dataclass(frozen=True)
class Loadings:
    """(d, q) loadings, free up to a rotation: the lower trapezoid of W = L Q, its diagonal >= 0."""

    def size(self, shape: tuple[int, ...]) -> int:
        return shape[0] * shape[1] - shape[1] * (shape[1] - 1) // 2

    def pack(self, value: Array) -> Array:
        lower = np.asarray(np.linalg.qr(value.T, mode="r")).T
        signs = np.where(np.diag(lower) < 0, -1.0, 1.0)
        packed: Array = (lower * signs)[np.tril_indices(value.shape[0], m=value.shape[1])]
        return packed

    def unpack(self, vector: Array, like: Array) -> Array:
        d, q = np.shape(like)
        lower = np.zeros((d, q))
        lower[np.tril_indices(d, m=q)] = vector
        return lower

    def fault(self, value: Array) -> str | None:
        return Real().fault(value)


def pack(spaces: P, params: P) -> Array:
    """All free coordinates of a record of parameters, field after field."""
    parts = [space.pack(np.asarray(leaf)) for _, space, leaf in _walk(spaces, params)]
    return np.concatenate(parts) if parts else np.empty(0)


def unpack(spaces: P, vector: Array, like: P) -> P:
    """The record of parameters at these coordinates; `like` gives shapes and fixed values."""
    record, used = _unpack(spaces, vector, like, 0)
    if used != vector.size:
        raise ValueError(f"{vector.size} coordinates for a record of {used}")
    unpacked: P = record
    return unpacked


def degrees_of_freedom(spaces: P, params: P) -> int:
    """How many coordinates are free: the count that BIC and AIC charge for."""
    return sum(space.size(np.shape(leaf)) for _, space, leaf in _walk(spaces, params))


def faults(spaces: P, params: P) -> list[str]:
    """One sentence for each field whose value lies outside its space."""
    found = ((name, space.fault(np.asarray(leaf))) for name, space, leaf in _walk(spaces, params))
    return [f"{name} {fault}" for name, fault in found if fault is not None]


def _walk(spaces: Any, params: Any, name: str = "") -> Iterator[tuple[str, Space, Any]]:
    if isinstance(params, dict):
        items = [(key, _child(spaces, key), params[key]) for key in sorted(params)]
    elif isinstance(params, tuple):
        keys = getattr(params, "_fields", None) or tuple(map(str, range(len(params))))
        items = [
            (key, _child(spaces, i), leaf) for i, (key, leaf) in enumerate(zip(keys, params, strict=True))
        ]
    else:
        yield name, spaces, params
        return
    for key, space, leaf in items:
        yield from _walk(space, leaf, f"{name}.{key}" if name else key)


def _child(spaces: Any, key: Any) -> Any:
    """The space of one field; a single space stands for every leaf below it."""
    return spaces[key] if isinstance(spaces, tuple | dict) else spaces


def _unpack(spaces: Any, vector: Array, like: Any, start: int) -> tuple[Any, int]:
    if isinstance(like, dict):
        made = {}
        for key in sorted(like):
            made[key], start = _unpack(_child(spaces, key), vector, like[key], start)
        return made, start
    if isinstance(like, tuple):
        items = []
        for i, leaf in enumerate(like):
            item, start = _unpack(_child(spaces, i), vector, leaf, start)
            items.append(item)
        make = getattr(type(like), "_make", tuple)
        return make(items), start
    end = start + spaces.size(np.shape(like))
    leaf = spaces.unpack(vector[start:end], np.asarray(like))
    return (float(leaf) if isinstance(like, float) else leaf), end


@cache
def _lower(d: int) -> tuple[Int, Int]:
    """Places of the lower triangle in a flat (d, d) matrix, and those of the diagonal among them."""
    rows, columns = np.tril_indices(d)
    return rows * d + columns, np.flatnonzero(rows == columns)


def _sigmoid(x: Array) -> Array:
    half = np.exp(-np.abs(x))
    odds: Array = np.where(x >= 0, 1.0, half) / (1.0 + half)
    return odds


def _sticks(p: Array) -> Array:
    """Logit of each share of what is left; sums of the tail, so that shares near 1 keep their digits."""
    tail = np.cumsum(p[..., ::-1], axis=-1)[..., ::-1][..., 1:]
    head = p[..., :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(head) - np.log(tail)
    return np.clip(np.where((head == 0) & (tail == 0), 0.0, logits), -EDGE, EDGE)


def _break_sticks(logits: Array) -> Array:
    share, left = _sigmoid(logits), _sigmoid(-logits)
    rest = np.concatenate([[1.0], np.cumprod(left)])
    found: Array = np.concatenate([share, [1.0]]) * rest
    return found
