"""One small model of each kind, as `tests/io/golden/make.py` saved it in each format of model files.

The data are shipped or written out here: what a golden file says of them must never change.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from estep import (
    EM,
    GMMHMM,
    HMM,
    PPCA,
    CategoricalHMM,
    GaussianHMM,
    GaussianMixture,
    Mixture,
    Normal,
    PoissonHMM,
    SoftKMeans,
)
from estep.datasets import load_airquality, load_earthquakes, load_faithful
from estep.families import Gaussian, Mixed
from estep.records import Block
from estep.space import Positive, Simplex

FOLDER = Path(__file__).parent / "io" / "golden"
SHORT: dict[str, Any] = {"random_state": 0, "n_init": 2, "tol": 0.1}
AIR = load_airquality().select("Ozone", "Solar.R", "Wind")[:40]  # with holes
FAITHFUL = load_faithful().values[:40]
COUNTS = load_earthquakes().select("count")
TEXT = pd.DataFrame({"class": ["a", "é", "<b>", "a", None] * 6, "yes": ["no", "yes", "yes"] * 10})
BITS = np.array([[0, 1], [1, 1], [0, 0], [1, 0], [1, 1]] * 4)


class Shares(NamedTuple):
    rates: np.ndarray
    shares: dict[str, np.ndarray]


def estep(params: Shares, block: Block) -> tuple[Any, float]:
    """Two exponential laws in shares that do not move."""
    joint = np.log(params.shares["p"] * params.rates)[:, None] - params.rates[:, None] * block.values[0]
    total = np.logaddexp.reduce(joint)
    resp = np.exp(joint - total)
    return (resp.sum(axis=1), resp @ block.values[0]), float(total.sum())


def mstep(params: Shares, stats: Any) -> Shares:
    return Shares(stats[0] / (stats[1] + 1), params.shares)  # 1: the prior of log_prior


def log_prior(params: Shares) -> float:
    return -float(params.rates.sum())


HOOKS = {"estep": estep, "mstep": mstep, "log_prior": log_prior}
START = Shares(np.array([0.3, 0.8]), {"p": np.array([0.25, 0.75])})
SPACES = Shares(Positive(), {"p": Simplex(np.array([True, True]))})  # type: ignore[arg-type, dict-item]

CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    "gaussian_mixture": (lambda: GaussianMixture(2, means_init=[[2, 55], [4, 80]], tol=0.1), FAITHFUL),
    "mixture_categorical": (lambda: Mixture(2, "categorical", **SHORT), TEXT),
    "mixture_bernoulli": (lambda: Mixture(2, "bernoulli", **SHORT), BITS),
    "soft_kmeans": (lambda: SoftKMeans(2, **SHORT), FAITHFUL),
    "normal": (lambda: Normal(prior_rows=1), AIR),
    "hmm_poisson": (lambda: HMM(2, "poisson", **SHORT), COUNTS),
    "hmm_mixed": (lambda: HMM(2, Mixed(2, Gaussian("diag")), **SHORT), AIR),
    "hmm_gaussian": (
        lambda: GaussianHMM(2, startprob="stationary", transmat_prior=[[3, 1], [1, 3]], **SHORT),
        FAITHFUL,
    ),
    "hmm_counts": (lambda: PoissonHMM(2, fixed="rates", rates_init=[[15], [26]], **SHORT), COUNTS),
    "hmm_categorical": (lambda: CategoricalHMM(2, transmat_mask=[[0, 1], [1, 1]], **SHORT), TEXT),
    "hmm_gmm": (lambda: GMMHMM(2, 2, low_memory=True, **SHORT), load_faithful().values),
    "ppca": (lambda: PPCA(1, tol=0.1), AIR),
    "em": (lambda: EM(START, **HOOKS, spaces=SPACES, tol=0.1), FAITHFUL[:, :1]),
}


def hooks(name: str) -> dict[str, Any]:
    """What `load` must be given with this file."""
    return HOOKS if name == "em" else {}
