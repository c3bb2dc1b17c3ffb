"""Offsets and units: labels stay, the log-likelihood shifts by the jacobian, powers of two move no bit."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from traps.faces import BY_COLUMN, REAL, holed_irises, irises, over, record

from estep import GaussianMixture
from estep.datasets import load_iris
from estep.errors import DataError

HOLES = pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])


def rows(holes: bool) -> np.ndarray:
    return holed_irises() if holes else irises()


@cache
def in_centimetres(name: str, holes: bool) -> Any:
    return REAL[name]().fit(rows(holes))


@over(REAL)
@HOLES
def test_an_offset_of_1e8(name: str, holes: bool) -> None:
    far = rows(holes) + 1e8
    near = far - 1e8  # the digits that are left
    assert not np.array_equal(near, rows(holes), equal_nan=True)
    a, b = REAL[name]().fit(far), REAL[name]().fit(near)
    assert a.loglik_ == pytest.approx(b.loglik_, rel=1e-10)
    if hasattr(a, "predict"):
        np.testing.assert_array_equal(a.predict(far), b.predict(near))
    assert a.score(far) == pytest.approx(b.score(near), rel=1e-10)


@over(REAL)
def test_an_offset_of_1e8_deviations_either_way(name: str) -> None:
    X = irises()
    offset = 1e8 * X.std(axis=0) * [1, -1, -1, 1]
    far = X + offset
    near = far - offset  # exact: the two lie within a factor of two
    a, b = REAL[name]().fit(far), REAL[name]().fit(near)
    assert a.loglik_ == pytest.approx(b.loglik_, rel=1e-10)


@over(REAL)
@HOLES
@pytest.mark.parametrize("scale", [1e150, 1e-150, 254.0])
def test_other_units(name: str, holes: bool, scale: float) -> None:
    X = rows(holes)
    cells = np.count_nonzero(~np.isnan(X))
    plain, scaled = in_centimetres(name, holes), REAL[name]().fit(X * scale)
    assert scaled.converged_
    shifted = scaled.loglik_ + cells * np.log(scale)
    assert shifted == pytest.approx(plain.loglik_, rel=1e-10)
    assert scaled.score_samples(X * scale).sum() == pytest.approx(scaled.loglik_, rel=1e-10)
    if hasattr(plain, "predict"):
        np.testing.assert_array_equal(scaled.predict(X * scale), plain.predict(X))
    if hasattr(plain, "impute"):
        np.testing.assert_allclose(scaled.impute(X * scale) / scale, plain.impute(X), rtol=1e-4)


@over(REAL)
@HOLES
@pytest.mark.parametrize("power", [3, -300, 480])
def test_a_power_of_two_moves_no_bit(name: str, holes: bool, power: int) -> None:
    X, scale = rows(holes), 2.0**power
    plain, scaled = in_centimetres(name, holes), REAL[name]().fit(X * scale)
    for a, b in zip(record(plain)[:-2], record(scaled)[:-2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert scaled.n_iter_ == plain.n_iter_
    assert (np.frexp(plain.fitted_.units.scale)[0] == 0.5).all()  # so that framing rounds nothing
    jacobian = np.count_nonzero(~np.isnan(X)) * power * np.log(2)
    rounding = 8 * np.finfo(float).eps * max(abs(scaled.loglik_), abs(jacobian))
    assert scaled.loglik_ + jacobian == pytest.approx(plain.loglik_, rel=0, abs=rounding)


@pytest.mark.parametrize("power", [100, -300])
def test_a_power_of_two_moves_no_bit_of_a_search(power: int) -> None:
    X = load_iris().values
    plain, scaled = (GaussianMixture(2, random_state=0, tol=1e-8).fit(X * 2.0**p) for p in (0, power))
    for a, b in zip(record(plain)[:-2], record(scaled)[:-2], strict=True):
        np.testing.assert_array_equal(a, b)


@over(BY_COLUMN)
@HOLES
def test_columns_of_unlike_units_together(name: str, holes: bool) -> None:
    X = rows(holes)
    scales = np.array([1e-8, 1e8, 1e-150, 1e150])
    plain, scaled = in_centimetres(name, holes), BY_COLUMN[name]().fit(X * scales)
    shift = np.count_nonzero(~np.isnan(X), axis=0) @ np.log(scales)
    assert scaled.loglik_ + shift == pytest.approx(plain.loglik_, rel=1e-10)
    if hasattr(plain, "predict"):
        np.testing.assert_array_equal(scaled.predict(X * scales), plain.predict(X))
    np.testing.assert_allclose(scaled.impute(X * scales) / scales, plain.impute(X), rtol=1e-4)


@over(REAL)
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_beyond_float64_is_an_error_that_names_the_column(name: str, scale: float) -> None:
    with pytest.raises(DataError, match=r"column 'x0', from .* multiply the column by 2\.0"):
        REAL[name]().fit(irises() * scale)
