"""FAULTS rows on the command line, each by its ID: exit code and words. Long because it is a table."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from estep import GaussianMixture, Normal
from estep.cli.writing import inert

MIXTURE = "fit gaussian-mixture good.csv -k {}"
GOOD = "a,b\n1,2\n2,1\n4,4\n3,5\n6,2\n"


class Row(NamedTuple):
    """A file, a command on it, and what must come of it."""

    id: str
    command: str
    code: int
    words: tuple[str, ...]  # of the message, or of the summary where there is none
    name: str = ""
    content: str | bytes = b""


def csv(case, content, code, *words, options=""):
    return Row(case, f"fit normal case.csv {options}", code, words, "case.csv", content)


def good(case, command, code, *words):
    return Row(case, command, code, words)


def cell(text):
    return f"a,b\n1,2\n{text},1\n4,4\n"


def damaged(kind, where):
    """A Parquet or Feather file, cut or with bytes overwritten."""
    table = pa.table({"a": ["x" * i for i in range(40)], "b": np.arange(40.0)})
    sink = pa.BufferOutputStream()
    if kind == "parquet":
        pq.write_table(table, sink)
    else:
        pyarrow.feather.write_feather(table, sink, compression="uncompressed")
    return where(bytearray(sink.getvalue().to_pybytes()))


def bad_offsets(data):
    """Offsets of strings that lead far out of their buffer."""
    wanted = np.cumsum(np.arange(40), dtype=np.int32)[:8].tobytes()
    at = bytes(data).index(wanted)
    data[at + 8 : at + 16] = np.array([2**30, 2**30], np.int32).tobytes()
    return bytes(data)


def forged(data):
    data[-8:-4] = (2**31 - 9).to_bytes(4, "little")
    return bytes(data)


def flipped(data):
    data[len(data) // 3] ^= 255
    return bytes(data)


ROWS = [
    csv("C02-unclosed-quote", 'a,b\n"1,2\n3,4\n', 3, "quote opened in line 2 is never closed"),
    csv("C03-duplicate-header", "a,a\n1,2\n", 3, "duplicate column names in the header: 'a'"),
    csv("C03-blank-header", "a,,c\n1,2,3\n", 3, "blank column names in the header, at column 1"),
    csv("C03-header-only", "a,b\n", 3, "has a header ('a', 'b') and no rows below it"),
    csv("C03-empty-file", "", 3, "the file is empty"),
    csv("C03-numbers-for-a-header", "1,2\n2,3\n3,5\n", 3, "the first line holds numbers (1, 2) and no names"),
    csv("C05-byte-order-mark", "\ufeff" + GOOD, 0, "2: a, b"),
    csv("C05-utf-16", GOOD.encode("utf-16"), 3, "UTF-16; save it as UTF-8"),
    csv("C05-latin-1", "a,é\n1,2\n".encode("latin-1"), 3, "line 1 is not UTF-8 (byte 0xe9)"),
    csv("C05-nul-byte", b"a,b\n1,\x002\n", 3, "line 2 holds a NUL byte"),
    csv("C05-gzip", b"\x1f\x8b\x08\x00" + bytes(30), 3, "gzip file; decompress it first"),
    csv("C05-random-bytes", np.random.default_rng(0).bytes(500), 3, "UTF-8"),
    csv("C06-semicolons", "a;b\n1,5;2\n2,5;3\n", 3, "--sep ';'", "--decimal ,"),
    csv("C06-decimal-comma", "a;b\n1,5;2\n2,5;3\n3;1\n4;1,5\n2;2\n", 3, "--decimal ,", options="--sep ;"),
    csv("C06-thousands", 'a,b\n"1,234",2\n5,3\n7,1\n9,2\n', 3, "separators of thousands must be taken out"),
    csv(
        "C06-both-given",
        "a;b\n1,5;2\n2,5;3\n1;1\n",
        0,
        "columns        2: a, b",
        options="--sep ; --decimal ,",
    ),
    csv("C08-1e400", cell("1e400"), 3, "column 'a' holds 1 infinite cell", "beyond float64", "row 1"),
    csv("C08-integer-of-30-digits", cell("1" * 30), 0, "EM010", "'a'"),
    csv("C08-cell-of-3-MB", cell("7" * 3_000_000), 3, "a row is longer than"),
    csv("C08-a-million-columns", ",".join(map(str, range(10**6))), 3, "header is longer than", "transposed"),
    csv("C09-line-ends-and-blank-lines", "a,b\r\n1,2\r\n\r\n2,1\n4,4\r3,5\n\n", 0, "rows           4"),
    csv(
        "C09-trailing-comma", "a,b\n1,2,\n2,1,\n", 3, "row 0 (counted from 0) has 3 cell(s), the header has 2"
    ),
    good("C12-dev-zero", "fit normal /dev/zero", 3, "/dev/zero", "NUL byte"),
    good(
        "C12-missing-file", "fit normal nowhere.csv", 6, "nowhere.csv: there is no such file; check the path"
    ),
    good("C12-below-a-file", "fit normal good.csv/x.csv", 6, "good.csv/x.csv: it cannot be opened"),
    good("C12-folder-without-tables", "fit normal folder", 3, "holds no .parquet files"),
    *(
        Row(
            f"P0{n}-{case}",
            f"fit normal case.{kind} --columns b",
            3,
            words,
            f"case.{kind}",
            damaged(kind, how),
        )
        for n, case, kind, how, words in [
            (1, "truncated", "parquet", lambda data: bytes(data[:-40]), ("cannot be read as Parquet",)),
            (1, "forged-footer", "parquet", forged, ("cannot be read as Parquet",)),
            (1, "wrong-magic", "parquet", lambda data: b"XXXX" + bytes(data[4:-4]) + b"XXXX", ("Parquet",)),
            (1, "truncated-feather", "feather", lambda data: bytes(data[:200]), ("read as Feather",)),
        ]
    ),
    Row(
        "P02-bad-offsets",
        "fit normal case.feather",
        3,
        ("read as Feather",),
        "case.feather",
        damaged("feather", bad_offsets),
    ),
    Row(
        "P01-flipped-byte",
        "fit normal case.parquet",
        3,
        ("read as Parquet",),
        "case.parquet",
        damaged("parquet", flipped),
    ),
    csv("V10-constant-column", "a,b\n1,7\n2,7\n4,7\n", 0, "EM004: column 'b' is constant"),
    Row(
        "V13-one-distinct-row",
        "fit gaussian-mixture case.csv -k 2",
        3,
        ("distinct row", "2"),
        "case.csv",
        "a,b\n" + "1,2\n" * 5,
    ),
    csv("V18-inf", cell("-inf"), 3, "column 'a' holds 1 infinite cell", "row 1", "--inf-as-missing"),
    csv("V18-inf-as-missing", cell("inf"), 0, "1 of 6", options="--inf-as-missing"),
    good("V28-no-pass", "fit normal good.csv --max-iter 0", 2, "--max-iter: 0 is out of range"),
    good("V28-one-pass", MIXTURE.format("2 --starts 1 --tol 0 --max-iter 1"), 0, "EM001: not converged"),
    *(
        good(f"V31-{k}-components", MIXTURE.format(k), 2, f"--components: {said}")
        for k, said in (
            ("0", "0 is out of range"),
            ("-1", "-1"),
            ("2.5", "'2.5' is not a whole"),
            ("True", "'True'"),
        )
    ),
    good("S02-other-columns", "predict good.csv -m other.estep", 3, "no column 'c'", "have 'a', 'b'"),
    good("S02-other-order", "score swapped.csv -m mixture.estep --json", 0, '"rows": 5'),
    csv("M01-row-all-missing", "a,b\n1,2\n,\n4,4\n3,5\n", 0, "rows           4", "2 of 8"),
    csv("M09-code", "a,b\n" + "-999,1\n" * 3 + GOOD[4:], 0, "EM011", "'a' (3 times -999)", "--na -999"),
    csv("M09-code-given", "a,b\n-999,1\n" + GOOD[4:], 0, "1 of 12", options="--na -999"),
    csv("M09-question-mark", "a,b\n?,1\n" + GOOD[4:], 0, "EM011", "1x '?'"),
    csv("M09-word", "a,b\nmissing,1\n" + GOOD[4:], 3, "if it stands for a missing value", "--na 'missing'"),
    good("F06-pickle", "show pickle.estep", 4, "a pickle"),
    good("F09-no-folder", "fit normal good.csv -o nowhere/m.estep", 5, "the folder nowhere does not exist"),
    good("F09-a-folder", "fit normal good.csv -o folder.estep", 5, "folder.estep is a folder"),
    good("F09-path-too-long", f"fit normal good.csv -o {'x' * 300}.estep", 5, "name too long"),
    *(
        good(f"L02{word.replace(' ', '=')}", f"fit gaussian-mixture good.csv -k 2 {word}", 2, said)
        for word, said in [
            ("--seed -1", "--seed: -1 is out of range; give a whole number from 0"),
            ("--seed x", "--seed: 'x' is not a whole number"),
            ("--threads 0", "--threads: 0 is out of range; give a whole number from 1 to 1024"),
            ("--threads -1", "--threads: -1"),
            ("--threads 1000000", "--threads: 1000000"),
            ("--tol nan", "--tol: nan is out of range; give a number >= 0"),
            ("--tol inf", "--tol: inf is out of range"),
            ("--tol -1e-9", "--tol: -1e-9 is out of range"),
            ("--starts 0", "--starts: 0 is out of range"),
        ]
    ),
    good(
        "L03-of-a-command",
        "fit normal good.csv --tol x --max-iter y --weights z",
        2,
        "3 faults",
        "no column 'z'",
    ),
    csv("L03-bad-cells", "a,b\n" + "1,x\n" * 30 + "1,2\n" * 99, 3, "30 such cells", "row 1,", "and 10 more"),
    csv("L03-in-the-data", "a,b\n" + "1\n" * 100, 3, "100 faults in the data", "- and 80 more"),
]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """What the commands above find in their folder."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "good.csv").write_text(GOOD)
    (folder / "swapped.csv").write_text("b,a\n2,1\n1,2\n4,4\n5,3\n2,6\n")
    (folder / "pickle.estep").write_bytes(b"\x80\x04\x95" + bytes(60))
    for name in ("folder", "folder.estep"):
        (folder / name).mkdir()
    frame = pd.read_csv(folder / "good.csv")
    GaussianMixture(1, random_state=0).fit(frame).save(folder / "mixture.estep")
    GaussianMixture(1, random_state=0).fit(frame.rename(columns={"a": "c"})).save(folder / "other.estep")
    return folder


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_a_row_of_the_table(run, shelf, row):
    shutil.copytree(shelf, ".", dirs_exist_ok=True)
    if row.name:
        content = row.content.encode() if isinstance(row.content, str) else row.content
        Path(row.name).write_bytes(content)
    before = sorted(Path().iterdir())
    found = run(*row.command.split())
    assert found.code == row.code
    told = found.out + found.err if row.code == 0 else found.error
    for words in row.words:
        assert words in told
    assert (found.out == "") == (row.code != 0)
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("faults", [100], ids=["L03-twenty-of-a-hundred"])
def test_twenty_of_a_hundred_are_shown(run, faults):
    Path("bad.csv").write_text("a,b\n" + "1\n" * faults)
    listed = run("fit", "normal", "bad.csv").error.splitlines()
    assert len(listed) == 22
    assert listed[-1] == "- and 80 more"


@pytest.mark.parametrize("content", [b"a,b\r\n1,2\r\n\r\n2,1\n4,4\r3,5\n\n"], ids=["C09-rows"])
def test_as_many_rows_as_are_told(run, content):
    Path("mixed.csv").write_bytes(content)
    filled = run("impute", "mixed.csv")
    assert filled.out == "a,b\n1,2\n2,1\n4,4\n3,5\n"


@pytest.mark.parametrize(
    "other", [GOOD + "7,7\n", GOOD[:-8], GOOD.replace("6", "9")], ids=["C11-grows", "C11-cut", "C11-replaced"]
)
def test_a_file_that_changes_between_the_passes(run, monkeypatch, other):
    Path("data.csv").write_text(GOOD)
    impute = Normal.impute

    def grow(self, X):
        Path("data.csv").write_text(other)
        return impute(self, X)

    monkeypatch.setattr(Normal, "impute", grow)
    found = run("impute", "data.csv", "-o", "out.csv")
    assert found.code == 6
    assert "the data changed while they were read; run the command again" in found.error
    assert not Path("out.csv").exists()


def test_c12_a_named_pipe_and_standard_input(run):
    Path("good.csv").write_text(GOOD)
    os.mkfifo("pipe.csv")
    writer = threading.Thread(target=Path("pipe.csv").write_text, args=(GOOD,))
    writer.start()
    piped = run("fit", "normal", "pipe.csv")
    writer.join()
    assert piped.code == 0
    assert piped == run("fit", "normal", "good.csv") == run("fit", "normal", "-", stdin=GOOD.encode())


def test_c12_no_permission(run, monkeypatch):
    Path("data.csv").write_text(GOOD)  # its mode would not stop a test that runs as root
    opened = Path.open

    def refuse(self, *how, **more):
        if self.name == "data.csv":
            raise PermissionError(13, "Permission denied")
        return opened(self, *how, **more)

    monkeypatch.setattr(Path, "open", refuse)
    found = run("fit", "normal", "data.csv")
    assert found.code == 6
    assert "data.csv: it cannot be opened: Permission denied" in found.error


@pytest.mark.parametrize("part", ["parts/1.parquet", "parts/3.parquet"], ids=["C11-part", "C11-another-part"])
def test_a_folder_that_changes_between_the_passes(run, monkeypatch, part):
    whole = pa.table({"a": [1.0, 2, 4, 3, 6], "b": [2.0, 1, 4, None, 2]})
    Path("parts").mkdir()
    for i in (1, 2):
        pq.write_table(whole, f"parts/{i}.parquet")
    assert run("impute", "parts", "-o", "parts/out.parquet").code == 0  # what is written there is no change
    Path("parts/out.parquet").unlink()
    impute = Normal.impute

    def change(self, X):
        pq.write_table(whole.slice(0, 5), part, compression="none")
        return impute(self, X)

    monkeypatch.setattr(Normal, "impute", change)
    found = run("impute", "parts", "-o", "out.csv")
    assert found.code == 6
    assert "the data changed while they were read" in found.error
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    "rest", ["same", "empty", "other"], ids=["C12-folder", "P04-zero-rows", "P04-schemas"]
)
def test_a_folder_of_parquet_files(run, rest):
    whole = pa.table({"a": [1.0, 2, 4, 3, 6], "b": [2.0, 1, 4, 5, 2]})
    parts = {
        "same": whole.slice(3),
        "empty": whole.slice(5),
        "other": whole.slice(3).rename_columns(["a", "c"]),
    }
    Path("parts").mkdir()
    pq.write_table(whole.slice(0, 3) if rest != "empty" else whole, "parts/1.parquet")
    pq.write_table(parts[rest], "parts/2.parquet")
    Path("good.csv").write_text(GOOD)
    found = run("fit", "normal", "parts")
    if rest == "other":
        assert found.code == 3
        assert "parts/2.parquet and parts/1.parquet disagree on 'b: double', 'c: double'" in found.error
    else:
        assert found == run("fit", "normal", "good.csv")


def test_p05_an_extension_type_and_pickled_metadata_are_data_like_any_other(run):
    from array import array

    marker = Path("run.txt").absolute()
    evil = b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR."
    field = pa.field("a", pa.float64(), metadata={
        "ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": evil,
    })  # fmt: skip
    table = pa.table([pa.array(array("d", [1, 2, 4, 3, 6]))], pa.schema([field]))
    pyarrow.feather.write_feather(table, "evil.feather")
    found = run("fit", "normal", "evil.feather")
    assert found.code == 0
    assert "rows           5" in found.out
    assert not marker.exists()


@pytest.mark.parametrize(
    "text", ["x,y,word\n0.10,2,=1+2\n-2,,@a\n3,1,-4\n1e0,5,+b\n.5,4,-c\n"], ids=["M10-R02-cells-of-impute"]
)
def test_cells_of_impute(run, text):
    Path("data.csv").write_text(text)
    rows = [line.split(",") for line in run("impute", "data.csv").out.splitlines()[1:]]
    assert [row[0] for row in rows] == ["0.10", "-2", "3", "1e0", ".5"]
    assert [row[2] for row in rows] == ["'=1+2", "'@a", "-4", "'+b", "'-c"]
    raw = [line.split(",")[2] for line in run("impute", "data.csv", "--raw").out.splitlines()[1:]]
    assert raw == ["=1+2", "@a", "-4", "+b", "-c"]


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r"], ids=lambda mark: f"mark-{ord(mark)}")
def test_every_mark_that_a_spreadsheet_runs(mark):
    assert inert(f"{mark}cmd") == f"'{mark}cmd"


@pytest.mark.parametrize("text", ["-4", "-4,5", "+1e-7"])
def test_a_number_is_left_as_it_is(text):
    assert inert(text) == text


@pytest.mark.parametrize("place", ["/nonexistent"], ids=["X13-no-temporary-folder"])
def test_no_folder_for_temporary_files(run, monkeypatch, place):
    monkeypatch.setattr(tempfile, "tempdir", place)
    found = run("fit", "normal", "-", stdin=GOOD.encode())
    assert found.code == 5
    assert "no folder for temporary files: No such file or directory; set TMPDIR" in found.error


@pytest.mark.parametrize("nowhere", ["/nonexistent"], ids=["X12-X13-bare-environment"])
def test_a_bare_environment(run, tmp_path, nowhere):
    Path("good.csv").write_text(GOOD)
    expected = run("fit", "normal", "good.csv", "-v").out
    # PYTHONPATH as it is: the package may not be installed
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    bare = {"LC_ALL": "C", "TERM": "dumb", "NO_COLOR": "1", "HOME": nowhere, "TMPDIR": nowhere}
    done = subprocess.run(
        [sys.executable, "-c", "from estep.cli import main; raise SystemExit(main(['fit', 'normal', '-']))"],
        input=GOOD, capture_output=True, text=True, env=kept | bare, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == expected
