"""Nests of arrays with names: a user's own parameters as a structure in JSON and flat arrays."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from estep.errors import ModelFileError, UsageError
from estep.io.container import Tensor

_NUMBERS: dict[str, Any] = {"float": float, "int": int, "float64": np.float64, "int64": np.int64}


def spell(nest: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The structure of the nest; its leaves are put into `tensors` under their dotted paths."""
    if nest is None:
        return None
    if isinstance(nest, dict):
        if any(not isinstance(key, str) for key in nest):
            raise UsageError(f"{path} has a key that is not a string, and cannot be saved")
        return {"dict": {key: spell(nest[key], f"{path}.{key}", tensors) for key in sorted(nest)}}
    if isinstance(nest, tuple):
        names = getattr(nest, "_fields", None)
        keys = names or map(str, range(len(nest)))
        items = [spell(each, f"{path}.{key}", tensors) for key, each in zip(keys, nest, strict=True)]
        return {"tuple": items} if names is None else {"names": list(names), "tuple": items}
    kind = type(nest).__name__ if type(nest) in _NUMBERS.values() else "array"
    leaf = np.asarray(nest)
    if leaf.dtype not in (np.float64, np.int64):
        raise UsageError(f"{path} is of type {leaf.dtype}, and cannot be saved; make it float64")
    if path in tensors:
        raise UsageError(f"two parameters have the path {path!r}; use names without dots")
    tensors[path] = leaf
    return kind


def build(structure: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The nest again, taking its leaves out of `tensors`; ModelFileError where the two do not fit."""
    if structure is None:
        return None
    if isinstance(structure, str) and (structure == "array" or structure in _NUMBERS):
        if path not in tensors:
            raise ModelFileError(f"the array {path!r} is missing")
        leaf = tensors.pop(path)
        if structure == "array":
            return leaf
        if leaf.shape:
            raise ModelFileError(f"{path!r} must be one number; found shape {leaf.shape}")
        return _NUMBERS[structure](leaf)
    if isinstance(structure, dict) and structure.keys() == {"dict"} and isinstance(structure["dict"], dict):
        return {key: build(each, f"{path}.{key}", tensors) for key, each in structure["dict"].items()}
    if isinstance(structure, dict) and isinstance(structure.get("tuple"), list):
        return _tuple(structure, path, tensors)
    raise ModelFileError(f"the structure of {path!r} is not that of a nest of parameters")


def _tuple(structure: dict[str, Any], path: str, tensors: dict[str, Tensor]) -> tuple[Any, ...]:
    items: list[Any] = structure["tuple"]
    names: Any = structure.get("names")
    if names is None and len(structure) == 1:
        return tuple(build(each, f"{path}.{i}", tensors) for i, each in enumerate(items))
    named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not named or len(names) != len(items) or len(structure) != 2:
        raise ModelFileError(f"the structure of {path!r} is not that of a named tuple")
    make: Any = namedtuple  # it refuses all but plain identifiers, so no name from a file can be code
    try:
        record = make("Params", names)
    except ValueError as error:
        raise ModelFileError(f"the names of {path!r} cannot be used: {error}") from None
    found: tuple[Any, ...] = record._make(
        build(each, f"{path}.{name}", tensors) for name, each in zip(names, items, strict=True)
    )
    return found
