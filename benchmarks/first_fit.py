"""How long the first fit of a process waits.

Cold: the Numba cache is an empty folder, as after installation; the wait is the whole first fit, imports
included. Later: another process with the cache that the first one filled; from its first fit are taken the
import of the modules that the fit needs (they are imported before it) and the time of a second fit, so what
is left is the wait that compiled code causes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import perf_counter

import numpy as np

COLD, LATER = 5.0, 0.6
ONE = {"n_init": 1, "random_state": 0}
FITS = {  # name: estimator, its parameters, holes
    "GaussianMixture": ("GaussianMixture", {"n_components": 3, "random_state": 0}, False),
    "GaussianMixture, n_init=1": ("GaussianMixture", {"n_components": 3, **ONE}, False),
    "diag, n_init=1": ("GaussianMixture", {"n_components": 3, "covariance_type": "diag", **ONE}, False),
    "holes, n_init=1": ("GaussianMixture", {"n_components": 3, **ONE}, True),
    "Normal, holes": ("Normal", {}, True),
    "HMM, n_init=1": ("HMM", {"n_components": 3, **ONE}, False),
}


def child(name: str) -> None:
    """The first fit of this process, after importing the modules named on stdin; prints JSON."""
    kind, parameters, holes = FITS[name]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)) + 6 * rng.integers(3, size=(300, 1))
    X[rng.random(X.shape) < (0.1 if holes else 0)] = np.nan
    for module in json.load(sys.stdin):
        with suppress(Exception):  # a module that only its own package may import
            import_module(module)
    warnings.simplefilter("ignore")
    begun = perf_counter()
    import estep

    estimator = getattr(estep, kind)(**parameters)
    estimator.fit(X)
    first = perf_counter() - begun
    begun = perf_counter()
    estimator.fit(X)
    print(json.dumps({"first": first, "second": perf_counter() - begun, "modules": list(sys.modules)}))


def ask(name: str, cache: str, modules: list[str]) -> dict:
    """The child's findings, with its compiled code in the folder `cache`."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.first_fit", "--child", name],
        check=True,
        capture_output=True,
        text=True,
        input=json.dumps(modules),
        cwd=Path(__file__).parents[1],  # where `benchmarks` is found
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
    )
    return json.loads(ran.stdout)


def main() -> None:
    from benchmarks.common import QUICK, met, write

    rows = []
    for name in list(FITS)[: 1 if QUICK else None]:
        with tempfile.TemporaryDirectory() as cache:
            cold = ask(name, cache, [])
            later = [ask(name, cache, cold["modules"]) for _ in range(2 if QUICK else 5)]
        wait = min(each["first"] - each["second"] for each in later)
        cells = [f"{cold['first']:.2f}", f"{COLD:g}", met(cold["first"] <= COLD)]
        cells += [f"{wait:.2f}", f"{LATER:g}", met(wait <= LATER), f"{min(e['second'] for e in later):.3f}"]
        rows.append([name, *cells])
    header = [
        "first fit of",
        "after installation, s",
        "at most",
        "",
        "later process, s beyond imports",
        "at most",
        "",
    ]
    header += ["a second fit, s"]
    notes = (
        "300 x 4 rows. After installation: the whole first fit with an empty Numba cache, imports and search "
        "included. Later: a new process with that cache, less the imports and less a second fit."
    )
    write("first_fit", "The wait of the first fit", header, rows, notes)


if __name__ == "__main__":
    if "--child" in sys.argv:
        child(sys.argv[-1])
    else:
        main()
