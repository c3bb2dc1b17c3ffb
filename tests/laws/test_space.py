"""Spaces: coordinates that are free, and come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estep.space import Fixed, PosDef, Positive, Real, Simplex, Unit, degrees_of_freedom, faults, pack, unpack

MASK = np.array([[True, True, False], [True, True, True]])
SPACES = {
    "real": (Real(), np.array([[-1.5, 0.0], [1e300, -1e-300]]), 4),
    "positive": (Positive(), np.array([1e-200, 1.0, 0.0, 1e200]), 4),
    "unit": (Unit(), np.array([0.0, 1e-12, 0.5, 1 - 1e-12, 1.0]), 5),
    "simplex": (Simplex(), np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), 6),
    "masked simplex": (Simplex(MASK), np.array([[0.25, 0.75, 0.0], [0.1, 0.2, 0.7]]), 3),
    "posdef": (PosDef(), np.array([[[2.0, 0.5], [0.5, 1.0]], [[1e-8, 0.0], [0.0, 1e8]]]), 6),
    "fixed": (Fixed(), np.array([1.0, 2.0]), 0),
}


@pytest.mark.parametrize("name", SPACES)
def test_unpack_inverts_pack(name: str) -> None:
    space, value, size = SPACES[name]
    vector = space.pack(value)
    assert vector.shape == (size,) == (space.size(value.shape),)
    assert np.isfinite(vector).all()
    np.testing.assert_allclose(space.unpack(vector, value), value, rtol=1e-13, atol=0)
    assert space.fault(value) is None


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda p: sum(p) > 0))
def test_any_simplex_comes_back_and_stays_one(p: list[float]) -> None:
    value = np.array(p) / sum(p)
    back = Simplex().unpack(Simplex().pack(value), value)
    np.testing.assert_allclose(back, value, rtol=1e-9, atol=1e-300)
    assert np.array_equal(back == 0, value == 0) or np.any((value > 0) & (value < 1e-300))
    assert np.isclose(back.sum(), 1, rtol=1e-14)


@pytest.mark.parametrize(
    ("space", "bad"),
    [
        (Real(), np.array([np.nan])),
        (Positive(), np.array([-1e-9])),
        (Unit(), np.array([1.1])),
        (Simplex(), np.array([0.5, 0.6])),
        (Simplex(), np.array([-0.5, 1.5])),
        (Simplex(MASK), np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]])),
        (PosDef(), np.array([[1.0, 2.0], [2.0, 1.0]])),
        (PosDef(), np.array([[1.0, 0.1], [0.2, 1.0]])),
        (Fixed(), np.array([np.inf])),
    ],
)
def test_values_outside_are_named(space: object, bad: np.ndarray) -> None:
    (sentence,) = faults({"mean": space}, {"mean": bad})
    assert sentence.startswith("mean must ")


def test_records_pack_field_by_field_and_one_space_stands_for_all_below() -> None:
    params = {"b": (np.ones(2), 3.0), "a": np.zeros((1, 2))}
    vector = pack(Real(), params)
    assert vector.tolist() == [0, 0, 1, 1, 3]
    assert degrees_of_freedom(Real(), params) == 5
    back = unpack(Real(), vector + 1, params)
    assert back["b"][1] == 4.0
    with pytest.raises(ValueError, match="coordinates"):
        unpack(Real(), np.zeros(6), params)
