"""Rows drawn from models whose parameters are known.

Normal       x = m + L z,  z ~ N(0, I),  L L' = covariance
Mixture      label ~ weights, then a normal of that label
Hidden Markov  state_1 ~ startprob, state_t ~ transmat[state_{t-1}], then a normal of that state
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from estep.datasets.arguments import RandomState, count, finite, generator, probabilities, roots
from estep.errors import UsageError
from estep.records import Array, Int


def make_normal(n: int, mean: ArrayLike, covariance: ArrayLike, *, random_state: RandomState = None) -> Array:
    """Independent rows of one normal distribution.

    Parameters
    ----------
    n : int
        Number of rows, at least 1.
    mean : array-like of shape (d,)
    covariance : array-like of shape (d, d) or (d,)
        Covariance, not standard deviation; a vector holds the variances of independent columns.
    random_state : int, numpy.random.Generator or None
        The same integer gives the same rows; a generator is advanced; None is different every time.

    Returns
    -------
    ndarray of shape (n, d)
        No missing values; see `make_missing`.

    Raises
    ------
    UsageError
        A parameter of the wrong shape, not finite, or a covariance that is not positive definite.

    Examples
    --------
    >>> from estep.datasets import make_normal
    >>> X = make_normal(1000, [0.0, 5.0], [[1.0, 0.8], [0.8, 1.0]], random_state=0)
    >>> X.shape
    (1000, 2)
    """
    centre = finite(mean, "mean", (1,))
    rows = count(n, "n")
    factor = roots(covariance, "covariance", centre)
    return centre + generator(random_state).standard_normal((rows, centre.size)) @ factor.T


def make_mixture(
    n: int,
    weights: ArrayLike,
    means: ArrayLike,
    covariances: ArrayLike,
    *,
    random_state: RandomState = None,
) -> tuple[Array, Int]:
    """Independent rows of a mixture of normal distributions.

    Parameters
    ----------
    n : int
        Number of rows, at least 1.
    weights : array-like of shape (k,)
        Probability of each component; sums to 1.
    means : array-like of shape (k, d)
    covariances : array-like of shape (k, d, d) or (k, d)
        Covariances, not standard deviations; (k, d) holds the variances of independent columns.
    random_state : int, numpy.random.Generator or None
        The same integer gives the same rows; a generator is advanced; None is different every time.

    Returns
    -------
    X : ndarray of shape (n, d)
        No missing values; see `make_missing`.
    labels : ndarray of shape (n,), int64
        The component each row was drawn from, 0 to k - 1.

    Raises
    ------
    UsageError
        Parameters whose shapes do not fit together, weights that do not sum to 1, or a covariance
        that is not positive definite.

    Examples
    --------
    >>> from estep.datasets import make_mixture
    >>> X, labels = make_mixture(500, [0.3, 0.7], [[0.0], [8.0]], [[1.0], [4.0]], random_state=0)
    >>> X.shape, sorted(set(labels.tolist()))
    ((500, 1), [0, 1])
    """
    share = probabilities(weights, "weights")
    rows = count(n, "n")
    centres = _centres(means, share.size, "weights")
    factors = roots(covariances, "covariances", centres)
    rng = generator(random_state)
    labels = rng.choice(share.size, size=rows, p=share).astype(np.int64)
    return _emit(labels, centres, factors, rng), labels


def make_hmm(
    lengths: Sequence[int],
    startprob: ArrayLike,
    transmat: ArrayLike,
    means: ArrayLike,
    covariances: ArrayLike,
    *,
    random_state: RandomState = None,
) -> tuple[Array, Int]:
    """Sequences of a hidden Markov model with normal emissions, one after another.

    Parameters
    ----------
    lengths : sequence of int
        Rows of each sequence, each at least 1; every sequence starts anew from `startprob`.
    startprob : array-like of shape (k,)
        Probability of each state in the first row of a sequence; sums to 1.
    transmat : array-like of shape (k, k)
        `transmat[i, j]` is the probability of state j after state i; every row sums to 1.
    means : array-like of shape (k, d)
    covariances : array-like of shape (k, d, d) or (k, d)
        Covariances, not standard deviations; (k, d) holds the variances of independent columns.
    random_state : int, numpy.random.Generator or None
        The same integer gives the same rows; a generator is advanced; None is different every time.

    Returns
    -------
    X : ndarray of shape (sum of lengths, d)
        No missing values; see `make_missing`.
    states : ndarray of shape (sum of lengths,), int64
        The state of each row, 0 to k - 1.

    Raises
    ------
    UsageError
        Parameters whose shapes do not fit together, probabilities that do not sum to 1, or a
        covariance that is not positive definite.

    References
    ----------
    Rabiner, L. R. (1989), Proceedings of the IEEE 77, 257-286.

    Examples
    --------
    >>> from estep.datasets import make_hmm
    >>> X, states = make_hmm(
    ...     [60, 40], [1.0, 0.0], [[0.9, 0.1], [0.2, 0.8]], [[0.0], [5.0]], [[1.0], [1.0]], random_state=0
    ... )
    >>> X.shape, int(states[0]), int(states[60])
    ((100, 1), 0, 0)
    """
    if isinstance(lengths, int | np.integer | str):
        raise UsageError(f"lengths={lengths!r}: a sequence of numbers of rows was expected, as [{lengths}]")
    rows = [count(length, f"lengths[{i}]") for i, length in enumerate(lengths)]
    if not rows:
        raise UsageError("lengths is empty; give the number of rows of at least one sequence")
    start = probabilities(startprob, "startprob")
    moves = probabilities(transmat, "transmat", ndim=2)
    if moves.shape != (start.size, start.size):
        raise UsageError(
            f"transmat has shape {moves.shape}; startprob of {start.size} states takes"
            f" {(start.size, start.size)}"
        )
    centres = _centres(means, start.size, "startprob")
    factors = roots(covariances, "covariances", centres)
    rng = generator(random_state)
    states = np.concatenate([_walk(length, start, moves, rng) for length in rows])
    return _emit(states, centres, factors, rng), states


def _centres(means: ArrayLike, k: int, name: str) -> Array:
    centres = finite(means, "means", (2,))
    if len(centres) != k:
        raise UsageError(f"means has {len(centres)} rows and {name} {k} entries; they must be equal")
    return centres


def _emit(labels: Int, means: Array, factors: Array, rng: Generator) -> Array:
    values: Array = rng.standard_normal((labels.size, means.shape[1]))
    for j, factor in enumerate(factors):  # not factors[labels]: n factors of d x d would not fit in memory
        rows = labels == j
        values[rows] = means[j] + values[rows] @ factor.T
    return values


def _walk(length: int, start: Array, moves: Array, rng: Generator) -> Int:
    # lists and bisect: a NumPy call a step would cost ten times as much
    reach = [_cumulative(row) for row in (start, *moves)]
    state, states = -1, []
    for u in rng.random(length).tolist():
        state = bisect_right(reach[state + 1], u)
        states.append(state)
    return np.array(states, dtype=np.int64)


def _cumulative(row: Array) -> list[float]:
    total = np.cumsum(row)
    reach: list[float] = (total / total[-1]).tolist()  # ends at 1 exactly, above any draw from [0, 1)
    return reach
