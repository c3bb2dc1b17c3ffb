"""The model file, `.estep`: what it holds, and reading and writing it whole.

Reading makes numbers, strings and arrays, and nothing else: no name in a file is imported or run.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, NamedTuple

from estep import __version__
from estep.data.formats.opening import reason
from estep.data.formats.replacing import replacing
from estep.errors import EstepError, ModelFileError, ResourceError, SourceError, UsageError
from estep.io.container import AGAIN, Tensor, header_length, pack, require_mark, unpack

SUFFIX = ".estep"
FORMAT = 1  # raised whenever an older estep could misread a file
MOST_BYTES = 2**32
LONGEST = 600  # characters of an error about the contents of a file
_FIELDS = {"format": int, "library": str, "kind": str, "parameters": dict, "outcome": dict}


LIBRARY = f"estep {__version__}"


class ModelFile(NamedTuple):
    """A fitted model in numbers and strings."""

    kind: str  # the estimator's name
    parameters: dict[str, Any]  # its constructor's, but for arrays
    outcome: dict[str, Any]  # see `outcome.py`
    tensors: dict[str, Tensor]  # params.*, units.*, history, parameter.*
    library: str = LIBRARY  # that wrote it; `encode` writes its own


def encode(file: ModelFile) -> bytes:
    """The bytes of a model file."""
    document = {
        "format": FORMAT,
        "library": LIBRARY,
        "kind": file.kind,
        "parameters": file.parameters,
        "outcome": file.outcome,
    }
    return pack(document, file.tensors)


def decode(data: bytes) -> ModelFile:
    """What `encode` made bytes of; `ModelFileError` for any other bytes."""
    document, tensors = unpack(data)
    version = document.get("format")
    if type(version) is int and version > FORMAT:
        writer = str(document.get("library"))[:60]
        newer = f"it was written by {writer!r} in format {version}"
        raise ModelFileError(f"{newer}, and this estep reads format {FORMAT}; update estep")
    if set(document) != set(_FIELDS) or any(type(document[key]) is not kind for key, kind in _FIELDS.items()):
        found = ", ".join(map(repr, sorted(document)))[:200]
        raise ModelFileError(f"it must hold exactly {', '.join(_FIELDS)}, each of its type; found {found}")
    if version != FORMAT:
        raise ModelFileError(f"its format is {version}; this estep reads format {FORMAT}")
    kind, parameters, outcome = (document[key] for key in ("kind", "parameters", "outcome"))
    return ModelFile(kind, parameters, outcome, tensors, document["library"])


def write(path: str | os.PathLike[str], file: ModelFile) -> None:
    """Write the file, or leave what is there as it is.

    Raises
    ------
    UsageError
        The suffix is not `.estep`.
    ResourceError
        The file cannot be written; a file that was there is then unchanged.
    """
    place = _place(path)
    if Path(place).suffix != SUFFIX:
        raise UsageError(f"a model is saved with the suffix {SUFFIX}; found {place!r}")
    try:
        _require_replaceable(place)
        data = encode(file)
        with replacing(place) as sink:
            sink.write(data)
    except EstepError as error:
        raise type(error)(f"cannot write {place!r}: {error}") from None
    except (OSError, MemoryError, UnicodeEncodeError) as error:
        raise ResourceError(
            f"cannot write {place!r}: {reason(error)}; make room there, or give another path"
        ) from error


def read(path: str | os.PathLike[str]) -> ModelFile:
    """The contents of a model file.

    Raises
    ------
    SourceError
        There is no such file, or it may not be read.
    ModelFileError
        It is not a model file, or a damaged one, or of a newer estep.
    """
    place = _place(path)
    try:
        return decode(_bytes(place))
    except ModelFileError as error:
        raise naming(place, error) from None
    except MemoryError as error:
        raise ResourceError(
            f"{place!r}: there is no memory for this model file; free some, or read it elsewhere"
        ) from error


def naming(path: str | os.PathLike[str], error: ModelFileError) -> ModelFileError:
    """The error with the path before it and a way out behind; names from the file could fill pages."""
    said = str(error)
    way = "" if "; " in said else f"; {AGAIN}"
    said = said if len(said) <= LONGEST else said[:LONGEST] + " ..."
    return ModelFileError(f"{os.fspath(path)!r}: {said}{way}")


def _require_replaceable(place: str) -> None:
    """Opening a pipe would wait for a reader, and no model could be loaded from it, nor from a device."""
    try:
        kind = Path(place).stat().st_mode
    except FileNotFoundError:
        return
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        raise ResourceError("it is a pipe or a device; give the path of a file")


def _place(path: str | os.PathLike[str]) -> str:
    try:
        place = os.fsdecode(os.fspath(path))
    except TypeError:
        raise UsageError(f"a model file must be named by a path; found {path!r}") from None
    if "\0" in place:
        raise UsageError(f"a path must not hold a NUL character; found {place!r}")
    return place


def _bytes(place: str) -> bytes:
    try:
        with open(place, "rb", opener=_opener) as handle:
            status = os.fstat(handle.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ModelFileError("it is not a regular file; give a file made by save()")
            if status.st_size > MOST_BYTES:
                raise ModelFileError(f"it has {status.st_size} bytes; a model file has at most {MOST_BYTES}")
            length = header_length(handle.read(8), status.st_size)
            require_mark(handle.read(length))  # before all of a large file of another kind is read
            handle.seek(0)
            data = handle.read(status.st_size)
    except IsADirectoryError:
        raise ModelFileError("it is a folder; give a file made by save()") from None
    except (OSError, UnicodeEncodeError) as error:  # a name may hold what no file system has
        raise SourceError(f"cannot read {place!r}: {reason(error)}; check the path") from error
    if len(data) != status.st_size:
        raise ModelFileError(f"it changed while it was read; {AGAIN}")
    return data


def _opener(path: str, flags: int) -> int:
    # without O_NONBLOCK, opening a pipe nobody writes to would wait for ever
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
