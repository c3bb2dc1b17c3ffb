"""The bytes of a model file: a safetensors container that carries its own checksum.

Layout (huggingface.co/docs/safetensors): the length of a JSON header, the header, the tensors. The header's
metadata hold one entry, `estep`, a JSON document whose first key is the SHA-256 of the whole file with the
64 digits of that sum replaced by zeros: no bit of the file is outside it.
"""

from __future__ import annotations

import hashlib
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estep.errors import ModelFileError, UsageError
from estep.io import strictjson

Tensor = NDArray[Any]  # float64 or int64

MOST_HEADER = 100 * 10**6  # bytes, as the safetensors format allows
MOST_TENSORS = 10_000
DTYPES = {"F64": "<f8", "I64": "<i8"}
_ZEROS = b"0" * 64
_MARK = b'{"estep":"{\\"sha256\\":\\"'  # inside any other string the quotes would be escaped once more
_OTHERS = {
    b"PK\x03\x04": "a zip archive, such as an npz file",
    b"\x80": "a pickle",
    b"\x93NUMPY": "an npy file",
    b"\x89HDF": "an HDF5 file",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip file",
    b"{": "JSON text",
}
AGAIN = "save the model again, or take another copy of the file"


def pack(document: dict[str, Any], tensors: dict[str, Tensor]) -> bytes:
    """The bytes of a file; the document is strict JSON."""
    from safetensors.numpy import save  # slow to import beside `import estep`

    if len(tensors) > MOST_TENSORS:
        raise UsageError(f"the model has {len(tensors)} arrays; a model file holds at most {MOST_TENSORS}")
    text = strictjson.dumps({"sha256": _ZEROS.decode(), **document})
    # not ascontiguousarray, which gives a single number one axis
    plain = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    data = save(plain, {"estep": text})
    at = data.index(_MARK) + len(_MARK)
    return data[:at] + _digest(data, at) + data[at + 64 :]


def header_length(head: bytes, size: int) -> int:
    """From the first 8 bytes of a file of this size; refused before anything is allocated for it."""
    length = int.from_bytes(head[:8], "little")
    if size < 8 or length > min(size - 8, MOST_HEADER):
        found = next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)
        guess = f"it looks like {found}" if found else "it is cut short, or of another kind"
        raise ModelFileError(f"it is not an estep model file: {guess}; give a file made by save()")
    return length


def require_mark(header: bytes) -> int:
    """Where the checksum's mark begins; `ModelFileError` for the header of a file of another kind."""
    if header.count(_MARK) != 1:
        raise ModelFileError("it is not an estep model file; give a file made by save()")
    return header.index(_MARK)


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The document, without its checksum, and the tensors; `ModelFileError` for any damage."""
    length = header_length(data[:8], len(data))
    header = data[8 : 8 + length]
    at = 8 + require_mark(header) + len(_MARK)
    if header.count(b'"data_offsets"') > MOST_TENSORS:  # before the work of the rest
        raise ModelFileError(f"it holds more than {MOST_TENSORS} arrays; {AGAIN}")
    if data[at : at + 64] != _digest(data, at):
        raise ModelFileError(f"its checksum is wrong: the file is damaged or was edited; {AGAIN}")
    entries = strictjson.loads(header)
    metadata = entries.get("__metadata__") if isinstance(entries, dict) else None
    text = metadata.get("estep") if isinstance(metadata, dict) and len(metadata) == 1 else None
    document = strictjson.loads(text) if isinstance(text, str) else None
    if not isinstance(document, dict) or not isinstance(document.pop("sha256", None), str):
        raise ModelFileError("its metadata are not those of an estep model file")
    if len(entries) > MOST_TENSORS + 1:  # keys with escapes in them are not counted above
        raise ModelFileError(f"it holds more than {MOST_TENSORS} arrays; {AGAIN}")
    return document, _tensors(data)


def _tensors(data: bytes) -> dict[str, Tensor]:
    from safetensors import SafetensorError, deserialize

    try:
        entries = deserialize(data)  # type: ignore[no-untyped-call]  # safetensors leaves it untyped
    except SafetensorError as error:
        # its words hold names from the file as they are, control characters with them
        raise ModelFileError(f"its arrays cannot be read: {str(error)!r}; {AGAIN}") from None
    tensors: dict[str, Tensor] = {}
    for name, entry in entries:
        if entry["dtype"] not in DTYPES:
            raise ModelFileError(f"the array {name!r} is of type {entry['dtype']}; float64 or int64 expected")
        flat = np.frombuffer(entry["data"], DTYPES[entry["dtype"]])
        if prod(entry["shape"]) != flat.size:
            raise ModelFileError(f"the array {name!r} has not as many numbers as its shape says")
        try:
            shaped = flat.reshape(entry["shape"])
        except (ValueError, OverflowError) as error:  # an empty array of vast sides, or of 65 dimensions
            raise ModelFileError(f"the array {name!r} has an impossible shape: {error}") from None
        tensors[name] = shaped.astype(flat.dtype.newbyteorder("="))
    return tensors


def _digest(data: bytes, at: int) -> bytes:
    sum_ = hashlib.sha256(data[:at])
    sum_.update(_ZEROS)
    sum_.update(memoryview(data)[at + 64 :])
    return sum_.hexdigest().encode()
