"""Every fault is one sentence, an exit code, and no change on disk."""

import contextlib
import shutil
from pathlib import Path

import pandas as pd
import pytest

from estep import EM, Normal, datasets


def a_damaged_model():
    Normal().fit(datasets.load_iris().values).save("good.estep")
    data = bytearray(Path("good.estep").read_bytes())
    data[-3] ^= 1
    Path("damaged.estep").write_bytes(data)


def a_users_model():
    def estep(mean, block):
        return block.values.sum(), -float(((block.values - mean) ** 2).sum())

    def mstep(mean, total):
        return total / 3

    EM(0.0, estep, mstep, tol=1e-3).fit([[1.0], [2.0], [3.0]]).save("own.estep")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder of what the faulty commands below are given."""
    folder = tmp_path_factory.mktemp("shelf")
    with contextlib.chdir(folder):
        fill()
    return folder


def fill():
    Path("ragged.csv").write_text("a,b\n1,2\n3\n")
    Path("words.csv").write_text("a,b\nx,y\n")
    Path("empty.csv").write_text("")
    Path("quote.csv").write_text('a,b\n"1,2\n3,4\n')
    Path("latin.csv").write_bytes("a,b\n\xe9,2\n".encode("latin-1"))
    Path("forged.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    Path("dates.csv").write_text("a,b\n2024-01-01,2024-01-02\n")
    Path("nul.csv").write_bytes(b"a,b\n\x00,1\n")
    Path("pickle.estep").write_bytes(b"\x80\x04\x95" + bytes(60))
    Path("folder").mkdir()
    Path("folder.estep").mkdir()
    Path("data.csv").write_text("a,b\n1,2\n3,\n5,7\n")
    Path("data.xlsx").write_bytes(b"PK")
    Path("numbers.csv").write_text("1,2\n2,3\n3,5\n")
    Path("empty_columns.csv").write_text("a,b,c\n,,1\n,,2\n")
    Normal().fit(pd.DataFrame({"a": [1.0, 2.0, 4.0]})).save("named.estep")
    a_users_model()
    a_damaged_model()


FAULTS = [
    (
        2,
        "fit gausian-mixture data.csv",
        "no such model: 'gausian-mixture'; did you mean 'gaussian-mixture'? (see estep fit",
    ),
    (2, "fitt normal data.csv", "no such command: 'fitt'; did you mean 'fit'?"),
    (
        2,
        "fit normal data.csv --colums a",
        "no such option: --colums; did you mean --columns? (see estep fit normal",
    ),
    (2, "fit normal", "missing argument 'DATA'"),
    (2, "fit gaussian-mixture data.csv", "missing option '-k'"),
    (2, "fit gaussian-mixture data.csv -k 0", "--components: 0 is out of range; give a whole number >= 1"),
    (2, "fit gaussian-mixture data.csv -k -1", "--components: -1"),
    (2, "fit gaussian-mixture data.csv -k two", "--components: 'two' is not a whole number; give one >= 1"),
    (2, "fit gaussian-mixture data.csv -k 2 --seed -1", "--seed: -1"),
    (2, "fit gaussian-mixture data.csv -k 2 --covariance ful", "did you mean 'full'"),
    (2, "fit mixture data.csv -k 2 --family poison", "did you mean 'poisson'"),
    (2, "fit hmm data.csv -k 2 --emission poison", "did you mean 'poisson'"),
    (2, "fit normal data.csv --tol nan", "--tol: nan is out of range; give a number >= 0"),
    (2, "fit normal data.csv --tol -1", "--tol: -1 is out of range"),
    (2, "fit normal data.csv --tol abc", "--tol: 'abc' is not a number"),
    (2, "fit normal data.csv --max-iter 0", "--max-iter: 0"),
    (2, "fit normal data.csv --prior-rows -1", "--prior-rows: -1 is out of range"),
    (2, "fit normal data.csv --columns a,a", "distinct names"),
    (2, "fit normal data.csv --columns a,,b", "distinct names"),
    (2, "fit normal data.csv --sep ::", "--sep: '::' cannot separate cells"),
    (2, "fit normal data.csv -o model.csv", "suffix .estep"),
    (2, "fit normal data.csv -o -", "standard output"),
    (2, "fit normal example:unknown", "'unknown' is not a shipped data set; they are airquality, "),
    (2, "impute data.csv -o data.csv", "the data file itself"),
    (2, "impute data.csv -o out.xlsx", "suffixes .csv"),
    (2, "impute data.csv -o out.estep", "suffixes .csv"),
    (2, "impute ragged.csv -o out.estep", "suffixes .csv"),
    (2, "impute data.csv -m named.estep --columns a", "leave out --columns: with -m the model takes"),
    (2, "impute data.csv --groups a", "hidden Markov"),
    (2, "impute example:iris -m good.estep --groups Species", "hidden Markov"),
    (3, "fit normal ragged.csv", "row 1"),
    (3, "fit normal words.csv", "text"),
    (3, "fit normal dates.csv", "2 faults"),
    (3, "fit normal empty.csv", "empty"),
    (3, "fit normal quote.csv", "quote"),
    (3, "fit normal latin.csv", "UTF-8"),
    (3, "fit normal nul.csv", "NUL"),
    (3, "fit normal forged.parquet", "Parquet"),
    (3, "fit normal folder", "folder"),
    (3, "fit normal data.xlsx", "suffix"),
    (3, "fit normal good.estep", "it is a model file; `estep show` prints it"),
    (3, "fit normal data.csv --columns a,c", "no column 'c'; the data have 'a', 'b'"),
    (3, "fit normal numbers.csv", "the first line holds numbers (1, 2)"),
    (3, "fit normal empty_columns.csv", "columns 'a', 'b' have no seen value; drop them"),
    (3, "fit gaussian-mixture data.csv -k 9", "distinct rows"),
    (3, "fit ppca data.csv -k 2", "n_components"),
    (3, "fit mixture example:faithful -k 2 --family poisson", "'eruptions'"),
    (3, "fit normal /dev/zero", "/dev/zero"),
    (4, "show damaged.estep", "checksum"),
    (4, "show pickle.estep", "a pickle"),
    (4, "show data.csv", "not an estep model file"),
    (4, "show folder", "folder"),
    (4, "impute data.csv -m own.estep", "a user's own model: open it in Python with estep.load(path, estep"),
    (4, "impute data.csv -m damaged.estep", "checksum"),
    (5, "fit normal data.csv -o nowhere/m.estep", "does not exist"),
    (5, "fit normal data.csv -o folder.estep", "folder"),
    (5, "impute data.csv -o nowhere/out.csv", "does not exist"),
    (5, "impute data.csv -o folder", "folder"),
    (5, "demo --out data.csv", "data.csv"),
    (6, "fit normal nowhere.csv", "nowhere.csv: there is no such file; check the path"),
    (6, "fit normal nowhere.estep", "nowhere.estep: there is no such file"),
    (6, "show nowhere.estep", "nowhere.estep"),
]


@pytest.mark.parametrize(("code", "command", "words"), FAULTS, ids=[command for _, command, _ in FAULTS])
def test_a_fault_is_one_sentence_and_a_code(run, shelf, code, command, words):
    shutil.copytree(shelf, ".", dirs_exist_ok=True)
    before = {path.name: path.stat().st_size for path in Path().iterdir()}
    found = run(*command.split())
    assert found.code == code
    assert words in found.error
    assert found.out == ""
    assert {path.name: path.stat().st_size for path in Path().iterdir()} == before


def test_every_fault_of_the_data_is_listed(run, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,x\n2,3\n3,4\nu,4\n5,6\n")
    found = run("fit", "normal", "bad.csv")
    assert found.code == 3
    assert "2 faults" in found.err
    assert "column 'a'" in found.err
    assert "column 'b'" in found.err
