"""`Mixed` and `Chain` against enumeration of every assignment and every path, in plain loops.

A tiny case has three rows or so. Each of its latent configurations is visited once, its probability is a
product of the definitions below, and every expectation is a sum over them. Nothing of the package's kernels
is used here; with 3 states and 5 rows there are 243 configurations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import exp, factorial, inf, isnan, log, pi
from typing import Any

import numpy as np
import pytest

from estep import HMM, Mixture
from estep.data.patterns import find_patterns
from estep.data.source import MemorySource
from estep.families import Bernoulli, Categorical, Gaussian, Mixed, Poisson
from estep.families.bernoulli import BernoulliParams
from estep.families.categorical import CategoricalParams
from estep.families.gaussian import GaussianParams
from estep.families.mixed import MixedParams
from estep.families.poisson import PoissonParams
from estep.models import Alone, Chain, paths
from estep.models.chain import ChainParams
from estep.records import Block

HOLE = np.nan
EXACT = {"rtol": 1e-12, "atol": 1e-12}


@dataclass(frozen=True)
class Law:
    """A family, and its densities and complete-data sums written out for one row and one component."""

    name: str
    family: Any
    rows: np.ndarray  # (n, d), the first eight used

    def params(self, k: int) -> Any:
        """Generic parameters of k components."""
        raise NotImplementedError

    def density(self, params: Any, j: int, row: np.ndarray) -> float:
        """p(seen cells of the row | component j)."""
        raise NotImplementedError

    def sums(self, params: Any, j: int, row: np.ndarray) -> tuple[Any, ...]:
        """What one row of component j adds to that component's expected sums."""
        raise NotImplementedError


class Normal(Law):
    def params(self, k: int) -> GaussianParams:
        rng = np.random.default_rng(k)
        halves = rng.normal(size=(k, 2, 2))
        covariances = halves @ np.swapaxes(halves, 1, 2) + 0.3 * np.eye(2)
        return GaussianParams(rng.normal(size=(k, 2)), covariances)

    def density(self, params: GaussianParams, j: int, row: np.ndarray) -> float:
        o = ~np.isnan(row)
        gap, part = row[o] - params.means[j][o], params.covariances[j][np.ix_(o, o)]
        return exp(-0.5 * gap @ np.linalg.inv(part) @ gap) / np.sqrt(
            (2 * pi) ** o.sum() * np.linalg.det(part)
        )

    def sums(self, params: GaussianParams, j: int, row: np.ndarray) -> tuple[Any, ...]:
        o, (mean, full) = ~np.isnan(row), (params.means[j], params.covariances[j])
        slopes = full[:, o] @ np.linalg.inv(full[np.ix_(o, o)])
        gap = slopes @ (row[o] - mean[o])
        return 1.0, gap, np.outer(gap, gap) + full - slopes @ full[o]


class Counts(Law):
    def params(self, k: int) -> PoissonParams:
        return PoissonParams(np.random.default_rng(k).uniform(0.5, 4, size=(k, 2)))

    def density(self, params: PoissonParams, j: int, row: np.ndarray) -> float:
        terms = [
            exp(-r) * r**x / factorial(int(x))
            for r, x in zip(params.rates[j], row, strict=True)
            if not isnan(x)
        ]
        return float(np.prod(terms))

    def sums(self, params: PoissonParams, j: int, row: np.ndarray) -> tuple[Any, ...]:
        return (~np.isnan(row)).astype(float), np.nan_to_num(row)


class Flags(Law):
    def params(self, k: int) -> BernoulliParams:
        return BernoulliParams(np.random.default_rng(k).uniform(0.1, 0.9, size=(k, 2)))

    def density(self, params: BernoulliParams, j: int, row: np.ndarray) -> float:
        return float(
            np.prod(
                [p if x else 1 - p for p, x in zip(params.probabilities[j], row, strict=True) if not isnan(x)]
            )
        )

    def sums(self, params: BernoulliParams, j: int, row: np.ndarray) -> tuple[Any, ...]:
        return (~np.isnan(row)).astype(float), np.nan_to_num(row)


class Codes(Law):
    """Columns of 3 and 2 levels; the third level of the second column has probability 0."""

    def params(self, k: int) -> CategoricalParams:
        rng = np.random.default_rng(k)
        p = np.zeros((k, 2, 3))
        p[:, 0], p[:, 1, :2] = rng.dirichlet([2, 2, 2], size=k), rng.dirichlet([2, 2], size=k)
        return CategoricalParams(p)

    def density(self, params: CategoricalParams, j: int, row: np.ndarray) -> float:
        p = params.probabilities[j]
        return float(np.prod([p[c, int(x)] for c, x in enumerate(row) if not isnan(x)]))

    def sums(self, params: CategoricalParams, j: int, row: np.ndarray) -> tuple[Any, ...]:
        counts = np.zeros((2, 3))
        for c, x in enumerate(row):
            if not isnan(x):
                counts[c, int(x)] = 1
        return (counts,)


REALS = [[0.3, -1.2], [1.5, 0.4], [-0.7, 2.0], [0.1, 0.2], [2.2, -0.5], [-1.0, -1.0], [0.9, 1.1], [-0.2, 0.6]]
NUMBERS = [[0, 3], [2, 1], [5, 0], [1, 1], [3, 4], [0, 0], [7, 2], [2, 6]]
LEVELS = [[0, 1], [2, 0], [1, 1], [0, 0], [2, 1], [1, 0], [0, 1], [2, 0]]
ZEROES = [[0, 1], [1, 1], [0, 0], [1, 0], [0, 1], [1, 1], [1, 0], [0, 0]]
LAWS = [
    Normal("gaussian", Gaussian("full"), np.array(REALS, dtype=float)),
    Counts("poisson", Poisson(), np.array(NUMBERS, dtype=float)),
    Codes("categorical", Categorical(), np.array(LEVELS, dtype=float)),
    Flags("bernoulli", Bernoulli(), np.array(ZEROES, dtype=float)),
]


def with_holes(rows: np.ndarray) -> np.ndarray:
    """One cell missing here and there, and a row with nothing seen."""
    holed = rows.copy()
    holed[0, 1] = holed[3, 0] = HOLE
    holed[2] = HOLE
    return holed


def block_of(
    rows: np.ndarray,
    *,
    weights: Any = None,
    lengths: Any = None,
    evidence: np.ndarray | None = None,
) -> Block:
    values = np.ascontiguousarray(rows.T)
    return Block(
        values,
        np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float),
        None if lengths is None else np.asarray(lengths),
        evidence,
        find_patterns(values),
    )


def bound(model: Any, rows: np.ndarray) -> Any:
    return model.bind(MemorySource(rows, ("a", "b")).columns)


def assert_same(found: tuple[Any, ...], expected: list[Any]) -> None:
    """A record of sums against one entry a component, each a tuple of what that component received."""
    for leaf, parts in zip(found, zip(*expected, strict=True), strict=True):
        np.testing.assert_allclose(leaf, np.stack([np.asarray(p) for p in parts]), **EXACT)


class Tally:
    """Probability-weighted sums over configurations."""

    def __init__(self) -> None:
        self.total = 0.0
        self.sums: dict[Any, Any] = {}

    def add(self, probability: float, counts: Iterator[tuple[Any, Any]]) -> None:
        self.total += probability
        for key, value in counts:
            self.sums[key] = self.sums.get(key, 0.0) + probability * np.asarray(value, dtype=float)

    def mean(self, key: Any) -> Any:
        return self.sums[key] / self.total


def assignments(law: Law, params: Any, weights: np.ndarray, rows: np.ndarray, evidence: Any) -> Tally:
    """Every assignment of all rows to components: k^n of them."""
    tally, k = Tally(), len(weights)
    for z in product(range(k), repeat=len(rows)):
        probability = 1.0
        for i, j in enumerate(z):
            hint = 1.0 if evidence is None else exp(evidence[j, i])
            probability *= weights[j] * hint * law.density(params, j, rows[i])

        def counts(z: tuple[int, ...] = z) -> Iterator[tuple[Any, Any]]:
            for i, j in enumerate(z):
                for other in range(k):  # zeros too, so that a component nobody takes has its entry
                    yield ("resp", i, other), float(other == j)
                    for number, part in enumerate(law.sums(params, other, rows[i])):
                        yield ("sum", i, other, number), part if other == j else 0 * np.asarray(part)

        tally.add(probability, counts())
    return tally


def row_sums(law: Law, tally: Tally, weights: np.ndarray, k: int, parts: int) -> list[Any]:
    """Expected sums of each component, rows counted with their weights."""
    rows = range(len(weights))
    return [
        tuple(sum(weights[i] * tally.mean(("sum", i, j, p)) for i in rows) for p in range(parts))
        for j in range(k)
    ]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("known", [False, True], ids=["unlabelled", "evidence"])
def test_mixture(law: Law, holes: bool, known: bool) -> None:
    k, n = 3, 5
    rows = (with_holes(law.rows) if holes else law.rows)[:n]
    evidence = None
    if known:
        evidence = np.zeros((k, n))
        evidence[:, 1] = [-inf, 0, -inf]  # row 1 is of component 1
        evidence[:, 3] = [0, -inf, -0.7]  # row 3 is not of component 1, and rather of component 0
    weights, params = np.array([0.5, 0.2, 0.3]), law.params(k)
    model = bound(Alone(Mixed(k, law.family)), law.rows)
    prep = model.prepare(MixedParams(weights[None], params))
    tally = assignments(law, params, weights, rows, evidence)
    block = block_of(rows, evidence=evidence)

    stats, posterior = model.estep(prep, block), model.posterior(prep, block)
    assert stats.loglik == pytest.approx(log(tally.total), rel=1e-12)
    assert posterior.loglik.sum() == pytest.approx(log(tally.total), rel=1e-12)
    resp = [[tally.mean(("resp", i, j)) for i in range(n)] for j in range(k)]
    np.testing.assert_allclose(posterior.resp, resp, **EXACT)
    np.testing.assert_allclose(stats.sums.counts[0], np.sum(resp, axis=1), **EXACT)
    parts = len(stats.sums.inner)
    assert_same(stats.sums.inner, row_sums(law, tally, np.ones(n), k, parts))
    # a row of weight w counts w times; one of weight 0 not at all
    times = np.array([1.0, 2.0, 0.0, 3.0, 0.5])
    stats = model.estep(prep, block_of(rows, weights=times, evidence=evidence))
    alone = [
        assignments(law, params, weights, rows[[i]], None if evidence is None else evidence[:, [i]]).total
        for i in range(n)
    ]
    assert stats.loglik == pytest.approx(times @ np.log(alone), rel=1e-12)
    np.testing.assert_allclose(stats.sums.counts[0], np.array(resp) @ times, **EXACT)
    assert_same(stats.sums.inner, row_sums(law, tally, times, k, parts))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_mixture_of_mixtures_uses_evidence_once(law: Law) -> None:
    """p(row) = sum_a w_a sum_b v_ab p_ab(row): the same as a flat mixture whose evidence is of a alone."""
    rows, n = with_holes(law.rows)[:5], 5
    evidence = np.zeros((2, n))
    evidence[:, 1], evidence[:, 4] = [-inf, 0], [0, -1.1]
    outer, inner, params = np.array([0.4, 0.6]), np.array([[0.7, 0.3], [0.2, 0.8]]), law.params(4)
    model = bound(Alone(Mixed(2, Mixed(2, law.family))), law.rows)
    prep = model.prepare(MixedParams(outer[None], MixedParams(inner, params)))
    block = block_of(rows, evidence=evidence)
    tally = assignments(law, params, (outer[:, None] * inner).ravel(), rows, np.repeat(evidence, 2, axis=0))
    stats = model.estep(prep, block)
    assert stats.loglik == pytest.approx(log(tally.total), rel=1e-12)
    resp = np.array([[tally.mean(("resp", i, j)) for i in range(n)] for j in range(4)])
    np.testing.assert_allclose(model.posterior(prep, block).resp, resp.reshape(2, 2, n).sum(axis=1), **EXACT)
    np.testing.assert_allclose(stats.sums.inner.counts.ravel(), resp.sum(axis=1), **EXACT)


@dataclass(frozen=True)
class Hidden:
    """A chain written out: states, and for a mixture emission the inner components of each state."""

    law: Law
    start: np.ndarray  # (K,)
    moves: np.ndarray  # (K, K)
    inner: np.ndarray  # (K, k) weights of the inner components; (K, 1) ones for a plain emission
    params: Any  # of K * k components

    def paths(
        self, rows: np.ndarray, evidence: Any
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], float]]:
        """Each path of states with each choice of inner components, and its joint probability."""
        outer, k = self.inner.shape
        for s in product(range(outer), repeat=len(rows)):
            chain = self.start[s[0]]
            for before, after in pairwise(s):
                chain *= self.moves[before, after]
            for c in product(range(k), repeat=len(rows)):
                probability = chain
                for t, (state, choice) in enumerate(zip(s, c, strict=True)):
                    hint = 1.0 if evidence is None else exp(evidence[state, t])
                    inner = self.inner[state, choice] * self.law.density(
                        self.params, state * k + choice, rows[t]
                    )
                    probability *= hint * inner
                yield s, c, probability

    def tally(self, rows: np.ndarray, evidence: Any) -> Tally:
        tally, (outer, k) = Tally(), self.inner.shape
        for s, c, probability in self.paths(rows, evidence):

            def counts(s: tuple[int, ...] = s, c: tuple[int, ...] = c) -> Iterator[tuple[Any, Any]]:
                yield "start", np.eye(outer)[s[0]]
                yield (
                    "moves",
                    sum(
                        (np.outer(np.eye(outer)[a], np.eye(outer)[b]) for a, b in pairwise(s)),
                        np.zeros((outer, outer)),
                    ),
                )
                for t, (state, choice) in enumerate(zip(s, c, strict=True)):
                    yield ("state", t), np.eye(outer)[state]
                    yield ("inner", t), np.eye(outer * k)[state * k + choice]

            tally.add(probability, counts())
        return tally

    def best(self, rows: np.ndarray, evidence: Any) -> tuple[list[int], float]:
        """The most probable path of states, inner components summed out, and log of its joint probability."""
        joint: dict[tuple[int, ...], float] = {}
        for s, _, probability in self.paths(rows, evidence):
            joint[s] = joint.get(s, 0.0) + probability
        path = max(joint, key=lambda s: joint[s])
        return list(path), log(joint[path])

    def emission_sums(self, tallies: list[Tally], sequences: list[np.ndarray], weights: Any) -> list[Any]:
        count, sums = self.inner.size, []
        for j in range(count):
            received = [
                tuple(
                    w * tally.mean(("inner", t))[j] * np.asarray(part)
                    for part in self.law.sums(self.params, j, row)
                )
                for tally, rows, w in zip(tallies, sequences, weights, strict=True)
                for t, row in enumerate(rows)
            ]
            sums.append(tuple(sum(parts) for parts in zip(*received, strict=True)))
        return sums


def hidden(law: Law, states: int, inner: int, *, barred: bool = False) -> Hidden:
    rng = np.random.default_rng(10 * states + inner)
    start, moves = rng.dirichlet(np.full(states, 2.0)), rng.dirichlet(np.full(states, 2.0), size=states)
    if barred:  # a left-to-right chain: zeros stay exactly 0
        start, moves = np.eye(states)[0], np.triu(moves)
        moves /= moves.sum(axis=1, keepdims=True)
    weights = rng.dirichlet(np.full(inner, 2.0), size=states)
    return Hidden(law, start, moves, weights, law.params(states * inner))


def check_chain(
    truth: Hidden, rows: np.ndarray, lengths: list[int], evidence: Any, weights: list[float]
) -> None:
    """A block of several sequences against enumeration of each."""
    states, k = truth.inner.shape
    family = truth.law.family if k == 1 else Mixed(k, truth.law.family)
    model = bound(Chain(states, family), truth.law.rows)
    emission = truth.params if k == 1 else MixedParams(truth.inner, truth.params)
    prep = model.prepare(ChainParams(truth.start, truth.moves, emission))
    edges = np.cumsum(lengths)[:-1]
    sequences = np.split(rows, edges)
    hints = [None] * len(lengths) if evidence is None else np.split(evidence, edges, axis=1)
    tallies = [truth.tally(part, hint) for part, hint in zip(sequences, hints, strict=True)]
    block = block_of(rows, weights=np.repeat(weights, lengths), lengths=lengths, evidence=evidence)

    stats = model.estep(prep, block)
    logliks = np.array([log(tally.total) for tally in tallies])
    assert stats.loglik == pytest.approx(logliks @ weights, rel=1e-12)
    every = list(zip(weights, tallies, strict=True))
    np.testing.assert_allclose(stats.start, sum(w * tally.mean("start") for w, tally in every), **EXACT)
    np.testing.assert_allclose(stats.moves, sum(w * tally.mean("moves") for w, tally in every), **EXACT)
    expected = truth.emission_sums(tallies, sequences, weights)
    if k == 1:
        assert_same(stats.emission, expected)
    else:
        counts = sum(
            w * tally.mean(("inner", t))
            for (w, tally), part in zip(every, sequences, strict=True)
            for t in range(len(part))
        )
        np.testing.assert_allclose(stats.emission.counts.ravel(), counts, **EXACT)
        assert_same(stats.emission.inner, expected)

    posterior = model.posterior(prep, block)
    resp = [
        tally.mean(("state", t))
        for tally, part in zip(tallies, sequences, strict=True)
        for t in range(len(part))
    ]
    np.testing.assert_allclose(posterior.resp.T, resp, **EXACT)
    each = [part.sum() for part in np.split(posterior.loglik, edges)]
    np.testing.assert_allclose(each, logliks, **EXACT)

    past = [
        truth.tally(part[: t + 1], None if hint is None else hint[:, : t + 1]).mean(("state", t))
        for part, hint in zip(sequences, hints, strict=True)
        for t in range(len(part))
    ]
    np.testing.assert_allclose(model.filter(prep, block).T, past, **EXACT)

    best = [truth.best(part, hint) for part, hint in zip(sequences, hints, strict=True)]
    best_paths = paths.most_probable(model, prep, block)
    assert best_paths.states.tolist() == [state for path, _ in best for state in path]
    np.testing.assert_allclose(best_paths.log_joint, [value for _, value in best], **EXACT)
    check_rows(truth, model, prep, block, sequences)


def check_rows(truth: Hidden, model: Chain, prep: Any, block: Block, sequences: list[np.ndarray]) -> None:
    """What is said of single rows: by the past, by all others, and each row's best state."""
    hints: list[Any] = [None] * len(sequences)
    if block.evidence is not None:
        hints = np.split(block.evidence, np.cumsum(block.lengths)[:-1], axis=1)
    ahead, others, each, joint = [], [], [], []
    for part, hint in zip(sequences, hints, strict=True):
        for t in range(len(part)):
            alone = part.copy()
            alone[t] = HOLE  # a row of which nothing is seen: what the rest says of its state
            if hint is None:
                others.append(truth.tally(alone, None).mean(("state", t)))
                ahead.append(truth.tally(alone[: t + 1], None).mean(("state", t)))
        likeliest = tuple(truth.tally(part, hint).mean(("state", t)).argmax() for t in range(len(part)))
        each += likeliest
        value = sum(p for s, _, p in truth.paths(part, hint) if s == likeliest)
        joint.append(log(value) if value else -inf)
    if block.evidence is None:
        np.testing.assert_allclose(paths.by_the_past(model, prep, block).T, ahead, **EXACT)
        np.testing.assert_allclose(paths.by_all_others(model, prep, block).T, others, **EXACT)
    found = paths.each_most_probable(model, prep, block)
    assert found.states.tolist() == each
    np.testing.assert_allclose(found.log_joint, joint, **EXACT)


def test_paths_are_drawn_as_often_as_they_are_probable() -> None:
    truth, draws = hidden(LAWS[1], 2, 1), 40_000
    rows = with_holes(truth.law.rows)[:4]
    model = bound(Chain(2, truth.law.family), truth.law.rows)
    prep = model.prepare(ChainParams(truth.start, truth.moves, truth.params))
    found = paths.drawn(model, prep, block_of(rows, lengths=[3, 1]), draws, np.random.default_rng(0))
    parts = [list(truth.paths(part, None)) for part in (rows[:3], rows[3:])]
    totals = [sum(p for *_, p in part) for part in parts]
    for (s, _, p), (last, _, q) in product(*parts):
        share = p * q / (totals[0] * totals[1])
        seen = (found == np.array([*s, *last])).all(axis=1).mean()
        assert abs(seen - share) < 5 * np.sqrt(share * (1 - share) / draws) + 1e-12


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("holes", [False, True], ids=["complete", "holes"])
@pytest.mark.parametrize("known", [False, True], ids=["unlabelled", "evidence"])
def test_chain(law: Law, holes: bool, known: bool) -> None:
    rows = with_holes(law.rows) if holes else law.rows
    evidence = None
    if known:
        evidence = np.zeros((3, len(rows)))
        evidence[:, 1] = [-inf, 0, -inf]
        evidence[:, 5] = [0, -inf, -0.7]
    check_chain(hidden(law, 3, 1), rows, [4, 1, 3], evidence, [1.0, 2.0, 0.5])


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("known", [False, True], ids=["unlabelled", "evidence"])
def test_chain_of_mixtures(law: Law, known: bool) -> None:
    rows = with_holes(law.rows)[:7]
    evidence = None
    if known:  # of the states, not of the inner components
        evidence = np.zeros((2, len(rows)))
        evidence[:, 2] = [0, -inf]
        evidence[:, 5] = [-1.3, 0]
    check_chain(hidden(law, 2, 2), rows, [4, 3], evidence, [1.0, 2.0])


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_chain_with_forbidden_moves(law: Law) -> None:
    check_chain(hidden(law, 3, 1, barred=True), with_holes(law.rows), [5, 2, 1], None, [1.0, 1.0, 0.0])


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_the_faces_agree_with_enumeration_at_what_they_publish(law: Law) -> None:
    """Units and attributes included: columns of unlike scale and offset for the normal."""
    rng = np.random.default_rng(0)
    X = law.rows[rng.integers(len(law.rows), size=40)]
    if law.name == "gaussian":
        X = (X + rng.normal(scale=0.3, size=X.shape)) * [1e3, 1e-2] + [5.0, -70.0]
    chain = HMM(2, law.name, random_state=0, n_init=2).fit(X, lengths=[25, 15])
    mixture = Mixture(2, law.name, random_state=0, n_init=2).fit(X)
    some = X[:5].copy()
    some[2, 0] = HOLE

    emission = chain.fitted_.user_params.emission
    truth = Hidden(law, chain.startprob_, chain.transmat_, np.ones((2, 1)), emission)
    tallies = [truth.tally(part, None) for part in (some[:3], some[3:])]
    assert chain.loglik(some, [3, 2]) == pytest.approx(sum(log(t.total) for t in tallies), rel=1e-11)
    resp = [tally.mean(("state", t)) for tally, n in zip(tallies, (3, 2), strict=True) for t in range(n)]
    np.testing.assert_allclose(chain.predict_proba(some, [3, 2]), resp, rtol=1e-10, atol=1e-10)
    for rows, n in ((some[:2], 2), (some[:1], 1)):
        past = truth.tally(rows, None).mean(("state", n - 1))
        np.testing.assert_allclose(chain.filter(some, [3, 2])[n - 1], past, rtol=1e-10, atol=1e-10)
    best = [truth.best(part, None) for part in (some[:3], some[3:])]
    joint, path = chain.decode(some, [3, 2])
    assert path.tolist() == best[0][0] + best[1][0]
    assert joint == pytest.approx(best[0][1] + best[1][1], rel=1e-11)

    inner = mixture.fitted_.user_params.inner
    tally = assignments(law, inner, mixture.weights_, some, None)
    assert mixture.loglik(some) == pytest.approx(log(tally.total), rel=1e-11)
    assert mixture.score_samples(some).sum() == pytest.approx(log(tally.total), rel=1e-11)
    resp = [[tally.mean(("resp", i, j)) for j in range(2)] for i in range(5)]
    np.testing.assert_allclose(mixture.predict_proba(some), resp, rtol=1e-10, atol=1e-10)


def test_rows_that_no_state_can_make_are_impossible_and_not_nan() -> None:
    law = LAWS[2]
    truth = hidden(law, 3, 1)
    model = bound(Chain(3, law.family), law.rows)
    prep = model.prepare(ChainParams(truth.start, truth.moves, truth.params))
    rows = np.array([[0, 1], [1, 2], [0, 0], [2, 1.0]])  # level 2 of the second column has probability 0
    lengths = [3, 1]
    posterior = model.posterior(prep, block_of(rows, lengths=lengths))
    assert posterior.loglik[:3].sum() == -inf
    assert np.isfinite(posterior.loglik[3])
    assert np.isfinite(posterior.resp).all()
    np.testing.assert_allclose(posterior.resp.sum(axis=0), 1, rtol=1e-15)
    assert model.estep(prep, block_of(rows, lengths=lengths)).loglik == -inf
    # and of no account where they have no weight
    stats = model.estep(prep, block_of(rows, lengths=lengths, weights=[0, 0, 0, 1]))
    assert stats.loglik == pytest.approx(log(truth.tally(rows[3:], None).total), rel=1e-12)
    mixture = bound(Alone(Mixed(3, law.family)), law.rows)
    prep = mixture.prepare(MixedParams(np.full((1, 3), 1 / 3), truth.params))
    assert mixture.estep(prep, block_of(rows)).loglik == -inf
    assert np.isfinite(mixture.estep(prep, block_of(rows, weights=[1, 0, 1, 1])).loglik)
