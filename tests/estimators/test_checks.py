"""scikit-learn's own checks of an estimator, on every face; `EM` with functions, the others by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from estep import EM, HMM, PPCA, GaussianHMM, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.records import Block
from estep.space import Positive, Real


def start(block: Block, rng: np.random.Generator) -> tuple[Any, Any]:
    return np.zeros(len(block.values)), 1.0


def estep(params: Any, block: Block) -> tuple[Any, float]:
    """Independent columns of one variance, missing cells left out."""
    mean, variance = params
    seen, w = ~np.isnan(block.values), block.weights
    gaps = np.where(seen, block.values - mean[:, None], 0.0)
    stats = (seen @ w, gaps @ w, (gaps**2 @ w).sum())
    return stats, -0.5 * float(np.log(2 * np.pi * variance) * stats[0].sum() + stats[2] / variance)


def mstep(params: Any, stats: Any) -> tuple[Any, Any]:
    rows, gaps, squares = stats
    shift = gaps / rows
    return params[0] + shift, max((squares - (rows * shift**2).sum()) / rows.sum(), 1e-8)


class Told:
    """A function whose name in a test's id is the same in every process."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)

    def __repr__(self) -> str:
        return self.function.__name__


USER = EM(*map(Told, (start, estep, mstep)), spaces=(Real(), Positive()))
FACES = [
    GaussianMixture(),
    Mixture(),
    SoftKMeans(n_clusters=2),
    Normal(),
    PPCA(),
    HMM(),
    GaussianHMM(),
    USER,
]


# the checks fit a handful of rows on purpose, and estep says when that is too few for a covariance
@pytest.mark.filterwarnings("ignore:EM00[24]:estep.errors.EstepWarning")
@pytest.mark.filterwarnings("ignore:EM011:estep.errors.EstepWarning")
@parametrize_with_checks(FACES)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
