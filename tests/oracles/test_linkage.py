"""Genetic linkage (Rao 1973; Dempster, Laird & Rubin 1977, section 1): a user's model in ten lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from estep import EM
from estep.engine import Status
from estep.records import Block
from estep.space import Unit

ANIMALS = [[125, 18, 20, 34]]
# the root of the likelihood equation 197 t^2 - 15 t - 68 = 0
THETA = (15 + np.sqrt(15**2 + 4 * 197 * 68)) / (2 * 197)


def estep(theta: float, block: Block) -> tuple[Any, float]:
    a, b, c, d = block.values.sum(axis=1)
    hidden = a * theta / (2 + theta)
    loglik = a * np.log(2 + theta) + (b + c) * np.log(1 - theta) + d * np.log(theta)
    return (hidden + d, b + c), loglik


def mstep(theta: float, stats: Any) -> float:
    return stats[0] / (stats[0] + stats[1])


def linkage(**options: Any) -> EM:
    return EM(0.5, estep, mstep, spaces=Unit(), **options)


def test_the_maximum() -> None:
    with pytest.warns(ConvergenceWarning, match="EM001"):  # tol=0 never converges
        model = linkage(tol=0, max_iter=60).fit(ANIMALS)
    assert model.status_ is Status.MAX_ITER
    assert model.n_iter_ == 60
    assert model.params_ == pytest.approx(0.6268214978709824, rel=0, abs=1e-12)
    assert model.params_ == pytest.approx(THETA, rel=0, abs=1e-12)
    assert model.loglik_ == model.loglik(ANIMALS)
    assert model.diagnostics_["rate"] == pytest.approx(0.132778733746, rel=0, abs=1e-6)


def test_it_converges_and_says_so() -> None:
    model = linkage(tol=1e-10).fit(ANIMALS)
    assert model.status_ is Status.CONVERGED
    assert model.params_ == pytest.approx(THETA, rel=0, abs=1e-6)


@pytest.mark.parametrize(("passes", "theta"), [(1, 0.608247423), (2, 0.624321050), (3, 0.626488879)])
def test_the_path(passes: int, theta: float) -> None:
    with pytest.warns(ConvergenceWarning, match="EM001"):
        model = linkage(tol=0, max_iter=passes).fit(ANIMALS)
    assert model.params_ == pytest.approx(theta, rel=0, abs=5e-10)


def test_steps_shrink_at_the_rate_of_the_missing_information() -> None:
    with pytest.warns(ConvergenceWarning, match="EM001"):
        model = linkage(tol=0, max_iter=8).fit(ANIMALS)
    changes = np.array([info.change for info in model.history_])
    assert changes[-1] / changes[-2] == pytest.approx(0.132778733746, rel=0, abs=1e-6)
