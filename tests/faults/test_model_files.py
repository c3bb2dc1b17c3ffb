"""Rows F02 to F11 and R05 of the table of faults: model files, through the library and the command line."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pickle
import resource
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import safetensors
from golden import CASES, FOLDER, hooks

from estep import load
from estep.cli import main
from estep.errors import ModelFileError, ResourceError
from estep.io import decode, read, write
from estep.io.container import MOST_TENSORS

GOLDEN = {path.stem: path for path in sorted((FOLDER / "format1").glob("*.estep"))}
SMALL = GOLDEN["hmm_poisson"].read_bytes()
ZEROS = "0" * 64


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs a command in an empty folder; its exit code, its output and its one error."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(list(words))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert "a bug in estep" not in err
        return code, out, err

    return call


def refused(path: Path, match: str, shell: Any) -> None:
    """By the library, and by every command that takes a model."""
    with pytest.raises(ModelFileError, match=match) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "; " in str(caught.value)  # a way out, at the least to take another file
    Path("data.csv").write_text("a,b\n1,2\n3,\n")
    for command in (
        ["show", str(path)],
        ["show", str(path), "--json"],
        ["impute", "data.csv", "-m", str(path)],
    ):
        code, out, err = shell(*command)
        assert (code, out) == (4, "")
        assert err.count("error: ") == 1


# F02: damage


@pytest.mark.parametrize("data", [SMALL], ids=["F02-every-bit-flip-and-every-truncation"])
def test_every_damage_is_refused(data: bytes) -> None:
    """A file that loads equal would do as well, but the checksum leaves no bit outside."""
    for i in range(len(data)):
        flipped = [data[:i] + bytes([data[i] ^ 1 << bit]) + data[i + 1 :] for bit in range(8)]
        for damaged in [data[:i], *flipped]:
            with pytest.raises(ModelFileError, match=r"not an estep model file|checksum"):
                decode(damaged)


@pytest.mark.parametrize("at", [0, 7, 8, 40, 700, len(SMALL) - 1], ids=lambda at: f"F02-bit-flip-{at}")
def test_a_bit_flip(at: int, tmp_path: Path, shell: Any) -> None:
    damaged = bytearray(SMALL)
    damaged[at] ^= 16
    (tmp_path / "m.estep").write_bytes(damaged)
    refused(tmp_path / "m.estep", "not an estep model file|checksum", shell)


@pytest.mark.parametrize("size", [0, 7, 8, 100, len(SMALL) - 1], ids=lambda n: f"F02-truncation-{n}")
def test_a_truncation(size: int, tmp_path: Path, shell: Any) -> None:
    (tmp_path / "m.estep").write_bytes(SMALL[:size])
    refused(tmp_path / "m.estep", "not an estep model file|checksum", shell)


# F03: hostile containers


def sealed(header: str, body: bytes = b"") -> bytes:
    """A file whose checksum is right, made without the package."""
    data = len(header).to_bytes(8, "little") + header.encode() + body
    return data.replace(ZEROS.encode(), hashlib.sha256(data).hexdigest().encode(), 1)


def forged(document: str, tensors: str = "") -> bytes:
    inner = json.dumps(f'{{"sha256":"{ZEROS}",{document}')
    return sealed(f'{{"__metadata__":{{"estep":{inner}}}{tensors}}}')


FINE = '"format":1,"library":"x","kind":"Normal","parameters":{},"outcome":{}}'
MANY = "".join(f',"{i}":{{"dtype":"F64","shape":[0],"data_offsets":[0,0]}}' for i in range(200_000))
HOSTILE = {
    "F03-header-2-to-63": ((2**63).to_bytes(8, "little") + bytes(100), "cut short"),
    "F03-header-100-MB-and-1": ((10**8 + 1).to_bytes(8, "little") + bytes(100), "cut short"),
    "F03-200000-arrays": (forged(FINE, MANY), f"more than {MOST_TENSORS} arrays"),
    "F03-depth-bomb": (forged(FINE.replace("{}", "[" * 100_000)), "too deeply"),
    "F03-depth-bomb-in-the-header": (forged(FINE, ',"t":' + '{"a":' * 100_000), "too deeply"),
    "F03-repeated-key": (forged(FINE[:-1] + ',"kind":"PPCA"}'), "'kind' stands there twice"),
    "F03-nan": (forged(FINE.replace("{}", '{"a":NaN}', 1)), "NaN is not a JSON number"),
    "F03-infinity": (forged(FINE.replace("{}", '{"a":-Infinity}', 1)), "is not a JSON number"),
    "F03-1e400": (forged(FINE.replace("{}", '{"a":1e400}', 1)), "beyond float64"),
    "F03-a-million-digits": (forged(FINE.replace("{}", '{"a":' + "9" * 10**6 + "}", 1)), "beyond 64 bits"),
    "F03-unknown-field": (forged(FINE[:-1] + ',"run":"os.system"}'), "must hold exactly"),
    "F03-vast-empty-array": (
        forged(FINE, ',"t":{"dtype":"F64","shape":[0,9223372036854775807],"data_offsets":[0,0]}'),
        "impossible shape",
    ),
}


@pytest.mark.parametrize(("data", "match"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_container_is_refused_at_once(
    data: bytes, match: str, tmp_path: Path, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.estep").write_bytes(data)
    refused(tmp_path / "m.estep", match, shell)
    if match not in ("impossible shape", "must hold exactly"):
        monkeypatch.setattr(safetensors, "deserialize", None)  # refused before any array is made
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=match):
            decode(data)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 20 * len(data) + 2**19


# F05: well-formed, and wrong


def tensor(name: str, value: Any) -> Callable[[Any], None]:
    return lambda file: file.tensors.__setitem__(name, np.asarray(value, dtype=np.float64))


def parameter(name: str, value: Any) -> Callable[[Any], None]:
    return lambda file: file.parameters.__setitem__(name, value)


C = "params.inner.covariances"
INVALID: dict[str, tuple[str, Callable[[Any], None], str]] = {
    "F05-negative-weight": ("gaussian_mixture", tensor("params.weights", [[1.5, -0.5]]), "sum to 1"),
    "F05-weights-sum": ("gaussian_mixture", tensor("params.weights", [[0.5, 0.4]]), "sum to 1"),
    "F05-not-positive-definite": (
        "gaussian_mixture",
        tensor(C, [[[1, 2], [2, 1]]] * 2),
        "positive definite",
    ),
    "F05-not-symmetric": ("gaussian_mixture", tensor(C, [[[1, 0.1], [0.2, 1]]] * 2), "symmetric"),
    "F05-nan-means": ("gaussian_mixture", tensor("params.inner.means", np.full((2, 2), np.nan)), "finite"),
    "F05-k": ("mixture_bernoulli", parameter("n_components", 3), r"shape \(1, 3\)"),
    "F05-k-of-starts": ("gaussian_mixture", tensor("parameter.means_init", np.ones((3, 2))), "means_init"),
    "F05-k-vast": ("hmm_poisson", parameter("n_components", 2**62), "must be float64 of shape"),
    "F05-moves": (
        "hmm_poisson",
        tensor("params.moves", [[0.5, 0.6], [0.5, 0.5]]),
        "moves must be >= 0 and sum",
    ),
    "H05-start-sum": ("hmm_poisson", tensor("params.start", [0.5, 0.6]), "start must be >= 0 and sum"),
    "H05-start-negative": ("hmm_poisson", tensor("params.start", [1.5, -0.5]), "start must be >= 0 and sum"),
    "F05-rates": ("hmm_poisson", tensor("params.emission.rates", [[1.0], [-1.0]]), "not negative"),
    "F05-noise": ("ppca", tensor("params.noise", 0.0), "noise must be > 0"),
    "F05-covariance": ("normal", tensor("params.covariance", -np.eye(3)), "positive definite"),
    "F05-probabilities": (
        "mixture_bernoulli",
        tensor("params.inner.probabilities", np.full((2, 2), 1.5)),
        r"in \[0, 1\]",
    ),
    "F05-columns": ("normal", lambda file: file.outcome["columns"].pop(), "must be float64 of shape"),
}


@pytest.mark.parametrize(("name", "change", "match"), INVALID.values(), ids=INVALID)
def test_what_cannot_be_is_refused(
    name: str, change: Callable[[Any], None], match: str, tmp_path: Path, shell: Any
) -> None:
    file = read(GOLDEN[name])
    write(tmp_path / "m.estep", file)
    load(tmp_path / "m.estep")
    change(file)
    write(tmp_path / "m.estep", file)  # with a checksum that is right
    refused(tmp_path / "m.estep", match, shell)


# F06: other formats, and code


class Bomb:
    """Unpickling it makes the file `canary`."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("canary"),)


def pickled() -> bytes:
    return pickle.dumps(Bomb())


def text_pickled() -> bytes:
    return pickle.dumps(Bomb(), 0)


def joblibbed() -> bytes:
    stream = io.BytesIO()
    joblib.dump(Bomb(), stream)
    return stream.getvalue()


def npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.array([Bomb()], dtype=object))
    return stream.getvalue()


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([Bomb()], dtype=object))
    return stream.getvalue()


def zipped() -> bytes:  # as PyTorch's files
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled())
    return stream.getvalue()


def inside() -> bytes:
    """A pickle in the place of an array of a good file."""
    file = read(GOLDEN["normal"])
    bomb = pickled()
    file.tensors["history"] = np.frombuffer(bomb + bytes(-len(bomb) % 48), np.float64).reshape(-1, 6)
    write("inside.estep", file)
    return Path("inside.estep").read_bytes()


@pytest.mark.parametrize(
    "make",
    [pickled, text_pickled, joblibbed, npz, npy, zipped, inside],
    ids=lambda make: f"F06-{make.__name__}",
)
def test_no_other_format_is_opened(make: Callable[[], bytes], tmp_path: Path, shell: Any) -> None:
    (tmp_path / "m.estep").write_bytes(make())
    refused(tmp_path / "m.estep", "not an estep model file|history", shell)
    assert not (tmp_path / "canary").exists()


@contextmanager
def audited() -> Iterator[list[tuple[str, Any]]]:
    """What Python is asked to open, import, compile or run."""
    events: list[tuple[str, Any]] = []
    watched = (
        "open",
        "import",
        "compile",
        "exec",
        "pickle.find_class",
        "os.",
        "subprocess.",
        "socket.",
        "ctypes.",
    )
    on = [True]

    def hook(event: str, arguments: Any) -> None:  # one that stays, for none can be taken away
        if on and event.startswith(watched):
            events.append((event, arguments))

    sys.addaudithook(hook)
    try:
        yield events
    finally:
        on.clear()


def opened(events: list[tuple[str, Any]]) -> set[str]:
    return {str(arguments[0]) for event, arguments in events if event == "open"}


@pytest.mark.parametrize("name", CASES, ids=[f"F06-runs-nothing-{name}" for name in CASES])
def test_loading_opens_the_file_and_nothing_else(name: str) -> None:
    load(GOLDEN[name], **hooks(name))  # what is imported late is there after this
    with audited() as events:
        load(GOLDEN[name], **hooks(name))
    assert opened(events) == {str(GOLDEN[name])}
    # a named tuple of a user's parameters is made by the standard library, of plain identifiers
    others = {event for event, _ in events} - {"open"}
    assert others <= ({"compile", "exec"} if name == "em" else set())


# F08: names and links


NAMES = "../../etc/passwd", "/etc/passwd", "C:\\x", "params/../x", "\x00", "__class__"


@pytest.mark.parametrize("name", NAMES, ids=lambda name: f"F08-{name!r}")
def test_a_name_in_a_file_is_never_a_path(name: str, tmp_path: Path, shell: Any) -> None:
    file = read(GOLDEN["normal"])
    file.tensors[name] = np.zeros(1)
    write(tmp_path / "m.estep", file)
    with audited() as events, pytest.raises(ModelFileError, match="unknown array"):
        load(tmp_path / "m.estep")
    assert opened(events) == {str(tmp_path / "m.estep")}
    refused(tmp_path / "m.estep", "unknown array", shell)


SPECIAL: dict[str, Callable[[Path], Any]] = {
    **{
        f"F08-link-to-{name}": lambda path, name=name: path.symlink_to(name)
        for name in ("/dev/zero", "/dev/null", "/")
    },
    "F08-pipe": os.mkfifo,  # opening it would wait for a writer
    "F08-vast-file": lambda path: (path.write_bytes(SMALL), os.truncate(path, 2**40)),  # a hole on the disk
}


@pytest.mark.parametrize("make", SPECIAL.values(), ids=SPECIAL)
def test_what_is_no_model_file_is_not_read(make: Callable[[Path], Any], tmp_path: Path, shell: Any) -> None:
    make(tmp_path / "m.estep")
    refused(tmp_path / "m.estep", "not a regular file|a folder|a model file has at most", shell)


# F09: places that cannot be written


@contextmanager
def full_disk(size: int = 100) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def failing(call: str, code: int) -> Iterator[None]:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, call, fail)
        yield


BROKEN: dict[str, Callable[[], Any]] = {
    "F09-full-at-once": lambda: full_disk(0),
    "F09-full-in-the-middle": lambda: full_disk(1000),
    "F09-full-at-fsync": lambda: failing("fsync", errno.ENOSPC),
    "F09-quota": lambda: failing("fsync", errno.EDQUOT),
    "F09-input-output": lambda: failing("fsync", errno.EIO),
    "F09-rename": lambda: failing("replace", errno.EACCES),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_write_that_fails_leaves_the_old_file(
    broken: Callable[[], Any], tmp_path: Path, shell: Any
) -> None:
    model, path = load(GOLDEN["normal"]), tmp_path / "m.estep"
    path.write_bytes(SMALL)
    with broken(), pytest.raises(ResourceError, match=r"cannot write .*m\.estep") as caught:
        model.save(path)
    assert caught.value.exit_code == 5
    with broken():
        code, out, err = shell("fit", "normal", "example:faithful", "-o", "m.estep")
    assert code == 5
    assert "Multivariate normal" in out  # the result of a long fit is not lost with the file
    assert "cannot write" in err
    assert path.read_bytes() == SMALL
    assert [each.name for each in tmp_path.iterdir()] == ["m.estep"]
    model.save(path)
    assert load(path).loglik_ == model.loglik_


@contextmanager
def nobody() -> Iterator[None]:
    """As a user whom permissions bind, where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("mode", [0o555], ids=["F09-read-only-folder"])
def test_a_folder_that_may_not_be_written_to(mode: int, shell: Any) -> None:
    model = load(GOLDEN["normal"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.estep").write_bytes(SMALL)
        folder.chmod(mode)
        with nobody():
            with pytest.raises(ResourceError, match=r"cannot write .*Permission denied"):
                model.save(folder / "m.estep")
            code, _, err = shell("fit", "normal", "example:faithful", "-o", str(folder / "m.estep"))
        assert code == 5
        assert str(folder) in err
        folder.chmod(0o755)
        assert [each.name for each in folder.iterdir()] == ["m.estep"]
        assert (folder / "m.estep").read_bytes() == SMALL


PLACES = {
    "F09-folder-of-that-name": "folder.estep",
    "F09-no-such-folder": "nowhere/m.estep",
    "F09-a-file-for-a-folder": "file/m.estep",
    "F09-name-too-long": "x" * 300 + ".estep",
    "F09-path-too-long": "x/" * 3000 + "m.estep",
    "F09-link-to-itself": "loop.estep",
    "F09-pipe": "pipe.estep",
    "F09-device": "full.estep",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_place_that_cannot_be(place: str, tmp_path: Path, shell: Any) -> None:
    (tmp_path / "folder.estep").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "loop.estep").symlink_to("loop.estep")
    (tmp_path / "full.estep").symlink_to("/dev/full")
    os.mkfifo(tmp_path / "pipe.estep")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ResourceError, match="cannot write"):
        load(GOLDEN["normal"]).save(place)
    code, _, err = shell("fit", "normal", "example:faithful", "-o", place)
    assert code == 5
    assert err.count("error: ") == 1
    assert sorted(tmp_path.iterdir()) == before


# F11: two processes at one place; two that save are raced in tests/io/test_killed.py


@pytest.mark.parametrize("read_first", [0, 8, 1000], ids=lambda n: f"F11-reader-after-{n}-bytes")
def test_a_reader_that_has_begun_reads_the_old_file_to_its_end(
    read_first: int, tmp_path: Path, shell: Any
) -> None:
    old, new = load(GOLDEN["normal"]), load(GOLDEN["ppca"])
    old.save(tmp_path / "m.estep")
    whole = (tmp_path / "m.estep").read_bytes()
    with (tmp_path / "m.estep").open("rb", buffering=0) as slow:
        begun = slow.read(read_first)
        new.save(tmp_path / "m.estep")
        assert begun + slow.read() == whole
    assert load(tmp_path / "m.estep").loglik_ == new.loglik_
    with (tmp_path / "m.estep").open("rb", buffering=0) as slow:
        begun, whole = slow.read(read_first), (tmp_path / "m.estep").read_bytes()
        assert shell("fit", "normal", "example:faithful", "-o", "m.estep")[0] == 0
        assert begun + slow.read() == whole
    assert shell("show", "m.estep")[1].startswith("Multivariate normal")


# R05: no row of the data


@pytest.mark.filterwarnings("ignore:EM002")  # of so few rows
@pytest.mark.parametrize(
    "name",
    ["gaussian_mixture", "soft_kmeans", "normal", "hmm_poisson", "hmm_mixed", "ppca", "em"],
    ids=lambda name: f"R05-{name}",
)
def test_no_cell_of_the_data_is_in_a_file_or_in_what_is_shown(name: str, tmp_path: Path, shell: Any) -> None:
    make, X = CASES[name]
    values = np.array(X, dtype=np.float64)
    low, middle, high = (f(values[:, 0]) for f in (np.nanmin, np.nanmedian, np.nanmax))
    counts = name == "hmm_poisson"
    canaries = (
        (high + 7, high + 13) if counts else (low - 0.0123456789, middle + 0.123456789, high + 1.23456789)
    )
    for row, canary in zip((5, 9, 12), canaries, strict=False):
        values[row, 0] = canary
    model = make().fit(values)
    model.save(tmp_path / "m.estep")
    said = [model.summary(), *(shell("show", "m.estep", *options)[1] for options in ((), ("--json",)))]
    assert all(said)
    held = [(tmp_path / "m.estep").read_bytes(), *(text.encode() for text in said)]
    centre, scale = (each[0] for each in model.fitted_.units)
    for cell in (*canaries, *((canary - centre) / scale for canary in canaries)):
        spelled = [np.float64(cell).tobytes(), np.float32(cell).tobytes(), repr(float(cell)).encode()]
        assert not [word for word in spelled for data in held if word in data]
