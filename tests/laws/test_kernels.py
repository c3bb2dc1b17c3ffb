"""Every compiled kernel agrees with the reference, on whichever path it takes."""

from __future__ import annotations

import warnings
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estep.data.patterns import find_patterns
from estep.errors import Degenerate, EstepWarning
from estep.families.covariance import SHAPES
from estep.families.gaussian import Gaussian, GaussianParams
from estep.families.mixed import Mixed, MixedParams
from estep.kernels.cpu import gaussian as fast
from estep.kernels.cpu import jit as policy
from estep.kernels.cpu.exponential import exp_nonpositive, log_from_one
from estep.kernels.cpu.incomplete import Law
from estep.kernels.cpu.lanes import WIDE
from estep.kernels.cpu.plan import TOLERANCE, make_plan, rounded
from estep.kernels.cpu.shares import share_out
from estep.kernels.reference import gaussian as reference
from estep.linalg import log_sum_exp
from estep.models import Alone, Chain
from estep.models.chain import ChainParams
from estep.records import Block

KINDS = ("full", "tied", "diag", "spherical")


class Scene:
    """k random components of a kind, and rows about them."""

    def __init__(self, seed: int, k: int, d: int, m: int, kind: str, *, narrow: float = 1.0) -> None:
        rng = np.random.default_rng(seed)
        shape = SHAPES[kind]
        self.means = rng.standard_normal((k, d)) * 2
        roots = rng.standard_normal((k, d, d)) * 0.5 + np.eye(d)
        scatter = roots @ roots.transpose(0, 2, 1) * narrow
        weights = np.full(k, 1.0 / k)
        self.own = shape.maximise(shape.reduce(scatter), np.ones(k), np.full(d, 0.1 * narrow), np.zeros(d))
        self.dense = np.ascontiguousarray(shape.dense(self.own, k, d))
        self.shape, self.kind, self.log_weights = shape, kind, np.log(weights)
        labels = rng.integers(k, size=m)
        values = (self.means[labels] + 2 * np.sqrt(narrow) * rng.standard_normal((m, d))).T
        row_weights = rng.choice([0.0, 0.5, 1.0, 3.0], size=m)
        self.block = Block(np.ascontiguousarray(values), row_weights)
        self.resp = rng.random((k, m))

    def with_holes(self, share: float, seed: int) -> Block:
        rng = np.random.default_rng(seed)
        values = self.block.values.copy()
        values[rng.random(values.shape) < share] = np.nan
        values[:, 0] = np.nan
        return self.block._replace(values=values, patterns=find_patterns(values))

    def plan(self, *, centred: bool | None = None) -> Any:
        return make_plan(self.kind, self.means, self.shape.plain(self.own, len(self.means)), centred=centred)


scenes = st.builds(
    Scene,
    seed=st.integers(0, 10**6),
    k=st.integers(1, 11),
    d=st.sampled_from([1, 2, 3, 5, 7, 8, 9, 30]),
    m=st.sampled_from([1, 5, 24, 385, 1500]),
    kind=st.sampled_from(KINDS),
)

# for the reference, which goes pattern by pattern in Python
few = st.builds(
    Scene,
    seed=st.integers(0, 10**6),
    k=st.integers(1, 6),
    d=st.integers(1, 7),
    m=st.sampled_from([1, 5, 1025, 1500]),
    kind=st.sampled_from(KINDS),
)


def close(found: np.ndarray, expected: np.ndarray, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(
        found, expected, rtol=tolerance, atol=tolerance * max(1, np.abs(expected).max())
    )


@settings(max_examples=40, deadline=None)
@given(scene=scenes, centred=st.booleans())
def test_complete_rows(scene: Scene, centred: bool) -> None:
    plan = scene.plan(centred=centred)
    logs = reference.log_density(scene.block, scene.means, scene.dense)
    close(fast.log_density(plan, scene.block), logs)
    rows, first, second = reference.moments(scene.block, scene.means, scene.dense, scene.resp)
    found = fast.moments(plan, scene.block, scene.resp)
    close(found.rows, rows)
    close(found.first, first)
    close(found.second, scene.shape.reduce(second))


def mixture_by_reference(scene: Scene, block: Block) -> tuple[np.ndarray, Any]:
    joint = reference.log_density(block, scene.means, scene.dense) + scene.log_weights[:, None]
    logs = log_sum_exp(joint, axis=0)
    terms = logs * block.weights
    resp = np.exp(joint - logs) * block.weights
    sums = reference.moments(block, scene.means, scene.dense, resp)
    return np.array([terms.sum(), np.abs(terms).sum()]), sums


@settings(max_examples=40, deadline=None)
@given(scene=scenes, centred=st.booleans())
def test_one_sweep_of_a_mixture(scene: Scene, centred: bool) -> None:
    terms, sums = mixture_by_reference(scene, scene.block)
    found_terms, found = fast.mixture(scene.plan(centred=centred), scene.log_weights, scene.block)
    close(found_terms[:1], terms[:1])
    assert found_terms[1] >= terms[1] * (1 - 1e-10)  # the product form says that it rounds more
    close(found.rows, sums.rows)
    close(found.first, sums.first)
    close(found.second, scene.shape.reduce(sums.second))


@settings(max_examples=40, deadline=None)
@given(scene=few, share=st.sampled_from([0.05, 0.5]), seed=st.integers(0, 100))
def test_rows_with_holes(scene: Scene, share: float, seed: int) -> None:
    block, law = scene.with_holes(share, seed), Law(scene.means, scene.dense)
    assert block.patterns is not None
    logs = fast.log_density_of_holes(law, block, block.patterns)
    close(logs, reference.log_density(block, scene.means, scene.dense))
    assert np.all(logs[:, 0] == 0)  # nothing seen
    expected = reference.moments(block, scene.means, scene.dense, scene.resp)
    for one, other in zip(
        fast.moments_of_holes(law, block, block.patterns, scene.resp), expected, strict=True
    ):
        close(one, other)
    terms, sums = mixture_by_reference(scene, block)
    found_terms, found = fast.mixture_of_holes(law, scene.log_weights, block, block.patterns)
    close(found_terms, terms)
    for one, other in zip(found, sums, strict=True):
        close(one, other)


@settings(max_examples=15, deadline=None)
@given(scene=few, share=st.sampled_from([0.0, 0.05, 0.5]), seed=st.integers(0, 100))
def test_conditional_means(scene: Scene, share: float, seed: int) -> None:
    block, law = scene.with_holes(share, seed), Law(scene.means, scene.dense)
    resp = scene.resp / scene.resp.sum(axis=0)
    found, seen = fast.conditional_mean(law, block, resp), ~np.isnan(block.values)
    close(found, reference.conditional_mean(block, scene.means, scene.dense, resp))
    assert np.array_equal(found[seen], block.values[seen])
    close(found[:, 0], resp[:, 0] @ scene.means)  # nothing seen
    assert np.array_equal(fast.conditional_mean(law, scene.block, resp), scene.block.values)


def test_the_rounding_of_the_product_form_is_counted_by_every_model() -> None:
    rng = np.random.default_rng(0)
    block = Block(np.ascontiguousarray(60.0 + rng.standard_normal((3, 50))), np.full(50, 2.0))
    gaussian = GaussianParams(np.full((1, 3), 60.0), np.eye(3)[None])
    mixed = Mixed(1, Gaussian())
    params = MixedParams(np.ones((1, 1)), gaussian)
    plan = make_plan("full", *gaussian)
    assert not plan.centred
    assert plan.size > 1e4
    alone, chain = Alone(mixed), Chain(1, Gaussian())
    free = alone.estep(alone.prepare(params), block).magnitude
    labelled = alone.estep(alone.prepare(params), block._replace(evidence=np.zeros((1, 50)))).magnitude
    one = ChainParams(np.ones(1), np.ones((1, 1)), gaussian)
    chained = chain.estep(chain.prepare(one), block).magnitude
    nested = Chain(1, mixed)
    inner = nested.estep(nested.prepare(one._replace(emission=params)), block).magnitude
    assert free > 100 * plan.size / 64
    for other in (labelled, chained, inner):
        assert other == pytest.approx(free, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(scene=scenes)
def test_single_precision_rows(scene: Scene) -> None:
    block = scene.block._replace(values=scene.block.values.astype(np.float32))
    exact = scene.block._replace(values=block.values.astype(np.float64))
    plan = rounded(scene.kind, scene.means, scene.shape.plain(scene.own, len(scene.means)))
    terms, sums = mixture_by_reference(scene, exact)
    found_terms, found = fast.mixture(plan, scene.log_weights, block)
    tolerance = 4 * np.finfo(np.float32).eps * (1 + plan.size)
    np.testing.assert_allclose(found_terms[0], terms[0], atol=tolerance * block.weights.sum(), rtol=1e-6)
    for one, other in zip(found, (sums.rows, sums.first, scene.shape.reduce(sums.second)), strict=True):
        assert one.dtype == np.float64
        scale = 1 + block.weights.sum() * (1 + np.abs(exact.values - scene.means.mean()).max() ** 2)
        np.testing.assert_allclose(one, other, atol=10 * tolerance * scale)


def test_far_and_narrow_components_are_centred_and_right() -> None:
    for kind in KINDS:
        scene = Scene(3, 3, 4, 200, kind, narrow=1e-12)
        plan = scene.plan()
        assert plan.centred
        terms, sums = mixture_by_reference(scene, scene.block)
        found_terms, found = fast.mixture(plan, scene.log_weights, scene.block)
        close(found_terms, terms)
        np.testing.assert_allclose(found.second, scene.shape.reduce(sums.second), rtol=1e-8, atol=1e-20)
        # the product form would have been off by more than is promised
        forced = fast.log_density(scene.plan(centred=False), scene.block)
        exact = reference.log_density(scene.block, scene.means, scene.dense)
        assert np.abs(forced - exact).max() > TOLERANCE


@pytest.mark.parametrize(("d", "k"), [(2, 4), (8, 8), (16, 16), (64, 32)])
def test_components_of_ordinary_width_take_the_product(d: int, k: int) -> None:
    assert not Scene(0, k, d, 1, "diag").plan().centred
    rng = np.random.default_rng(0)
    roots = rng.standard_normal((k, d, d)) * 0.3 / np.sqrt(d) + np.eye(d)
    assert not make_plan("full", 3 * rng.standard_normal((k, d)), roots @ roots.transpose(0, 2, 1)).centred


def test_wide_data_take_a_factor_a_component() -> None:
    assert make_plan("full", np.zeros((2, 90)), np.tile(np.eye(90), (2, 1, 1))).centred
    assert not make_plan("diag", np.zeros((2, 90)), np.ones((2, 90))).centred


def test_a_row_impossible_everywhere_is_shared_and_counts_for_minus_infinity() -> None:
    block = Block(np.array([[0.0, 1e200]]), np.array([1.0, 1.0]))
    plan = make_plan("diag", np.zeros((2, 1)), np.ones((2, 1)))
    (loglik, _), sums = fast.mixture(plan, np.log([0.5, 0.5]), block)
    assert loglik == -np.inf
    np.testing.assert_array_equal(sums.rows, [1.0, 1.0])
    (loglik, _), _ = fast.mixture(plan, np.log([0.5, 0.5]), block._replace(weights=np.array([1.0, 0.0])))
    assert np.isfinite(loglik)  # a row of weight 0 counts for nothing


def test_an_overflow_under_a_shared_covariance_is_minus_infinity_whatever_its_signs() -> None:
    block = Block(np.array([[0.0, 1e200], [1.0, 1e200]]), np.array([1.0, 1.0]))
    plan = make_plan("tied", np.zeros((2, 2)), np.array([[2.0, 1.0], [1.0, 2.0]]))
    assert fast.mixture(plan, np.log([0.5, 0.5]), block)[0].tolist() == [-np.inf, np.inf]
    np.testing.assert_array_equal(fast.log_density(plan, block)[:, 1], [-np.inf, -np.inf])
    (loglik, _), sums = fast.mixture(plan, np.log([0.5, 0.5]), block._replace(weights=np.array([1.0, 0.0])))
    assert np.isfinite(loglik)  # a row of weight 0 counts for nothing
    np.testing.assert_array_equal(sums.second, [[0.0, 0.0], [0.0, 1.0]])


def test_a_component_without_density_is_named() -> None:
    covariances = np.stack([np.eye(2), np.ones((2, 2)), np.eye(2)])
    with pytest.raises(Degenerate, match="component 1: its covariance is not positive definite"):
        make_plan("full", np.zeros((3, 2)), covariances)
    with pytest.raises(Degenerate, match="component 2: its covariance is not positive definite"):
        make_plan("diag", np.zeros((3, 1)), np.array([[1.0], [2.0], [0.0]]))
    values = np.array([[np.nan, 1.0], [1.0, 2.0]])
    block = Block(values, np.ones(2), patterns=find_patterns(values))
    assert block.patterns is not None
    law = Law(np.zeros((3, 2)), covariances)
    with pytest.raises(Degenerate, match="component 1: its covariance is not positive definite"):
        fast.log_density_of_holes(law, block, block.patterns)
    half = Block(values[:, ::-1].copy(), np.ones(2), patterns=find_patterns(values[:, ::-1]))
    law.covariances[1] = -np.eye(2)
    with pytest.raises(Degenerate, match="component 1: its covariance is not positive definite"):
        fast.conditional_mean(law, half, np.full((3, 2), 1 / 3))


def test_exponential_and_logarithm_to_two_units_in_the_last_place() -> None:
    x = -np.concatenate([np.linspace(0, 40, 20001), np.linspace(40, 707, 5001)])
    found = np.array([exp_nonpositive(each) for each in x])
    np.testing.assert_allclose(found, np.exp(x), rtol=4.5e-16)
    assert exp_nonpositive(-709.0) == exp_nonpositive(-np.inf) == 0.0
    s = np.concatenate([np.linspace(1, 2, 5001), np.geomspace(2, 1e6, 5001)])
    np.testing.assert_allclose([log_from_one(each) for each in s], np.log(s), rtol=4.5e-16, atol=1e-18)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 4.5e-16), (np.float32, 2.5e-7)])
def test_shares_of_two_components_to_two_units_in_the_last_place(dtype: type, tolerance: float) -> None:
    gaps = np.concatenate([[0.0], np.geomspace(1e-9, 80, 2303)])
    rows = 48 if dtype is np.float32 else 24
    rows = rows if WIDE else rows // 2
    joint = np.zeros((gaps.size // rows, 2, rows), dtype)
    joint[:, 1] = -gaps.reshape(-1, rows)
    gaps = -joint[:, 1].ravel().astype(float)
    strips, lanes = joint.ravel(), np.zeros((2, rows // 3))

    @numba.njit
    def compiled(strips, constant, weights, count, lanes):
        share_out(strips, 0, 2, constant, 0, weights, 0, count, lanes, 0)

    compiled(strips, np.zeros(2), np.ones(gaps.size), len(joint), lanes.ravel())
    terms = lanes.sum(axis=1)
    shares = strips.reshape(joint.shape)
    np.testing.assert_allclose(shares[:, 1].ravel(), np.exp(-gaps) / (1 + np.exp(-gaps)), rtol=2 * tolerance)
    np.testing.assert_allclose(shares[:, 0].ravel(), 1 / (1 + np.exp(-gaps)), rtol=2 * tolerance)
    np.testing.assert_allclose(terms, np.log1p(np.exp(-gaps)).sum(), rtol=2 * tolerance)


def test_where_no_cache_can_be_written_each_process_compiles_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    njit = numba.njit

    def refuse(**options: Any) -> Any:
        def compile_(function: Any) -> Any:
            if options.pop("cache", False):
                raise RuntimeError("cannot cache function: no locator available")
            return njit(**options)(function)

        return compile_

    monkeypatch.setattr(numba, "njit", refuse)
    policy._say_once.cache_clear()
    with pytest.warns(EstepWarning, match="EM012: compiled code cannot be kept"):
        double = policy.jit(lambda x: 2 * x)
    assert double(3.0) == 6.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert policy.jit(lambda x: 3 * x)(1.0) == 3.0
