"""How a chain starts and moves: what of it is estimated, and the M-step of that part.

Where nothing is asked, both are free and the M-step normalises the expected starts and moves (Baum, Petrie,
Soules & Weiss 1970). A held move keeps its probability, 0 included, and the others of its row share what is
left. A Dirichlet prior adds alpha - 1 to the counts: its mode (Gauvain & Lee 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import xlogy

from estep.models.stationary import likeliest, start_slope, stationary
from estep.records import Array, Bool
from estep.space import Fixed, Partly, Simplex, Space

Start = Literal["free", "fixed", "stationary"]


@dataclass(frozen=True, eq=False)
class Transitions:
    """The law of the hidden states."""

    start: Start = "free"
    held: Array | None = None  # (K, K) the probabilities that no step moves; NaN = free
    start_prior: Array | None = None  # (K,) or (), Dirichlet parameters >= 1
    moves_prior: Array | None = None  # (K, K) or ()

    @property
    def alike(self) -> bool:
        """Whether no state is told from another: then their order means nothing."""
        return (
            self.start != "fixed"
            and self.held is None
            and _even(self.start_prior)
            and _even(self.moves_prior)
        )

    @cached_property
    def never(self) -> Bool | bool:
        """Where moves are held at 0."""
        return False if self.held is None else self.held == 0

    def open(self, k: int) -> Bool:
        """The states (k,) of which more than one move is free."""
        free: Bool = np.full(k, k) > 1 if self.held is None else np.isnan(self.held).sum(axis=1) > 1
        return free

    def spaces(self) -> tuple[Space, Space]:
        """Of start and moves."""
        moves = Simplex() if self.held is None else Partly(self.held)
        return (Simplex() if self.start == "free" else Fixed(Simplex())), moves

    def begin(self, start: Array, moves: Array) -> tuple[Array, Array]:
        """The start and moves of a search, with what is held put in."""
        if self.held is not None:
            free = np.isnan(self.held)
            moves = self._rows(np.where(free, moves, 0.0), np.where(free, 1.0, self.held))
        return self.start_of(start, moves), moves

    def start_of(self, start: Array, moves: Array) -> Array:
        """Where sequences start: of a stationary chain it follows from the moves."""
        if self.start != "stationary":
            return start
        law = stationary(moves)
        return start if law is None else law

    def update(self, start: Array, moves: Array, starts: Array, counts: Array) -> tuple[Array, Array]:
        """The maximisers, from expected starts (K,) and moves (K, K) at the old start and moves."""
        if self.moves_prior is not None:
            counts = counts + np.where(self.never, 0.0, self.moves_prior - 1)
        if self.held is not None:
            counts = np.where(np.isnan(self.held), counts, 0.0)
        rows = self._rows(counts, moves)
        if self.start == "stationary":
            mass = np.ones(len(moves)) if self.held is None else 1 - np.nansum(self.held, axis=1)
            rows = likeliest(counts, starts, mass, rows, moves)
            return self.start_of(start, rows), rows
        if self.start == "fixed":
            return start, rows
        if self.start_prior is not None:
            starts = starts + self.start_prior - 1
        starts = np.where(start > 0, starts, 0.0)  # an impossible sequence has equal shares
        return (starts / starts.sum() if starts.any() else start), rows

    def log_prior(self, start: Array, moves: Array) -> float:
        """sum (alpha - 1) log p, without the constant."""
        found = 0.0
        if self.start_prior is not None and self.start == "free":
            found += float(xlogy(np.where(start > 0, self.start_prior - 1, 0.0), start).sum())
        if self.moves_prior is not None:
            found += float(xlogy(np.where(moves > 0, self.moves_prior - 1, 0.0), moves).sum())
        return found

    def score(self, start: Array, moves: Array, starts: Array, counts: Array) -> tuple[Array, Array]:
        """Gradient of the log-likelihood; pairs with changes that sum to zero in each row."""
        by_moves = np.divide(counts, moves, out=np.zeros_like(moves), where=moves > 0)
        if self.start != "stationary":
            return np.divide(starts, start, out=np.zeros_like(start), where=start > 0), by_moves
        return np.zeros_like(start), by_moves + start_slope(moves, starts)

    def _rows(self, counts: Array, old: Array) -> Array:
        """Each row in proportion to its counts, with what is held; one without counts as it was."""
        left = counts.sum(axis=1, keepdims=True)
        shares = np.divide(counts, left, out=np.zeros_like(counts), where=left > 0)
        if self.held is None:
            return np.where(left > 0, shares, old)
        kept = np.nan_to_num(self.held)
        return np.where(left > 0, shares * (1 - kept.sum(axis=1, keepdims=True)) + kept, old)


def _even(prior: Array | None) -> bool:
    """Whether a prior is the same for all states, and, of moves, for all ways from one to another."""
    if prior is None or prior.ndim == 0:
        return True
    same = np.eye(len(prior), dtype=bool) if prior.ndim == 2 else np.ones(prior.shape, dtype=bool)
    return all(np.ptp(part) == 0 for part in (prior[same], prior[~same]) if part.size)
