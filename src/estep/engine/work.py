"""What a search may cost, in units of work: never in time, which is another at every run.

A unit is about a second of one core of 2025: a pass costs a fixed overhead, and rows times free parameters.
"""

from __future__ import annotations

from typing import NamedTuple

OVERHEAD = 3e-4  # of a pass
CHAINED = 6e-4  # of one over sequences, beside the recursions themselves
PER_CELL = 1e-9  # a row and a free parameter
PER_STEP = 3e-8  # a row of a sequence, beyond its parameters: the recursions wait for each other
START = 6  # passes that drawing a start is counted as: its partition, its sums and its first measurement
LARGE = 100_000  # distinct rows from which a search may cost no more than the final run
SMALL_BUDGET = 1.0
FINAL_RUNS = 8  # or so many final runs, if that is more
LEAST_FINAL = 3  # iterations: one that gains and two within rounding are the least that is accepted
MEASURED = 1  # passes over all rows kept back from a search of large data, to tell its best optima apart


class Cost(NamedTuple):
    """Units of work of one pass."""

    search: float  # over the rows the search sees
    final: float  # over all rows
    large: bool

    def budget(self, passes: int, iterations: int = LEAST_FINAL) -> float:
        """All that a search may cost, where the best climb so far took so many passes.

        Of large data, what the final run costs at least: one measurement and so many `iterations`.
        """
        if self.large:
            return self.final * (1 + iterations)
        return max(SMALL_BUDGET, FINAL_RUNS * passes * self.final)


def cost_of(free: int, rows: float, seen: float, *, chained: bool = False) -> Cost:
    """For `free` parameters, `rows` in all, and `seen` by the search; `chained` if they form sequences.

    Large data are charged by the row alone: an overhead, which is the same for a pass over a sample and over
    all rows, would be all that there is.
    """
    per_row = PER_CELL * free + (PER_STEP if chained else 0.0)
    large = rows >= LARGE
    overhead = 0.0 if large else CHAINED if chained else OVERHEAD
    search, final = (overhead + per_row * count for count in (seen, rows))
    return Cost(search, final, large)
