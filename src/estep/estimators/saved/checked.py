"""Parameters from a model file: the arrays a model expects, and nothing it cannot use."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.errors import ModelFileError
from estep.families import Categorical, Gaussian, IntervalNormal, Mixed, Poisson
from estep.io.container import Tensor
from estep.models import PPCA, Alone, Chain, Normal
from estep.records import Units, named_leaves
from estep.space import Fixed, PosDef, Simplex, faults

Shapes = dict[str, tuple[int, ...]]
SMALLEST = float(np.finfo(np.float64).tiny)  # of a variance: below it the inverse is infinite


def checked_params(model: Any, d: int, tensors: dict[str, Tensor]) -> Any:
    """The record of parameters of this bound model of d columns, taken out of `tensors`."""
    expected = shapes(model, d)
    for name, shape in expected.items():
        tensor = tensors.get(f"params.{name}")
        if tensor is None or tensor.shape != shape or tensor.dtype != np.float64:
            found = "nothing" if tensor is None else f"{tensor.dtype} of shape {tensor.shape}"
            raise ModelFileError(f"'params.{name}' must be float64 of shape {shape}; found {found}")
    # only now: spaces may make arrays of the size that the columns speak of
    spaces = model.spaces()
    params = _along(spaces, "params", tensors)
    wrong = [*faults(spaces, params), *_stricter(model, spaces, params)]
    if wrong:
        raise ModelFileError(f"params.{wrong[0]}")
    return params


def checked_units(model: Any, params: Any, units: Units, scales: list[float]) -> Units:
    """The frame, if the columns and the parameters agree with it."""
    d = (len(scales),)
    good = units.centre.shape == units.scale.shape == d and np.isfinite(units.centre).all()
    if not good or units.scale.tolist() != scales:
        raise ModelFileError("'units' must be finite, and equal to the scales of the columns")
    allowed = {
        "scalar": len(set(scales)) <= 1,
        "none": not units.centre.any() and set(scales) == {1.0},
        "pair": all(np.array_equal(each[::2], each[1::2]) for each in units),
    }
    if not allowed.get(model.equivariance, True):
        raise ModelFileError("'units' are not those that this model allows")
    with np.errstate(over="ignore", invalid="ignore"):
        user = model.rescale(params, units)
    for name, leaf in named_leaves(user):
        if not np.isfinite(leaf).all():
            raise ModelFileError(f"'params.{name}' is beyond float64 in the units of the data")
    return units


def shapes(model: Any, d: int) -> Shapes:
    """The shape of each leaf of a model's parameters, by its dotted path."""
    if isinstance(model, Alone):
        return _family_shapes(model.family, 1, d)
    if isinstance(model, Chain):
        k = model.k
        return {"start": (k,), "moves": (k, k), **_inside("emission", _family_shapes(model.family, k, d))}
    if isinstance(model, Normal):
        return {"mean": (d,), "covariance": (d, d)}
    if isinstance(model, PPCA):
        return {"mean": (d,), "loadings": (d, model.q), "noise": ()}
    raise TypeError(f"no shapes for {type(model).__name__}")


def _family_shapes(family: Any, k: int, d: int) -> Shapes:
    if isinstance(family, Mixed):
        return {"weights": (k, family.k), **_inside("inner", _family_shapes(family.family, k * family.k, d))}
    if isinstance(family, Gaussian):
        own: Shapes = {"full": (k, d, d), "tied": (d, d), "diag": (k, d), "spherical": (k,), "one sphere": ()}
        return {"means": (k, d), "covariances": own[family.law.name]}
    if isinstance(family, Categorical):
        return {"probabilities": (k, d, max(family.levels or (0,)))}
    if isinstance(family, IntervalNormal):
        return {"means": (k, d // 2), "variances": (k, d // 2)}
    return {"rates" if isinstance(family, Poisson) else "probabilities": (k, d)}


def _inside(name: str, shapes: Shapes) -> Shapes:
    return {f"{name}.{path}": shape for path, shape in shapes.items()}


def _along(spaces: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The nest of the spaces with arrays for leaves."""
    if not isinstance(spaces, tuple):
        return tensors.pop(path)
    record: Any = spaces  # a NamedTuple
    leaves = (_along(space, f"{path}.{name}", tensors) for name, space in record._asdict().items())
    return type(record)(*leaves)


def _stricter(model: Any, spaces: Any, params: Any) -> list[str]:
    """What a space lets pass because a step may come near it, or never moves it."""
    found = []
    leaves = zip(named_leaves(spaces), named_leaves(params), strict=True)
    for (name, space), (_, leaf) in leaves:
        last = name.rpartition(".")[2]
        inner = space.inner if isinstance(space, Fixed) else space
        if (
            last in ("covariances", "variances", "noise")
            and not isinstance(inner, PosDef)
            and not np.all(leaf >= SMALLEST)
        ):
            found.append(f"{name} must be > 0, and have a finite inverse")
        own = isinstance(model, Alone) and model.family.fixed  # weights the user chose
        if last == "weights" and isinstance(space, Fixed):
            equal = own or np.all(leaf == leaf.flat[0])
            found += [f"{name} must be equal and sum to 1"] if Simplex().fault(leaf) or not equal else []
    return found
