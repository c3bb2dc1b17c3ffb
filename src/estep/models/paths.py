"""The hidden states of a chain's sequences: as paths, and as some of the rows tell them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from estep.models.chain import Chain, Prepared, edges_of
from estep.records import Array, Block, Int


class Paths(NamedTuple):
    states: Int  # (m,) of each row
    log_joint: Array  # (s,) log p(rows, states) of each sequence


def most_probable(chain: Chain, prep: Prepared, block: Block) -> Paths:
    """The most probable path of each sequence of a block (Viterbi 1967)."""
    from estep.kernels.cpu.chain import best_paths

    return Paths(*best_paths(prep.law, chain.logs(prep, block), edges_of(block)))


def each_most_probable(chain: Chain, prep: Prepared, block: Block) -> Paths:
    """At each row the most probable state, and the joint log-probability of these as paths."""
    states: Int = chain.posterior(prep, block).resp.argmax(axis=0)
    logs, first = chain.logs(prep, block), edges_of(block)[:-1]
    terms = logs[states, np.arange(states.size)]
    terms[1:] += prep.law.log_moves[states[:-1], states[1:]]
    terms[first] = logs[states[first], first] + prep.law.log_start[states[first]]
    return Paths(states, np.add.reduceat(terms, first))


def drawn(chain: Chain, prep: Prepared, block: Block, draws: int, rng: Generator) -> Int:
    """Paths (draws, m) given the rows: the last state from the filtered law, then backwards (Chib 1996)."""
    from estep.kernels.cpu.chain import drawn as draw

    uniforms = rng.random((draws, block.weights.size))
    return draw(prep.law, chain.logs(prep, block), edges_of(block), uniforms)


def by_the_past(chain: Chain, prep: Prepared, block: Block) -> Array:
    """p(state | the rows of its sequence before this one), (K, m)."""
    past, first = chain.filter(prep, block), edges_of(block)[:-1]
    found = np.empty_like(past)
    found[:, 1:] = prep.moves.T @ past[:, :-1]
    found[:, first] = prep.start[:, None]
    return found


def by_all_others(chain: Chain, prep: Prepared, block: Block) -> Array:
    """p(state | all other rows of its sequence), (K, m): what all say, without the row's own density."""
    from estep.kernels.cpu.chain import without_own

    return without_own(prep.law, chain.logs(prep, block), edges_of(block))
