"""Rows C, P, S and M of FAULTS.md about files, other data and imputed cells, each at both doors."""

from __future__ import annotations

import io
import json
import os
import re
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from faults.doors import DOORS, Door, library, parquet

from estep import HMM, GaussianMixture, Normal
from estep.errors import DataError

GOOD = "a,b\n1,2\n2,1\n4,4\n3,5\n6,2\n"
X = np.array([[float(cell) for cell in line.split(",")] for line in GOOD.split()[1:]])
HUGE = ",".join(["1"] * 300_000)

# a name, its contents, exit code, words
FILES: dict[str, tuple[str, str | bytes, int, str]] = {
    "C02-unclosed-quote": ("a.csv", 'a,b\n"1,2\n3,4\n', 3, "quote opened in line 2 is never closed"),
    "C03-duplicate-header": ("a.csv", "a,a\n1,2\n", 3, "duplicate column names in the header: 'a'"),
    "C03-duplicate-header-in-quotes": ("a.csv", 'a,"a"\n1,2\n', 3, "duplicate column names in the header"),
    "C03-blank-header": ("a.csv", "a,,c\n1,2,3\n", 3, "blank column names .*column 1"),
    "C03-header-only": ("a.csv", "a,b\n", 3, "no rows below it"),
    "C03-empty": ("a.csv", "", 3, "the file is empty"),
    "C03-line-ends-only": ("a.csv", "\n\r\n\n", 3, "empty"),
    "C03-mark-only": ("a.csv", "\ufeff", 3, "empty"),
    "C05-mark": ("a.csv", "\ufeff" + GOOD, 0, ""),
    "C05-utf-16": ("a.csv", GOOD.encode("utf-16"), 3, "UTF-16"),
    "C05-utf-32": ("a.csv", GOOD.encode("utf-32"), 3, "UTF-"),
    "C05-latin-1": ("a.csv", "a,\xe9\n1,2\n".encode("latin-1"), 3, "line 1 is not UTF-8"),
    "C05-nul": ("a.csv", b"a,b\n1,\x002\n", 3, "line 2 holds a NUL byte"),
    "C05-zip": ("a.csv", b"PK\x03\x04" + bytes(90), 3, "zip|Excel|NUL"),
    "C05-png": ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(90), 3, "UTF-8|NUL"),
    "C06-semicolons": ("a.csv", "a;b\n1,5;2\n2,5;3\n", 3, "--sep ';'.*--decimal ,"),
    "C06-thousands": ("a.csv", 'a,b\n"1,234",2\n5,3\n7,1\n9,2\n', 3, "separators of thousands"),
    "C08-1e400": ("a.csv", GOOD + "1e400,2\n", 3, "'a' holds 1 infinite cell.*row 5"),
    "C08-thirty-digits": ("a.csv", GOOD + "1" * 30 + ",2\n", 0, "EM010"),
    "C08-long-row": ("a.csv", "a,b\n1," + "7" * 3_000_000 + "\n", 3, "a row is longer than"),
    "C08-many-columns": ("a.csv", HUGE + "\n" + HUGE + "\n", 3, "header|numbers|duplicate"),
    "C09-line-ends": ("a.csv", GOOD.replace("\n", "\r\n", 3).replace("\n4", "\n\n4"), 0, ""),
    "C09-no-last-line-end": ("a.csv", GOOD.rstrip(), 0, ""),
    "C09-trailing-comma": ("a.csv", "a,b\n1,2,\n2,1,\n", 3, r"row 0 .*3 cell\(s\), the header has 2"),
    "C09-ragged": ("a.csv", GOOD + "3\n", 3, r"row 5 .*1 cell"),
    "S01-ragged": ("a.csv", "a,b\n1,2\n3,4,5\n", 3, r"row 1 .*3 cell"),
    "C12-folder-of-nothing": ("a", "", 3, "holds no .parquet files"),
    "C12-missing": ("", "", 6, "there is no such file; check the path"),
    "C12-below-a-file": ("a.csv", GOOD, 6, "it cannot be opened"),
    "P01-text": ("a.parquet", GOOD, 3, "cannot be read as Parquet"),
    "P01-nothing": ("a.parquet", "", 3, "Parquet|empty"),
    "P01-two-magics": ("a.parquet", b"PAR1PAR1", 3, "cannot be read as Parquet"),
    "P02-text": ("a.feather", GOOD, 3, "cannot be read as Feather"),
    "P02-magic": ("a.arrow", b"ARROW1\x00\x00" + b"\xff" * 200 + b"ARROW1", 3, "cannot be read as Feather"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file(door: Door, name: str) -> None:
    place, content, code, words = FILES[name]
    path = Path(place or "nowhere.csv")
    if place == "a":
        path.mkdir()
    elif place:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    if name == "C12-below-a-file":
        path = path / "x.csv"
    found = door("normal", path)
    assert found.exit_code == code, found.told
    assert re.search(words, found.told, re.DOTALL), found.told
    assert (name[-1] == "y") or str(path) in found.told or code == 0  # it says which file
    if not words:
        assert found.loglik == pytest.approx(Normal().fit(X).loglik_, rel=1e-14)


@pytest.mark.parametrize("kind", ["zero", "folder"], ids=lambda kind: f"C12-{kind}")
def test_what_is_no_file(door: Door, kind: str) -> None:
    if kind == "zero":
        found = door("normal", Path("/dev/zero"))
        assert (found.exit_code, "NUL byte" in found.told) == (3, True)
        return
    Path("parts").mkdir()
    for i in (0, 1):
        pq.write_table(pa.table({"a": X[i::2, 0], "b": X[i::2, 1]}), f"parts/{i}.parquet")
    assert door("normal", Path("parts")).loglik == pytest.approx(Normal().fit(X).loglik_, rel=1e-14)


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("place", ["pipe", "pipe.csv"], ids=lambda place: f"C12-{place}")
def test_a_named_pipe(run: Any, place: str, kind: str) -> None:
    os.mkfifo(place)
    feeder = threading.Thread(target=Path(place).write_text, args=(GOOD,), daemon=True)
    feeder.start()
    if kind == "library":
        found = library("normal", Path(place)).loglik
    else:
        found = json.loads(run("fit", "normal", place, "--json").out)["loglik_"]
    feeder.join(60)
    assert found == Normal().fit(X).loglik_


@pytest.mark.parametrize("kind", ["P04-schemas", "P04-zero-rows", "P05-metadata"])
def test_parquet_in_parts_and_with_metadata(door: Door, kind: str) -> None:
    whole = pa.table({"a": X[:, 0], "b": X[:, 1]})
    Path("parts").mkdir()
    if kind == "P05-metadata":
        evil = {"ARROW:extension:name": "arrow.py_extension_type"}
        evil["ARROW:extension:metadata"] = f"cos\nsystem\n(S'touch {Path('run.txt').absolute()}'\ntR."
        fields = [pa.field(name, pa.float64(), metadata=evil) for name in "ab"]
        pyarrow.feather.write_feather(whole.cast(pa.schema(fields)), "evil.feather")
        assert door("normal", Path("evil.feather")).loglik == Normal().fit(X).loglik_
        assert not Path("run.txt").exists()
        return
    pq.write_table(whole, "parts/1.parquet")
    other = whole.slice(5) if kind == "P04-zero-rows" else whole.rename_columns(["a", "c"])
    pq.write_table(other, "parts/2.parquet")
    found = door("normal", Path("parts"))
    if kind == "P04-zero-rows":
        assert found.loglik == Normal().fit(X).loglik_
    else:
        assert found.exit_code == 3
        assert "parts/2.parquet and parts/1.parquet disagree on" in found.told


FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["a", "b"])
OTHERS: dict[str, tuple[Any, str, str]] = {
    "S02-fewer": (FRAME[["a"]], "", "no column 'b'; the data have 'a'"),
    "S02-names": (FRAME.rename(columns={"b": "B2"}), "", r"no column 'b' \(did you mean 'B2'\?\)"),
    "S02-order": (FRAME[["b", "a"]], "EM005", "taken by name"),
    "S02-text": (FRAME.assign(b="x"), "", "'b' (holds text|held numbers at the fit and holds text now)"),
}


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("name", OTHERS)
def test_other_columns_than_at_the_fit(run: Any, name: str, kind: str) -> None:
    data, code, words = OTHERS[name]
    model = GaussianMixture(2, random_state=0, n_init=1).fit(FRAME)
    model.save("m.estep")
    expected = model.predict(FRAME).tolist()
    if kind == "command-line":
        found = run("predict", parquet(data), "-m", "m.estep", "--only")
        assert found.code == (0 if code else 3)
        if not code:
            assert re.search(words, found.error)
        else:
            assert [int(each) for each in found.out.split()[1:]] == expected
    elif code:
        with pytest.warns(UserWarning, match=f"{code}.*{words}"):
            assert model.predict(data).tolist() == expected
    else:
        with pytest.raises(DataError, match=words):
            model.predict(data)


def in_another_thread(data: Any, work: Callable[[], Any]) -> Any:
    stop = threading.Event()

    def write() -> None:
        rng = np.random.default_rng(0)
        while not stop.is_set():
            data[rng.integers(len(data))] = rng.normal(size=data.shape[1])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return work()
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("words", ["gaussian-mixture -k 2 --starts 1"], ids=["S04"])
def test_an_array_that_another_thread_writes_to(words: str) -> None:
    """The rows are copied when they are framed: what is written later changes no fit."""
    data = np.random.default_rng(1).normal(size=(300, 3))
    found = in_another_thread(data, lambda: library(words + " --max-iter 20", data))
    assert found.exit_code == 0
    assert np.isfinite(found.loglik)
    assert found.codes <= {"EM001"}  # the objective never falls: all passes saw the same rows


@pytest.mark.parametrize(
    "make", [scipy.sparse.csr_array, scipy.sparse.coo_matrix], ids=["S05-csr", "S05-coo"]
)
def test_a_sparse_matrix(make: Any) -> None:
    found = library("normal", make(np.eye(3)))
    assert found.exit_code == 3
    assert "toarray()" in found.told


FILLED: dict[str, Any] = {
    "M01-blank-row": (np.vstack([X, [[np.nan, np.nan]]]), {"EM001"}),
    "M07-constant": (np.c_[X, [7.25, np.nan, 7.25, 7.25, np.nan]], {"EM004"}),
    "M10-odd-bits": (
        np.array([[0.1, -0.0], [1 / 3, np.nan], [np.nan, 5e-324], [2.5, 1e16], [1, 1]]),
        {"EM014"},
    ),
}


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("name", FILLED)
def test_cells_that_are_filled(run: Any, name: str, kind: str) -> None:
    data = FILLED[name][0]
    seen = ~np.isnan(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        normal = Normal().fit(data)
    if kind == "library":
        filled = normal.impute(data)
    else:
        found = run("impute", parquet(data), "-o", "out.parquet")
        assert found.code == 0
        filled = pq.read_table("out.parquet").to_pandas().to_numpy()
    assert filled[seen].tobytes() == data[seen].tobytes()
    assert np.isfinite(filled).all()
    if name == "M01-blank-row":
        np.testing.assert_allclose(filled[-1], normal.mean_, rtol=1e-12)
    if name == "M07-constant":
        np.testing.assert_array_equal(filled[:, 2], 7.25)


SERIES = pd.DataFrame({"count": [3.0, 9, 4, 8, 2, 7], "night": ["a", "a", "b", "b", "a", "a"]})


@pytest.mark.parametrize(
    "lengths", [[2, 2], [2, 2, 3], [6, 0], [-1, 7], [[6]], [2.5, 3.5]], ids=lambda n: f"H06-{n}"
)
def test_lengths_that_are_not_those_of_the_rows(lengths: Any) -> None:
    with pytest.raises(DataError, match="lengths must"):
        HMM(2, "poisson", n_init=1).fit(SERIES[["count"]], lengths=lengths)


@pytest.mark.parametrize("again", [4], ids=["H06-groups"])
def test_groups_that_are_not_together(run: Any, again: int) -> None:
    found = run("fit", "hmm", parquet(SERIES), "-k", "2", "--emission", "poisson", "--groups", "night")
    assert found.code == 3
    assert (
        f"the rows of group 'a' are not together: after other groups it begins again in row {again}"
        in found.error
    )
    assert "sort the rows by 'night'" in found.error


EVIL = {
    "script": "</script><script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "template": "{{7*7}}",
    "link": "javascript:alert(1)",
    "formula": "$\\frac{",
    "escape": "\x1b[2Jx",
}


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("name", EVIL, ids=[f"R01-{name}" for name in EVIL])
def test_a_hostile_name_is_inert(run: Any, name: str, kind: str) -> None:
    """In HTML and SVG of the library, and in what commands print; no template is run anywhere."""
    data = FRAME.rename(columns={"a": EVIL[name]})
    if kind == "command-line":
        found = run("fit", "normal", parquet(data))
        assert found.code == 0
        assert "\x1b" not in found.out
        assert "49" not in found.out.partition("Mean")[0] or name != "template"
        return
    model = Normal().fit(data)
    html, svg = model._repr_html_(), io.BytesIO()
    model.plot("density", data).figure.savefig(svg, format="svg")
    for text in (html, svg.getvalue().decode()):
        assert "alert(1)</script>" not in text
        assert "<img src=x" not in text
        assert not re.search(r"(href|src)=.javascript", text)
