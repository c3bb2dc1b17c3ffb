"""Rows of a start whose component is known: they seed it, and stay in it.

Basu, Banerjee & Mooney (2002), "Semi-supervised clustering by seeding": constrained k-means.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from estep.records import Array, Int


class Known(NamedTuple):
    rows: Int  # (r,) of the sample
    labels: Int  # (r,) the one component each may belong to
    k: int

    @classmethod
    def of(cls, evidence: Array | None, k: int) -> Known:
        """The rows to which the evidence (k, m) leaves a single component."""
        if evidence is None:
            none = np.empty(0, dtype=np.int64)
            return cls(none, none, k)
        open_ = np.isfinite(evidence)
        rows = np.flatnonzero(open_.sum(axis=0) == 1)
        return cls(rows, open_[:, rows].argmax(axis=0), k)

    def put(self, parts: Array) -> Array:
        """The memberships (k, m) with these rows in their own component."""
        if not self.rows.size:
            return parts
        put = parts.copy()
        put[:, self.rows] = np.eye(self.k)[:, self.labels]
        return put

    def matched(self, parts: Array, weights: Array) -> Array:
        """The same, the parts first put in the order that agrees with most of these rows."""
        if not self.rows.size:
            return parts
        agreement = np.eye(self.k)[:, self.labels] @ (parts[:, self.rows] * weights[self.rows]).T
        return self.put(parts[linear_sum_assignment(agreement, maximize=True)[1]])

    def centres(self, points: Array, weights: Array) -> dict[int, Array]:
        """The mean (p,) of each component's own rows."""
        found = {}
        for label in np.unique(self.labels).tolist():
            own = self.rows[self.labels == label]
            found[label] = points[:, own] @ weights[own] / weights[own].sum()
        return found
