"""Shapes of a set of covariances: full, tied, diag, spherical, and one sphere shared by all.

A shape stores its k covariances in as few numbers as they have, reduces dense scatter matrices to what
its maximiser needs, and maximises: (S + ridge) / N, then the floor (see `linalg.clip_to_floor`).
"""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from estep.linalg import all_above, clip_to_floor, symmetric
from estep.records import Array, Int
from estep.space import Fixed, PosDef, Positive, Space


class Shape(Protocol):
    name: str
    kind: str  # how `kernels/cpu/plan.py` stores k covariances: full, tied, diag or spherical
    equivariance: Literal["scalar", "column"]
    space: Space

    def plain(self, covariances: Array, k: int) -> Array:
        """The covariances as that kind stores them."""
        ...

    def gather(self, second: Array) -> Array:
        """Second moments of this shape from those of its kind."""
        ...

    def dense(self, covariances: Array, k: int, d: int) -> Array:
        """All k matrices, (k, d, d)."""
        ...

    def reduce(self, dense: Array) -> Array:
        """The part of k dense matrices that this shape's sums keep."""
        ...

    def maximise(self, scatter: Array, rows: Array, ridge: Array, floor: Array) -> Array:
        """Covariances from reduced scatter (about the new means), rows (k,), and two diagonals (d,)."""
        ...

    def spread(self, variances: Array, k: int) -> Array:
        """k equal covariances with these column variances (d,)."""
        ...

    def distinct(self, covariances: Array, d: int) -> Array:
        """The matrices that are parameters of their own, each with its own prior: (k, d, d) or (1, d, d)."""
        ...

    def sandwich(self, covariances: Array, second: Array) -> Array:
        """inverse @ second @ inverse for reduced second moments, in this shape's numbers."""
        ...

    def rescale(self, covariances: Array, scale: Array) -> Array:
        """Under raw = x * scale + centre."""
        ...

    def take(self, covariances: Array, order: Int) -> Array: ...

    def rows_needed(self, d: int) -> int:
        """Rows a component must hold for its own covariance to be estimable; 0 where it is shared."""
        ...


class Full:
    name = "full"
    kind = "full"
    equivariance: Literal["scalar", "column"] = "column"
    space: Space = PosDef()

    def plain(self, covariances: Array, k: int) -> Array:
        return covariances

    def gather(self, second: Array) -> Array:
        return second

    def dense(self, covariances: Array, k: int, d: int) -> Array:
        return covariances

    def reduce(self, dense: Array) -> Array:
        return dense

    def maximise(self, scatter: Array, rows: Array, ridge: Array, floor: Array) -> Array:
        found = symmetric((scatter + np.diag(ridge)) / rows[:, None, None])
        if not floor.any() or all_above(found, floor):
            return found
        return np.stack([clip_to_floor(matrix, floor) for matrix in found])

    def spread(self, variances: Array, k: int) -> Array:
        return np.tile(np.diag(variances), (k, 1, 1))

    def distinct(self, covariances: Array, d: int) -> Array:
        return covariances

    def sandwich(self, covariances: Array, second: Array) -> Array:
        return _between(np.linalg.inv(covariances), second)

    def rescale(self, covariances: Array, scale: Array) -> Array:
        return covariances * np.outer(scale, scale)

    def take(self, covariances: Array, order: Int) -> Array:
        return covariances[order]

    def rows_needed(self, d: int) -> int:
        return d + 2


class Tied:
    name = "tied"
    kind = "tied"
    equivariance: Literal["scalar", "column"] = "column"
    space: Space = PosDef()

    def plain(self, covariances: Array, k: int) -> Array:
        return covariances

    def gather(self, second: Array) -> Array:
        return second

    def dense(self, covariances: Array, k: int, d: int) -> Array:
        return np.broadcast_to(covariances, (k, d, d))

    def reduce(self, dense: Array) -> Array:
        found: Array = dense.sum(axis=0)
        return found

    def maximise(self, scatter: Array, rows: Array, ridge: Array, floor: Array) -> Array:
        return _floored((scatter + np.diag(ridge)) / rows.sum(), floor)

    def spread(self, variances: Array, k: int) -> Array:
        return np.diag(variances)

    def distinct(self, covariances: Array, d: int) -> Array:
        return covariances[None]

    def sandwich(self, covariances: Array, second: Array) -> Array:
        return _between(np.linalg.inv(covariances), second)

    def rescale(self, covariances: Array, scale: Array) -> Array:
        return covariances * np.outer(scale, scale)

    def take(self, covariances: Array, order: Int) -> Array:
        return covariances

    def rows_needed(self, d: int) -> int:
        return 0


class Diag:
    name = "diag"
    kind = "diag"
    equivariance: Literal["scalar", "column"] = "column"
    space: Space = Positive()

    def plain(self, covariances: Array, k: int) -> Array:
        return covariances

    def gather(self, second: Array) -> Array:
        return second

    def dense(self, covariances: Array, k: int, d: int) -> Array:
        return covariances[:, :, None] * np.eye(d)

    def reduce(self, dense: Array) -> Array:
        return np.diagonal(dense, axis1=1, axis2=2).copy()

    def maximise(self, scatter: Array, rows: Array, ridge: Array, floor: Array) -> Array:
        return np.maximum((scatter + ridge) / rows[:, None], floor)

    def spread(self, variances: Array, k: int) -> Array:
        return np.tile(variances, (k, 1))

    def distinct(self, covariances: Array, d: int) -> Array:
        return self.dense(covariances, len(covariances), d)

    def sandwich(self, covariances: Array, second: Array) -> Array:
        return second / covariances**2

    def rescale(self, covariances: Array, scale: Array) -> Array:
        return covariances * scale**2

    def take(self, covariances: Array, order: Int) -> Array:
        return covariances[order]

    def rows_needed(self, d: int) -> int:
        return 3


class Spherical:
    name = "spherical"
    kind = "spherical"
    equivariance: Literal["scalar", "column"] = "scalar"
    space: Space = Positive()

    def plain(self, covariances: Array, k: int) -> Array:
        return covariances

    def gather(self, second: Array) -> Array:
        return second

    def dense(self, covariances: Array, k: int, d: int) -> Array:
        return covariances[:, None, None] * np.eye(d)

    def reduce(self, dense: Array) -> Array:
        found: Array = np.trace(dense, axis1=1, axis2=2)
        return found

    def maximise(self, scatter: Array, rows: Array, ridge: Array, floor: Array) -> Array:
        found: Array = np.maximum((scatter + ridge.sum()) / (rows * ridge.size), floor.max())
        return found

    def spread(self, variances: Array, k: int) -> Array:
        return np.full(k, variances.mean())

    def distinct(self, covariances: Array, d: int) -> Array:
        return self.dense(covariances, len(covariances), d)

    def sandwich(self, covariances: Array, second: Array) -> Array:
        return second / covariances**2

    def rescale(self, covariances: Array, scale: Array) -> Array:
        found: Array = covariances * scale[0] ** 2  # one scale for all columns
        return found

    def take(self, covariances: Array, order: Int) -> Array:
        return covariances[order]

    def rows_needed(self, d: int) -> int:
        return 3


class OneSphere:
    """One spherical variance shared by all, as in soft k-means; `fixed` keeps it where it starts."""

    name = "one sphere"
    kind = "spherical"
    equivariance: Literal["scalar", "column"] = "scalar"

    def __init__(self, fixed: bool = False) -> None:
        self.space: Space = Fixed(Positive()) if fixed else Positive()

    def plain(self, covariances: Array, k: int) -> Array:
        return np.full(k, covariances)

    def gather(self, second: Array) -> Array:
        return np.asarray(second.sum())

    def dense(self, covariances: Array, k: int, d: int) -> Array:
        return np.broadcast_to(covariances * np.eye(d), (k, d, d))

    def reduce(self, dense: Array) -> Array:
        return np.asarray(np.trace(dense, axis1=1, axis2=2).sum())

    def maximise(self, scatter: Array, rows: Array, ridge: Array, floor: Array) -> Array:
        found: Array = np.maximum((scatter + ridge.sum()) / (rows.sum() * ridge.size), floor.max())
        return found

    def spread(self, variances: Array, k: int) -> Array:
        return np.asarray(variances.mean())

    def distinct(self, covariances: Array, d: int) -> Array:
        return self.dense(covariances, 1, d)

    def sandwich(self, covariances: Array, second: Array) -> Array:
        return second / covariances**2

    def rescale(self, covariances: Array, scale: Array) -> Array:
        return np.asarray(covariances * scale[0] ** 2)

    def take(self, covariances: Array, order: Int) -> Array:
        return covariances

    def rows_needed(self, d: int) -> int:
        return 0


SHAPES: dict[str, Shape] = {shape.name: shape for shape in (Full(), Tied(), Diag(), Spherical())}


def _floored(matrix: Array, floor: Array) -> Array:
    matrix = symmetric(matrix)
    return clip_to_floor(matrix, floor) if floor.any() else matrix


def _between(inverse: Array, second: Array) -> Array:
    found: Array = inverse @ second @ inverse
    return found
