"""Draws of missing cells: their law, what does not change them, and what they respect."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from estep import Normal
from estep.datasets import load_airquality, load_iris
from estep.errors import DataError, EstepWarning, UsageError

HOLE = float("nan")
AIR = load_airquality().select("Ozone", "Solar.R", "Wind", "Temp")
HOLES = np.isnan(AIR)


def test_seen_cells_keep_their_bits_and_the_callers_array_is_untouched() -> None:
    X = AIR.copy()
    normal = Normal().fit(X)
    for completed in (*normal.impute(X, draws=2, random_state=0), normal.impute(X)):
        assert not np.isnan(completed).any()
        assert completed[~HOLES].tobytes() == AIR[~HOLES].tobytes()
    np.testing.assert_array_equal(X, AIR)


def test_draws_at_the_fitted_parameters_have_the_conditional_law() -> None:
    """Of a row missing two cells: moments of 4000 draws, within five of their standard errors."""
    normal = Normal().fit(AIR)
    row = np.array([[HOLE, HOLE, 8.0, 80.0]])
    law = normal.conditional({2: 8.0, 3: 80.0})
    drawn = normal.impute(np.repeat(row, 4000, axis=0), draws=1, proper=False, random_state=1)[0, :, :2]
    error = np.sqrt(np.diag(law.covariance) / 4000)
    assert (np.abs(drawn.mean(axis=0) - law.mean) < 5 * error).all()
    variances = np.outer(np.diag(law.covariance), np.diag(law.covariance))
    error = np.sqrt((variances + law.covariance**2) / 4000)
    assert (np.abs(np.cov(drawn.T) - law.covariance) < 5 * error).all()


def test_proper_draws_spread_as_the_parameters_are_unknown() -> None:
    """A mean's between-draw variance: bootstrap of 60 rows adds to what drawing the cells alone gives."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal(60)
    X = np.column_stack([x, x + rng.standard_normal(60)])
    X[15:, 1] = HOLE
    normal = Normal(tol=1e-3).fit(X)
    drawn = {
        proper: normal.impute(X, draws=60, proper=proper, random_state=3)[:, :, 1].mean(axis=1)
        for proper in (True, False)
    }
    # 45 cells of variance s drawn alone: 45 s / 60^2; the parameters, estimated from 15 rows, add about
    # (45/60)^2 s (1/15 + gap^2/15), some four times as much
    left = normal.covariance_[1, 1] - normal.covariance_[0, 1] ** 2 / normal.covariance_[0, 0]
    assert drawn[False].var(ddof=1) == pytest.approx(45 / 60**2 * left, rel=0.6)
    assert drawn[True].var(ddof=1) > 2.2 * drawn[False].var(ddof=1)


def test_the_order_of_rows_and_the_number_of_draws_change_nothing() -> None:
    order = np.random.default_rng(0).permutation(len(AIR))
    normal = Normal().fit(AIR)
    three = normal.impute(AIR, draws=3, random_state=7)
    np.testing.assert_allclose(normal.impute(AIR[order], draws=3, random_state=7), three[:, order], rtol=1e-9)
    np.testing.assert_array_equal(normal.impute(AIR, draws=1, random_state=7)[0], three[0])
    assert (three[0] != three[1])[HOLES].all()
    assert (normal.impute(AIR, draws=1, random_state=8)[0] != three[0])[HOLES].all()
    np.testing.assert_array_equal(Normal(random_state=7).fit(AIR).impute(AIR, draws=3), three)


def test_rows_alike_are_drawn_apart() -> None:
    X = np.repeat([[1.0, HOLE], [2.0, 3.0], [0.0, 1.0], [1.5, 1.0]], 5, axis=0)
    drawn = Normal().fit(X).impute(X, draws=1, proper=False, random_state=0)[0]
    assert len(set(drawn[:5, 1])) == 5


def test_a_bootstrap_respects_weights() -> None:
    """Rows of weight 0 are never taken: the draws are those of the other rows alone."""
    X = np.concatenate([AIR, 1000 + AIR[:20]])
    weights = np.r_[np.ones(len(AIR)), np.zeros(20)]
    normal = Normal().fit(AIR)
    weighted = normal.impute(X, draws=2, random_state=0, sample_weight=weights)
    assert (weighted[:, : len(AIR)][:, HOLES] < 500).all()
    for way in ({}, {"draws": 2, "proper": False}):
        with pytest.raises(UsageError, match="bootstrap of proper draws; leave it out"):
            normal.impute(AIR, sample_weight=np.ones(len(AIR)), **way)
    with pytest.raises(DataError, match=r"sample_weight must be finite and >= 0"):
        normal.impute(AIR, draws=2, sample_weight=-np.ones(len(AIR)))


def test_bounds_are_met_by_drawing_again() -> None:
    """Draws in (20, 40) have the law cut off there: spread over it, none on its ends."""
    bounded = Normal(bounds={0: (20, 40)}).fit(AIR)
    missing = HOLES[:, 0]
    drawn = bounded.impute(AIR, draws=4, random_state=0)[:, missing, 0]
    assert ((drawn >= 20) & (drawn <= 40)).all()
    inside = (drawn > 20) & (drawn < 40)
    assert inside.mean() > 0.95
    assert drawn[inside].std() > 4  # a uniform law on it has 5.8
    means = bounded.impute(AIR)[missing, 0]
    np.testing.assert_array_equal(means, np.clip(Normal().fit(AIR).impute(AIR)[missing, 0], 20, 40))
    assert bounded.loglik_ == Normal().fit(AIR).loglik_
    assert np.nanmax(bounded.impute(AIR)[:, 0]) == 168  # seen cells may lie outside


def test_bounds_that_no_draw_meets_are_met_all_the_same() -> None:
    drawn = Normal(bounds={0: (1e6, None)}).fit(AIR).impute(AIR, draws=1, proper=False, random_state=0)
    np.testing.assert_array_equal(drawn[0, HOLES[:, 0], 0], 1e6)


def test_a_column_seen_once_can_be_missed_by_a_bootstrap() -> None:
    X = load_iris().values[:40].copy()
    X[1:, 0] = HOLE
    with pytest.warns(EstepWarning, match="EM013: seen in one row only: 'x0'"):
        normal = Normal(prior_rows=2).fit(X)
    assert np.isfinite(normal.impute(X, draws=3, random_state=0)).all()  # every bootstrap has row 0
    normal = Normal().fit(load_iris().values)
    X[0, 0] = HOLE
    with pytest.raises(DataError, match=r"column 'x0' is seen in too few rows.*proper=False"):
        normal.impute(X, draws=1)
    assert np.isfinite(normal.impute(X, draws=1, proper=False)).all()


def test_rows_with_nothing_seen_are_drawn_from_the_whole_law() -> None:
    X = load_iris().values.copy()
    X[:3] = HOLE
    drawn = Normal().fit(X).impute(X, draws=2, random_state=0)
    assert np.isfinite(drawn).all()
    assert len(np.unique(drawn[:, :3, 0])) == 6


def test_refits_that_fail_are_said_once() -> None:
    normal = Normal(tol=1e-12).fit(AIR)
    normal.set_params(max_iter=1)
    with pytest.warns(ConvergenceWarning, match="EM001: 2 of 2 fits to bootstraps did not converge"):
        normal.impute(AIR, draws=2, random_state=0)
    few = load_iris().values[:3]
    with pytest.warns(EstepWarning, match="of 3 fits to bootstraps are degenerate; drop a column"):
        Normal().fit(load_iris().values).impute(few, draws=3, random_state=0)


@pytest.mark.parametrize("draws", [0, -1, 2.5, True, "5"])
def test_draws_are_counted(draws: object) -> None:
    with pytest.raises(UsageError, match="draws must be an integer >= 1"):
        Normal().fit(load_iris().values).impute(load_iris().values, draws=draws)
