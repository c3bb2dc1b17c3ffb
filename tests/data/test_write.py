"""What is written: the old file or the whole new one, and nothing that a spreadsheet would run.

IDs such as F09 name rows of the project's list of faults.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from estep.data.files import read_table, write_table
from estep.errors import EstepError, ResourceError, UsageError

NAN = float("nan")
SUFFIXES = [".csv", ".tsv", ".txt", ".parquet", ".feather", ".arrow"]
posix = pytest.mark.skipif(os.name == "nt", reason="links and devices as POSIX has them")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather"])
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"a{suffix}"
    write_table(path, ["a"], [[1]])
    old = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match=rf"cannot write .*a\{suffix}: No space left"):
        write_table(path, ["a"], [[2]])
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


@posix
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather"], ids=lambda suffix: f"F09-{suffix}")
def test_a_full_disk_leaves_the_old_file(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_table(path, ["a"], [[1]])
    old = path.read_bytes()
    code = (
        "import resource, sys, numpy as np; from estep.data.files import write_table;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000));"
        "write_table(sys.argv[1], ['a'], np.random.default_rng(0).normal(size=(10**5, 1)))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert "ResourceError: cannot write" in done.stderr
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_links_permissions_and_devices(tmp_path):
    path, link = tmp_path / "a.csv", tmp_path / "link.csv"
    write_table(path, ["a"], [[1]])
    path.chmod(0o640)
    link.symlink_to(path)
    write_table(link, ["a"], [[2]])
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert read_table(path).values.tolist() == [[2]]
    write_table("/dev/null", ["a"], [[1]])
    assert not Path("/dev/null").is_file()


F09 = {
    "folder": (".", r"it is a folder"),
    "no-folder": ("none/a.csv", "does not exist; make it"),
    "long": ("a" * 300 + ".csv", "name too long"),
    "nul": ("\0.csv", "null"),
}


@pytest.mark.parametrize(("name", "words"), F09.values(), ids=[f"F09-{key}" for key in F09])
def test_a_place_that_cannot_be_written(tmp_path, name, words):
    (tmp_path / "b.csv").mkdir()
    target = tmp_path / ("b.csv" if name == "." else name)
    with pytest.raises(ResourceError, match=f"cannot write .*{words}"):
        write_table(target, ["a"], [[1]])


UNFIT = {
    "suffix": ("a.xlsx", ["a"], [[1]], None, "suffixes"),
    "names": ("a.csv", ["a", "b"], [[1]], None, "2 names and 2 levels for values of shape"),
    "one-dimension": ("a.csv", ["a"], [1], None, "shape"),
    "duplicate": ("a.csv", ["a", "a"], [[1, 2]], None, "duplicate column names: 'a'"),
    "blank": ("a.csv", [" "], [[1]], None, "name of column 0 .* is blank"),
    "half-a-character": ("a.csv", ["\ud800"], [[1]], None, "surrogate"),
    "text": ("a.csv", ["a"], [["x"]], None, "cannot be written"),
    "level": ("a.csv", ["a"], [[1]], [["x"]], "'a' holds other numbers than the codes of its 1 levels"),
    "half-a-level": ("a.csv", ["a"], [[0.5]], [["x", "y"]], "other numbers"),
}


@pytest.mark.parametrize("case", UNFIT.values(), ids=UNFIT.keys())
def test_names_values_and_levels_that_do_not_fit(tmp_path, case):
    name, names, values, levels, words = case
    with pytest.raises(UsageError, match=words):
        write_table(tmp_path / name, names, values, levels=levels)
    assert list(tmp_path.iterdir()) == []


def test_text_that_a_spreadsheet_would_run_is_made_inert(tmp_path):
    path = tmp_path / "a.csv"
    values, levels = [[0, -1], [1, 2], [2, NAN]], [["=1+1", "-5", "@x"], None]
    write_table(path, ["+a", "b"], values, levels=levels)
    assert path.read_text() == '\'+a,b\n"\'=1+1",-1\n"-5",2\n"\'@x",\n'
    write_table(path, ["+a", "b"], values, levels=levels, raw=True)
    assert path.read_text() == '+a,b\n"=1+1",-1\n"-5",2\n"@x",\n'


def test_standard_output_stays_open(capfdbinary):
    for _ in range(2):
        write_table("-", ["a", "b"], [[0.1, NAN], [1e22, -0.0]])
    assert capfdbinary.readouterr().out == b"a,b\n0.1,\n1e+22,-0\n" * 2


def test_a_table_without_rows_is_written_and_refused_when_read(tmp_path):
    for suffix in SUFFIXES:
        write_table(tmp_path / f"a{suffix}", ["a", "b"], np.empty((0, 2)))
        with pytest.raises(EstepError, match=r"no rows|0 sample\(s\)"):
            read_table(tmp_path / f"a{suffix}")
