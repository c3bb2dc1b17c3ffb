"""Files as tables and back: the same bits, or a sentence that says where and what to do.

IDs such as C05 name rows of the project's list of faults.
"""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from estep.data.files import read_table, write_table
from estep.data.formats import opening
from estep.data.table import as_table
from estep.errors import DataError, ResourceError, SourceError

NAN = float("nan")
SUFFIXES = [".csv", ".tsv", ".txt", ".parquet", ".feather", ".arrow"]
posix = pytest.mark.skipif(os.name == "nt", reason="pipes and devices with names are of POSIX systems")


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = (np.where(np.isnan(x), np.nan, x) for x in (a, b))  # one NaN: its sign carries nothing
    return a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.filterwarnings("ignore::estep.errors.EstepWarning")
@given(
    X=hnp.arrays(
        np.float64, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(allow_infinity=False)
    ),
    data=st.data(),
)
@settings(deadline=None, database=None, max_examples=50)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_with_the_same_bits(tmp_path_factory, suffix, X, data):
    words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    names = st.lists(words.filter(str.strip), min_size=X.shape[1], max_size=X.shape[1], unique=True)
    names = tuple(data.draw(names))
    path = tmp_path_factory.mktemp("round") / f"table{suffix}"
    write_table(path, names, X, raw=True)
    table = read_table(path)
    assert same_bits(table.values, X)
    assert (table.names, table.named, table.levels) == (names, True, (None,) * len(names))
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["refuse", "codes"])
def test_the_same_bits_from_every_kind_of_file_and_frame(tmp_path, text):
    rng = np.random.default_rng(7)
    X = np.ldexp(rng.standard_normal((500, 3)), rng.integers(-1000, 1000, (500, 3)))
    X[rng.random(X.shape) < 0.1] = NAN
    X[0] = [-0.0, 5e-324, 1.7976931348623157e308]
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "pandas.csv", index=False)
    frame.to_parquet(tmp_path / "pandas.parquet")
    frame.sample(frac=1, random_state=0).sort_index().to_parquet(tmp_path / "index.parquet")
    frame.to_feather(tmp_path / "pandas.feather")
    pl.DataFrame(frame).write_csv(tmp_path / "polars.csv")
    pl.DataFrame(frame).write_parquet(tmp_path / "polars.parquet")
    pl.DataFrame(frame).write_ipc(tmp_path / "polars.arrow")
    pl.DataFrame(frame).write_ipc_stream(tmp_path / "stream.arrow")
    for suffix in SUFFIXES:
        write_table(tmp_path / f"own{suffix}", list(frame), X)
    tables = [read_table(path, text=text) for path in sorted(tmp_path.iterdir())]
    tables += [as_table(path) for path in sorted(tmp_path.iterdir())]
    tables += [as_table(made) for made in (X, X.tolist(), frame, pl.DataFrame(frame), pa.table(frame))]
    for table in tables:
        assert same_bits(table.values, X)


def test_codes_are_the_same_from_every_kind(tmp_path):
    values, levels = [[1, 1.5], [NAN, 2], [0, NAN], [2, 4]], [("a", "b", "ü\n,"), None]
    for suffix in SUFFIXES:
        write_table(tmp_path / f"own{suffix}", ["group", "x"], values, levels=levels)
        table = read_table(tmp_path / f"own{suffix}", text="codes")
        assert same_bits(table.values, np.array(values, dtype=float))
        assert table.levels == tuple(levels)
        with pytest.raises(
            DataError, match=rf"own\{suffix}: column 'group' holds text, for instance 'b' in row 0"
        ):
            read_table(tmp_path / f"own{suffix}")


def test_standard_input_is_csv(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a,b\n1,2\n")))
    assert read_table("-").values.tolist() == [[1, 2]]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a,b\n1,x\n")))
    with pytest.raises(DataError, match="standard input: column 'b'"):
        read_table("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="standard input: it is closed"):
        read_table("-")


@posix
@pytest.mark.parametrize("suffix", ["", ".csv", ".parquet", ".feather"])
def test_a_named_pipe_is_read_once(tmp_path, suffix):
    write_table(tmp_path / f"file{suffix}", ["a"], [[1.5], [NAN]])
    os.mkfifo(tmp_path / f"pipe{suffix}")
    content = (tmp_path / f"file{suffix}").read_bytes()
    writer = threading.Thread(target=(tmp_path / f"pipe{suffix}").write_bytes, args=(content,))
    writer.start()
    table = read_table(tmp_path / f"pipe{suffix}")
    writer.join()
    assert same_bits(table.values, np.array([[1.5], [NAN]]))


@posix
def test_endless_sources_end_in_an_error(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"/dev/zero: .*NUL byte"):
        read_table("/dev/zero")
    monkeypatch.setattr(opening, "PIPE_LIMIT", 1000)
    monkeypatch.setattr(opening, "CHUNK", 100)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a,b\n" + b"1,2\n" * 1000)))
    with pytest.raises(ResourceError, match=r"more than 1000 bytes came.*write the data to a file"):
        read_table("-")
    with pytest.raises(DataError, match="/dev/null: the file is empty"):
        read_table("/dev/null")


def test_what_cannot_be_opened_is_a_source_error(tmp_path, monkeypatch):
    write_table(tmp_path / "a.csv", ["a"], [[1]])
    for name in ("none.csv", "none.parquet", "none.estep", "none.xlsx"):
        with pytest.raises(SourceError, match="there is no such file; check the path"):
            read_table(tmp_path / name)
    for path in (tmp_path / "a.csv" / "b.csv", "a\0.csv"):
        with pytest.raises(SourceError, match="it cannot be opened: "):
            read_table(path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root may open every file, so the system's answer is played
    with pytest.raises(SourceError, match=r"a\.csv: it cannot be opened: Permission denied"):
        read_table(tmp_path / "a.csv")


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"format is not known by the suffix; .*\.csv"):
        read_table(tmp_path / "a.xlsx")


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize("damage", ["empty", "magic", "cut", "footer"])
def test_a_damaged_file_is_a_data_error(tmp_path, suffix, damage):
    path = tmp_path / f"a{suffix}"
    write_table(path, ["a", "b"], np.arange(200.0).reshape(100, 2))
    whole = path.read_bytes()
    harmed = {
        "empty": b"",
        "magic": b"XXXX" + whole[4:-6] + b"XXXXXX",
        "cut": whole[: len(whole) // 2],
        "footer": whole[:-12] + b"\xff\xff\xff\x7f" + whole[-8:],
    }
    path.write_bytes(harmed[damage])
    with pytest.raises(DataError, match=rf"a\{suffix}: it cannot be read as .*damaged"):
        read_table(path)


FUZZ = """
import random, sys
from contextlib import suppress
from pathlib import Path
from estep.data.files import read_table
from estep.errors import EstepError
path = Path(sys.argv[1]); whole = path.read_bytes(); rng = random.Random(1)
for _ in range(300):
    harmed = bytearray(whole)
    for _ in range(rng.choice([1, 4])):
        at = rng.choice([rng.randrange(len(whole)), -rng.randrange(1, min(600, len(whole)))])
        harmed[at] ^= 1 << rng.randrange(8)
    path.write_bytes(harmed)
    try:
        read_table(path, text="codes")
    except EstepError:
        pass
"""


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather"], ids=["C05", "P01", "P02"])
def test_no_flipped_bit_ends_the_process_or_escapes_as_another_error(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    codes = np.arange(300) % 3.0
    write_table(path, ["a", "t"], np.c_[np.sqrt(codes), codes], levels=[None, ["x", "yy", "zzz"]])
    command = [sys.executable, "-W", "ignore", "-c", FUZZ, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_offsets_that_lead_out_of_memory_are_refused(tmp_path):
    offsets, letters = np.array([0, 1, 2**30, 3], dtype=np.int32), b"abc"
    bad = pa.StringArray.from_buffers(3, pa.py_buffer(offsets), pa.py_buffer(letters))
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 99]), pa.array(["a"]), safe=False)
    for name, column in (("P02-offsets", bad), ("P02-dictionary", dictionary)):
        table = pa.table({"a": column})
        with pa.ipc.new_file(tmp_path / f"{name}.arrow", table.schema) as file:
            file.write_table(table)
        with pytest.raises(DataError, match=r"cannot be read as Feather.*damaged"):
            read_table(tmp_path / f"{name}.arrow", text="codes")


def test_metadata_that_hold_a_pickle_are_not_loaded(tmp_path):
    crime = tmp_path / "crime"
    payload = b"cos\nsystem\n(S'touch " + str(crime).encode() + b"'\ntR."
    metadata = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": payload}
    schema = pa.schema([pa.field("a", pa.float64(), metadata=metadata)])
    table = pa.table([pa.array([1.0])], schema=schema)
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.ipc.new_file(tmp_path / "a.arrow", schema) as file:
        file.write_table(table)
    for name in ("a.parquet", "a.arrow"):
        with suppress(DataError):  # a version of Arrow that shows the type has it refused
            assert read_table(tmp_path / name).values.tolist() == [[1.0]]
    assert not crime.exists()


@pytest.mark.parametrize("plain_footer", [True, False], ids=["P04-columns", "P04-footer"])
def test_an_encrypted_file_is_a_data_error(tmp_path, plain_footer):
    encryption = pytest.importorskip("pyarrow.parquet.encryption")

    class Keys(encryption.KmsClient):
        def __init__(self, _):
            super().__init__()

        def wrap_key(self, key, _):
            return base64.b64encode(key)

    configuration = encryption.EncryptionConfiguration(
        footer_key="k", column_keys={"k": ["a"]}, plaintext_footer=plain_footer
    )
    factory = encryption.CryptoFactory(Keys)
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), configuration)
    table = pa.table({"a": [1.0]})
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    with pytest.raises(DataError, match="damaged or encrypted"):
        read_table(tmp_path / "a.parquet")


def test_a_folder_is_one_data_set_in_the_order_of_its_paths(tmp_path):
    for place, x in (("k=b/1", [3.0]), ("k=a/2", []), ("k=a/1", [1.0, NAN]), (".hidden/1", [9.0])):
        path = tmp_path / f"{place}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"x": pa.array(x, pa.float64())}), path)
    table = read_table(tmp_path, text="codes")
    assert same_bits(table.values, np.array([[1, 0], [NAN, 0], [3, 1.0]]))
    assert (table.names, table.levels) == (("x", "k"), (None, ("a", "b")))
    assert read_table(tmp_path, columns=["x"]).values[:, 0].tolist()[::2] == [1.0, 3.0]
    pq.write_table(pa.table({"x": [3]}), tmp_path / "k=b" / "2.parquet")
    with pytest.raises(DataError, match=r"parts differ .*2\.parquet .*'x: double', 'x: int64'; write them"):
        read_table(tmp_path)


def test_a_folder_without_parquet_files(tmp_path):
    write_table(tmp_path / "a.csv", ["a"], [[1]])
    (tmp_path / "part.parquet").mkdir()
    (tmp_path / "other").mkdir()
    write_table(tmp_path / "other" / "a.parquet", ["a"], [[1]])
    with pytest.raises(DataError, match=r"holds no \.parquet files, .*key=value; give a file"):
        read_table(tmp_path)
