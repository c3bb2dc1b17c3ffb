"""Nests of tuples, named tuples and dicts: their structure in JSON, and their leaves by a function.

A user's own parameters are such a nest, with arrays for leaves, and so are the spaces they live in.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from estep.errors import ModelFileError, UsageError
from estep.io.container import Tensor

_NUMBERS: dict[str, Any] = {"float": float, "int": int, "float64": np.float64, "int64": np.int64}
Leaf = Callable[[Any, str], Any]  # (leaf, its dotted path) -> its JSON, or the way back


def spell(nest: Any, path: str, leaf: Leaf) -> Any:
    """The structure of the nest; `leaf` gives the JSON of each leaf, neither null nor with these keys."""
    if nest is None:
        return None
    if isinstance(nest, dict):
        if any(not isinstance(key, str) for key in nest):
            raise UsageError(f"{path} has a key that is not a string, and cannot be saved; use strings")
        return {"dict": {key: spell(nest[key], f"{path}.{key}", leaf) for key in sorted(nest)}}
    if isinstance(nest, tuple):
        names = getattr(nest, "_fields", None)
        keys = names or map(str, range(len(nest)))
        items = [spell(each, f"{path}.{key}", leaf) for key, each in zip(keys, nest, strict=True)]
        return {"tuple": items} if names is None else {"names": list(names), "tuple": items}
    return leaf(nest, path)


def build(structure: Any, path: str, leaf: Leaf) -> Any:
    """The nest again; ModelFileError where the structure is none."""
    if structure is None:
        return None
    if isinstance(structure, dict) and structure.keys() == {"dict"} and isinstance(structure["dict"], dict):
        return {key: build(each, f"{path}.{key}", leaf) for key, each in structure["dict"].items()}
    if isinstance(structure, dict) and isinstance(structure.get("tuple"), list):
        return _tuple(structure, path, leaf)
    return leaf(structure, path)


def into(tensors: dict[str, Tensor]) -> Leaf:
    """For `spell`: arrays and numbers are put into `tensors` under their dotted paths."""

    def put(leaf: Any, path: str) -> str:
        array = np.asarray(leaf)
        if array.dtype not in (np.float64, np.int64):
            raise UsageError(f"{path} is of type {array.dtype}, and cannot be saved; make it float64")
        if path in tensors:
            raise UsageError(f"two parameters have the path {path!r}; use names without dots")
        tensors[path] = array
        return type(leaf).__name__ if type(leaf) in _NUMBERS.values() else "array"

    return put


def out_of(tensors: dict[str, Tensor]) -> Leaf:
    """For `build`: arrays and numbers are taken out of `tensors`."""

    def take(kind: Any, path: str) -> Any:
        if not isinstance(kind, str) or not (kind == "array" or kind in _NUMBERS):
            raise ModelFileError(f"the structure of {path!r} is not that of a nest of parameters")
        if path not in tensors:
            raise ModelFileError(f"the array {path!r} is missing")
        array = tensors.pop(path)
        if kind == "array":
            return array
        if array.shape:
            raise ModelFileError(f"{path!r} must be one number; found shape {array.shape}")
        return _NUMBERS[kind](array)

    return take


def _tuple(structure: dict[str, Any], path: str, leaf: Leaf) -> tuple[Any, ...]:
    items: list[Any] = structure["tuple"]
    names: Any = structure.get("names")
    if names is None and len(structure) == 1:
        return tuple(build(each, f"{path}.{i}", leaf) for i, each in enumerate(items))
    named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not named or len(names) != len(items) or len(structure) != 2:
        raise ModelFileError(f"the structure of {path!r} is not that of a named tuple")
    make: Any = namedtuple  # it refuses all but plain identifiers, so no name from a file can be code
    try:
        record = make("Params", names)
    except ValueError as error:
        raise ModelFileError(f"the names of {path!r} cannot be used: {error}") from None
    found: tuple[Any, ...] = record._make(
        build(each, f"{path}.{name}", leaf) for name, each in zip(names, items, strict=True)
    )
    return found
