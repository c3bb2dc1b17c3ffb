"""Families and spaces in the words of a model file, and back: no name in a file is ever imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.errors import ModelFileError, UsageError
from estep.families import Bernoulli, Categorical, Gaussian, IntervalNormal, Mixed, Poisson
from estep.families.covariance import SHAPES, OneSphere, Shape
from estep.families.family import Family
from estep.records import named_leaves
from estep.space import Fixed, Loadings, PosDef, Positive, Real, Simplex, Space, Unit

_PLAIN: dict[str, type[Any]] = {"poisson": Poisson, "bernoulli": Bernoulli, "interval": IntervalNormal}


def spell(family: Any) -> Any:
    """The family as strings and numbers; `UsageError` for one that this package does not know."""
    if isinstance(family, str):
        return family
    kind = type(family)  # a subclass may compute anything else
    for name, plain in _PLAIN.items():
        if kind is plain:
            return {"family": name}
    if kind is Categorical:
        levels = None if family.levels is None else [int(level) for level in family.levels]
        return {"family": "categorical", "levels": levels}
    if (kind is Mixed and family.fixed) or (kind is Gaussian and family.fixed):
        raise UsageError(
            f"a {kind.__name__} family with parts held fixed cannot be saved; use GaussianMixture"
        )
    if kind is Mixed:
        return {
            "family": "mixed",
            "k": int(family.k),
            "equal": bool(family.equal),
            "inner": spell(family.family),
        }
    if kind is Gaussian:
        return {
            "family": "gaussian",
            "shape": _shape_name(family.law),
            "fixed": isinstance(family.law.space, Fixed),
            "floor": float(family.floor),
            "ridge": float(family.ridge),
        }
    raise UsageError(
        f"a model of the family {kind.__name__} cannot be saved: its code would have to be too; use a family "
        "of estep"
    )


def unspell(words: Any) -> str | Family:
    """The family of these words; `ModelFileError` if there is none."""
    if isinstance(words, str):
        return words
    kind = words.get("family") if isinstance(words, dict) else None
    if not isinstance(kind, str) or kind not in _WORDS or words.keys() != _WORDS[kind].keys():
        raise ModelFileError(f"the family {str(words)[:100]!r} is unknown")
    for key, kinds in _WORDS[kind].items():
        if type(words[key]) not in kinds:
            raise ModelFileError(f"{key!r} of the family {kind!r} is {str(words[key])[:100]!r}")
    if kind in _PLAIN:
        plain: Family = _PLAIN[kind]()
        return plain
    if kind == "categorical":
        levels = words["levels"]
        if levels is not None and not (levels and all(type(level) is int and level > 0 for level in levels)):
            raise ModelFileError("'levels' of the family 'categorical' must be whole numbers > 0")
        return Categorical(None if levels is None else tuple(levels))
    if kind == "mixed":
        inner = unspell(words["inner"])
        if words["k"] < 1 or isinstance(inner, str):
            raise ModelFileError("the family 'mixed' must have k >= 1 and an inner family")
        return Mixed(words["k"], inner, words["equal"])
    if words["floor"] < 0 or words["ridge"] < 0:
        raise ModelFileError("'floor' and 'ridge' of the family 'gaussian' must be >= 0")
    return Gaussian(_shape(words["shape"], words["fixed"]), words["floor"], words["ridge"])


_SPACES: dict[str, type[Any]] = {
    each.__name__: each for each in (Real, Fixed, Positive, Unit, Simplex, PosDef, Loadings)
}


def own_spaces(spaces: Any) -> bool:
    """Whether a space among them is of a class that this package does not know: code, which no file holds."""
    return any(_SPACES.get(type(space).__name__) is not type(space) for _, space in named_leaves(spaces))


def spell_space(space: Any, path: str) -> Any:
    """A space of this package as a string, or as an object of one key where zeros are structural."""
    allowed = space.allowed if isinstance(space, Simplex) else None
    name = type(space).__name__
    return name if allowed is None else {name: np.asarray(allowed, dtype=bool).tolist()}


def unspell_space(words: Any, path: str) -> Space:
    """The space of these words; `ModelFileError` if there is none."""
    if isinstance(words, dict) and words.keys() == {"Simplex"}:
        try:
            allowed = np.array(words["Simplex"])
        except ValueError:  # a ragged list
            allowed = np.empty(0)
        if allowed.dtype == bool:
            return Simplex(allowed)
    if not isinstance(words, str) or words not in _SPACES:
        raise ModelFileError(f"{path}: the space {str(words)[:100]!r} is unknown")
    found: Space = _SPACES[words]()
    return found


_WORDS: dict[str, dict[str, tuple[type, ...]]] = {
    **{name: {"family": (str,)} for name in _PLAIN},
    "categorical": {"family": (str,), "levels": (list, type(None))},
    "mixed": {"family": (str,), "k": (int,), "equal": (bool,), "inner": (dict,)},
    "gaussian": {"family": (str,), "shape": (str,), "fixed": (bool,), "floor": (float,), "ridge": (float,)},
}


def _shape_name(shape: Shape) -> str:
    known = (*map(type, SHAPES.values()), OneSphere)
    if type(shape) not in known:
        raise UsageError(f"covariances of the shape {type(shape).__name__} cannot be saved; use one of estep")
    return shape.name


def _shape(name: str, fixed: bool) -> Any:
    if name == OneSphere.name:
        return OneSphere(fixed)
    if name not in SHAPES or fixed:
        raise ModelFileError(f"the shape {name!r} of covariances is unknown")
    return name
