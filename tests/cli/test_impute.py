"""`estep impute`: holes are filled by the model, and nothing else is touched."""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from estep import Normal, datasets
from estep.data.files import read_table
from estep.data.table import as_table

AIR = ("Ozone", "Solar.R", "Wind", "Temp")
COLUMNS = ("--columns", ",".join(AIR))
MIXED = """\
id,name,day,zip,flag,x,y
12345678901234567890,ann,2024-01-01,01234,true,1.50,2
2,"bob ""b"", jr",2024-01-02,00001,false,,3
3,NA,,5,true,2.50,?
4,dee,2024-01-05,7,,0.1e1,1

5,,2024-01-06,8,true,NA,
"""


def cells(text, **how):
    return list(csv.reader(io.StringIO(text), **how))


def test_without_a_model_a_normal_is_fitted(run):
    found = run("impute", "example:airquality", *COLUMNS)
    assert found.code == 0
    assert "a normal is fitted to Ozone, Solar.R, Wind, Temp" in found.err
    assert "filled 44 cells in 42 rows: Ozone 37, Solar.R 7" in found.err
    air = datasets.load_airquality()
    expected = air.values.copy()
    expected[:, :4] = Normal().fit(air.select(*AIR)).impute(air.select(*AIR))
    header, *rows = cells(found.out)
    assert tuple(header) == air.columns
    np.testing.assert_array_equal(np.array(rows, dtype=float), expected)


def test_with_a_model_its_columns_are_filled(run):
    run("fit", "normal", "example:airquality", *COLUMNS, "-o", "air.estep")
    by_model = run("impute", "example:airquality", "-m", "air.estep")
    assert by_model.code == 0
    assert by_model.out == run("impute", "example:airquality", *COLUMNS).out


def test_the_model_finds_its_columns_by_name(run, tmp_path):
    run("fit", "normal", "example:airquality", *COLUMNS, "-o", "air.estep")
    (tmp_path / "new.csv").write_text("Temp,note,Wind,Ozone,Solar.R\n67,a,7.4,,190\n,b,8,36,118\n")
    found = run("impute", "new.csv", "-m", "air.estep")
    assert found.code == 0
    assert "warning" not in found.err
    rows = cells(found.out)
    assert rows[0] == ["Temp", "note", "Wind", "Ozone", "Solar.R"]
    assert rows[1][:3] == ["67", "a", "7.4"]
    assert 0 < float(rows[1][3]) < 100
    assert 40 < float(rows[2][0]) < 110


def test_every_cell_but_the_holes_comes_out_as_the_same_text(run, tmp_path):
    (tmp_path / "mixed.csv").write_bytes(b"\xef\xbb\xbf" + MIXED.replace("\n", "\r\n").encode())
    found = run("impute", "mixed.csv", "--columns", "x,y")
    assert found.code == 0
    before = [row for row in cells(MIXED) if row]
    after = cells(found.out)
    assert len(after) == len(before)
    for old, new in zip(before[1:], after[1:], strict=True):
        assert new[:5] == old[:5]
        for was, now in zip(old[5:], new[5:], strict=True):
            if was in ("", "NA", "?"):
                assert np.isfinite(float(now))
            else:
                assert now == was


def test_the_separator_and_the_decimal_sign_are_kept(run, tmp_path):
    (tmp_path / "de.csv").write_text("a;b;wort\n1,5;2,25;-x\n;3;+y\n2,5;4;z\n0,5;;z\n")
    found = run("impute", "de.csv", "--sep", ";", "--decimal", ",", "--raw")
    assert found.code == 0
    rows = cells(found.out, delimiter=";")
    assert rows[1] == ["1,5", "2,25", "-x"]
    assert np.isfinite(float(rows[2][0].replace(",", ".")))


def test_text_that_a_spreadsheet_would_run_is_made_inert(run, tmp_path):
    (tmp_path / "data.csv").write_text("x,y,word\n1,2,=1+2\n-2,,@a\n3,1,-4\n0,5,plain\n")
    guarded = run("impute", "data.csv")
    assert [row[2] for row in cells(guarded.out)] == ["word", "'=1+2", "'@a", "-4", "plain"]
    assert "--raw" in guarded.err
    raw = run("impute", "data.csv", "--raw")
    assert [row[2] for row in cells(raw.out)] == ["word", "=1+2", "@a", "-4", "plain"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "feather"])
def test_every_format_holds_the_same_numbers(run, tmp_path, suffix):
    found = run("impute", "example:airquality", *COLUMNS, "-o", f"filled.{suffix}")
    assert found.out == ""
    assert f"wrote filled.{suffix}" in found.err
    table = read_table(tmp_path / f"filled.{suffix}", columns=AIR)
    air = as_table(datasets.path("airquality")).select(AIR)
    np.testing.assert_array_equal(table.values, Normal().fit(air).impute(air))


def test_columns_of_parquet_keep_their_types(run, tmp_path):
    table = pa.table(
        {
            "id": pa.array([2**60, 1, 2, 3]),
            "when": pa.array([0, 1, None, 3], pa.timestamp("ms")),
            "x": pa.array([1, None, 3, 5], pa.int32()),
            "y": pa.array([1.5, 2.5, 2.0, 9.0]),
            "n": pa.array([1, 5, 2, 4], pa.int16()),
        }
    )
    pq.write_table(table, tmp_path / "data.parquet")
    assert run("impute", "data.parquet", "--columns", "x,y,n", "-o", "out.feather").code == 0
    after = pyarrow.feather.read_table(tmp_path / "out.feather")
    assert after.drop_columns("x").equals(table.drop_columns("x"))
    assert after["x"].null_count == 0
    assert after["x"].to_pylist()[::2] == [1.0, 3.0]


def test_missing_categories_become_the_most_probable(run, tmp_path):
    (tmp_path / "pets.csv").write_text("pet,food\n" + "cat,fish\n" * 9 + "dog,bone\n" * 9 + "dog,\n")
    run("fit", "mixture", "pets.csv", "--family", "categorical", "-k", 2, "-o", "pets.estep")
    found = run("impute", "pets.csv", "-m", "pets.estep")
    assert found.out.splitlines()[-1] == "dog,bone"


def test_a_hidden_chain_fills_by_sequence(run, tmp_path):
    lines = [f"{s},{v}" for s in "ab" for v in [0, 0.1, "", 0.2, 5, 5.1, "", 5.2]]
    (tmp_path / "data.csv").write_text("series,v\n" + "\n".join(lines) + "\n")
    run("fit", "hmm", "data.csv", "-k", 2, "--groups", "series", "-o", "m.estep")
    found = run("impute", "data.csv", "-m", "m.estep", "--groups", "series")
    assert found.code == 0
    filled = np.array([row[1] for row in cells(found.out)[1:]], dtype=float).reshape(2, 8)
    np.testing.assert_array_equal(filled[0], filled[1])
    assert filled[0, 2] < 1
    assert filled[0, 6] > 4


def test_from_standard_input_to_standard_output(run):
    text = datasets.path("airquality").read_bytes()
    piped = run("impute", "-", *COLUMNS, stdin=text)
    assert piped.code == 0
    assert piped.out == run("impute", "example:airquality", *COLUMNS).out


def test_faults_of_standard_input_are_told_as_such(run):
    found = run("impute", "-", stdin=b"a,b\n1,2\n3\n")
    assert found.code == 3
    assert found.error.startswith("error: standard input: row 1")


def test_numbers_as_names_stay_names(run, tmp_path):
    (tmp_path / "years.csv").write_text('"1.5","2.5"\n1,2\n,3\n5,4\n')
    found = run("impute", "years.csv", "-o", "out.csv")
    assert found.code == 0
    assert read_table(tmp_path / "out.csv").names == ("1.5", "2.5")


def test_a_file_without_holes_comes_out_unchanged(run):
    found = run("impute", "example:earthquakes")
    assert "no cell is missing" in found.err
    assert found.out == datasets.path("earthquakes").read_text()


def test_an_old_file_survives_a_full_disk(run, tmp_path, monkeypatch):
    from estep.cli import writing

    (tmp_path / "out.csv").write_text("old")
    plain = writing.inert
    left = iter(range(100))

    def full(cell):
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        return plain(cell)

    monkeypatch.setattr(writing, "inert", full)
    found = run("impute", "example:airquality", *COLUMNS, "-o", "out.csv")
    assert found.code == 5
    assert "No space left" in found.error
    assert (tmp_path / "out.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_data_that_change_while_they_are_read(run, tmp_path, monkeypatch):
    path = tmp_path / "data.csv"
    path.write_text("a,b\n1,2\n,3\n5,4\n")
    impute = Normal.impute

    def grow(self, X):
        path.write_text(path.read_text() + "6,7\n")
        return impute(self, X)

    monkeypatch.setattr(Normal, "impute", grow)
    found = run("impute", "data.csv", "-o", "out.csv")
    assert found.code == 6
    assert "changed while they were read" in found.error
    assert not (tmp_path / "out.csv").exists()


def test_draws_stand_one_below_the_other(run, tmp_path):
    found = run("impute", "example:airquality", *COLUMNS, "--draws", "3", "--seed", "7")
    assert found.code == 0
    assert "filled 44 cells in 42 rows: Ozone 37, Solar.R 7; 3 times" in found.err
    air = datasets.load_airquality()
    tables = Normal().fit(air.select(*AIR)).impute(air.select(*AIR), draws=3, random_state=7)
    header, *rows = cells(found.out)
    assert header == ["imputation", *air.columns]
    stacked = np.array(rows, dtype=float)
    np.testing.assert_array_equal(stacked[:, 0], np.repeat([1, 2, 3], len(air.values)))
    np.testing.assert_array_equal(stacked[:, 1:5], tables.reshape(-1, 4))

    assert (
        run("impute", "example:airquality", *COLUMNS, "--draws", "3", "--seed", "7", "-o", "d.parquet").code
        == 0
    )
    typed = pq.read_table(tmp_path / "d.parquet")
    assert typed.column_names == header
    np.testing.assert_array_equal(typed["Ozone"].to_numpy(), stacked[:, 1])
    assert typed["imputation"].to_pylist() == stacked[:, 0].tolist()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("impute a.csv --draws 2 --name y", "column y already; name the new one with --name"),
        ("impute a.csv --draws 0", "--draws"),
        ("impute a.csv --seed 3", "--seed and --name are for --draws"),
        ("impute a.csv -m two.estep --draws 2", "--draws needs a normal, and not a GaussianMixture"),
    ],
)
def test_draws_that_cannot_be(run, tmp_path, command, words):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n2,\n3,5\n4,8\n5,8\n6,9\n7,15\n")
    run("fit", "gaussian-mixture", "a.csv", "-k", "1", "-o", "two.estep")
    found = run(*command.split())
    assert found.code == 2
    assert words in " ".join(found.err.split())
    assert not found.out
