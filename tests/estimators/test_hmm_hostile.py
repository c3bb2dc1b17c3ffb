"""Hidden Markov models where rows, names or labels are as unlikely as can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm, poisson

from estep import GaussianHMM, PoissonHMM

ALL = ("startprob", "transmat", "means", "covars")


def known(upper: float, moves: Any = ((0.9, 0.1), (0.1, 0.9))) -> GaussianHMM:
    """States about 0 and `upper`, nothing estimated."""
    start = {"startprob_init": [0.5, 0.5], "transmat_init": moves, "means_init": [[0.0], [upper]]}
    model = GaussianHMM(2, **start, covars_init=[[1.0], [1.0]], fixed=ALL)
    return model.fit([[0.0], [1.0], [upper], [upper - 1]])


@pytest.mark.parametrize("given", ["all", "past"])
def test_residuals_keep_their_digits_on_both_sides(given: Any) -> None:
    """Mirrored rows have mirrored residuals, and far out those of the nearer state's tail."""
    rows = np.array([[0.3], [-0.2], [2.0 - 14], [1.0], [3.7], [2.0 + 14], [4.1]])
    model = known(4.0)
    found, mirrored = (model.pseudo_residuals(each, given=given) for each in (rows, 4.0 - rows))
    np.testing.assert_allclose(found, -mirrored, rtol=1e-9)
    assert -14 < found[2, 0] < -12
    assert 12 < found[5, 0] < 14
    far = model.pseudo_residuals([[0.0], [1e9], [-1e9]], given=given)
    np.testing.assert_allclose(far[1:, 0], [37.52, -37.52], atol=0.01)


def test_a_row_does_not_hide_what_the_others_say_of_its_state() -> None:
    """By its own density the state it is in is out of the question; by the others it is even."""
    model = known(40.0, [[0.5, 0.5], [0.5, 0.5]])
    rows = np.array([[0.0], [20.0 - 12], [40.0]])  # 480 nats nearer to the first state
    found = model.pseudo_residuals(rows)[1, 0]
    assert found == pytest.approx(ndtri(0.5 * norm.cdf(8) + 0.5 * norm.cdf(-32)), abs=1e-9)


def test_residuals_of_counts_far_out() -> None:
    model = PoissonHMM(1).fit([[3], [4], [5]])
    half = (poisson.sf(59, 4.0) + poisson.sf(60, 4.0)) / 2
    assert model.pseudo_residuals([[60]])[0, 0] == pytest.approx(-ndtri(half), rel=1e-12)
