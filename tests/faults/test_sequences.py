"""Rows H of FAULTS.md: sequences, and the states that they pass through or do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from faults.doors import Door, library

from estep import CategoricalHMM, PoissonHMM
from estep.errors import DataError, UsageError

A = np.random.default_rng(7).normal(size=60)


@pytest.mark.parametrize("weighted", [False, True], ids=["H02-end", "H02-one-row"])
def test_a_state_without_rows_of_its_own(door: Door, weighted: bool) -> None:
    """Nothing follows the last row, so nothing tells where the chain goes from its state."""
    rows = np.r_[A[:40], 90.0, *(A[40:50] if weighted else ())][:, None]
    found = door("hmm -k 2 --starts 1 --emission gaussian-diag", rows)
    assert "EM002" in found.codes
    moves = np.asarray(found.fitted["transmat_"])
    np.testing.assert_allclose(moves.sum(axis=1), 1, rtol=1e-12)
    assert ((moves >= 0) & (moves <= 1)).all()


@pytest.mark.parametrize("half", [500_000], ids=["H03"])
def test_a_million_steps_do_not_underflow(door: Door, half: int) -> None:
    counts = np.random.default_rng(0).poisson(np.repeat([3.0, 9.0], half))[:, None]
    found = door("hmm -k 2 --starts 1 --emission poisson --max-iter 1", counts, labels=door is library)
    assert found.codes == {"EM001"}
    assert -3e6 < found.loglik < -2e6
    if door is library:
        assert np.mean(np.diff(found.labels) != 0) < 0.5


@pytest.mark.parametrize("rows", [[1, 2, 1, 2, 1, 90]], ids=["H02-zero-row"])
def test_a_state_that_no_row_follows(door: Door, rows: list[int]) -> None:
    found = door("hmm -k 2 --emission poisson", np.array(rows, dtype=float)[:, None])
    assert found.codes == {"EM016"}
    assert "no row follows one in state 1" in found.told
    moves = np.asarray(found.fitted["transmat_"])
    np.testing.assert_allclose(moves.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("lengths", [[1] * 6], ids=["H02-length-1"])
def test_sequences_of_length_1_tell_no_moves(lengths: list[int]) -> None:
    rows = np.array([[1], [2], [1], [90], [80], [95]])
    with pytest.warns(UserWarning, match="EM016: no row follows one in states 0, 1"):
        model = PoissonHMM(2, random_state=0).fit(rows, lengths=lengths)
    np.testing.assert_allclose(model.transmat_.sum(axis=1), 1, rtol=1e-12)
    held = PoissonHMM(2, random_state=0, transmat_init=np.full((2, 2), 0.5), fixed="transmat")
    assert held.fit(rows, lengths=lengths).converged_  # nothing to tell: they were given


@pytest.mark.parametrize("k", [2], ids=["H02-never"])
def test_a_state_that_is_never_visited(k: int) -> None:
    given: Any = {"startprob_init": [1, 0], "transmat_init": [[1, 0], [0.5, 0.5]], "rates_init": [[3.0], [9]]}
    with pytest.warns(UserWarning, match="EM016: state 1 is never visited"):
        model = PoissonHMM(k, **given).fit([[3], [4], [5], [9]])
    assert model.transmat_.tolist() == given["transmat_init"]
    assert model.rates_[1, 0] == 9


@pytest.mark.parametrize(
    "given",
    [
        {"startprob_init": [0.5, 0.6]},
        {"startprob_init": [1.5, -0.5]},
        {"startprob_init": [np.nan, 1]},
        {"transmat_init": [[0.5, 0.6], [0.5, 0.5]]},
        {"transmat_init": [[1.5, -0.5], [0.5, 0.5]]},
        {"transmat_fixed": [[0.7, 0.7], [np.nan, np.nan]]},
        {"transmat_fixed": [[-0.1, np.nan], [np.nan, np.nan]]},
        {"emissionprob_init": [[0.5, 0.6], [0.5, 0.5]]},
    ],
    ids=lambda given: f"H05-{next(iter(given))}",
)
def test_probabilities_that_are_none(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(given))) as refused:
        CategoricalHMM(2, **given).fit([[0], [1], [1], [0]])
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("groups", [["a", "b", "a", "b"]], ids=["H06-library"])
def test_names_of_sequences_that_are_not_together(groups: list[str]) -> None:
    with pytest.raises(DataError, match=r"group 'a' are not together.* row 2 .*sort the rows") as refused:
        PoissonHMM(2).fit([[0], [1], [1], [0]], groups=groups)
    assert refused.value.exit_code == 3
