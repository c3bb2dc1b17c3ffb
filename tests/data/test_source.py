"""Sources: fixed blocks, a frame that order and repeats cannot move, samples that belong to the rows."""

from __future__ import annotations

import numpy as np
import pytest

from estep.data import source as source_module
from estep.data.source import MemorySource
from estep.errors import DataError
from estep.records import Units


def rows(n: int, offset: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((n, 3)) * [1.0, 1e4, 1e-3] + offset
    values[rng.random((n, 3)) < 0.2] = np.nan
    return values


def source(values: np.ndarray, **options: object) -> MemorySource:
    return MemorySource(values, tuple("abc"[: values.shape[1]]), **options)


@pytest.mark.parametrize(
    ("d", "size"), [(1, 16384), (8, 16384), (9, 8192), (64, 2048), (200, 1024), (4000, 1024)]
)
def test_a_block_has_as_many_rows_as_the_columns_allow(d: int, size: int) -> None:
    made = MemorySource(np.ones((2 * size + 1, d)), tuple(f"x{j}" for j in range(d)))
    assert [made.block(i).weights.size for i in range(len(made))] == [size, size, 1]
    assert made.block(2).first == 2 * size


def test_blocks_hold_whole_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "BLOCK_ROWS", (10, 10))
    lengths = np.array([4, 4, 4, 25, 1, 2])
    evidence = np.arange(80.0).reshape(2, 40)
    made = source(rows(40), lengths=lengths, evidence=evidence)
    blocks = [made.block(i) for i in range(len(made))]
    assert [block.lengths.tolist() for block in blocks] == [[4, 4, 4], [25], [1, 2]]
    np.testing.assert_array_equal(np.concatenate([block.evidence for block in blocks], axis=1), evidence)
    with pytest.raises(DataError, match="sum to the number of rows, 40"):
        source(rows(40), lengths=np.array([39]))


def test_patterns_cover_each_row_once() -> None:
    block = source(rows(200)).block(0)
    assert block.patterns is not None
    found = np.sort(np.concatenate([pattern.rows for pattern in block.patterns]))
    np.testing.assert_array_equal(found, np.arange(200))
    for pattern in block.patterns:
        assert (np.isnan(block.values[:, pattern.rows]) == ~pattern.seen[:, None]).all()
    assert source(np.ones((5, 2))).block(0).patterns is None


@pytest.mark.parametrize("equivariance", ["column", "scalar"])
def test_the_frame_does_not_depend_on_order_repeats_or_powers_of_two(equivariance: str) -> None:
    values = rows(3000, offset=1e6 / 3)
    frame = source(values).natural_units(equivariance)
    rng = np.random.default_rng(1)
    for seed in range(5):
        shuffled = source(values[np.random.default_rng(seed).permutation(3000)])
        for one, other in zip(frame, shuffled.natural_units(equivariance), strict=True):
            np.testing.assert_array_equal(one, other)
    weights = rng.integers(1, 4, 3000).astype(float)
    weighted, repeated = (
        source(values, weights=weights),
        source(np.repeat(values, weights.astype(int), axis=0)),
    )
    for one, other in zip(*(s.natural_units(equivariance) for s in (weighted, repeated)), strict=True):
        np.testing.assert_array_equal(one, other)
    scaled = source(values * 2.0**70).natural_units(equivariance)
    np.testing.assert_array_equal(scaled.centre, frame.centre * 2.0**70)
    np.testing.assert_array_equal(scaled.scale, frame.scale * 2.0**70)
    assert (np.frexp(frame.scale)[0] == 0.5).all()
    np.testing.assert_array_equal(frame.centre / frame.scale, np.rint(frame.centre / frame.scale))


def test_subtracting_the_centre_is_exact_at_a_large_offset() -> None:
    values = np.random.default_rng(0).standard_normal((500, 1)) + 2.0**40
    made = source(values)
    framed = made.framed(made.natural_units("column")).block(0).values[0]
    units = made.natural_units("column")
    np.testing.assert_array_equal(framed * units.scale[0] + units.centre[0], values[:, 0])


def test_columns_are_described_by_their_seen_weighted_cells() -> None:
    values = rows(400)
    weights = np.random.default_rng(2).integers(0, 3, 400).astype(float)
    made = source(values, weights=weights)
    for j, column in enumerate(made.columns):
        counted = ~np.isnan(values[:, j]) & (weights > 0)
        x, w = values[counted, j], weights[counted]
        assert column.seen == w.sum()
        assert np.isclose(column.mean, np.average(x, weights=w), rtol=1e-12)
        assert np.isclose(
            column.variance, np.average((x - np.average(x, weights=w)) ** 2, weights=w), rtol=1e-12
        )
        assert (column.low, column.high) == (x.min(), x.max())
    jacobian = made.framed(Units(np.zeros(3), np.array([2.0, 4.0, 0.5]))).log_jacobian
    assert np.isclose(
        jacobian, -sum(c.seen * np.log(s) for c, s in zip(made.columns, (2, 4, 0.5), strict=True))
    )


@pytest.mark.parametrize("scale", [1e-200, 1e180])
def test_a_variance_outside_float64_is_refused_with_a_way_out(scale: float) -> None:
    wide = source(np.random.default_rng(0).standard_normal((20, 3)) * [1.0, scale, 1.0])
    with pytest.raises(DataError, match=r"column 'b', from .* multiply the column by 2\.0\*\*"):
        wide.natural_units("column")
    assert wide.natural_units("none").scale.tolist() == [1, 1, 1]


def test_a_sample_is_of_distinct_rows_with_their_weights() -> None:
    values = np.array([[2.0, 1.0], [1.0, np.nan], [2.0, 1.0], [1.0, 5.0], [1.0, np.nan], [9.0, 9.0]])
    made = source(values, weights=np.array([1.0, 2.0, 3.0, 4.0, 5.0, 0.0]))
    sample = made.sample(100, 0)
    np.testing.assert_array_equal(sample.values.T, [[1.0, 5.0], [1.0, np.nan], [2.0, 1.0]])
    np.testing.assert_array_equal(sample.weights, [4.0, 7.0, 4.0])


def test_a_thinned_sample_belongs_to_the_rows_and_not_to_their_places() -> None:
    values = np.random.default_rng(3).standard_normal((5000, 2))
    sample = source(values).sample(300, 7)
    assert sample.weights.size == 300
    shuffled = source(values[np.random.default_rng(4).permutation(5000)]).sample(300, 7)
    np.testing.assert_array_equal(sample.values, shuffled.values)
    twice = source(np.repeat(values, 2, axis=0)).sample(300, 7)
    np.testing.assert_array_equal(sample.values, twice.values)
    np.testing.assert_array_equal(twice.weights, 2 * sample.weights)
    other = source(values).sample(300, 8)
    assert not np.array_equal(sample.values, other.values)
    assert np.abs(sample.values.mean(axis=1)).max() < 0.2
