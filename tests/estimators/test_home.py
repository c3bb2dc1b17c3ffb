"""scikit-learn users at home: pipelines, searches in other processes, frames, `set_output`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from estep import PPCA, GaussianMixture, Normal, SoftKMeans
from estep.datasets import load_faithful
from estep.errors import EstepWarning

X = load_faithful().values[:100]
NAMES = ["eruptions", "waiting"]
FRAME = pd.DataFrame(X, columns=NAMES)
ONE: dict[str, Any] = {"n_init": 1, "random_state": 0}


def test_a_pipeline_searched_in_two_processes() -> None:
    """The scores are those of one process, and the likelihoods those of fits by hand."""
    steps = make_pipeline(StandardScaler(), GaussianMixture(**ONE))
    grid = {"gaussianmixture__n_components": [1, 2]}
    two = GridSearchCV(steps, grid, cv=2, n_jobs=2, error_score="raise").fit(X)
    assert two.best_params_ == {"gaussianmixture__n_components": 2}
    for k, mean in zip((1, 2), two.cv_results_["mean_test_score"], strict=True):
        scores = []
        for test, train in ((X[:50], X[50:]), (X[50:], X[:50])):
            centre, scale = train.mean(axis=0), train.std(axis=0)
            fit = GaussianMixture(k, **ONE).fit((train - centre) / scale)
            scores.append(fit.score((test - centre) / scale))
        assert mean == pytest.approx(np.mean(scores), rel=1e-9)
    weighted = make_pipeline(StandardScaler(), GaussianMixture(2, **ONE))
    weighted.fit(X, gaussianmixture__sample_weight=np.arange(100) % 2)
    assert weighted[-1].fitted_.weight == 50


@pytest.mark.parametrize("made", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas], ids=["pd", "pl", "pa"])
def test_frames_by_name(made: Any) -> None:
    model = GaussianMixture(2, **ONE).fit(made(FRAME))
    assert list(model.feature_names_in_) == NAMES
    assert model.loglik_ == GaussianMixture(2, **ONE).fit(X).loglik_
    with pytest.warns(EstepWarning, match="EM005: the columns of X are in another order"):
        turned = model.score_samples(made(FRAME[NAMES[::-1]]))
    np.testing.assert_array_equal(turned, model.score_samples(made(FRAME)))
    with pytest.raises(ValueError, match="no column 'waiting'"):
        model.predict(made(FRAME.rename(columns={"waiting": "interval"})))


@pytest.mark.parametrize(
    "transformer", [Normal(), PPCA(1), SoftKMeans(2, **ONE)], ids=["normal", "ppca", "soft"]
)
def test_set_output(transformer: Any) -> None:
    plain = transformer.fit(FRAME).transform(FRAME)
    names = list(transformer.get_feature_names_out())
    for kind, frame in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
        found = transformer.set_output(transform=kind).fit_transform(FRAME)
        assert isinstance(found, frame)
        assert list(found.columns) == names
        np.testing.assert_array_equal(found.to_numpy(), plain)
