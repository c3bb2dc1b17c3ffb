"""Missing cells at their extremes: rows with nothing seen, patterns without number, constant columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from estep import PPCA, Normal
from estep.data.patterns import find_patterns
from estep.data.source import MemorySource
from estep.engine.problem import Problem
from estep.errors import EstepWarning
from estep.kernels.cpu.gaussian import moments_of_holes
from estep.kernels.cpu.incomplete import Law
from estep.kernels.reference import gaussian as reference
from estep.models.by_pattern import Groups
from estep.models.by_row import split
from estep.models.normal import Normal as NormalModel
from estep.models.normal import NormalParams
from estep.records import Block
from estep.run import Local
from tests.traps.faces import REAL, holed_irises

ROWWISE = ("full", "tied", "diag", "spherical", "normal", "ppca")


@pytest.mark.parametrize("name", ROWWISE)
def test_m01_a_row_with_nothing_seen_adds_nothing_and_is_imputed_from_the_model(name: str) -> None:
    X = holed_irises()
    nothing = np.full((1, X.shape[1]), np.nan)
    without, model = REAL[name]().fit(X), REAL[name]().fit(np.vstack([X, nothing]))
    assert model.converged_
    assert model.loglik_ == pytest.approx(without.loglik_, rel=0, abs=1e-5)
    assert model.fitted_.weight == len(X) + 1  # it is counted
    np.testing.assert_allclose(model.score_samples(nothing), [0.0], rtol=0, atol=1e-15)  # of sum of weights
    assert model.loglik(np.vstack([X, nothing])) == pytest.approx(model.loglik(X), rel=1e-14)
    mean = model.mean_ if name in ("normal", "ppca") else model.weights_ @ model.means_
    np.testing.assert_allclose(model.impute(nothing)[0], mean, rtol=1e-12)


def test_m01_in_a_chain_a_row_with_nothing_seen_is_imputed_from_its_neighbours() -> None:
    X = holed_irises()
    X[40] = np.nan
    model = REAL["hmm"]().fit(X)
    shares = model.predict_proba(X)[40]
    np.testing.assert_allclose(model.impute(X)[40], shares @ model.means_, rtol=1e-12)


def arbitrary(n: int, d: int, share: float) -> tuple[np.ndarray, NormalParams]:
    rng = np.random.default_rng(6)
    mix = rng.standard_normal((d, d)) / np.sqrt(d) + np.eye(d)
    X = rng.standard_normal((n, d)) @ mix.T
    X[rng.random(X.shape) < share] = np.nan
    return X, NormalParams(0.1 * rng.standard_normal(d), mix @ mix.T)


def compressed(X: np.ndarray) -> tuple[list[Any], MemorySource]:
    source = MemorySource(X, tuple(map(str, range(X.shape[1]))))
    with Local(threads=2) as run:
        items = split(source, run)
    return [items.block(i) for i in range(len(items))], source


def test_m06_ten_thousand_arbitrary_patterns_have_the_same_answer() -> None:
    X, params = arbitrary(11_000, 20, 0.45)
    values = np.ascontiguousarray(X.T)
    patterns = find_patterns(values)
    assert patterns is not None
    assert len(patterns) > 10_000
    items, source = compressed(X)
    with Local(threads=2) as run:
        found = Problem(NormalModel(), source, run).measure(params).stats
    mean, covariance = params.mean[None], params.covariance[None]
    # by other code, which the laws of the kernels hold to the reference
    law = Law(mean, covariance)
    block = Block(values, np.ones(len(X)), patterns=patterns)
    sums = moments_of_holes(law, block, patterns, np.ones((1, len(X))))
    assert found.rows == sums.rows[0]
    np.testing.assert_allclose(found.first, sums.first[0], rtol=0, atol=1e-9 * np.abs(sums.first).max())
    np.testing.assert_allclose(found.second, sums.second[0], rtol=0, atol=1e-10 * np.abs(sums.second).max())
    few = slice(0, 300)  # by the reference itself
    logs = reference.log_density(
        Block(values[:, few], np.ones(300), patterns=find_patterns(values[:, few])), mean, covariance
    )
    model = NormalModel()
    own = model.posterior(model.prepare(params), source.block(0)).loglik
    np.testing.assert_allclose(own[few], logs[0], rtol=1e-10, atol=1e-10)
    assert moments_held(items) <= 8 * X.size


def moments_held(items: list[Any]) -> int:
    return sum(item.scatters.size for item in items if isinstance(item, Groups))


@pytest.mark.parametrize(("d", "share"), [(40, 0.85), (60, 0.9), (12, 0.5)])
def test_m06_what_patterns_take_is_bounded_by_the_data(d: int, share: float) -> None:
    """Where nearly all cells are missing, d x d moments would be cheap to use, and a hundredfold the data."""
    X, params = arbitrary(3000, d, share)
    items, source = compressed(X)
    assert moments_held(items) <= 8 * X.size
    with Local(threads=1) as run:
        model = NormalModel()
        found = run.sum(lambda item: model.estep(model.prepare(params), item), split(source, run))
        none = lambda d, census, blocks: np.zeros(len(census.rows), dtype=bool)  # noqa: E731
        wanted = run.sum(lambda item: model.estep(model.prepare(params), item), split(source, run, none))
    assert found.loglik == pytest.approx(wanted.loglik, rel=1e-10)
    np.testing.assert_allclose(found.second, wanted.second, rtol=0, atol=1e-10 * np.abs(wanted.second).max())


def test_m06_monotone_patterns_have_the_factored_maximum() -> None:
    """Each column on those before it, over the rows in which it is seen (Anderson 1957)."""
    X, _ = arbitrary(400, 4, 0.0)
    for j, first in ((1, 350), (2, 300), (3, 250)):
        X[first:, j] = np.nan
    mean, covariance = np.array([X[:, 0].mean()]), np.array([[X[:, 0].var()]])
    for j in range(1, 4):
        seen = ~np.isnan(X[:, j])
        design = np.column_stack([np.ones(seen.sum()), X[seen, :j]])
        slope = np.linalg.lstsq(design, X[seen, j], rcond=None)[0]
        residual = np.mean((X[seen, j] - design @ slope) ** 2)
        cross = covariance @ slope[1:]
        mean = np.append(mean, slope[0] + slope[1:] @ mean)
        covariance = np.block([[covariance, cross[:, None]], [cross, residual + slope[1:] @ cross]])
    model = Normal(tol=1e-12).fit(X)
    np.testing.assert_allclose(model.mean_, mean, rtol=0, atol=1e-6)
    np.testing.assert_allclose(model.covariance_, covariance, rtol=0, atol=1e-6)


@pytest.mark.parametrize("value", [7.0, 0.1, -1e9])
@pytest.mark.parametrize("make", [Normal, lambda: PPCA(1)], ids=["normal", "ppca"])
def test_m07_a_constant_column_with_holes_is_imputed_by_its_constant(make: Any, value: float) -> None:
    X = holed_irises()
    X[:, 2] = value
    X[[2, 30, 31], 2] = np.nan
    with pytest.warns(EstepWarning, match="EM004: column 'x2' is constant"):
        model = make().fit(X)
    np.testing.assert_array_equal(model.impute(X)[:, 2], np.full(len(X), value))
