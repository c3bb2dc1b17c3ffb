"""Hidden Markov models where rows, names or labels are as unlikely as can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from scipy.stats import norm, poisson

from estep import CategoricalHMM, GaussianHMM, PoissonHMM
from estep.errors import DataError, EstepWarning, UsageError

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


ROWS = np.array([[0.0], [1.0], [4.0], [5.0], [1.0], [0.5], [4.5], [5.5]])


@pytest.mark.parametrize(
    ("options", "states", "row", "words"),
    [
        ({"transmat_mask": np.triu(np.ones((2, 2)))}, [0, -1, 1, -1, 0], 4, "no allowed moves lead there"),
        ({"transmat_fixed": [[np.nan, np.nan], [0, 1]]}, [0, 1, 0, -1, -1], 2, "no allowed moves"),
        ({"startprob": "fixed", "startprob_init": [0, 1]}, [0] + 4 * [-1], 0, "no sequence begins in"),
        ({"startprob_init": [0, 1]}, [0] + 4 * [-1], 0, "no sequence begins in"),
        ({"transmat_init": [[1, 0], [0.5, 0.5]]}, [0, -1, -1, 1, -1], 3, "no allowed moves"),
        (
            {"startprob": "stationary", "transmat_mask": np.triu(np.ones((2, 2)))},
            [-1, -1, 0, -1, -1],
            2,
            "no allowed moves",
        ),
    ],
)
def test_states_that_no_path_goes_through(
    options: dict[str, Any], states: list[int], row: int, words: str
) -> None:
    for before in (0, 3):  # rows of a sequence that is in order
        known_states = np.concatenate([np.full(before, -1), states])
        rows = ROWS[: known_states.size]
        lengths = [3, 5] if before else [5]
        with pytest.raises(DataError, match=rf"in row {row + before} .*{words}"):
            GaussianHMM(2, random_state=0, **options).fit(rows, lengths=lengths, states=known_states)


def test_a_probability_of_0_stays_0_in_a_sequence_that_cannot_be() -> None:
    """Equal shares stand for what is not known of its states, and are no starts."""
    start = {"startprob_init": [1.0, 0.0], "transmat_init": np.eye(2), "emissionprob_init": np.eye(2)}
    model = CategoricalHMM(2, **start)
    with pytest.warns(UserWarning, match="EM016: state 1 is never visited"):
        model.fit([[0], [0], [1], [1]], lengths=[2, 2])
    assert model.startprob_.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([{"a": 1}] * 8, "groups hold a dict in row 0"),
        ([], "groups must be one name a row"),
        ([1.0] * 7 + [float("nan")], "no group in row 7"),
        (["a"] * 7 + [None], "no group in row 7"),
        (["a"] * 4 + [pd.NA] * 4, "no group in row 4"),
        (pd.Series(pd.to_datetime(["2020-01-01"] * 6 + [None] * 2)), "no group in row 6"),
        (np.array(["2020-01-01"] * 6 + ["NaT"] * 2, "M8[s]"), "no group in row 6"),
    ],
)
def test_groups_that_name_no_sequence(groups: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        GaussianHMM(2).fit(ROWS, groups=groups)


def test_names_that_float64_does_not_tell_apart() -> None:
    frame = pd.DataFrame({"x": ROWS[:, 0], "id": [2**60] * 4 + [2**60 + 1] * 4})
    with (
        pytest.warns(UserWarning, match="EM010"),
        pytest.raises(DataError, match=r"'id' holds .* in row 0 .* as text"),
    ):
        GaussianHMM(2).fit(frame, groups="id")
    frame["id"] = frame["id"].astype(str)
    assert np.isfinite(GaussianHMM(1).fit(frame, groups="id").loglik_)


def test_a_table_of_names_alone() -> None:
    with pytest.raises(DataError, match="no column but 'id'"):
        GaussianHMM(2).fit(pd.DataFrame({"id": [1, 1, 2]}), groups="id")


def test_other_kinds_than_asked_for() -> None:
    with pytest.raises(UsageError, match="fixed must hold names"):
        GaussianHMM(2, fixed=3).fit(ROWS)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="quantiles must hold numbers"):
        GaussianHMM(1).fit(ROWS).forecast(ROWS, quantiles="median")


def test_a_stationary_chain_of_states_that_are_left_for_good() -> None:
    """Where it is stationary they are never: said once, without warnings of arithmetic."""
    model = GaussianHMM(2, startprob="stationary", transmat_mask=np.triu(np.ones((2, 2))), random_state=0)
    with pytest.warns(UserWarning, match="EM016: state 0 is never visited") as said:
        model.fit(ROWS)
    assert {each.category for each in said} == {EstepWarning}
    assert model.startprob_.tolist() == [0, 1]
