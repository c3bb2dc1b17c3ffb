"""CSV as others write it, and what is said of CSV that cannot be read.

IDs such as C05 name rows of the project's list of faults.
"""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from estep.data.convert.intake import Intake
from estep.data.files import read_table
from estep.data.formats.csvcells import CsvOptions
from estep.data.formats.csvread import read_csv
from estep.errors import DataError, EstepWarning, UsageError

NAN = float("nan")
SEMICOLON = {"separator": ";", "decimal": ","}


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = (np.where(np.isnan(x), np.nan, x) for x in (a, b))  # one NaN: its sign carries nothing
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def csv(folder: Path, content: bytes | str, **options):
    path = folder / "data.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, **options)


READ = {
    "C05-bom": (b'\xef\xbb\xbf"a",b\n1,2\n', {}, [[1, 2]]),
    "C09-mixed-line-ends": ("\na,b\n1,2\r3,4\r\n\n5,6\n\n7,8", {}, [[1, 2], [3, 4], [5, 6], [7, 8]]),
    "C09-mac": ("a,b\r1,2\r3,4\r", {}, [[1, 2], [3, 4]]),
    "C06-decimal-comma": ("a;b\n1,5;-,5\n", SEMICOLON, [[1.5, -0.5]]),
    "C06-decimal-comma-slowly": ("a;b\n1,5;true\n;true\n", SEMICOLON, [[1.5, 1], [NAN, 1]]),
    "C02-quotes": ('"a","b ""c"""\n"1","2"\n', {}, [[1, 2]]),
    "M09-missing": ('a,b,c\nNA," ",NaN\n,"", NULL \nN/A,nan,1\n', {}, [[NAN] * 3, [NAN] * 3, [NAN, NAN, 1]]),
    "M09-na-word": ("a,b\nno,1\n2,no\n", {"na": ["no"]}, [[NAN, 1], [2, NAN]]),
    "M09-na-number": ("a,b\n-999.0,1\n-999,2\n", {"na": "-999"}, [[NAN, 1], [NAN, 2]]),
    "signs": ("a,b\n+1.5,-.5e1\n 1. ,\t2\n", {}, [[1.5, -5], [1, 2]]),
    "true-and-false": ("a,b\ntrue,FALSE\n,True\n", {}, [[1, 0], [NAN, 1]]),
    "all-missing": ("a,b\n,\n,\n", {}, [[NAN, NAN], [NAN, NAN]]),
    "one-column": ('a\n1\n""\n3\n', {}, [[1], [NAN], [3]]),
    "columns": ("a,t,c\n1,x,3\n", {"columns": ["c", "a"]}, [[3, 1]]),
    "labels-as-names": ("0,1,2\n1,2,3\n", {}, [[1, 2, 3]]),
    "years-as-names": ("2019,2020\n1,2\n", {}, [[1, 2]]),
    "numbers-in-quotes-as-names": ('"0.5","0.1"\n1,2\n', {}, [[1, 2]]),
    "C08-1e400-as-missing": ("a\n1e400\n1\n", {"inf": "missing"}, [[NAN], [1]]),
    "line-break-in-a-cell-left-out": ('a,t\n1,"x\ny"\n2,z\n', {"columns": ["a"]}, [[1], [2]]),
}  # fmt: skip


@pytest.mark.parametrize(("content", "options", "expected"), READ.values(), ids=READ.keys())
def test_csv_as_others_write_it(tmp_path, content, options, expected):
    assert same_bits(csv(tmp_path, content, **options).values, np.array(expected, dtype=float))


REFUSED = {
    "C02-unclosed": ('a,b\n1,2\n"3,4\n5,6\n', {}, "the quote opened in line 3 is never closed; close it"),
    "C02-unclosed-at-the-end": ('a,b\n1,2\n5,"6', {}, "opened in line 3 is never closed"),
    "C02-two-unclosed": ('a,b\n1,2\n3,"4\n5,6\n7,"8\n', {}, "line 3: a quote .* not closed"),
    "C02-quote-in-a-cell": ('a,b\n1,2\n3,4"\n5,"6"\n', {}, "line 3: a quote inside a cell"),
    "C03-empty": ("", {}, "the file is empty"),
    "C03-only-empty-lines": ("\n\r\n", {}, "the file is empty"),
    "C03-header-only": ("a,b\n", {}, r"header \('a', 'b'\) and no rows"),
    "C03-duplicate": ("a,b,a\n1,2,3\n", {}, "duplicate column names in the header: 'a'; rename"),
    "C03-blank": (",a\n1,2\n", {}, r"blank column names .* column 0 .*index=False"),
    "C03-no-header-rising": ("1,2\n2,3\n3,5\n", {}, r"first line holds numbers \(1, 2\) and no names"),
    "C03-no-header-one-column": ("5\n3\n4\n", {}, r"first line holds numbers \(5\) and no names"),
    "C03-no-header": ("5.1,3.5\n4.9,3.0\n", {}, r"first line holds numbers \(5.1, 3.5\) and no names"),
    "C05-utf-16": ("a,b\n1,2\n".encode("utf-16"), {}, "UTF-16; save it as UTF-8"),
    "C05-utf-16-without-mark": ("a,b\n1,2\n".encode("utf-16-le"), {}, "line 1 holds a NUL byte.* UTF-16"),
    "C05-latin-1": ("a,b\n1,2\n\xe9,3\n".encode("latin-1"), {}, "line 3 is not UTF-8 .*0xe9.*save"),
    "C05-latin-1-in-the-header": ("\xe9,b\n1,2\n".encode("latin-1"), {}, "line 1 is not UTF-8"),
    "C05-cut-character": ("a,b\n1,2\nü".encode()[:-1], {}, "line 3 is not UTF-8"),
    "C05-nul": (b"a,b\n1,2\n3,4\x00\n", {}, "line 3 holds a NUL byte"),
    "C05-binary": (bytes(range(256)) * 9, {}, "NUL byte: the file is binary"),
    "C05-parquet": (b"PAR1\x15\x00", {}, r"this is a Parquet file; give it the suffix \.parquet"),
    "C05-gzip": (b"\x1f\x8b\x08\x00\x00", {}, "this is a gzip file; decompress it"),
    "C06-semicolons": ("a;b\n1,5;2,5\n", {}, r"separator=';' \(--sep ';'\), and decimal=',' \(--decimal ,\)"),
    "C06-tabs": ("a\tb\n1\t2\n", {}, r"separator='\\t'"),
    "C06-decimal-comma": ("a;b\n1,5;2\n", {"separator": ";"}, r"'a' .*'1,5' in row 0 .*decimal=','"),
    "C06-decimal-commas-between-commas": ("a,b\n1,5,2,5\n", {}, "row 0 .* 4 cell.*decimal commas need"),
    "C06-thousands": ('a,b\n"1,234",2\n', {}, "'a' .*'1,234' in row 0 .*thousands"),
    "C06-point-for-comma": ("a;b\n1.5;2\n", SEMICOLON, "decimal sign was said to be ','"),
    "C08-1e400": ("a,b\n1,2\n1e400,3\n", {}, r"'a' holds 1 infinite cell .*beyond float64.*row 1 .*NaN"),
    "C08-3-MB-cell": ("a,b\n" + "1" * 3_000_000 + ",2\n", {}, r"a row is longer than \d+ bytes"),
    "C08-1e6-columns": (",".join(f"x{j}" for j in range(10**6)), {}, "header is longer than .*transposed"),
    "C09-trailing-comma": ("a,b\n1,2\n3,4,\n", {}, "row 1 .* has 3 cell.s., the header has 2: '3,4,'"),
    "short-and-long-rows": ("a,b\n1,2\n3\n\n5,6,7\n8,9\n", {}, r"(?s)2 faults.*row 1 .*1 cell.*row 2 .*3 c"),
    "M09-word": ("a\n1\nmiss\n3\n", {"text": "codes"}, r"'miss' in row 1 .*2 cells .*na=\['miss'\]"),
    "dates": ("a\n2020-01-01\n2020-01-02\n", {"text": "codes"}, "'a' holds dates"),
    "hexadecimal": ("a\n0x10\n", {}, "'a' holds text, for instance '0x10' in row 0"),
    "underscores": ("a,b\n1,2\n1_0,3\n", {}, "'a' holds text, for instance '1_0' in row 1"),
    "no-column": ("height,b\n1,2\n", {"columns": ["hight_"]}, r"no column 'hight_' \(did you mean 'height'"),
    "column-twice": ("a,b\n1,2\n", {"columns": ["a", "a"]}, "distinct columns"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "options", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_csv_that_cannot_be_read_is_named_with_a_way_out(tmp_path, content, options, words):
    with pytest.raises(DataError, match=words) as caught:
        csv(tmp_path, content, **options)
    assert str(caught.value).startswith(f"{tmp_path / 'data.csv'}: ")


def test_the_first_20_of_many_bad_rows_are_listed(tmp_path):
    with pytest.raises(DataError, match="30 faults") as caught:
        csv(tmp_path, "a,b\n1,2\n" + "1,2,3\n" * 30)
    assert len(str(caught.value).splitlines()) == 22


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_quotes_and_characters_may_lie_across_chunks(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr("estep.data.formats.csvscan.CHUNK", chunk)
    assert csv(tmp_path, 'a,"ü ""b"""\n"1",2\n').names == ("a", 'ü "b"')
    for bad, line in (('a,b\n"1"2,3\n', 2), ('a,b\n1,2\n3"",4\n', 3), ('a,b\n"1,2\n"3,4\n', 2)):
        with pytest.raises(DataError, match=f"line {line}: a quote"):
            csv(tmp_path, bad)
    with pytest.raises(DataError, match="line 2 is not UTF-8"):
        csv(tmp_path, b"a,b\n1,\xc3\n")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        pytest.param("9007199254740993,1", "EM010: column 'a' holds integers", id="C08-2**53+1"),
        pytest.param("-" + "9" * 30 + ",?", "EM010: column 'a' holds integers", id="C08-30-digits-beside-?"),
        pytest.param(
            "1,?\n2,3\n?,4", "EM011: taken as missing: column 'a' holds 1x '.', column 'b'", id="M09-?"
        ),
        pytest.param(
            "1,-999\n2,3\n5,-999",
            r"EM011: column .*'b' \(2 times -999\).* may hold a code.*na=\['-999'\].*--na -999",
            id="M09--999",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::estep.errors.EstepWarning")
def test_what_is_taken_with_a_warning(tmp_path, cells, words):
    with pytest.warns(EstepWarning, match=words):
        table = csv(tmp_path, f"a,b\n{cells}\n0,0\n")
    assert table.values.shape == (cells.count("\n") + 2, 2)


@pytest.mark.parametrize("cells", ["9007199254740992", "1e300", "1.5e17"])
def test_large_numbers_that_are_exact_or_no_integers_give_no_warning(tmp_path, cells):
    assert csv(tmp_path, f"a\n{cells}\n").values[0, 0] == float(cells)


def test_senseless_options(tmp_path):
    for options in (
        {"separator": ";;"},
        {"separator": "1"},
        {"decimal": ";"},
        {"decimal": ","},
        {"text": "no"},
    ):
        with pytest.raises(UsageError, match=r"decimal|text"):
            csv(tmp_path, "a,b\n1,2\n", **options)


def test_a_read_under_way_when_the_first_parse_fails_does_not_move_the_file_below_the_second():
    class Slow(io.BytesIO):
        def read(self, size=-1):
            if threading.current_thread() is not threading.main_thread():
                time.sleep(0.01)
            return super().read(size)

    content = ("a,b\n" + "1" * 3_000_000 + ",2\n").encode()
    for _ in range(8):  # one file below both parsers failed in about half of them
        with pytest.raises(DataError, match="a row is longer"):
            read_csv(Slow(content), Intake(), CsvOptions(), None)
