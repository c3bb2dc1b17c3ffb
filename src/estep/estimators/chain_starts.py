"""The parameters of a hidden Markov model that a user starts a fit from."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from estep.data.source import MemorySource
from estep.engine import Given
from estep.engine.sampled import SAMPLE
from estep.engine.starts import Starts
from estep.errors import UsageError
from estep.estimators.parameters import shaped
from estep.estimators.search import search
from estep.models import Chain
from estep.models.chain import ChainParams
from estep.records import Array, Units
from estep.space import faults

CHAIN = {"startprob_init": "start", "transmat_init": "moves"}
VARIANCES = ("covariances", "variances")  # what covars_init and covars_ may be of a family
EMISSION = {
    "means_init": "means",
    "covars_init": "covariances",
    "rates_init": "rates",
    "emissionprob_init": "probabilities",
}


def chain_starts(estimator: Any, model: Chain, source: MemorySource) -> Starts:
    """One start if the user gave all of it; otherwise a search, each of its starts with what was given."""
    given = tuple(name for name in (*CHAIN, *EMISSION) if getattr(estimator, name) is not None)
    if not given:
        return search(estimator)
    units = source.natural_units(model.equivariance)
    framed = source.framed(units)
    bound = model.bind(framed.columns)
    alike = bound.start(framed.sample(SAMPLE, 0), np.random.default_rng(0), "pooled")
    first = _put(alike, estimator, bound, units, given)  # refused here, before anything is searched
    fields = {_field(name, first.emission) for name in given if name in EMISSION}
    if len(given) - len(fields) == len(CHAIN) and fields == set(getattr(first.emission, "_fields", ())):
        return Given(first)
    adjust = partial(_put, estimator=estimator, model=bound, units=units, given=given)
    return search(estimator, adjust=adjust, given=True)


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
            raise UsageError(
                f"{name} is not a parameter of the emission {estimator.emission!r}; leave it out"
            )
        emission = emission._replace(**{field: _as(value, getattr(emission, field).shape, name)})
    user = user._replace(emission=emission)
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
