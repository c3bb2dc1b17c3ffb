"""What is drawn has the parameters asked; what goes missing follows the mechanism asked."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit

from estep.datasets import make_hmm, make_missing, make_mixture, make_normal
from estep.errors import UsageError

MEAN = np.array([1.0, -2.0, 50.0])
COVARIANCE = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -4.0], [0.0, -4.0, 16.0]])
WEIGHTS = [0.2, 0.5, 0.3]
MEANS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
COVARIANCES = np.array([[[1.0, 0.5], [0.5, 1.0]], [[4.0, -1.0], [-1.0, 0.5]], [[0.25, 0.0], [0.0, 9.0]]])
START = [0.0, 1.0, 0.0]
MOVES = np.array([[0.8, 0.2, 0.0], [0.0, 0.7, 0.3], [0.5, 0.0, 0.5]])


def assert_moments(X, mean, covariance):
    """Within five standard errors of the mean and of each entry of the covariance."""
    n = len(X)
    variance = np.diag(covariance)
    assert (np.abs(X.mean(axis=0) - mean) < 5 * np.sqrt(variance / n)).all()
    error = np.sqrt((np.outer(variance, variance) + np.square(covariance)) / n)
    assert (np.abs(np.cov(X.T) - covariance) < 5 * error).all()


def test_normal_has_the_moments_asked():
    assert_moments(make_normal(50_000, MEAN, COVARIANCE, random_state=0), MEAN, COVARIANCE)


def test_normal_is_normal_in_every_direction():
    X = make_normal(5_000, MEAN, COVARIANCE, random_state=1)
    whitened = np.linalg.solve(np.linalg.cholesky(COVARIANCE), (X - MEAN).T)
    assert stats.kstest(np.square(whitened).sum(axis=0), stats.chi2(3).cdf).pvalue > 1e-3


def test_a_vector_is_variances_not_deviations():
    X = make_normal(50_000, MEAN, [4.0, 1.0, 100.0], random_state=2)
    assert_moments(X, MEAN, np.diag([4.0, 1.0, 100.0]))


def test_mixture_has_the_parameters_asked():
    X, labels = make_mixture(60_000, WEIGHTS, MEANS, COVARIANCES, random_state=3)
    assert labels.dtype == np.int64
    counts = np.bincount(labels, minlength=3)
    assert stats.chisquare(counts, 60_000 * np.array(WEIGHTS)).pvalue > 1e-3
    for j in range(3):
        assert_moments(X[labels == j], MEANS[j], COVARIANCES[j])


def test_mixture_takes_variances():
    full = np.array([np.diag([1.0, 4.0]), np.diag([9.0, 16.0])])
    expected = make_mixture(50, [0.5, 0.5], MEANS[:2], full, random_state=4)
    found = make_mixture(50, [0.5, 0.5], MEANS[:2], [[1.0, 4.0], [9.0, 16.0]], random_state=4)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


def test_hmm_has_the_moves_asked():
    X, states = make_hmm([30_000, 1, 30_000], START, MOVES, MEANS, COVARIANCES, random_state=5)
    assert X.shape == (60_001, 2)
    assert states.dtype == np.int64
    assert states[[0, 30_000, 30_001]].tolist() == [1, 1, 1]  # each sequence starts anew
    for j in range(3):
        after = states[1:30_000][states[: 30_000 - 1] == j]
        counts = np.bincount(after, minlength=3)
        assert (counts[MOVES[j] == 0.0] == 0).all()
        possible = MOVES[j] > 0.0
        assert stats.chisquare(counts[possible], len(after) * MOVES[j][possible]).pvalue > 1e-3
        assert_moments(X[states == j], MEANS[j], COVARIANCES[j])


def test_hmm_draws_every_start():
    _, states = make_hmm([1] * 20_000, WEIGHTS, MOVES, MEANS, COVARIANCES, random_state=6)
    assert stats.chisquare(np.bincount(states), 20_000 * np.array(WEIGHTS)).pvalue > 1e-3


def test_an_absorbing_last_state_of_probability_zero_is_never_entered():
    _, states = make_hmm(
        [50_000], [1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]], MEANS[:2], MEANS[:2] + 1, random_state=7
    )
    assert not states.any()


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: make_normal(20, MEAN, COVARIANCE, random_state=seed),
        lambda seed: make_mixture(20, WEIGHTS, MEANS, COVARIANCES, random_state=seed)[0],
        lambda seed: make_hmm([12, 8], START, MOVES, MEANS, COVARIANCES, random_state=seed)[0],
        lambda seed: make_missing(np.ones((20, 2)), 0.5, random_state=seed),
    ],
    ids=["normal", "mixture", "hmm", "missing"],
)
def test_seeds(draw):
    assert np.array_equal(draw(8), draw(8), equal_nan=True)
    assert np.array_equal(draw(8), draw(np.random.default_rng(8)), equal_nan=True)
    assert np.array_equal(draw(8), draw(np.int64(8)), equal_nan=True)
    assert not np.array_equal(draw(8), draw(9), equal_nan=True)
    assert not np.array_equal(draw(None), draw(None), equal_nan=True)
    rng = np.random.default_rng(8)
    assert not np.array_equal(draw(rng), draw(rng), equal_nan=True)  # a generator goes on
    for bad in (-1, 1.5, True, "0"):
        with pytest.raises(UsageError, match=r"random_state=.*integer >= 0"):
            draw(bad)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 0}, "n=0: a whole number of at least 1"),
        ({"n": 2.0}, r"n=2\.0"),
        ({"weights": [0.5, 0.6, 0.1]}, r"weights sums to 1\.2"),
        ({"weights": [0.5, -0.1, 0.6]}, "weights has an entry of -0.1"),
        ({"weights": [[0.5, 0.5]]}, r"weights has shape \(1, 2\); a filled 1-D"),
        ({"weights": [0.5, 0.5]}, "means has 3 rows and weights 2 entries"),
        ({"means": [[0.0, 0.0], [np.nan, 0.0], [0.0, 0.0]]}, r"means\[1, 0\] is nan"),
        ({"means": "three"}, "means must be an array of numbers"),
        ({"means": []}, "means has shape"),
        ({"covariances": COVARIANCES[:2]}, r"covariances has shape \(2, 2, 2\); \(3, 2, 2\) was expected"),
        ({"covariances": MEANS}, "covariances has a variance of 0"),
        ({"covariances": COVARIANCES + [[0, 0.1], [0, 0]]}, "covariances is not symmetric"),
        (
            {"covariances": COVARIANCES * [[[1.0]], [[-1.0]], [[1.0]]]},
            r"covariances\[1\] is not positive def",
        ),
    ],
)
def test_mixture_names_the_parameter(change, message):
    arguments = {"n": 10, "weights": WEIGHTS, "means": MEANS, "covariances": COVARIANCES} | change
    with pytest.raises(UsageError, match=message):
        make_mixture(**arguments, random_state=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lengths": 10}, r"lengths=10: a sequence .* as \[10\]"),
        ({"lengths": []}, "lengths is empty"),
        ({"lengths": [3, 0]}, r"lengths\[1\]=0"),
        ({"startprob": [1.0, 1.0, 1.0]}, "startprob sums to 3"),
        ({"startprob": [0.5, 0.5]}, r"transmat has shape \(3, 3\); startprob of 2 states takes \(2, 2\)"),
        ({"transmat": MOVES.T}, "transmat has a row that sums to 1.3"),
        ({"means": MEANS[:2]}, "means has 2 rows and startprob 3 entries"),
    ],
)
def test_hmm_names_the_parameter(change, message):
    arguments = {
        "lengths": [9],
        "startprob": START,
        "transmat": MOVES,
        "means": MEANS,
        "covariances": COVARIANCES,
    }
    with pytest.raises(UsageError, match=message):
        make_hmm(**(arguments | change), random_state=0)


def test_normal_names_the_parameter():
    with pytest.raises(UsageError, match=r"covariance has shape \(2, 2\); \(3, 3\) was expected, or \(3,\)"):
        make_normal(5, MEAN, np.eye(2))
    with pytest.raises(UsageError, match="covariance is not positive definite: its smallest eigenvalue, -1"):
        make_normal(5, MEAN, np.diag([1.0, -1.0, 1.0]))


@pytest.fixture(scope="module")
def table():
    """Columns of very different units, correlated."""
    return make_normal(20_000, MEAN, COVARIANCE, random_state=10) * [1.0, 1e6, 1e-6]


@pytest.mark.parametrize("mechanism", ["mcar", "mar", "mnar"])
@pytest.mark.parametrize("fraction", [0.0, 0.05, 0.3, 0.6])
def test_the_fraction_is_of_all_cells(table, mechanism, fraction):
    before = table.copy()
    X = make_missing(table, fraction, mechanism, random_state=11)
    holes = np.isnan(X)
    # a cell's variance is at most that of MCAR, and under MAR cells of a row go together
    assert abs(holes.mean() - fraction) <= 5 * np.sqrt(fraction * (1 - fraction) / len(X))
    assert np.array_equal(X[~holes], table[~holes])
    assert np.array_equal(table, before)


def test_mcar_depends_on_nothing(table):
    holes = np.isnan(make_missing(table, 0.3, "mcar", random_state=12)).astype(float)
    related = np.corrcoef(holes.T, table.T)[:3]  # with the other holes, and with the values
    related[np.arange(3), np.arange(3)] = 0.0
    assert np.abs(related).max() < 5 / np.sqrt(len(table))
    assert stats.chisquare(holes.sum(axis=0)).pvalue > 1e-3


def test_mar_depends_on_column_0_and_on_nothing_else(table):
    holes = np.isnan(make_missing(table, 0.3, "mar", random_state=13))
    assert not holes[:, 0].any()
    z = stats.zscore(table)
    for j in (1, 2):
        slopes, errors = logistic_fit(holes[:, j], z[:, 0], z[:, j])
        assert abs(slopes[1] - 2.0) < 5 * errors[1]  # the slope promised on column 0
        assert abs(slopes[2]) < 5 * errors[2]  # and none on the cell's own value
    # columns 0 and 1 are correlated, so alone the value of column 1 does seem to matter
    slopes, errors = logistic_fit(holes[:, 1], z[:, 1])
    assert slopes[1] > 10 * errors[1]


def test_mnar_depends_on_the_cell_itself(table):
    holes = np.isnan(make_missing(table, 0.3, "mnar", random_state=14))
    z = stats.zscore(table)
    for j, other in ((0, 1), (1, 2), (2, 1)):
        slopes, errors = logistic_fit(holes[:, j], z[:, j], z[:, other])
        assert abs(slopes[1] - 2.0) < 5 * errors[1]
        assert abs(slopes[2]) < 5 * errors[2]
        assert table[holes[:, j], j].mean() > table[~holes[:, j], j].mean()


def logistic_fit(missing, *columns):
    """Maximum likelihood coefficients, intercept first, and their standard errors, by Newton's method."""
    design = np.column_stack([np.ones(len(missing)), *columns])
    slopes = np.zeros(design.shape[1])
    slopes[0] = logit(missing.mean())
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-design @ slopes))
        information = (design.T * (chance * (1 - chance))) @ design
        slopes = slopes + np.linalg.solve(information, design.T @ (missing - chance))
    return slopes, np.sqrt(np.diag(np.linalg.inv(information)))


@pytest.mark.parametrize("mechanism", ["mar", "mnar"])
def test_a_constant_column_has_no_say(mechanism):
    X = make_missing(np.full((4_000, 3), 7.0), 0.5, mechanism, random_state=15)
    assert abs(np.isnan(X).mean() - 0.5) < 0.05


def test_mar_close_to_all_it_can_take(table):
    holes = np.isnan(make_missing(table, 0.66, "mar", random_state=16))
    assert abs(holes.mean() - 0.66) < 0.005


def test_whole_numbers_become_float64():
    X = make_missing(np.arange(12).reshape(6, 2), 0.5, random_state=17)
    assert X.dtype == np.float64
    assert np.isnan(X).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones(5), 0.1), r"X is 1-D; use X\.reshape\(-1, 1\)"),
        ((np.ones((5, 2, 2)), 0.1), r"X has shape \(5, 2, 2\)"),
        (([[1.0, np.nan]], 0.1), r"X\[0, 1\] is nan"),
        (([["a", "b"]], 0.1), "X must be an array of numbers"),
        ((np.ones((5, 2)), 1.0), r"fraction=1\.0: a share of the cells"),
        ((np.ones((5, 2)), -0.1), r"fraction=-0\.1"),
        ((np.ones((5, 2)), np.nan), "fraction"),
        ((np.ones((5, 2)), 0.1, "MCAR"), "mechanism='MCAR': 'mcar', 'mar' or 'mnar'"),
        ((np.ones((5, 1)), 0.1, "mar"), r"fraction=0\.1 cannot be reached .* must be under 0"),
        ((np.ones((5, 2)), 0.5, "mar"), r"column 0 of 2 stays seen, so the fraction must be under 0\.5"),
    ],
)
def test_missing_names_the_parameter(arguments, message):
    with pytest.raises(UsageError, match=message):
        make_missing(*arguments)
