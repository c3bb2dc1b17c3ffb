"""What must hold of every chain: against its mixture, in any order of sequences, far from zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import FAMILIES, hide

from estep import GaussianHMM, GaussianMixture, PoissonHMM
from estep.data.source import MemorySource
from estep.engine import Aitken, Given, Problem, fit
from estep.families import Mixed
from estep.families.mixed import MixedParams
from estep.models import Alone, Chain
from estep.models.chain import ChainParams
from estep.models.transitions import Transitions
from estep.records import named_leaves
from estep.run import Local

WEIGHTS = np.array([0.5, 0.2, 0.3])


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("lengths", [[60], [1] * 60, [20, 1, 39]], ids=["one", "single rows", "three"])
def test_with_equal_rows_of_moves_a_chain_is_the_mixture(name: str, lengths: list[int]) -> None:
    """Start and moves held at the mixture's weights: iterate for iterate the same climb."""
    family, data = FAMILIES[name]
    rng = np.random.default_rng(0)
    values = data(rng, 60)
    hide(values, rng, 0.1, family)
    names = tuple("abcd"[: values.shape[1]])
    source, rows = MemorySource(values, names, lengths=np.array(lengths)), MemorySource(values, names)
    units = rows.natural_units(family.equivariance)
    mixture = Alone(Mixed(3, family, fixed=True)).bind(rows.framed(units).columns)
    start = mixture.start(rows.framed(units).sample(100, 0), rng, "random")._replace(weights=WEIGHTS[None])
    moves = np.tile(WEIGHTS, (3, 1))
    chain = Chain(3, family, Transitions("fixed", held=moves))
    stop = Aitken(0.0, 6)
    one = fit(mixture, rows, starts=Given(start), stop=stop, units=units)
    other = fit(chain, source, starts=Given(ChainParams(WEIGHTS, moves, start.inner)), stop=stop, units=units)
    for a, b in zip(one.history, other.history, strict=True):
        assert a.objective == pytest.approx(b.objective, rel=1e-11)
    inner: Any = one.point.params.inner if isinstance(one.point.params, MixedParams) else None
    for (label, a), (_, b) in zip(
        named_leaves(inner), named_leaves(other.point.params.emission), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9, err_msg=label)


def test_single_rows_are_the_mixture_iterate_for_iterate() -> None:
    """Sequences of one row: the start is the weights, and the moves do not matter."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(90, 2)) + 3.0 * rng.integers(3, size=90)[:, None]
    means, n = [[0.0, 0], [3, 3], [6, 6]], 5
    mixture = GaussianMixture(
        3, covariance_type="diag", means_init=means, weights_init=[1 / 3] * 3, precisions_init=np.ones((3, 2))
    )
    start: dict[str, Any] = {"startprob_init": [1 / 3] * 3, "transmat_init": np.full((3, 3), 1 / 3)}
    chain = GaussianHMM(3, **start, means_init=means, covars_init=np.ones((3, 2)))
    climbs = []
    for model, how, codes in (
        (mixture, {}, {"EM001"}),
        (chain, {"lengths": np.ones(90, int)}, {"EM001", "EM016"}),
    ):
        with pytest.warns(UserWarning, match=r"EM001|EM016") as caught:
            model.set_params(tol=0, max_iter=n).fit(X, **how)
        assert {str(each.message)[:5] for each in caught} == codes
        climbs.append([info.objective for info in model.history_])
    np.testing.assert_allclose(*climbs, rtol=1e-12)


def test_the_order_of_sequences_does_not_matter_and_two_copies_are_weight_two() -> None:
    rng = np.random.default_rng(2)
    parts = [rng.poisson(rng.choice([2.0, 9.0], size=n))[:, None].astype(float) for n in (40, 7, 1, 25, 13)]
    start: dict[str, Any] = {"startprob_init": [0.5, 0.5], "transmat_init": [[0.8, 0.2], [0.3, 0.7]]}
    model = PoissonHMM(2, **start, rates_init=[[2.0], [8.0]], tol=1e-10)

    def found(which: list[int], weights: Any = None) -> tuple[float, np.ndarray]:
        rows = np.concatenate([parts[i] for i in which])
        lengths = [len(parts[i]) for i in which]
        model.fit(rows, lengths=lengths, sequence_weight=weights)
        return model.loglik_, np.concatenate([model.startprob_, model.transmat_.ravel(), model.rates_[:, 0]])

    plain, turned = found([0, 1, 2, 3, 4]), found([3, 0, 4, 2, 1])
    assert turned[0] == pytest.approx(plain[0], rel=1e-12)
    np.testing.assert_allclose(turned[1], plain[1], rtol=1e-6)
    copies, heavy = found([0, 1, 1, 2, 3, 4, 4]), found([0, 1, 2, 3, 4], [1, 2, 1, 1, 2])
    assert heavy[0] == pytest.approx(copies[0], rel=1e-12)
    np.testing.assert_allclose(heavy[1], copies[1], rtol=1e-6)


def test_variances_far_from_zero() -> None:
    """An offset of 1e8, at which differences of squares have no digits left."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(2000, 1)) + 6.0 * (np.arange(2000) // 50 % 2)[:, None]
    shifted = X + 1e8
    near = GaussianHMM(2, random_state=0, tol=1e-9).fit(shifted - 1e8)  # as rounded there
    far = GaussianHMM(2, random_state=0, tol=1e-9).fit(shifted)
    np.testing.assert_allclose(far.covars_, near.covars_, rtol=1e-6)
    np.testing.assert_allclose(far.means_ - 1e8, near.means_, atol=1e-6)
    np.testing.assert_allclose(far.covars_[:, 0], 1, atol=0.1)
    assert far.loglik_ == pytest.approx(near.loglik_, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_a_stationary_climb_never_falls(seed: int) -> None:
    """Short sequences, where the start's term weighs as much as the moves; with and without a mask."""
    rng = np.random.default_rng(seed)
    k, lengths = int(rng.integers(2, 5)), rng.integers(1, 4, size=30)
    values = rng.poisson(rng.choice([1.0, 5.0, 12.0], size=lengths.sum())).astype(float)[:, None]
    held = np.full((k, k), np.nan)
    if seed % 2:
        held[0, -1] = 0.0
    chain = Chain(k, FAMILIES["poisson"][0], Transitions("stationary", None if seed % 2 == 0 else held))
    source = MemorySource(values, ("n",), lengths=lengths)
    model = chain.bind(source.columns)
    with Local(threads=1) as run:
        problem = Problem(model, source, run)
        params = model.start(source.sample(100, 0), rng, "random")
        before = problem.measure(params)
        for _ in range(30):
            after = problem.measure(model.mstep(before.params, before.stats))
            assert after.objective >= before.objective - 1e-10
            np.testing.assert_allclose(
                after.params.start @ after.params.moves, after.params.start, rtol=1e-10
            )
            before = after
