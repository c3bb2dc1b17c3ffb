"""Memory of a fit: its peak above what was resident just before it, as a multiple of the rows'.

Each fit has a process of its own, in which X is loaded and one fit on 1 000 rows is done before. The kernel
keeps the peak of the resident set (`VmHWM`, set back through `/proc/self/clear_refs`), so nothing is
missed; Linux only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np

ROOT = Path(__file__).parents[1]  # where `benchmarks` is found
ROWS, COLUMNS, K, TARGET = (100_000 if "--quick" in sys.argv else 1_000_000), 16, 4, 1.5
FITS = {  # what the estimator is given besides its number of components
    "start given, 3 iterations": {"tol": 0, "max_iter": 3},
    "start given, diag, 3 iterations": {"tol": 0, "max_iter": 3, "covariance_type": "diag"},
    "default search": {"random_state": 0},
}


def resident(field: str) -> int:
    """Bytes of `VmRSS` (now) or `VmHWM` (the peak)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def child(name: str) -> None:
    """One fit, measured; prints JSON."""
    from estep import GaussianMixture

    warnings.simplefilter("ignore")  # that the iterations ran out
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(K, COLUMNS))
    X = rng.standard_normal((ROWS, COLUMNS))
    X += centres[np.arange(ROWS) % K]
    start = {} if name == "default search" else {"weights_init": np.full(K, 1 / K), "means_init": centres}
    mixture = GaussianMixture(K, **FITS[name], **start)
    mixture.fit(X[:1000])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, begun = resident("VmRSS"), perf_counter()
    mixture.fit(X)
    seconds, peak = perf_counter() - begun, resident("VmHWM") - before
    kept = resident("VmRSS") - before
    print(json.dumps({"peak": peak / X.nbytes, "kept": kept / X.nbytes, "seconds": seconds}))


def main() -> None:
    from benchmarks.common import met, spaced, write

    rows = []
    for name in FITS:
        command = [sys.executable, "-m", "benchmarks.memory", *sys.argv[1:], "--child", name]
        ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        found = json.loads(ran.stdout)
        wanted = [f"{TARGET:g} X", met(found["peak"] <= TARGET)]
        measured = [f"{found['peak']:.2f} X", *wanted, f"{found['kept']:.2f} X", f"{found['seconds']:.2f}"]
        rows.append([name, *measured])
    header = ["GaussianMixture", "peak during fit", "at most", "", "still resident after it", "s"]
    megabytes = ROWS * COLUMNS * 8 / 1e6
    notes = (
        f"{spaced(ROWS)} x {COLUMNS} float64 rows (X = {megabytes:.0f} MB), k = {K}. The peak is above what "
        "was resident just before the fit: X, the imports, and what a fit on 1 000 rows left."
    )
    write("memory", "Memory of a fit", header, rows, notes)


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(sys.argv[-1])
    else:
        main()
