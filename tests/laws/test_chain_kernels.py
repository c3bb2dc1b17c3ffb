"""The compiled recursions of a chain agree with the reference, also where scaling alone would be wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estep.kernels.cpu import chain as fast
from estep.kernels.cpu.batches import IN_LOGS
from estep.kernels.cpu.lanes import ROWS as LANES
from estep.kernels.cpu.passes import TILE
from estep.kernels.reference import chain as reference
from estep.linalg import log_sum_exp


class Scene:
    """A chain of k states, and sequences of log-densities about `spread` nats apart."""

    def __init__(
        self, seed: int, k: int, lengths: list[int], spread: float = 3.0, *, barred: bool = False
    ) -> None:
        rng = np.random.default_rng(seed)
        self.start, self.moves = rng.dirichlet(np.ones(k)), rng.dirichlet(np.ones(k), size=k)
        if barred:  # left to right
            self.moves = np.triu(self.moves)
            self.moves /= self.moves.sum(axis=1, keepdims=True)
        self.edges = np.concatenate([[0], np.cumsum(lengths)])
        self.logs = spread * rng.standard_normal((k, self.edges[-1]))
        if barred and k > 1:  # and a label here and there
            labelled = np.flatnonzero(rng.random(self.edges[-1]) < 0.1)
            self.logs[rng.integers(k, size=labelled.size), labelled] = -np.inf
        self.weights = rng.choice([0.0, 0.5, 1.0, 3.0], size=len(lengths))

    def found(self) -> fast.Smoothed:
        return fast.smooth(fast.make_law(self.start, self.moves), self.logs, self.edges, self.weights)

    def expected(self) -> list[reference.Smoothed]:
        with np.errstate(divide="ignore"):
            start, moves = np.log(self.start), np.log(self.moves)
        parts = np.split(self.logs, self.edges[1:-1], axis=1)
        return [reference.smooth(start, moves, part) for part in parts]

    def lost(self) -> np.ndarray:
        """The sequences that scaling gave back."""
        law, (k, m) = fast.make_law(self.start, self.moves), self.logs.shape
        into = np.empty(m), np.empty(k * m), np.zeros(law.alone.size)
        return fast.scaled(law, self.logs, self.edges, self.weights, *into) == IN_LOGS

    def check(self, tolerance: float = 1e-12) -> None:
        found, expected = self.found(), self.expected()
        close = {"rtol": tolerance, "atol": 1e-60}
        np.testing.assert_allclose(
            found.loglik, np.concatenate([s.loglik for s in expected]), rtol=tolerance, atol=tolerance
        )
        states = [s.states * w for s, w in zip(expected, self.weights, strict=True)]
        np.testing.assert_allclose(found.states, np.concatenate(states, axis=1), **close)
        moves = sum(s.moves * w for s, w in zip(expected, self.weights, strict=True))
        np.testing.assert_allclose(found.moves, moves, **close)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 6),
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=2 * LANES + 3),
    spread=st.sampled_from([0.0, 3.0, 30.0, 1000.0]),
    barred=st.booleans(),
)
def test_short_sequences(seed: int, k: int, lengths: list[int], spread: float, barred: bool) -> None:
    Scene(seed, k, lengths, spread, barred=barred).check(1e-12 * max(1.0, spread / 100))


@pytest.mark.parametrize("k", [1, 4, 7])
@pytest.mark.parametrize(
    "lengths", [[2 * TILE + 1], [TILE], [TILE + 1] * 3 + [5], [300, 2, 1]], ids=lambda lengths: f"{lengths}"
)
def test_sequences_longer_than_a_tile(k: int, lengths: list[int]) -> None:
    Scene(len(lengths), k, lengths, 1.0).check(2e-12)


def adverse(*runs: tuple[float, float, int]) -> np.ndarray:
    """Log-densities (2, T) from runs of (state 0, state 1, steps)."""
    return np.concatenate([np.tile([[float(a)], [float(b)]], n) for a, b, n in runs], axis=1)


@pytest.mark.parametrize("copies", [1, 2, LANES + 3])
@pytest.mark.parametrize(
    ("runs", "loglik", "state", "lost"),
    [
        # plain scaling loses state 1 and says -1220.693147
        ([(0, -60, 20), (-61, 0, 20)], -1200.6931471785, 1, True),
        ([(0, -10, 20), (-9, 0, 20)], -180.6931471785, 0, False),
        # state 1 underflows from either end, and is right in the middle: neither recursion alone can see it
        ([(0, -700, 1), (-100, 0, 25), (0, -700, 1)], -1400 - np.log(2), 1, True),
        ([(0, -70, 10), (-10, 0, 250), (0, -70, 10)], -1400 - np.log(2), 1, True),
    ],
)
def test_where_scaling_loses_the_only_path(
    copies: int, runs: list[tuple[float, float, int]], loglik: float, state: int, lost: bool
) -> None:
    logs = adverse(*runs)
    scene = Scene(0, 2, [logs.shape[1]] * copies)
    scene.start, scene.moves, scene.weights = np.full(2, 0.5), np.eye(2), np.ones(copies)
    scene.logs = np.tile(logs, copies)
    assert scene.lost().tolist() == [lost] * copies
    found = scene.found()
    np.testing.assert_allclose(
        np.add.reduceat(found.loglik, scene.edges[:-1]), loglik, rtol=0, atol=5e-11 * abs(loglik) / 180
    )
    gap = logs[state].sum() - logs[1 - state].sum()
    np.testing.assert_allclose(found.states[state], 1 / (1 + np.exp(-gap)), rtol=1e-12)
    np.testing.assert_allclose(np.diag(found.moves).sum(), copies * (logs.shape[1] - 1), rtol=1e-12)
    assert found.moves[0, 1] == found.moves[1, 0] == 0


def test_the_published_posteriors_of_the_adverse_cases() -> None:
    for runs, state in (([(0, -60, 20), (-61, 0, 20)], 1), ([(0, -10, 20), (-9, 0, 20)], 0)):
        logs = adverse(*runs)
        law = fast.make_law(np.full(2, 0.5), np.eye(2))
        found = fast.smooth(law, logs, np.array([0, 40]), np.ones(1))
        np.testing.assert_allclose(found.states[state], 0.9999999979, rtol=0, atol=5e-11)
        last = fast.filtered(law, logs, np.array([0, 40]))[:, -1]
        np.testing.assert_allclose(last, found.states[:, -1], rtol=1e-12)  # nothing comes after it


def test_a_lost_sequence_leaves_its_neighbours_alone() -> None:
    lengths = [40] * LANES
    scene = Scene(1, 2, lengths, 1.0)
    scene.start, scene.moves = np.full(2, 0.5), np.eye(2)
    alone = scene.found()
    scene.logs[:, 80:120] = adverse((0, -60, 20), (-61, 0, 20))
    scene.logs[:, 120:160] = -np.inf  # impossible
    assert scene.lost().tolist() == [s in (2, 3) for s in range(LANES)]
    found = scene.found()
    rest = np.r_[0:80, 160 : 40 * LANES]
    np.testing.assert_array_equal(found.loglik[rest], alone.loglik[rest])
    np.testing.assert_array_equal(found.states[:, rest], alone.states[:, rest])
    scene.check(1e-11)


def test_ordinary_underflow_is_not_done_again() -> None:
    """Emissions far apart under moves that all are possible, and a left-to-right chain that went on."""
    scene = Scene(2, 3, [400, *[50] * LANES], 2000.0)
    assert (np.ptp(scene.logs, axis=0) > 800).any()
    scene.moves = np.full((3, 3), 1 / 3)
    assert not scene.lost().any()
    ahead = np.repeat(np.eye(3), 100, axis=1)
    for copies in (1, LANES):
        scene = Scene(2, 3, [300] * copies)
        scene.start, scene.moves = np.eye(3)[0], np.array([[0.9, 0.1, 0], [0, 0.9, 0.1], [0, 0, 1.0]])
        scene.logs = np.tile(20 * (ahead - 1), copies)
        assert not scene.lost().any()
        scene.check(1e-11)


def test_what_is_impossible_is_exactly_zero() -> None:
    scene = Scene(3, 4, [30, *[9] * 5], barred=True)
    scene.start = np.array([0.0, 1.0, 0, 0])
    scene.logs[:, 4] = [-np.inf, -1, -np.inf, -np.inf]  # a label
    scene.logs[3, 35] = -np.inf
    scene.weights[:] = 1.0
    found = scene.found()
    assert not np.tril(found.moves, -1).any()
    assert not found.states[0].any()  # never begun in, never come back to
    assert not found.moves[0].any()
    np.testing.assert_array_equal(found.states[:, :5], np.eye(4)[:, [1]] * np.ones(5))
    assert found.states[3, 35] == 0


def test_a_row_that_no_state_can_make() -> None:
    for lengths in ([6], [6, 6, 6, 6]):
        scene = Scene(4, 3, lengths)
        scene.logs[:, 2] = -np.inf
        scene.check()
        assert scene.found().loglik[:6].sum() == -np.inf
        assert np.isnan(scene.found().loglik).sum() == 0


def test_a_density_that_is_no_number_is_seen() -> None:
    scene = Scene(5, 3, [6, 6, 6, 6])
    scene.logs[1, 2] = np.nan
    found = scene.found()
    assert np.isnan(found.loglik[2])
    assert np.isfinite(found.loglik[6:]).all()


def test_a_million_steps() -> None:
    """With equal rows of moves the steps are independent: the sum of log sum_j p_j b_j."""
    p, n = np.array([0.3, 0.7]), 10**6
    logs = np.random.default_rng(6).normal(-40, 20, size=(2, n))
    found = fast.smooth(fast.make_law(p, np.tile(p, (2, 1))), logs, np.array([0, n]), np.ones(1))
    joint = np.log(p)[:, None] + logs
    exact = log_sum_exp(joint, axis=0)
    np.testing.assert_allclose(found.loglik, exact, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.states, np.exp(joint - exact), rtol=1e-11, atol=1e-60)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 5),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    barred=st.booleans(),
)
def test_paths_and_filter(seed: int, k: int, lengths: list[int], barred: bool) -> None:
    scene = Scene(seed, k, lengths, barred=barred)
    law = fast.make_law(scene.start, scene.moves)
    path, joint = fast.best_paths(law, scene.logs, scene.edges)
    past = fast.filtered(law, scene.logs, scene.edges)
    for s, (first, last) in enumerate(zip(scene.edges[:-1], scene.edges[1:], strict=True)):
        part = scene.logs[:, first:last]
        states, value = reference.best_path(law.log_start, law.log_moves, part)
        assert joint[s] == pytest.approx(value, rel=1e-13) or joint[s] == value
        if value > -np.inf:
            assert path[first:last].tolist() == states.tolist()
        for t in range(1, last - first + 1):
            before: Any = reference.smooth(law.log_start, law.log_moves, part[:, :t])
            np.testing.assert_allclose(past[:, first + t - 1], before.states[:, -1], rtol=1e-12, atol=1e-300)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 5),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    spread=st.sampled_from([3.0, 3000.0]),
    barred=st.booleans(),
)
def test_what_all_rows_but_one_say(
    seed: int, k: int, lengths: list[int], spread: float, barred: bool
) -> None:
    """As if nothing were known of the row, also where its own density leaves no digit of it."""
    scene = Scene(seed, k, lengths, spread, barred=barred)
    law = fast.make_law(scene.start, scene.moves)
    found = fast.without_own(law, scene.logs, scene.edges)
    for first, last in zip(scene.edges[:-1], scene.edges[1:], strict=True):
        for t in range(last - first):
            part = scene.logs[:, first:last].copy()
            part[:, t] = 0.0
            rest = reference.smooth(law.log_start, law.log_moves, part).states[:, t]
            np.testing.assert_allclose(found[:, first + t], rest, rtol=1e-9, atol=1e-12)


def test_drawn_paths_are_possible_where_the_filter_underflows() -> None:
    """Three states that are never left: the first 20 rows hide by 1200 nats what the others show."""
    logs = np.zeros((3, 40))
    logs[1:, :20], logs[0, 20:], logs[2, :20] = -60.0, -61.0, -90.0
    law = fast.make_law(np.full(3, 1 / 3), np.eye(3))
    uniforms = np.random.default_rng(0).random((50, 40))
    assert (fast.drawn(law, logs, np.array([0, 40]), uniforms) == 1).all()


def test_paths_drawn_of_an_impossible_sequence_are_states() -> None:
    logs = np.array([[0.0, -np.inf, 0.0], [-np.inf, 0.0, -np.inf]])
    uniforms = np.random.default_rng(0).random((20, 3))
    found = fast.drawn(fast.make_law(np.array([0.5, 0.5]), np.eye(2)), logs, np.array([0, 3]), uniforms)
    assert (found[:, 0] == 0).all()  # which the filter has no doubt of
    assert np.isin(found, (0, 1)).all()
