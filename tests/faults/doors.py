"""The two doors by which a fault comes in: Python's calls, and the command line. One way to knock at both."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.data.files import read_table
from estep.errors import EstepError

DOORS = ("library", "command-line")
MODELS = {
    "normal": Normal,
    "ppca": PPCA,
    "gaussian-mixture": GaussianMixture,
    "mixture": Mixture,
    "hmm": HMM,
    "soft-kmeans": SoftKMeans,
}
OPTIONS = {
    "-k": "n_components",
    "--starts": "n_init",
    "--covariance": "covariance_type",
    "--family": "family",
    "--emission": "emission",
    "--seed": "random_state",
    "--tol": "tol",
    "--max-iter": "max_iter",
}


class Found(NamedTuple):
    """What came of a fit: a log-likelihood and codes of warnings, or an error."""

    exit_code: int
    told: str  # warnings, or the error
    codes: frozenset[str] = frozenset()
    loglik: float = np.nan
    fitted: Any = None  # public attributes, by name
    summary: str = ""
    labels: Any = None  # most probable components, of models that have some


Door = Callable[..., Found]


def estimator(words: str) -> Any:
    """The estimator that a command names: `gaussian-mixture -k 2 --starts 1`."""
    name, *rest = words.split()
    options = {OPTIONS[key]: value(text) for key, text in zip(rest[::2], rest[1::2], strict=True)}
    kind = MODELS[name]
    if "n_components" in options and kind is SoftKMeans:
        options["n_clusters"] = options.pop("n_components")
    if "random_state" in kind().get_params():
        options.setdefault("random_state", 0)  # the seed of the command line
    return kind(**options)


def value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return float(text) if text in ("nan", "inf") else text


def library(
    words: str, data: Any, weights: Any = None, *, summary: bool = False, labels: bool = False
) -> Found:
    """`data` is anything with cells, or the path of a file; summary and labels as asked for."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            table = read_table(data) if isinstance(data, Path) else data
            model = estimator(words)
            model.fit(table) if weights is None else model.fit(table, sample_weight=weights)
            states = model.predict(table).tolist() if labels else None
        except EstepError as error:
            return Found(error.exit_code, str(error))
    told = [str(each.message) for each in caught]
    assert all(text.startswith("EM") for text in told), told  # nothing of NumPy's
    attributes = {name: found for name, found in vars(model).items() if name.endswith("_")}
    text = model.summary() if summary else ""
    return Found(0, "\n".join(told), codes_of(told), model.loglik_, attributes, text, states)


def command_line(run: Any) -> Door:
    def call(
        words: str, data: Any, weights: Any = None, *, summary: bool = False, labels: bool = False
    ) -> Found:
        path = data if isinstance(data, Path) else parquet(data, weights)
        fit = ["fit", *words.split(), path, *([] if weights is None else ["--weights", "weight"])]
        found = run(*fit, "--json", "-o", "fitted.estep")
        if found.code != 0:
            assert found.out == ""
            assert not Path("fitted.estep").exists()
            return Found(found.code, found.error)
        told = [line.removeprefix("warning: ") for line in found.err.splitlines() if "warning: " in line]
        fitted, states = json.loads(found.out), None
        if labels:
            lines = run("predict", path, "-m", "fitted.estep", "--only").out.split()
            states = [int(line) for line in lines[1:]]
        Path("fitted.estep").unlink()
        text = run(*fit).out if summary else ""
        return Found(0, "\n".join(told), codes_of(told), fitted["loglik_"], fitted, text, states)

    return call


def codes_of(told: list[str]) -> frozenset[str]:
    return frozenset(text[:5] for text in told)


def frame(X: Any) -> pd.DataFrame:
    """Columns x0, x1, ..., as an array's are called."""
    if isinstance(X, pd.DataFrame):
        return X
    X = np.asarray(X)
    return pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])


def parquet(X: Any, weights: Any = None) -> Path:
    table = X if isinstance(X, pa.Table) else pa.Table.from_pandas(frame(X), preserve_index=False)
    if weights is not None:
        table = table.append_column("weight", pa.array(np.asarray(weights, dtype=float)))
    pq.write_table(table, "data.parquet")
    return Path("data.parquet")
