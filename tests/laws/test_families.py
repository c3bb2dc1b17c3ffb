"""Laws of the component families, against plain formulas of SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import FAMILIES, Case
from scipy import stats

from estep import space
from estep.families import Mixed
from estep.linalg import clip_to_floor
from estep.models import Alone
from estep.records import Block, named_leaves

every_family = pytest.mark.parametrize("name", FAMILIES)
# an interval leaves its number unknown even where no cell is missing: one M-step is then not the maximum
every_family_of_values = pytest.mark.parametrize("name", sorted(FAMILIES.keys() - {"interval"}))


def bound(name: str, holes: float = 0.2) -> tuple[Any, Block, Any]:
    """A family bound to columns, a block of 50 rows, and generic parameters of 3 components."""
    family, data = FAMILIES[name]
    case = Case(name, Alone(Mixed(3, family)), data)
    problem = case.problem(case.source(case.values(50, holes=holes)))
    return problem.model.family.family, problem.source.block(0), case.point(problem).inner


@every_family
def test_log_density_is_scipys_on_the_seen_cells(name: str) -> None:
    family, block, params = bound(name)
    logs = family.at(family.prepare(params), block).log_density

    def law(j: int, x: np.ndarray, seen: np.ndarray) -> float:
        if not seen.any():
            return 0.0
        if hasattr(params, "variances"):
            low, high = (
                (ends - params.means[j]) / np.sqrt(params.variances[j]) for ends in (x[::2], x[1::2])
            )
            above = low + high > 0  # the smaller tail has the digits
            inside = np.where(
                above,
                stats.norm.sf(low) - stats.norm.sf(high),
                stats.norm.cdf(high) - stats.norm.cdf(low),
            )
            return float(np.log(inside[seen[::2]]).sum())
        if hasattr(params, "means"):
            covariance = family.law.dense(params.covariances, 3, len(x))[j][np.ix_(seen, seen)]
            return stats.multivariate_normal(params.means[j, seen], covariance).logpdf(x[seen])
        if hasattr(params, "rates"):
            return stats.poisson(params.rates[j, seen]).logpmf(x[seen]).sum()
        if params.probabilities.ndim == 2:
            return stats.bernoulli(params.probabilities[j, seen]).logpmf(x[seen]).sum()
        return sum(np.log(params.probabilities[j, c, int(x[c])]) for c in np.flatnonzero(seen))

    for i, x in enumerate(block.values.T):
        for j in range(3):
            assert np.isclose(logs[j, i], law(j, x, ~np.isnan(x)), rtol=1e-12, atol=1e-12)


@every_family_of_values
def test_start_on_complete_data_is_the_update_of_the_sums(name: str) -> None:
    family, block, _ = bound(name, holes=0.0)
    resp = np.random.default_rng(0).dirichlet(np.ones(3), block.weights.size).T
    made = family.start(block, resp, np.random.default_rng(0), "random")
    again = family.update(made, family.at(family.prepare(made), block).sums(resp))
    if hasattr(made, "means"):
        for (_, x), (_, y) in zip(named_leaves(made), named_leaves(again), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)
    else:  # counts start a little towards the pooled law, so that no probability is exactly 0
        for (_, x), (_, y) in zip(named_leaves(made), named_leaves(again), strict=True):
            assert np.max(np.abs(x - y)) < 0.11 * max(np.ptp(y), 1.0)


@every_family_of_values
def test_update_maximises_the_expected_loglik(name: str) -> None:
    """Complete data: no small move of the free coordinates raises sum resp * log density + log prior."""
    family, block, params = bound(name, holes=0.0)
    resp = np.random.default_rng(0).dirichlet(np.ones(3), block.weights.size).T
    best = family.update(params, family.at(family.prepare(params), block).sums(resp))

    def objective(at: Any) -> float:
        return float((resp * family.at(family.prepare(at), block).log_density).sum()) + family.log_prior(at)

    top, vector = objective(best), space.pack(family.spaces(), best)
    rng = np.random.default_rng(1)
    for _ in range(30):
        near = vector + 1e-3 * rng.standard_normal(vector.size)
        assert objective(space.unpack(family.spaces(), near, best)) <= top + 1e-9


@every_family
def test_taking_components_reorders_densities(name: str) -> None:
    family, block, params = bound(name)
    order = np.array([2, 0, 1])
    logs = family.at(family.prepare(params), block).log_density
    taken = family.at(family.prepare(family.take(params, order)), block).log_density
    np.testing.assert_array_equal(taken, logs[order])


@every_family_of_values
def test_fill_agrees_with_the_sums(name: str) -> None:
    """Filled cells are E[x | seen] of the component; codes, which have no mean, show the likeliest level."""
    family, block, params = bound(name)
    resp = np.eye(3)[:, np.zeros(block.weights.size, dtype=int)]
    view, missing = family.at(family.prepare(params), block), np.isnan(block.values)
    filled = view.fill(resp)
    if hasattr(params, "means"):  # first moments about the mean are those of the filled rows
        gaps = (filled - params.means[0][:, None]).sum(axis=1)
        np.testing.assert_allclose(view.sums(resp).first[0], gaps, atol=1e-9)
        return
    level = params[0][0]
    expected = level.argmax(axis=1) if level.ndim == 2 else level
    np.testing.assert_allclose(filled[missing], np.broadcast_to(expected[:, None], filled.shape)[missing])


def test_the_floor_is_the_constrained_maximum() -> None:
    """Against a search over matrices above the floor, in whitened coordinates."""
    rng = np.random.default_rng(3)
    moment = np.diag([4.0, 1e-12, 0.3]) @ np.eye(3)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    moment, floor = turn @ moment @ turn.T, np.array([0.5, 0.02, 0.1])
    clipped = clip_to_floor(moment, floor)

    def value(covariance: np.ndarray) -> float:
        return -np.linalg.slogdet(covariance)[1] - np.trace(np.linalg.solve(covariance, moment))

    assert np.linalg.eigvalsh(clipped - np.diag(floor))[0] > -1e-12
    for _ in range(300):
        step = rng.standard_normal((3, 3)) * 0.05
        inside = clipped - np.diag(floor) + (step + step.T) / 2
        values, vectors = np.linalg.eigh(inside)
        other = (vectors * np.maximum(values, 0)) @ vectors.T + np.diag(floor)
        assert value(other) <= value(clipped) + 1e-9
    above = moment + np.eye(3)
    np.testing.assert_array_equal(clip_to_floor(above, floor), above)
