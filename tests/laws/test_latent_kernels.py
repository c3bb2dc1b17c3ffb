"""The compiled E-step of `PPCA` and what it says of rows, against the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estep.data.patterns import find_patterns
from estep.data.source import MemorySource
from estep.errors import Degenerate
from estep.kernels.reference import gaussian
from estep.kernels.reference import latent as reference
from estep.models.by_pattern import Groups
from estep.models.by_row import Census, choose_for_latent, split
from estep.models.ppca import PPCA, PPCAParams, PPCAStats
from estep.records import Block
from estep.run import Local


def all_rows(d: int, census: Census, blocks: int) -> np.ndarray:
    return census.rows > 0


def no_rows(d: int, census: Census, blocks: int) -> np.ndarray:
    return np.zeros(len(census.rows), dtype=bool)


CHOICES = [all_rows, no_rows, choose_for_latent]


def scene(n: int, d: int, q: int, *, holes: float, noise: float, seed: int) -> tuple[Block, PPCAParams]:
    """Rows with holes, one of them full and one empty, weights with zeros, and a generic point."""
    rng = np.random.default_rng(seed)
    loadings, mean = rng.standard_normal((d, q)), rng.standard_normal(d)
    X = rng.standard_normal((n, q)) @ loadings.T + np.sqrt(noise) * rng.standard_normal((n, d)) + mean
    X[rng.random((n, d)) < holes] = np.nan
    X[0], X[1] = 1.0, np.nan
    weights = rng.integers(0, 4, n) / 2.0
    weights[0] = weights[1] = 1.0
    values = np.ascontiguousarray(X.T)
    shifted = loadings + 0.3 * rng.standard_normal((d, q))
    params = PPCAParams(mean + 0.2 * rng.standard_normal(d), shifted, np.asarray(noise))
    return Block(values, weights, patterns=find_patterns(values)), params


def stats_by(choice: Any, block: Block, params: PPCAParams, threads: int = 1) -> PPCAStats:
    model = PPCA(params.loadings.shape[1])
    names = tuple(map(str, range(len(block.values))))
    source = MemorySource(np.ascontiguousarray(block.values.T), names, weights=block.weights)
    with Local(threads=threads) as run:
        prep = model.prepare(params)
        stats: PPCAStats = run.sum(lambda item: model.estep(prep, item), split(source, run, choice))
    return stats


@pytest.mark.parametrize("choice", CHOICES)
@settings(max_examples=25, deadline=None)
@given(
    n=st.integers(2, 90),
    q=st.integers(1, 4),
    more=st.integers(1, 6),
    holes=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    noise=st.sampled_from([0.05, 1.0, 30.0]),
    seed=st.integers(0, 10**6),
)
def test_sums_are_the_reference(
    choice: Any, n: int, q: int, *, more: int, holes: float, noise: float, seed: int
) -> None:
    block, params = scene(n, q + more, q, holes=holes, noise=noise, seed=seed)
    stats, point = stats_by(choice, block, params), (params.mean, params.loadings, noise)
    terms = reference.log_density(block, *point) * block.weights
    assert stats.loglik == pytest.approx(terms.sum(), rel=1e-10, abs=1e-10)
    assert stats.magnitude >= np.abs(terms).sum() * (1 - 1e-10)
    for found, wanted in zip(stats[2:], reference.sums(block, *point), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10 * max(1.0, np.abs(wanted).max()))


@settings(max_examples=25, deadline=None)
@given(
    q=st.integers(1, 3), more=st.integers(1, 5), holes=st.sampled_from([0.0, 0.3]), seed=st.integers(0, 999)
)
def test_rows_are_the_reference(q: int, more: int, holes: float, seed: int) -> None:
    block, params = scene(60, q + more, q, holes=holes, noise=0.3, seed=seed)
    model, point = PPCA(q), (params.mean, params.loadings, 0.3)
    prep = model.prepare(params)
    found = model.posterior(prep, block)
    np.testing.assert_allclose(found.loglik, reference.log_density(block, *point), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.latent, reference.latent_means(block, *point), rtol=1e-10, atol=1e-10)
    assert found.loglik[1] == 0.0
    assert not found.latent[:, 1].any()  # nothing seen
    covariance = params.loadings @ params.loadings.T + 0.3 * np.eye(q + more)
    filled, seen = model.fill(prep, block), ~np.isnan(block.values)
    wanted = gaussian.conditional_mean(block, params.mean[None], covariance[None], np.ones((1, 60)))
    np.testing.assert_allclose(filled, wanted, rtol=1e-10, atol=1e-10)
    assert np.array_equal(filled[seen], block.values[seen])


@pytest.mark.parametrize("choice", CHOICES)
def test_threads_change_no_bit(choice: Any) -> None:
    block, params = scene(5000, 9, 3, holes=0.2, noise=0.1, seed=4)
    one, two = stats_by(choice, block, params, 1), stats_by(choice, block, params, 2)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_small_noise_costs_no_digits_of_a_row() -> None:
    """The distance is measured from the plane, not as a difference of large squares."""
    rng, noise = np.random.default_rng(0), 1e-12
    loadings, z = rng.standard_normal((5, 2)), rng.standard_normal((2, 50))
    params = PPCAParams(np.zeros(5), loadings, np.asarray(noise))
    found = stats_by(all_rows, Block(loadings @ z, np.ones(50)), params).loglik
    # on the plane, where the noise is as good as none, the distance is |z|^2
    log_det = 3 * np.log(noise) + np.linalg.slogdet(loadings.T @ loadings)[1]
    wanted = -0.5 * (50 * (5 * np.log(2 * np.pi) + log_det) + (z * z).sum())
    assert found == pytest.approx(wanted, rel=0, abs=1e-8)


def test_noise_without_a_density_is_degenerate() -> None:
    block, params = scene(20, 4, 2, holes=0.2, noise=1.0, seed=0)
    for choice in CHOICES:
        with pytest.raises(Degenerate, match="not positive definite"):
            stats_by(choice, block, params._replace(noise=np.asarray(np.nan)))


def test_patterns_of_few_rows_stay_rows_and_moments_stay_in_bounds() -> None:
    block, _ = scene(4000, 24, 2, holes=0.3, noise=1.0, seed=1)
    source = MemorySource(np.ascontiguousarray(block.values.T), tuple(map(str, range(24))))
    with Local(threads=1) as run:
        items = split(source, run, choose_for_latent)
    groups = [items.block(i) for i in range(len(items))]
    numbers = sum(each.scatters.size for each in groups if isinstance(each, Groups))
    assert numbers < block.values.size
