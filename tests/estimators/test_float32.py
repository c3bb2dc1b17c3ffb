"""Single precision in, single precision out, as scikit-learn; in between nothing is single."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans, load
from estep.data.convert.narrow import as_float32, is_float32
from estep.datasets import load_iris
from estep.records import named_leaves

IRIS = load_iris().values[::2].astype(np.float32)
OPTIONS: dict[str, Any] = {"random_state": 0, "n_init": 2}
FACES: dict[str, Any] = {
    "full": GaussianMixture(2, **OPTIONS),
    "tied": GaussianMixture(2, covariance_type="tied", **OPTIONS),
    "mixture": Mixture(2, "gaussian-diag", **OPTIONS),
    "soft k-means": SoftKMeans(2, **OPTIONS),
    "normal": Normal(),
    "ppca": PPCA(2),
    "hmm": HMM(2, "gaussian-diag", **OPTIONS),
}


def arrays(estimator: Any) -> dict[str, np.ndarray]:
    return {
        name: v for name, v in vars(estimator).items() if name.endswith("_") and isinstance(v, np.ndarray)
    }


@pytest.mark.parametrize("name", FACES)
def test_only_what_comes_out_is_single(name: str, tmp_path: Path) -> None:
    from sklearn.base import clone

    single, double = clone(FACES[name]).fit(IRIS), clone(FACES[name]).fit(IRIS.astype(np.float64))
    for (where, a), (_, b) in zip(
        named_leaves(single.fitted_.params), named_leaves(double.fitted_.params), strict=True
    ):
        np.testing.assert_array_equal(a, b, err_msg=where)
    assert single.loglik_ == double.loglik_ == single.loglik(IRIS)
    assert arrays(single).keys() == arrays(double).keys()
    for key, value in arrays(double).items():
        if value.dtype == np.float64:
            assert arrays(single)[key].dtype == np.float32, key
            np.testing.assert_array_equal(arrays(single)[key], value.astype(np.float32), err_msg=key)
    for method in ("score_samples", "predict_proba", "transform"):
        if not hasattr(single, method) or (name == "normal" and method == "transform"):
            continue
        found, wide = getattr(single, method)(IRIS), getattr(double, method)(IRIS.astype(np.float64))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, wide.astype(np.float32), err_msg=method)
        assert getattr(single, method)(IRIS.astype(np.float64)).dtype == np.float64
        assert getattr(double, method)(IRIS).dtype == np.float64
    single.save(tmp_path / "model.estep")
    again = arrays(load(tmp_path / "model.estep"))
    for key, value in again.items():
        assert value.dtype == arrays(single)[key].dtype, key
    assert single.fit(IRIS.astype(np.float64)).loglik_ == double.loglik_
    assert arrays(single)[next(iter(again))].dtype == arrays(double)[next(iter(again))].dtype


def test_frames_of_single_precision() -> None:
    names = ["a", "b", "c", "d"]
    frame = pd.DataFrame(IRIS, columns=names)
    for made in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        assert is_float32(made)
        assert GaussianMixture(1).fit(made).means_.dtype == np.float32
    mixed = frame.assign(a=frame["a"].astype(np.float64))
    for other in (mixed, pl.from_pandas(mixed), frame.astype(np.float64), IRIS.tolist(), load_iris()):
        assert not is_float32(other)


def test_what_does_not_fit_into_single_precision_stays_double() -> None:
    model = GaussianMixture(1).fit(IRIS * np.float32(1e30))
    assert model.means_.dtype == np.float32
    assert model.covariances_.dtype == np.float64
    assert np.isfinite(model.covariances_).all()
    small = GaussianMixture(1).fit(IRIS * np.float32(1e-30))
    assert small.covariances_.dtype == np.float64
    assert (np.diagonal(small.covariances_[0]) > 0).all()
    assert as_float32(np.array([1.0, 1e-100])).tolist() == [1, 0]
    assert as_float32(np.array([])).dtype == as_float32(np.zeros(2)).dtype == np.float32
