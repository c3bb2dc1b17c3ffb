"""The parameters of a hidden Markov model that a user starts a fit from."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from estep.data.source import MemorySource
from estep.engine import Given
from estep.engine.sampled import SAMPLE
from estep.engine.starts import Search, Starts
from estep.errors import DataError, UsageError
from estep.estimators.chain_options import CHAIN, EMISSION, fixed_of
from estep.estimators.parameters import shaped
from estep.estimators.search import search
from estep.models import Chain
from estep.models.chain import ChainParams, edges_of
from estep.models.ordering import in_order
from estep.models.stationary import recurrent
from estep.records import Array, Units
from estep.run import Local
from estep.space import faults


def chain_starts(estimator: Any, model: Chain, source: MemorySource) -> Starts:
    """One start if the user gave all of it; otherwise a search, each of its starts with what was given."""
    given = tuple(name for name in (*CHAIN, *EMISSION) if getattr(estimator, name, None) is not None)
    labelled = source.unlabelled < source.weight
    if not given and model.transitions.alike:
        return _known(search(estimator, given=labelled), source)
    units = source.natural_units(model.equivariance)
    framed = source.framed(units)
    bound = model.bind(framed.columns)
    alike = bound.start(framed.sample(SAMPLE, 0), np.random.default_rng(0), "pooled")
    first = _put(alike, estimator, bound, units, given)  # refused here, before anything is searched
    fields = {_field(name, first.emission) for name in given if name in EMISSION}
    kept = {
        _field(f"{name}_init", first.emission) for name in fixed_of(estimator) if f"{name}_init" in EMISSION
    }
    if model.settled and kept < set(first.emission._fields):
        rest = ", ".join(sorted(set(first.emission._fields) - kept))
        raise UsageError(f"fixed holds a part of this emission; fix {rest} too, or leave it out of fixed")
    if len(given) - len(fields) == len(CHAIN) and fields == set(getattr(first.emission, "_fields", ())):
        return Given(first)
    put = partial(_put, estimator=estimator, model=bound, units=units, given=given)

    def adjust(params: ChainParams) -> ChainParams:
        """With what was given; where that tells states apart, the others' order suits it."""
        if fields or labelled:
            return put(params)
        with Local(threads=1) as run:
            return in_order(bound, put(params), framed, run)

    return _known(search(estimator, adjust=adjust, given=True), source)


def check_states(estimator: Any, model: Chain, source: MemorySource) -> None:
    """`DataError` for the first row whose known state no allowed path leads to."""
    from estep.kernels.cpu.chain import make_law, smooth

    start: Array = np.ones(model.k)
    moves: Array = np.ones((model.k, model.k))
    if estimator.startprob_init is not None:
        start = shaped(estimator.startprob_init, start.shape, "startprob_init")
    if estimator.transmat_init is not None:
        moves = shaped(estimator.transmat_init, moves.shape, "transmat_init")
    moves = np.where(model.transitions.never, 0.0, moves)
    if model.transitions.start == "stationary":
        kept = recurrent(moves > 0)
        start = start if kept is None else kept.astype(float)
    if (start > 0).all() and (moves > 0).all():
        return
    law = make_law(np.sign(start), np.sign(moves))
    for i in range(len(source)):
        block = source.block(i)
        if block.evidence is None:
            continue
        edges = edges_of(block)
        barred = np.isneginf(smooth(law, block.evidence, edges, np.ones(edges.size - 1)).loglik)
        if barred.any():
            at = int(barred.argmax())
            state = int(block.evidence[:, at].argmax())
            what = "no sequence begins in that state" if at in edges else "no allowed moves lead there"
            raise DataError(
                f"states has {state} in row {block.first + at} (counted from 0), and by the model {what}; "
                "give another label, or allow it in the mask, the fixed values or those of the start"
            )


def _known(found: Search, source: MemorySource) -> Search:
    """If the state of every row is known there is one start."""
    return replace(found, n_init=1) if source.unlabelled == 0 else found


def _put(
    params: ChainParams, estimator: Any, model: Chain, units: Units, given: tuple[str, ...]
) -> ChainParams:
    """The parameters, in the fit's units, with what the user gave in theirs."""
    user = model.rescale(params, units)
    emission = user.emission
    for name in given:
        value = getattr(estimator, name)
        if name in CHAIN:
            user = user._replace(**{CHAIN[name]: shaped(value, getattr(user, CHAIN[name]).shape, name)})
            continue
        field = _field(name, emission)
        if field not in getattr(emission, "_fields", ()):
            law = getattr(estimator, "emission", type(estimator._emission()).__name__)  # as the user named it
            raise UsageError(f"{name} is not a parameter of the emission {law!r}; leave it out")
        emission = emission._replace(**{field: _as(value, getattr(emission, field).shape, name)})
    start = model.transitions.start_of(user.start, user.moves)  # of a stationary chain
    user = user._replace(start=start, emission=emission)
    named = {field: name for name, field in (CHAIN | EMISSION).items()} | {"variances": "covars_init"}
    for said in faults(model.spaces(), user):
        place, _, what = said.partition(" ")
        raise UsageError(f"{named[place.rpartition('.')[2]]} {what}; change it, or leave it out")
    return model.rescale(user, units.inverse())


def _field(name: str, emission: Any) -> str:
    """Which of the emission's parameters this is the start of."""
    field = EMISSION[name]
    return "variances" if field == "covariances" and hasattr(emission, "variances") else field


def _as(value: Any, shape: tuple[int, ...], name: str) -> Array:
    """As `shaped`; of one column probabilities may be (K, levels)."""
    if name == "emissionprob_init" and len(shape) == 3 and shape[1] == 1 and np.ndim(value) == 2:
        return shaped(value, (shape[0], shape[2]), name)[:, None, :]
    return shaped(value, shape, name)
