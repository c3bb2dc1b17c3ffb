"""The model file: whole or not at all, its contents to the bit, and nothing else ever taken for one."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from estep import load
from estep.errors import ModelFileError, ResourceError, SourceError, UsageError
from estep.io import ModelFile, decode, encode, read, write

FILE = ModelFile(
    "Thing",
    {"tol": 1e-4, "third": 1 / 3, "n": 3, "flag": True, "name": "é<b>", "none": None},
    {"loglik": -1.5e300, "list": [1, [2.5, "x"]]},
    {
        "a.b": np.array([[1.5, np.nan, -0.0], [np.inf, 5e-324, -1.0]]),
        "codes": np.array([2**62, -1]),
        "one": np.asarray(0.1),
        "none": np.empty((0, 3)),
    },
)
DATA = encode(FILE)
ZEROS = "0" * 64


def same(a: ModelFile, b: ModelFile) -> bool:
    tensors = all(
        x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
        for x, y in zip(a.tensors.values(), b.tensors.values(), strict=True)
    )
    return a[:3] == b[:3] and a.tensors.keys() == b.tensors.keys() and tensors


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def sealed(header: str, body: bytes = b"") -> bytes:
    """A file whose checksum is right, made without the package: only its contents can be refused."""
    text = header.encode()
    data = len(text).to_bytes(8, "little") + text + body
    return data.replace(ZEROS.encode(), hashlib.sha256(data).hexdigest().encode(), 1)


def forged(document: str, tensors: str = "", body: bytes = b"") -> bytes:
    """Sealed, of the JSON text of a document (without its brace) and of entries for tensors."""
    inner = json.dumps(f'{{"sha256":"{ZEROS}",{document}')
    return sealed(f'{{"__metadata__":{{"estep":{inner}}}{tensors}}}', body)


FINE = '"format":1,"library":"x","kind":"Thing","parameters":{},"outcome":{}}'
EMPTY = ',"t":{"dtype":"F64","shape":[0,SIDE],"data_offsets":[0,0]}'
ONE = ',"t":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}'


def test_contents_come_back_to_the_bit_and_the_same_contents_make_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "thing.estep"
    write(path, FILE)
    found = read(path)
    order = sorted(FILE.tensors)
    assert same(
        found._replace(tensors={name: found.tensors[name] for name in order}),
        FILE._replace(tensors={name: FILE.tensors[name] for name in order}),
    )
    write(str(path), ModelFile(*FILE[:3], dict(reversed(FILE.tensors.items()))))
    assert path.read_bytes() == DATA
    assert names(tmp_path) == ["thing.estep"]


def test_another_memory_order_gives_the_same_file() -> None:
    fortran = FILE._replace(tensors={name: np.asarray(t, order="F") for name, t in FILE.tensors.items()})
    assert encode(fortran) == DATA


def test_the_file_is_a_safetensors_file(tmp_path: Path) -> None:
    path = tmp_path / "thing.estep"
    write(path, FILE)
    tensors = load_file(path)
    assert {name: each.tobytes() for name, each in tensors.items()} == {
        name: each.tobytes() for name, each in FILE.tensors.items()
    }


def test_a_forged_file_of_fine_contents_is_read() -> None:
    """The other tests of forged files would pass for any reason if this one did not."""
    found = decode(forged(FINE, ONE, np.array([2.5]).tobytes()))
    assert found.kind == "Thing"
    assert found.tensors["t"].tolist() == [2.5]


def test_every_truncation_and_every_longer_file_is_refused() -> None:
    for n in range(len(DATA)):
        with pytest.raises(ModelFileError, match=r"estep model file|damaged"):
            decode(DATA[:n])
    with pytest.raises(ModelFileError, match="damaged"):
        decode(DATA + b"\0")


def test_every_flip_of_one_bit_is_refused() -> None:
    for i in range(len(DATA)):
        for bit in range(8):
            flipped = bytearray(DATA)
            flipped[i] ^= 1 << bit
            with pytest.raises(ModelFileError, match=r"estep model file|damaged"):
                decode(bytes(flipped))


@pytest.mark.parametrize(
    ("document", "match"),
    [
        (FINE[:-1] + ',"kind":"Thing"}', "'kind' stands there twice"),
        (FINE.replace("{}", '{"a":1,"a":1}', 1), "'a' stands there twice"),
        (FINE.replace("{}", '{"a":NaN}', 1), "NaN is not a JSON number"),
        (FINE.replace("{}", '{"a":-Infinity}', 1), "-Infinity is not a JSON number"),
        (FINE.replace("{}", '{"a":1e400}', 1), "1e400 is beyond float64"),
        (FINE.replace("{}", '{"a":' + "9" * 30 + "}", 1), "beyond 64 bits"),
        (FINE.replace("{}", '{"a":' + "9" * 10_000 + "}", 1), "beyond 64 bits"),
        (FINE.replace("{}", '{"a":' + "[" * 100_000, 1), "nested too deeply"),
        (FINE.replace("{}", '{"a":' + '[{"b":' * 40 + "1" + "}]" * 40 + "}", 1), "beyond 64 brackets"),
        (FINE.replace("{}", '{"a":01}', 1), "the JSON cannot be read"),
        (FINE[:-1] + ',"extra":1}', "must hold exactly format.*found.*'extra'"),
        (FINE.replace('"kind":"Thing",', ""), "must hold exactly"),
        (FINE.replace('"Thing"', "7"), "each of its type"),
        (FINE.replace("{}", "[]", 1), "each of its type"),
        (FINE.replace('"format":1', '"format":true'), "each of its type"),
        (FINE.replace('"format":1', '"format":2'), "reads format 1; update estep"),
        (FINE.replace('"format":1', '"format":0'), "its format is 0"),
        ('"a":', "the JSON cannot be read"),
    ],
)
def test_loose_json_and_other_documents_are_refused(document: str, match: str) -> None:
    with pytest.raises(ModelFileError, match=match):
        decode(forged(document))


@pytest.mark.parametrize(
    ("tensors", "body", "match"),
    [
        (ONE + ONE, bytes(8), "'t' stands there twice"),
        (ONE, b"", "arrays cannot be read"),
        (ONE, bytes(16), "arrays cannot be read"),
        (ONE.replace("[1]", "[2]"), bytes(8), "arrays cannot be read"),
        (ONE.replace("[1]", "[18446744073709551615]"), bytes(8), "arrays cannot be read"),
        (ONE.replace("[0,8]", "[8,0]"), bytes(8), "arrays cannot be read"),
        (ONE + ONE.replace('"t"', '"u"'), bytes(8), "arrays cannot be read"),
        (EMPTY.replace("SIDE", "9223372036854775807"), b"", "'t' has an impossible shape"),
        (EMPTY.replace("SIDE", "18446744073709551615"), b"", "'t' has an impossible shape"),
        (ONE.replace("[1]", f"[{','.join('1' * 65)}]"), bytes(8), "'t' has an impossible shape"),
        (ONE.replace("F64", "F32").replace("[1]", "[2]"), bytes(8), "'t' is of type F32"),
        (',"t":' + "[" * 100_000, b"", "nested too deeply"),
        ("".join(ONE.replace('"t"', f'"{i}"') for i in range(200_000)), bytes(8), "more than 10000 arrays"),
        (',"__metadata__":{}', b"", "'__metadata__' stands there twice"),
    ],
)
def test_other_containers_are_refused(tensors: str, body: bytes, match: str) -> None:
    with pytest.raises(ModelFileError, match=match):
        decode(forged(FINE, tensors, body))


@pytest.mark.parametrize(
    "metadata",
    [
        '{"other":"1","estep":"{\\"sha256\\":\\"%s\\"}"}',
        '[{"estep":"{\\"sha256\\":\\"%s\\"}"}]',
        '{"x":"y"},"z":{"estep":"{\\"sha256\\":\\"%s\\"}"}',
        '{"estep":"[]"},"z":{"estep":"{\\"sha256\\":\\"%s\\"}"}',
        '{"estep":7},"z":{"estep":"{\\"sha256\\":\\"%s\\"}"}',
    ],
)
def test_a_checksum_in_another_place_is_not_believed(metadata: str) -> None:
    with pytest.raises(ModelFileError, match=r"metadata are not those|not an estep model file"):
        decode(sealed('{"__metadata__":' + metadata % ZEROS + "}"))


def test_arrays_are_counted_where_their_keys_hide_behind_escapes() -> None:
    one = EMPTY.replace("SIDE", "0").replace("data_offsets", "data\\u005foffsets")
    many = "".join(one.replace('"t"', f'"{i}"') for i in range(10_001))
    with pytest.raises(ModelFileError, match="more than 10000 arrays"):
        decode(forged(FINE, many))


@pytest.mark.parametrize(
    "tensors",
    [
        ONE.replace("[0,8]", "[8,16]").replace('"t"', json.dumps("\x1b[2J\n" + "long" * 1000)),
        ONE.replace('"t"', json.dumps("\x1b[2J\n" + "long" * 1000)) * 2,
        ONE.replace("F64", "F32").replace("[1]", "[2]").replace('"t"', json.dumps("\x1b[2J" * 1000)),
    ],
    ids=["offsets", "twice", "type"],
)
def test_an_error_says_a_name_from_a_file_in_printable_characters_and_briefly(
    tensors: str, tmp_path: Path
) -> None:
    body = b"" if "F64" in tensors else bytes(8)
    (tmp_path / "m.estep").write_bytes(forged(FINE, tensors, body))
    with pytest.raises(ModelFileError, match=r"\\x1b") as caught:
        read(tmp_path / "m.estep")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 700 + len(str(tmp_path))


def test_brackets_in_strings_are_no_depth() -> None:
    name = '[[{"' * 100
    document = FINE.replace("{}", json.dumps({name: [name, "\\"]}), 1)
    assert decode(forged(document)).parameters == {name: [name, "\\"]}


def test_a_deep_nest_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a raised recursion limit, as notebooks have it, the parser would overflow the stack of C."""
    parsed: list[str] = []
    known = json.loads
    monkeypatch.setattr(json, "loads", lambda text, **how: parsed.append(text) or known(text, **how))
    with pytest.raises(ModelFileError, match="too deeply"):
        decode(forged(FINE.replace("{}", '{"a":' + "[" * 100_000, 1)))
    assert len(parsed) == 1  # the container's header, in which all of this is one string


def npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.arange(3))
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.pkl", b"x")
    return stream.getvalue()


class Bomb:
    """Unpickling it makes the file `canary`."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("opens", [read, load])
def test_a_pickle_is_refused_and_never_run(tmp_path: Path, protocol: int, opens: Any) -> None:
    path, canary = tmp_path / "bomb.estep", tmp_path / "canary"
    path.write_bytes(pickle.dumps(Bomb(canary), protocol))
    with pytest.raises(ModelFileError, match=r"not an estep model file.*a file made by save"):
        opens(path)
    assert not canary.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 - the bomb works
    assert canary.exists()


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (npz(), "zip archive"),
        (zipped(), "zip archive"),
        (pickle.dumps([1] * 100), "a pickle"),
        (b'{"model": {"weights": [0.5, 0.5]}}', "JSON text"),
        (b"", "cut short"),
        (bytes(100), "not an estep model file"),
        ((2**63).to_bytes(8, "little") + bytes(100), "cut short"),
        (np.random.default_rng(0).bytes(5000), "not an estep model file"),
    ],
)
@pytest.mark.parametrize("opens", [read, load])
def test_other_files_are_refused_by_what_they_are(
    tmp_path: Path, data: bytes, match: str, opens: Any
) -> None:
    path = tmp_path / "other.estep"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=match):
        opens(path)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*nothing\.estep"):
        read(tmp_path / "nothing.estep")
    with pytest.raises(ModelFileError, match="it is a folder"):
        read(tmp_path)
    with pytest.raises(UsageError, match="NUL"):
        read("a\0b.estep")
    with pytest.raises(UsageError, match="named by a path"):
        read(7)  # type: ignore[arg-type]
    os.mkfifo(tmp_path / "pipe.estep")
    (tmp_path / "zero.estep").symlink_to("/dev/zero")
    (tmp_path / "loop.estep").symlink_to("loop.estep")
    for name in ("loop.estep", "\ud800.estep"):
        with pytest.raises(SourceError, match="cannot read"):
            read(tmp_path / name)
    for name in ("pipe.estep", "zero.estep"):
        with pytest.raises(ModelFileError, match="not a regular file"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("length", "size", "match"),
    [
        (100 * 10**6 + 1, 2**31, "not an estep model file"),
        (2**63, 2**31, "not an estep model file"),
        (5000, 2**31, "not an estep model file; give"),  # its header is looked at, and the rest is not read
        (5000, 2**32 + 1, "at most 4294967296"),
    ],
)
def test_sizes_that_lie_are_refused_before_anything_is_read(
    tmp_path: Path, length: int, size: int, match: str
) -> None:
    path = tmp_path / "large.estep"
    path.write_bytes(length.to_bytes(8, "little"))
    os.truncate(path, size)  # a hole on the disk
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=match):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**19
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "thing.estep"
    write(path, FILE)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(ResourceError, match=r"cannot write .*No space left"):
            write(path, FILE._replace(kind="Newer"))
    assert path.read_bytes() == DATA
    assert names(tmp_path) == ["thing.estep"]
    write(path, FILE._replace(kind="Newer"))
    assert read(path).kind == "Newer"


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "thing.estep"
    write(path, FILE)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt("by the user")

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt, match="by the user"):
        write(path, FILE._replace(kind="Newer"))
    assert path.read_bytes() == DATA
    assert names(tmp_path) == ["thing.estep"]


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "folder.estep"
    folder.mkdir()
    with pytest.raises(ResourceError, match="it is a folder"):
        write(folder, FILE)
    with pytest.raises(ResourceError, match="cannot write"):
        write(tmp_path / "nowhere" / "thing.estep", FILE)
    with pytest.raises(ResourceError, match="cannot write"):
        write(tmp_path / ("x" * 300 + ".estep"), FILE)
    with pytest.raises(ResourceError, match="cannot write"):
        write(tmp_path / "\ud800.estep", FILE)
    for name in ("thing.pkl", "thing", ".estep", "thing.ESTEP"):
        with pytest.raises(UsageError, match=r"saved with the suffix \.estep"):
            write(tmp_path / name, FILE)
    assert names(tmp_path) == ["folder.estep"]


@pytest.mark.parametrize("opens", ["read", "write"])
def test_a_link_leads_to_the_file_and_stays_a_link(tmp_path: Path, opens: str) -> None:
    (tmp_path / "there").mkdir()
    link, file = tmp_path / "link.estep", tmp_path / "there" / "thing.estep"
    link.symlink_to(file)
    write(link if opens == "write" else file, FILE)
    assert read(link).kind == "Thing"
    assert link.is_symlink()
    assert names(tmp_path / "there") == ["thing.estep"]


def test_a_place_that_is_no_file_is_not_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.estep")  # opening it would wait for a reader
    (tmp_path / "full.estep").symlink_to("/dev/full")
    (tmp_path / "loop.estep").symlink_to("loop.estep")
    for name, match in (
        ("pipe", "a pipe or a device"),
        ("full", "a pipe or a device"),
        ("loop", "cannot write"),
    ):
        with pytest.raises(ResourceError, match=match):
            write(tmp_path / f"{name}.estep", FILE)
    assert names(tmp_path) == ["full.estep", "loop.estep", "pipe.estep"]


def test_what_json_does_not_have_is_refused_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "thing.estep"
    for value in (float("nan"), {1, 2}):
        with pytest.raises(UsageError, match="cannot be written as JSON"):
            write(path, FILE._replace(parameters={"a": value}))
    many = {f"t{i}": np.zeros(1) for i in range(10_001)}
    with pytest.raises(UsageError, match="at most 10000"):
        write(path, FILE._replace(tensors=many))
    assert not path.exists()
