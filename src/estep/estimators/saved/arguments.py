"""The constructor's parameters of an estimator in a model file, and checked on the way back."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from estep.errors import ModelFileError, UsageError
from estep.estimators.base import Face
from estep.estimators.laws import dimension
from estep.estimators.parameters import count, draw_seed, positive, shaped
from estep.estimators.saved.spell import spell, unspell
from estep.estimators.search import search
from estep.io.container import Tensor

ROWS = ("resp_init",)  # one entry a row of the data: not for a model file
OF_CHAINS = (
    *("startprob_init", "transmat_init", "covars_init", "rates_init", "emissionprob_init"),
    *("transmat_mask", "transmat_fixed", "startprob_prior", "transmat_prior"),
)
OF_MODELS = OF_CHAINS[-4:]  # checked where the model is made
ARRAYS = ("weights_init", "means_init", "precisions_init", "mean_init", "covariance_init", *OF_CHAINS)
FAMILIES = ("family", "emission")
OF_COLUMNS = ("scales", "bounds")  # of Normal, as lists: column, then what it has
_NUMBER, _OPTIONAL = (float, int), (float, int, type(None))
TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys((*ROWS, *ARRAYS), (type(None),)),  # arrays are among the tensors
    **dict.fromkeys(FAMILIES, (str, dict)),
    **dict.fromkeys(OF_COLUMNS, (list, type(None))),
    **dict.fromkeys(("n_components", "n_clusters", "n_mix", "max_iter"), (int,)),
    **dict.fromkeys(("verbose", "verbose_interval"), (int, bool)),
    **dict.fromkeys(("warm_start", "equal_weights", "low_memory"), (bool,)),
    **dict.fromkeys(("tol", "prior_rows"), _NUMBER),
    **dict.fromkeys(("reg_covar", "stiffness"), _OPTIONAL),
    **dict.fromkeys(("covariance_type", "init_params", "startprob"), (str,)),
    "n_init": (int, str),
    "random_state": (int, type(None)),
    "fixed": (list, str),
}

# parameters that came after the first files of this format, and what a file without them means
ADDED: dict[str, Any] = {
    **dict.fromkeys((*OF_COLUMNS, *OF_CHAINS, "means_init")),
    "equal_weights": False,
    "low_memory": False,
    "startprob": "free",
    "fixed": (),
}


def spell_arguments(
    estimator: Face, tensors: dict[str, Tensor], *, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The parameters as strict JSON; the arrays among them are put into `tensors`."""
    spelled: dict[str, Any] = {}
    for name, value in estimator.get_params(deep=False).items():
        if name in without:
            continue
        if name in ARRAYS and value is not None:
            tensors[f"parameter.{name}"] = np.asarray(value, dtype=np.float64)
        if name in FAMILIES:
            spelled[name] = spell(value)
        elif name == "fixed":
            spelled[name] = value if isinstance(value, str) else [str(each) for each in value]
        elif name in OF_COLUMNS:
            spelled[name] = getattr(estimator._scales, f"spelled_{name}")(estimator._names())  # of the fit
        elif name == "random_state":
            spelled[name] = int(value) if isinstance(value, Integral) else None
        else:
            spelled[name] = None if name in (*ROWS, *ARRAYS) else _plain(name, value)
    return spelled


def arguments(
    kind: type[Face], document: dict[str, Any], tensors: dict[str, Tensor], *, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The parameters for the constructor; ModelFileError for a name or a type it does not take."""
    names = set(kind._get_param_names()) - set(without)
    for name in sorted(names ^ (document.keys() | ADDED.keys() & names)):
        raise ModelFileError(f"the parameter {name!r} is {'missing' if name in names else 'unknown'}")
    found = {name: ADDED[name] for name in ADDED.keys() & names - document.keys()}
    for name, value in document.items():
        if type(value) not in TYPES[name]:
            raise ModelFileError(f"the parameter {name!r} cannot be {str(value)[:100]!r}")
        found[name] = unspell(value) if name in FAMILIES else value
        if name in OF_COLUMNS and value is not None:
            found[name] = _of_columns(name, value)
        elif isinstance(value, list):
            found[name] = tuple(value)
    for name in ARRAYS:
        if name in names and f"parameter.{name}" in tensors:
            found[name] = tensors.pop(f"parameter.{name}")
    return found


def _of_columns(name: str, document: list[Any]) -> dict[str, Any]:
    """Column to scale, or to its two bounds; ModelFileError for any other list."""
    ends = (float, type(None))
    kinds: tuple[tuple[type, ...], ...] = ((str,), (str,)) if name == "scales" else ((str,), ends, ends)
    found: dict[str, Any] = {}
    for each in document:
        good = isinstance(each, list) and len(each) == len(kinds)
        if not good or any(type(part) not in kind for part, kind in zip(each, kinds, strict=True)):
            raise ModelFileError(f"the parameter {name!r} cannot hold {str(each)[:100]!r}")
        found[each[0]] = each[1] if name == "scales" else (each[1], each[2])
    if len(found) < len(document):
        raise ModelFileError(f"the parameter {name!r} names a column twice")
    return found


def check_arguments(estimator: Face, d: int) -> None:
    """What a fit to d columns would say of the parameters that the model does not look at."""
    positive(estimator, "tol", zero=True)
    count(estimator, "max_iter")
    if hasattr(estimator, "n_init"):
        search(estimator)
    else:
        draw_seed(getattr(estimator, "random_state", None))
    k = getattr(estimator, "n_components", 1)
    d = dimension(getattr(estimator, "emission", "gaussian"), d, "emission")
    shapes = {"weights_init": (k,), "means_init": (k, d), "mean_init": (d,), "covariance_init": (d, d)}
    shapes |= {"startprob_init": (k,), "transmat_init": (k, k), "rates_init": (k, d)}
    for name in ARRAYS:
        value = getattr(estimator, name, None)
        if value is not None and name not in OF_MODELS:
            shaped(value, shapes.get(name, np.shape(value)), name)


def _plain(name: str, value: Any) -> Any:
    """A number or a string that JSON has."""
    if value is None or isinstance(value, bool | np.bool_):
        return value if value is None else bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and np.isfinite(float(value)):
        return float(value)
    raise UsageError(f"{name}={value!r} cannot be saved; set it to a finite number or a string")
