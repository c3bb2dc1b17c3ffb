"""A chain's start from memberships of its rows."""

from __future__ import annotations

import numpy as np

from estep.data.source import MemorySource
from estep.families import Poisson
from estep.families.gaussian import Gaussian
from estep.families.mixed import Mixed
from estep.models import Chain
from estep.run import Local


def test_moves_are_counted_inside_sequences_and_rates_are_those_of_the_members() -> None:
    states = np.array([0, 0, 1, 1, 0, 1, 0, 0, 1])
    counts = np.array([3.0, 5, 20, 22, 4, 18, 2, 6, 20])
    source = MemorySource(counts[:, None], ("n",), lengths=np.array([5, 4]))
    model = Chain(2, Poisson()).bind(source.columns)
    assert model.movable
    with Local(threads=1) as run:
        found = model.start_from(source, run, np.eye(2)[states].T)
    np.testing.assert_allclose(found.start, [0.5, 0.5])  # the sequences begin in 0 and in 1
    # 0-0, 0-1, 1-1, 1-0 and 1-0, 0-0, 0-1; 0-1 across the sequences is none
    np.testing.assert_allclose(found.moves, [[2 / 4, 2 / 4], [2 / 3, 1 / 3]])
    np.testing.assert_allclose(found.emission.rates.ravel(), [20 / 5, 80 / 4])


def test_a_chain_over_mixtures_has_no_start_from_memberships_alone() -> None:
    assert not Chain(2, Mixed(2, Gaussian())).movable
    assert not Chain(1, Poisson()).movable
