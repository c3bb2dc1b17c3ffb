"""Memory of a fit of a hidden Markov chain to one sequence of ten million rows, in a process of its own.

As `benchmarks/memory.py`: the peak above what was resident before, with X loaded and a shorter fit done.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.memory import ROOT, resident

ROWS, K = (1_000_000 if "--quick" in sys.argv else 10_000_000), 4
FITS = {"alpha kept": False, "low_memory=True": True}


def child(name: str) -> None:
    """One fit of three iterations, measured; prints JSON."""
    from estep import GaussianHMM

    warnings.simplefilter("ignore")  # that the iterations ran out
    rng = np.random.default_rng(0)
    states = np.repeat(rng.integers(K, size=ROWS // 50), 50)
    X = (3.0 * states + rng.standard_normal(ROWS))[:, None]
    del states
    model = GaussianHMM(
        K,
        startprob_init=np.full(K, 1 / K),
        transmat_init=np.full((K, K), 0.02) + (1 - 0.02 * K) * np.eye(K),
        means_init=3.0 * np.arange(K)[:, None],
        covars_init=np.ones((K, 1)),
        low_memory=FITS[name],
        tol=0,
        max_iter=3,
    )
    model.fit(X[:100_000])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, begun = resident("VmRSS"), perf_counter()
    model.fit(X)
    seconds, peak = perf_counter() - begun, resident("VmHWM") - before
    print(json.dumps({"peak": peak, "seconds": seconds, "finite": bool(np.isfinite(model.loglik_))}))


def main() -> None:
    from benchmarks.common import met, spaced, write

    most, rows = (3 * 8 + 8 * K) * ROWS, []
    for name in FITS:
        command = [sys.executable, "-m", "benchmarks.chain_memory", *sys.argv[1:], "--child", name]
        ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        found = json.loads(ran.stdout)
        if not found["finite"]:
            raise AssertionError(f"{name}: the log-likelihood is not finite")
        rows.append(
            [
                name,
                f"{found['peak'] / 1e6:.0f}",
                f"{most / 1e6:.0f}",
                met(found["peak"] <= most),
                f"{found['seconds']:.1f}",
            ]
        )
    header = ["GaussianHMM", "peak during fit, MB", "at most, MB", "", "s"]
    notes = (
        f"One sequence of {spaced(ROWS)} rows, one column, K = {K}, three iterations from a given start. "
        f"At most: three times X and 8 K bytes a row; X is {8 * ROWS / 1e6:.0f} MB."
    )
    write("chain_memory", "Memory of a fit of a long chain", header, rows, notes)


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(sys.argv[-1])
    else:
        main()
