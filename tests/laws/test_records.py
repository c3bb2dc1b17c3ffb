"""Records add leaf by leaf, and nothing else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from estep.records import Units, add, named_leaves, scale


class Inner(NamedTuple):
    total: float
    table: dict[str, np.ndarray]


class Outer(NamedTuple):
    inner: Inner
    first: np.ndarray


def record(c: float) -> Outer:
    return Outer(Inner(c, {"a": np.full(2, c)}), np.full((2, 2), c))


def test_a_named_tuple_adds_and_does_not_join() -> None:
    total = add(record(1.0), record(2.0))
    assert isinstance(total, Outer)
    assert total.inner.total == 3.0
    np.testing.assert_array_equal(total.first, np.full((2, 2), 3.0))
    assert [name for name, _ in named_leaves(total)] == ["inner.total", "inner.table.a", "first"]


def test_dicts_add_by_the_sorted_union_of_their_keys() -> None:
    total = add({"b": 1.0}, {"c": 2.0, "a": 3.0, "b": 4.0})
    assert list(total.items()) == [("a", 3.0), ("b", 5.0), ("c", 2.0)]


def test_scale_reaches_every_leaf() -> None:
    assert scale(record(2.0), 0.5).inner.table["a"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("a", "b"), [((1, 2), (1, 2, 3)), (np.ones(2), np.ones(3))])
def test_unlike_records_do_not_add(a: object, b: object) -> None:
    with pytest.raises(ValueError, match="cannot be added"):
        add(a, b)


def test_units_undo_themselves() -> None:
    units = Units(np.array([3.0, -8.0]), np.array([4.0, 0.125]))
    raw = np.random.default_rng(0).standard_normal((2, 5))
    np.testing.assert_allclose(units.undo(units.apply(raw)), raw, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(units.inverse().apply(units.apply(raw)), raw, rtol=1e-14, atol=1e-14)
