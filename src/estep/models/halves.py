"""The E-step of one long sequence from both ends at once; they meet in its middle.

From the left end alpha_t(j) ~ p(s_t = j | x_1..t) goes up to the middle. From the right end so does
gamma_t(j) ~ p(x_t..T | s_t = j), by the same recursion with time reversed: transitions transposed, ones for a
start. There the likelihood is known, sum_ij alpha_i A_ij gamma_j times all scales, and each side goes down
again to its own end with what the other has brought, and takes the statistics on the way. The sides are two
pieces of work for any number of threads, so the bits are the same. Rows come in chunks, whose log-densities
are made anew on the way down; what is kept is alpha times its scales or, `lean`, what enters each chunk.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from estep.data.patterns import find_patterns
from estep.families.family import Family, View, rounding
from estep.kernels.cpu.chain import Law, Side
from estep.kernels.cpu.passes import SMALL
from estep.kernels.cpu.walks import LEAST
from estep.linalg import weighted
from estep.models.chain import ChainStats
from estep.records import Array, Block, add
from estep.run import Executor

CELLS = 2**16  # of a chunk's log-densities
LEAST_ROWS = 1024  # of a chunk
FEW = 2**20  # of a block's, which are then not made anew
FEWEST = 2**15  # rows of a sequence from which two sides are worth it


def sums_of(
    law: Law, family: Family, emission: Any, block: Block, run: Executor, *, lean: bool
) -> ChainStats | None:
    """Of the one sequence of a block; None if not to be trusted."""
    middle, weight = block.weights.size // 2, float(block.weights[0])
    left, right = (
        Half(law, family, emission, block, rows, lean=lean)
        for rows in ((0, middle), (middle, block.weights.size))
    )
    before, after = run.map(Half.up, [left, right])
    if before is None or after is None:
        return None
    met = float(before @ law.moves @ after)
    if not met >= LEAST:
        return None
    one, other = run.map(lambda job: job[0].down(job[1]), [(left, after / met), (right, before / met)])
    if one is None or other is None:
        return None
    total: ChainStats = add(one, other)
    between, moves = weight * float(np.log(met)), total.moves * law.moves
    moves[moves < SMALL * weight] = 0.0
    return total._replace(
        loglik=total.loglik + between, magnitude=total.magnitude + abs(between), moves=moves
    )


class Half:
    """Rows [begin, end) of a block; from the right if they do not begin with its first row."""

    def __init__(
        self, law: Law, family: Family, emission: Any, block: Block, rows: tuple[int, int], *, lean: bool
    ) -> None:
        self._family, self._emission, self._block, self._lean = family, emission, block, lean
        self._backwards = rows[0] > 0
        self._side = Side(law, backwards=self._backwards)
        size = max(CELLS // len(law.moves), LEAST_ROWS)
        edges = [*range(*rows, size), rows[1]]
        self._chunks = list(pairwise(edges))[:: -1 if self._backwards else 1]
        self._kept: list[Any] = []
        self._few = len(law.moves) * block.weights.size <= FEW and not lean
        self._made: list[tuple[Array, View, Block]] = []

    def up(self) -> Array | None:
        """The law of the last row reached (K,), by those from this end on; None if too much is lost."""
        for rows in self._chunks:
            held, made = self._side.hold(), self._logs(rows)
            found = self._side.up(made[0])
            if found is None:
                return None
            if self._few:
                self._made.append(made)
            self._kept.append(held if self._lean else found)
        return self._side.reached

    def down(self, brought: Array) -> ChainStats | None:
        """The sums, from what the other side brings (K,), moves without their probabilities.

        None if they cannot be trusted.
        """
        sums: ChainStats | None = None
        self._side.ready(brought)
        for rows in reversed(self._chunks):
            logs, view, part = self._made.pop() if self._few else self._logs(rows)
            kept = self._kept.pop()
            if self._lean:
                kept = self._again(kept, logs)
            found = self._side.down(logs, kept, float(part.weights[0]))
            if found is None:
                return None
            terms = weighted(found.loglik, part.weights)
            noise = float(np.abs(terms).sum() + part.weights.sum() * rounding(view))
            start = found.states[:, 0] if rows[0] == 0 else np.zeros(len(brought))
            more = ChainStats(float(terms.sum()), noise, start, found.moves, view.sums(found.states))
            sums = more if sums is None else add(sums, more)
        return sums

    def _again(self, held: Array, logs: Array) -> Any:
        """alpha of a chunk once more, from what entered it; what the other side brought waits."""
        waiting = self._side.hold()
        self._side.go_on(held)
        found = self._side.up(logs)
        self._side.go_on(waiting)
        return found

    def _logs(self, rows: tuple[int, int]) -> tuple[Array, View, Block]:
        block, (a, b) = self._block, rows
        values = np.ascontiguousarray(block.values[:, a:b])
        patterns = None if block.patterns is None else find_patterns(values)
        part = Block(values, block.weights[a:b], None, None, patterns, block.first + a)
        view = self._family.at(self._emission, part)
        logs = view.log_density
        return (logs if block.evidence is None else logs + block.evidence[:, a:b]), view, part
