"""Mixtures of normals against R's mclust, from the same starting partitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estep import GaussianMixture

REFERENCE = json.loads((Path(__file__).parent / "mclust_em.json").read_text(encoding="utf-8"))
SHAPES = {"VVV": "full", "EEE": "tied", "VVI": "diag", "VII": "spherical"}
ROWS = [
    pytest.param(data, row, id=f"{data}-{SHAPES[row['model']]}-{row['G']}")
    for data, found in REFERENCE.items()
    for row in found["rows"]
    if row["model"] in SHAPES
]


def test_every_shape_and_number_of_components_is_there() -> None:
    assert len(ROWS) == 2 * 4 * 3


@pytest.mark.parametrize(("data", "row"), ROWS)
def test_em_from_mclusts_start_reaches_mclusts_maximum(data: str, row: dict[str, Any]) -> None:
    k, X = row["G"], np.array(REFERENCE[data]["X"], dtype=float)
    start = REFERENCE[data][f"start{k}"]
    mixture = GaussianMixture(k, covariance_type=SHAPES[row["model"]], resp_init=start, tol=1e-10).fit(X)
    assert mixture.converged_
    assert mixture.loglik_ == pytest.approx(row["loglik"], rel=0, abs=1e-6)
    assert mixture.fitted_.n_parameters == row["df"]
    assert mixture.bic(X) == pytest.approx(-row["bic"], rel=0, abs=1e-5)  # mclust's is minus ours
    means, weights = np.array(row["mean"]).T, np.array(row["pro"])
    # in the order of the start, here as there; mclust stops some 1e-7 nats below the maximum
    np.testing.assert_allclose(mixture.weights_, weights, rtol=0, atol=1e-4)
    np.testing.assert_allclose(mixture.means_ / X.std(axis=0), means / X.std(axis=0), rtol=0, atol=2e-4)
