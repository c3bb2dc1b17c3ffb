"""The time of an EM iteration is linear in the rows and in the components.

Rows are made block by block from the block's number, never all at once: 10^7 of them need no more memory
than 10^4. Up to 10^6 the blocks are kept after their making; at 10^7 they are made again at each pass, and
the time of a pass that only makes them is taken off.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np

import estep
from benchmarks.common import QUICK, ROUNDS, THREADS, met, ms, spaced, write
from estep.data.units import Equivariance
from estep.engine import Aitken, Given
from estep.families.gaussian import Gaussian, GaussianParams
from estep.families.mixed import Mixed, MixedParams
from estep.models import Alone
from estep.records import Block, Column, Units
from estep.run import Local

D, ROWS_A_BLOCK, KEPT = 4, 16_384, 10**6
BY_ROWS = [(n, 4) for n in (10**4, 10**5, 10**6, 10**7)]
BY_COMPONENTS = [(200_000, k) for k in (2, 4, 8, 16, 32)]
TARGET = 2.0


class Made:
    """A `Source` whose blocks are drawn when asked for: the same bits at every call."""

    def __init__(self, n: int, k: int) -> None:
        self.n_rows, self.weight, self.log_jacobian = n, float(n), 0.0
        self.units = Units(np.zeros(D), np.ones(D))
        self.centres = np.random.default_rng(k).normal(size=(k, D)) * 2
        self._blocks: dict[int, Block] | None = {} if n <= KEPT else None
        spread = 1 + self.centres.var(axis=0)
        self.columns = tuple(
            Column(f"x{j}", float(n), 0.0, float(v), -20.0, 20.0, whole=False, scale=1.0)
            for j, v in enumerate(spread)
        )

    def __len__(self) -> int:
        return (self.n_rows + ROWS_A_BLOCK - 1) // ROWS_A_BLOCK

    def block(self, i: int) -> Block:
        if self._blocks is None:
            return self._draw(i)
        if i not in self._blocks:
            self._blocks[i] = self._draw(i)
        return self._blocks[i]

    def sample(self, m: int, seed: int) -> Block:
        raise NotImplementedError("the start is given")

    def natural_units(self, equivariance: Equivariance) -> Units:
        return self.units

    def framed(self, units: Units) -> Made:
        return self

    def _draw(self, i: int) -> Block:
        rng, first = np.random.default_rng(i), i * ROWS_A_BLOCK
        rows = min(ROWS_A_BLOCK, self.n_rows - first)
        values = rng.standard_normal((D, rows))
        values += self.centres.T[:, np.arange(rows) % len(self.centres)]
        return Block(values, np.ones(rows), first=first)


def seconds(call: Callable[[], object]) -> float:
    begun = perf_counter()
    call()
    return perf_counter() - begun


def measure(n: int, k: int) -> tuple[float, float]:
    """Seconds of an iteration, and of making the rows of a pass."""
    source, model = Made(n // 10 if QUICK else n, k), Alone(Mixed(k, Gaussian("full")))
    params = MixedParams(
        np.full((1, k), 1 / k), GaussianParams(source.centres + 0.2, np.tile(1.5 * np.eye(D), (k, 1, 1)))
    )
    count = int(np.clip(4e6 / n, 2, 40))
    with Local(threads=THREADS) as run:

        def climb(iterations: int) -> None:
            stop = Aitken(tol=0, max_iter=iterations)
            estep.fit(model, source, starts=Given(params), stop=stop, run=run, units=source.units)

        climb(1)
        rounds = min(5, ROUNDS) if n > KEPT else ROUNDS
        short = min(seconds(lambda: climb(1)) for _ in range(rounds))
        long = min(seconds(lambda: climb(1 + count)) for _ in range(rounds))
        making = 0.0
        if n > KEPT:
            making = min(
                seconds(lambda: run.sum(lambda block: block.weights[0], source)) for _ in range(rounds)
            )
    return (long - short) / count, making


def main() -> None:
    rows, spreads = [], []
    for title, cases in (("rows", BY_ROWS), ("components", BY_COMPONENTS)):
        units = []
        for n, k in cases:
            time, making = measure(n, k)
            per = 1e9 * (time - making) / ((n // 10 if QUICK else n) * k)
            units.append(per)
            cells = [ms(time), ms(making) if making else "", f"{per:.2f}"]
            rows.append([title, spaced(n), str(k), *cells])
            print(*rows[-1], file=sys.stderr)
        spreads.append((title, max(units) / min(units), max(units[1:]) / min(units[1:])))
    notes = "\n".join(
        f"- By {title}: the largest of the last column is {spread:.2f} times the smallest; without "
        f"the first line {rest:.2f} times (linear within {TARGET:g}x: {met(rest <= TARGET)})."
        for title, spread, rest in spreads
    )
    notes += (
        "\n\nd = 4, full covariances, 2 threads. 10 000 rows are one block and so one thread, and what "
        "an iteration costs whatever the rows (M-step, verdict) weighs there; making features costs the same "
        "for any k, so few components pay more each. The last column is net of making the rows."
    )
    header = ["linear in", "rows", "k", "ms an iteration", "of it making the rows"]
    header += ["ns per row and component"]
    write("scaling", "Time by rows and by components", header, rows, notes)


if __name__ == "__main__":
    main()
