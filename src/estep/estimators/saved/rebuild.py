"""A fitted estimator from the contents of a model file, every field of which is checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.errors import EstepError, ModelFileError, ResourceError, SourceError
from estep.estimators.base import Face
from estep.estimators.em import EM
from estep.estimators.fitted import Fitted
from estep.estimators.gaussian_mixture import GaussianMixture
from estep.estimators.hmm import HMM
from estep.estimators.mixture import Mixture
from estep.estimators.named_hmm import GMMHMM, CategoricalHMM, GaussianHMM, PoissonHMM
from estep.estimators.normal import Normal
from estep.estimators.ppca import PPCA
from estep.estimators.saved.arguments import arguments, check_arguments
from estep.estimators.saved.checked import checked_params, checked_units
from estep.estimators.saved.spell import unspell_space
from estep.estimators.soft_kmeans import SoftKMeans
from estep.io import ModelFile, nest, outcome
from estep.io.container import Tensor
from estep.records import Units
from estep.space import Real, faults

KNOWN: dict[str, type[Face]] = {
    each.__name__: each
    for each in (
        *(GaussianMixture, Mixture, SoftKMeans, Normal, PPCA),
        *(HMM, GaussianHMM, PoissonHMM, CategoricalHMM, GMMHMM),
    )
}
FUNCTIONS = ("estep", "mstep", "log_prior")  # of EM: code, which no file holds
HOOKS = (*FUNCTIONS, "spaces")  # these too, where they are of the user's own classes


def rebuilt(file: ModelFile, start: Any = None, hooks: dict[str, Any] | None = None) -> Face:
    """The fitted estimator; ModelFileError for whatever is wrong with the file.

    Without `hooks`, an `EM` has no functions: it can be looked at, and no more.
    """
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            return _estimator(file, start, hooks)
    except (ModelFileError, ResourceError, SourceError):
        raise
    except (EstepError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"its contents do not fit each other: {error}") from error


def _estimator(file: ModelFile, start: Any, hooks: dict[str, Any] | None) -> Face:
    tensors = dict(file.tensors)  # what is used is taken out
    of = outcome.from_json(file.outcome)
    units = Units(*(_taken(tensors, f"units.{name}") for name in Units._fields))
    history = outcome.history_from_array(_taken(tensors, "history"))
    estimator: Face
    if file.kind == "EM":
        estimator, params = _user_model(file.parameters, tensors, start, hooks)
    elif file.kind in KNOWN:
        estimator = KNOWN[file.kind](**arguments(KNOWN[file.kind], file.parameters, tensors))
    else:
        raise ModelFileError(f"it holds a {file.kind!r}, which this estep does not know; update estep")
    check_arguments(estimator, len(of.columns))
    model = estimator._model(of.weight).bind(of.columns)
    if not isinstance(estimator, EM):
        params = checked_params(model, len(of.columns), tensors)
    checked_units(model, params, units, [column.scale for column in of.columns])
    if tensors:
        raise ModelFileError(f"it holds the unknown array {min(tensors)!r}")
    estimator.fitted_ = Fitted(
        model, params, units, of.columns, of.loglik, of.objective, of.weight, of.verdict, history, of.starts
    )
    if estimator.fitted_.n_parameters < 0:  # counted here, for a space may not fit the shape of its parameter
        raise ModelFileError("its parameters have fewer than no free coordinates")
    estimator.n_features_in_, estimator._float32 = len(of.columns), of.float32
    if of.named:
        estimator.feature_names_in_ = np.array([column.name for column in of.columns], dtype=object)
    estimator._publish()
    return estimator


def _taken(tensors: dict[str, Tensor], name: str) -> Any:
    if name not in tensors:
        raise ModelFileError(f"the array {name!r} is missing")
    return tensors.pop(name)


def _user_model(
    parameters: dict[str, Any], tensors: dict[str, Tensor], start: Any, given: dict[str, Any] | None
) -> tuple[EM, Any]:
    """An EM with its functions, and its parameters."""
    plain = dict(parameters)
    try:
        structure, spaces, hooks = (plain.pop(name) for name in ("nest", "spaces", "hooks"))
    except KeyError as error:
        raise ModelFileError(f"the parameter {error} of an EM is missing") from None
    if not isinstance(hooks, list) or not {"estep", "mstep"} <= set(hooks) <= set(HOOKS):
        raise ModelFileError("'hooks' must name the functions of the fit")
    if given is None:
        given = dict.fromkeys(HOOKS)
    else:
        _require_all(given, set(hooks))
    if given["spaces"] is None:
        given = {**given, "spaces": nest.build(spaces, "spaces", unspell_space)}
    params = nest.build(structure, "params", nest.out_of(tensors))
    try:
        fault = faults(given["spaces"] or Real(), params)
    except (AttributeError, LookupError, TypeError) as error:
        raise ModelFileError(f"the spaces do not fit the parameters: {error}") from None
    if fault:
        raise ModelFileError(f"params.{fault[0]}")
    first = params if start is None else start
    return EM(first, **given, **arguments(EM, plain, tensors, without=("start", *HOOKS))), params


def _require_all(given: dict[str, Any], hooks: set[str]) -> None:
    """The functions of the fit, and no others; spaces may be given in place of those in the file."""
    names = {name for name, hook in given.items() if hook is not None}
    if names - {"spaces"} != hooks - {"spaces"} or not hooks <= names:
        call = ", ".join(f"{name}=..." for name in HOOKS if name in hooks)
        raise ModelFileError(f"it holds an EM, and a file holds no functions; give those of the fit, {call}")
