"""However the numbers arrive, the bits of the fit are the same, and the caller's arrays stay as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from traps.faces import ALL, DISCRETE, REAL, assert_same_bits, data_for, over

from estep import EM, HMM, GaussianMixture, Normal
from estep.errors import DataError


def make(name: str) -> Any:
    """Bits are the same or not at any tolerance; a loose one is quick."""
    return ALL[name]().set_params(tol=1e-3)


def strided(X: np.ndarray) -> np.ndarray:
    big = np.full((2 * len(X), 2 * X.shape[1]), -7.0)
    big[::2, ::2] = X
    return big[::2, ::2]


def read_only(X: np.ndarray) -> np.ndarray:
    X = X.copy()
    X.setflags(write=False)
    return X


NAMES = ["a", "b", "c", "d"]
FEEDS: dict[str, Any] = {
    "read-only": read_only,
    "fortran": np.asfortranarray,
    "strided": strided,
    "reversed": lambda X: np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "big-endian": lambda X: X.astype(">f8"),
    "longdouble": lambda X: X.astype(np.longdouble),
    "object": lambda X: X.astype(object),
    "list": lambda X: X.tolist(),
    "list with None": lambda X: [[None if np.isnan(x) else x for x in row] for row in X],
    "list of arrays": list,
    "tuple": lambda X: tuple(map(tuple, X)),
    "masked": np.ma.masked_invalid,
    "pandas": lambda X: pd.DataFrame(X, columns=NAMES),
    "pandas with NA": lambda X: pd.DataFrame(X, columns=NAMES).convert_dtypes(),
    "polars": lambda X: pl.DataFrame(X, schema=NAMES),
    "arrow": lambda X: pa.table({name: pa.array(X[:, j], from_pandas=True) for j, name in enumerate(NAMES)}),
}


@over(ALL)
def test_every_feed_has_the_same_bits(name: str) -> None:
    X = data_for(name)
    plain = make(name).fit(X)
    every = name in ("normal", "categorical")  # the table is made by the same hands for all
    for feed in FEEDS if every else ("read-only", "fortran", "strided", "pandas"):
        fed = FEEDS[feed](X)
        model = make(name).fit(fed)
        try:
            assert_same_bits(model, plain)
            np.testing.assert_array_equal(model.impute(fed), plain.impute(X))
            assert model.loglik(fed) == plain.loglik_
        except AssertionError as error:
            raise AssertionError(f"fed as {feed}") from error


def two_clouds(dtype: Any) -> np.ndarray:
    rng = np.random.default_rng(5)
    X = np.vstack([rng.normal(-20, 6, size=(60, 4)), rng.normal(30, 8, size=(40, 4))])
    return X.astype(dtype)


@over(REAL)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int64", "float16", "float32"])
def test_a_narrow_dtype_is_its_float64_copy(name: str, dtype: str) -> None:
    X = two_clouds(dtype)
    model = make(name).fit(X)
    assert model.converged_
    assert_same_bits(model, make(name).fit(X.astype(np.float64)))
    assert model.score_samples(X).dtype == (np.float32 if dtype == "float32" else np.float64)
    assert model.score(X) == model.score(X.astype(np.float64))


@pytest.mark.parametrize("dtype", ["uint8", "uint64", "bool"])
def test_unsigned_and_boolean_dtypes(dtype: str) -> None:
    X = (two_clouds("float64") > [-25, -20, 25, 30]).astype(dtype)
    for name in ("normal", "bernoulli", "categorical", "poisson"):
        assert_same_bits(make(name).fit(X[:, :3]), make(name).fit(X[:, :3].astype(np.float64)))


@over(DISCRETE)
@pytest.mark.parametrize("dtype", ["int8", "float16", "float32"])
def test_a_narrow_dtype_of_codes_is_its_float64_copy(name: str, dtype: str) -> None:
    X = np.nan_to_num(data_for(name)).astype(dtype)
    assert_same_bits(make(name).fit(X), make(name).fit(X.astype(np.float64)))


@over(ALL)
def test_the_callers_arrays_stay_as_they_were(name: str) -> None:
    X = data_for(name)
    before = X.tobytes()
    model = make(name)
    weights = np.arange(len(X)) % 3 + 1.0
    if name == "hmm":
        lengths = np.array([30, 45])
        model.fit(X, lengths=lengths, sequence_weight=np.array([1.0, 2.0]))
        model.predict(X, lengths)
        assert lengths.tolist() == [30, 45]
    else:
        model.fit(X, sample_weight=weights)
        model.score(X, sample_weight=weights)
    for method in ("predict", "predict_proba", "score_samples", "transform", "impute", "loglik", "score"):
        if hasattr(model, method):
            getattr(model, method)(X)
    assert X.tobytes() == before
    assert weights.tolist() == (np.arange(len(X)) % 3 + 1.0).tolist()


def test_starting_values_stay_as_they_were() -> None:
    X = data_for("full")
    means, covariance = np.array([X.mean(axis=0)] * 2), np.eye(4)
    means = np.where(np.isnan(means), [[5.0, 3, 1.4, 0.2], [6, 3, 4.5, 1.5]], means)
    resp = np.tile([0.3, 0.7], (len(X), 1))
    resp[: len(X) // 3] = [0.9, 0.1]
    precisions, weights = np.stack([np.eye(4)] * 2), np.array([0.5, 0.5])
    copies = [each.copy() for each in (means, covariance, resp, precisions, weights)]
    GaussianMixture(2, weights_init=weights, means_init=means, precisions_init=precisions).fit(X)
    GaussianMixture(2, resp_init=resp).fit(X)
    Normal(mean_init=means[0], covariance_init=covariance).fit(X)
    for now, then in zip((means, covariance, resp, precisions, weights), copies, strict=True):
        np.testing.assert_array_equal(now, then)


@over(ALL)
def test_what_happens_to_the_callers_array_later_changes_no_fit(name: str) -> None:
    X = data_for(name)
    model = make(name).fit(X)
    expected = make(name).fit(X.copy())
    X[:] = 0.0
    assert_same_bits(model, expected)


@over(ALL)
def test_an_infinite_cell_is_named(name: str) -> None:
    for value in (np.inf, -np.inf):
        X = data_for(name)
        X[[6, 9], 2] = value
        message = r"column 'x2' holds 2 infinite cells .* the first in row 6 \(counted from 0\)"
        with pytest.raises(DataError, match=message):
            make(name).fit(X)
        model = make(name).fit(data_for(name))
        with pytest.raises(DataError, match=message):
            model.score_samples(X)


@over(ALL)
def test_a_column_with_nothing_seen_is_named(name: str) -> None:
    X = data_for(name)
    X[:, 2] = np.nan
    with pytest.raises(DataError, match=r"column 'x2' has no seen value; drop it"):
        make(name).fit(X)
    with pytest.raises(DataError, match=r"columns 'x0', 'x1', 'x2', 'x3' have no seen value"):
        make(name).fit(np.full((5, 4), np.nan))


def test_a_column_seen_only_in_rows_of_weight_0_is_not_seen() -> None:
    X = data_for("full")
    X[1:, 2] = np.nan
    X[0, 2] = 3.0
    weights = np.ones(len(X))
    weights[0] = 0
    with pytest.raises(DataError, match=r"column 'x2' has no seen value"):
        GaussianMixture(2).fit(X, sample_weight=weights)


@pytest.mark.parametrize(
    "X",
    [
        np.empty((0, 3)),
        np.empty((3, 0)),
        np.zeros(5),
        np.zeros((2, 2, 2)),
        np.float64(3.0),
        [[1.0, 2.0], [3.0]],
        [[1.0, "tall"], [2.0, "short"]],
        np.array([["a", "b"]]),
        np.array([[1 + 2j, 0]]),
        np.array([["2020-01-01"]], dtype="datetime64[D]"),
        None,
        {"a": 1},
        object(),
    ],
    ids=lambda X: type(X).__name__ + str(np.shape(X) if isinstance(X, np.ndarray) else ""),
)
def test_what_is_no_table_of_numbers_is_refused(X: Any) -> None:
    for model in (GaussianMixture(1), Normal(), HMM(1), EM(0.5, lambda *_: (0.0, 0.0), lambda *_: 0.5)):
        with pytest.raises(DataError, match=r"\w{3}"):
            model.fit(X)
