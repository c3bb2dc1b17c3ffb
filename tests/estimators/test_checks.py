"""scikit-learn's own checks of an estimator, on every face with default parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans

FACES = [GaussianMixture(), Mixture(), SoftKMeans(n_clusters=2), Normal(), PPCA(), HMM()]


# the checks fit a handful of rows on purpose, and estep says when that is too few for a covariance
@pytest.mark.filterwarnings("ignore:EM00[24]:estep.errors.EstepWarning")
@pytest.mark.filterwarnings("ignore:EM011:estep.errors.EstepWarning")
@parametrize_with_checks(FACES)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
