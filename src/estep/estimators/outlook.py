"""Beyond the rows of a hidden Markov chain: forecasts, paths drawn given the rows, and pseudo-residuals.

Marginal laws of single columns come from the family: `mean(params)`, (k, d), and `cdf(params, values)`, the
probabilities (k, d, m) of less than each value and of at most it; `above`, what these leave of 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from estep.data.source import MemorySource
from estep.data.weights import numbers
from estep.errors import UsageError
from estep.estimators.fitted import Fitted
from estep.estimators.parameters import draw_seed, whole
from estep.families import Mixed
from estep.models.paths import by_all_others, by_the_past, drawn
from estep.records import Array, Block, Int
from estep.run import Local

LEAST = np.finfo(float).tiny  # a probability; its residual is one of 37.5
HALVINGS = 200  # of an interval around a quantile; it ends when no number is left between


class Forecast(NamedTuple):
    """What follows each sequence; a row a sequence and step, sequence after sequence."""

    sequence: Int  # (r,) from 0
    step: Int  # (r,) from 1
    states: Array  # (r, K)
    means: Array  # (r, d)
    quantiles: Array  # (r, d, q)
    levels: Array  # (q,) which quantiles


def forecast(fitted: Fitted, source: MemorySource, h: Any, quantiles: Any) -> Forecast:
    """State laws ahead are the filtered law of the last row times powers of the transition matrix."""
    steps, levels = whole(h, "h"), np.atleast_1d(numbers(quantiles, "quantiles"))
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise UsageError(f"quantiles must lie between 0 and 1; found {quantiles!r}")
    family, params = _marginal(fitted), fitted.params.emission

    def last(prep: Any, block: Block) -> Array:
        assert block.lengths is not None
        ends = np.cumsum(block.lengths) - 1
        found: Array = fitted.model.filter(prep, block)[:, ends]
        return found

    moves, ahead = fitted.params.moves, [fitted.rows_of(source, last).T]
    for _ in range(steps):
        ahead.append(ahead[-1] @ moves)
    count = len(ahead[0])
    states = np.stack(ahead[1:], axis=1).reshape(count * steps, -1)
    places = _quantiles(family, params, states, levels)
    scale, centre = fitted.units.scale, fitted.units.centre
    return Forecast(
        np.repeat(np.arange(count), steps),
        np.tile(np.arange(1, steps + 1), count),
        states,
        states @ family.mean(params) * scale + centre,
        places * scale[:, None] + centre[:, None],
        levels,
    )


def drawn_paths(fitted: Fitted, source: MemorySource, n_samples: Any, random_state: Any) -> Int:
    """(n_samples, n) paths given the rows."""
    draws, rng = whole(n_samples, "n_samples"), np.random.default_rng(draw_seed(random_state))
    seeds = rng.integers(2**63, size=len(source))
    framed = fitted.seen(source)
    prep = fitted.model.prepare(fitted.params)
    with Local(threads=1):
        found = [
            drawn(fitted.model, prep, framed.block(i), draws, np.random.default_rng(seeds[i]))
            for i in range(len(framed))
        ]
    return np.concatenate(found, axis=1)


def pseudo_residuals(fitted: Fitted, source: MemorySource, given: Any) -> Array:
    """(n, d) standard normal under the model; of size 37.5 at most, but for open ends."""
    if given not in ("all", "past"):
        raise UsageError(f"given must be 'all' or 'past'; found {given!r}")
    family = _marginal(fitted)

    def of(prep: Any, block: Block) -> Array:
        others = (by_all_others if given == "all" else by_the_past)(fitted.model, prep, block)
        sides = [family.cdf(fitted.params.emission, block.values, above=above) for above in (False, True)]
        # each has its digits where the other is near 1
        under, over = (np.einsum("km,kdm->dm", others, (a + b) / 2) for a, b in sides)
        found: Array = np.where(
            under < over, ndtri(np.maximum(under, LEAST)), -ndtri(np.maximum(over, LEAST))
        )
        return np.where(np.isinf(block.values), block.values, found)  # an interval's open end

    residuals: Array = fitted.rows_of(source, of).T
    return residuals


def _marginal(fitted: Fitted) -> Any:
    family = law = fitted.model.family
    while isinstance(law, Mixed):
        law = law.family
    if not hasattr(law, "cdf"):
        raise UsageError(
            f"the emission {type(law).__name__} has no order of its values, so no mean or quantile; "
            "take filter(X)[-1] @ transmat_ for the states ahead"
        )
    return family


def _quantiles(family: Any, params: Any, states: Array, levels: Array) -> Array:
    """(r, d, q): the least x with P(X <= x) >= level, X of a mixture of the states' laws."""
    means = family.mean(params)
    shape = (len(states), means.shape[1], levels.size)

    def enough(places: Array) -> Any:
        flat = np.moveaxis(places, 1, 0).reshape(shape[1], -1)  # (d, r q)
        upto = family.cdf(params, flat)[1].reshape(len(means), shape[1], shape[0], shape[2])
        return np.einsum("rk,kdrq->rdq", states, upto) >= levels

    low = np.broadcast_to(means.min(axis=0)[:, None], shape) - 1.0
    high = np.broadcast_to(means.max(axis=0)[:, None], shape) + 1.0
    width = 1.0
    while (short := ~enough(high)).any():
        high, width = np.where(short, high + width, high), 2 * width
    width = 1.0
    while (past := enough(low)).any():
        low, width = np.where(past, low - width, low), 2 * width
    for _ in range(HALVINGS):
        middle = low + (high - low) / 2
        if not ((middle > low) & (middle < high)).any():
            break
        reached = enough(middle)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    whole = np.rint(high)  # where a law has its atoms, if it has any
    below, upto = family.cdf(params, np.moveaxis(whole, 1, 0).reshape(shape[1], -1))
    return whole if (upto > below).any() else high
