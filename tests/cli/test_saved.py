"""`estep predict`, `score` and `sample`: the answers are the saved model's, beside a table left as it was."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from estep import HMM, GaussianMixture, Mixture, Normal, datasets, load
from estep.data.files import read_table

FAITHFUL = datasets.load_faithful()
SERIES = "series,count\n" + "".join(f"{s},{c}\n" for s in "ab" for c in (3, 4, 2, 19, 21, 20, 3, 2))


def cells(text, **how):
    return list(csv.reader(io.StringIO(text), **how))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Model files, and the estimators they were saved from."""
    folder = tmp_path_factory.mktemp("models")
    frame = read_table(datasets.path("faithful"))
    pets = [["cat", "fish"]] * 9 + [["dog", "bone"]] * 9
    made = {
        "mixture": GaussianMixture(2, random_state=0).fit(frame),
        "normal": Normal().fit(frame),
        "unnamed": GaussianMixture(2, random_state=0).fit(FAITHFUL.values),
        "chain": HMM(2, "poisson", random_state=0).fit(
            np.array([[float(c)] for c in (3, 4, 2, 19, 21, 20, 3, 2) * 2]), lengths=[8, 8]
        ),
        "pets": Mixture(2, "categorical", random_state=0).fit(pd.DataFrame(pets, columns=["pet", "food"])),
    }
    for name, estimator in made.items():
        estimator.save(folder / f"{name}.estep")
    return folder, made


def test_a_label_for_each_row_beside_the_table(run, shelf):
    folder, made = shelf
    found = run("predict", "example:faithful", "-m", folder / "mixture.estep")
    assert (found.code, found.err) == (0, "")
    header, *rows = cells(found.out)
    before = cells(datasets.path("faithful").read_text())
    assert header == [*before[0], "label"]
    assert [row[:2] for row in rows] == before[1:]
    assert [int(row[2]) for row in rows] == made["mixture"].predict(FAITHFUL.values).tolist()


def test_probabilities_to_the_last_bit_and_only_the_new_columns(run, shelf):
    folder, made = shelf
    words = ("--probabilities", "--only", "--name", "group")
    found = run("predict", "example:faithful", "-m", folder / "mixture.estep", *words)
    header, *rows = cells(found.out)
    assert header == ["group", "group_p0", "group_p1"]
    shares = np.array(rows, dtype=float)[:, 1:]
    np.testing.assert_array_equal(shares, made["mixture"].predict_proba(FAITHFUL.values))


@pytest.mark.parametrize("suffix", ["csv", "parquet", "feather"])
def test_every_format_holds_the_same_numbers_with_types(run, shelf, tmp_path, suffix):
    folder, made = shelf
    out = tmp_path / f"out.{suffix}"
    found = run("predict", "example:faithful", "-m", folder / "mixture.estep", "--probabilities", "-o", out)
    assert (found.out, found.err) == ("", f"wrote {out}\n")
    table = read_table(out)
    np.testing.assert_array_equal(table.values[:, :2], FAITHFUL.values)
    np.testing.assert_array_equal(table.values[:, 3:], made["mixture"].predict_proba(FAITHFUL.values))
    if suffix != "csv":
        read = pq.read_table if suffix == "parquet" else pyarrow.feather.read_table
        assert [str(field.type) for field in read(out).schema] == [
            "double", "double", "int64", "double", "double",
        ]  # fmt: skip


def test_a_parquet_table_keeps_its_types(run, shelf, tmp_path):
    import pyarrow as pa

    table = pa.table({"waiting": pa.array([79, 54], pa.int16()), "eruptions": [3.6, 1.8], "who": ["a", "b"]})
    pq.write_table(table, tmp_path / "in.parquet")
    found = run("predict", "in.parquet", "-m", shelf[0] / "mixture.estep", "-o", "out.parquet")
    assert found.code == 0
    after = pq.read_table(tmp_path / "out.parquet")
    assert after.drop_columns("label").equals(table)
    assert after["label"].to_pylist() == shelf[1]["mixture"].predict([[3.6, 79], [1.8, 54]]).tolist()


def test_a_model_without_names_takes_columns_by_position(run, shelf):
    folder, made = shelf
    found = run("predict", "example:faithful", "-m", folder / "unnamed.estep", "--only")
    assert [int(row[0]) for row in cells(found.out)[1:]] == made["unnamed"].predict(FAITHFUL.values).tolist()
    swapped = run(
        "score",
        "example:faithful",
        "-m",
        folder / "unnamed.estep",
        "--columns",
        "waiting,eruptions",
        "--json",
    )
    expected = made["unnamed"].loglik(FAITHFUL.values[:, ::-1])
    assert json.loads(swapped.out)["loglik"] == expected


def test_the_states_of_sequences(run, shelf, tmp_path):
    folder, made = shelf
    (tmp_path / "series.csv").write_text(SERIES.replace("count", "x0"))
    words = ("-m", folder / "chain.estep", "--columns", "x0", "--groups", "series", "--probabilities")
    found = run("predict", "series.csv", *words)
    assert found.code == 0
    rows = np.array([row[1:] for row in cells(found.out)[1:]], dtype=float)
    how = {"lengths": [8, 8]}
    np.testing.assert_array_equal(rows[:, 1], made["chain"].predict(rows[:, :1], **how))
    np.testing.assert_array_equal(rows[:, 2:], made["chain"].predict_proba(rows[:, :1], **how))
    scored = run("score", "series.csv", *words[:-1], "--json", "-o", "rows.csv", "--only")
    assert json.loads(scored.out)["loglik"] == made["chain"].loglik_
    logs = read_table(tmp_path / "rows.csv").values
    np.testing.assert_array_equal(logs[:, 0], made["chain"].score_samples(rows[:, :1], **how))


def test_the_score_of_the_training_data_is_the_fits(run, shelf):
    folder, made = shelf
    document = json.loads(run("score", "example:faithful", "-m", folder / "mixture.estep", "--json").out)
    loglik = made["mixture"].loglik_
    assert document == {
        "model": "GaussianMixture",
        "rows": 272,
        "weight": 272.0,
        "loglik": loglik,
        "loglik_per_row": loglik / 272,
    }
    text = run("score", "example:faithful", "-m", folder / "mixture.estep")
    assert text.out.splitlines() == [
        "rows            272",
        "log-likelihood  -1130.264",
        "per row         -4.15538",
    ]


def test_row_scores_take_the_place_of_the_total(run, shelf):
    folder, made = shelf
    found = run(
        "score", "-", "-m", folder / "normal.estep", "-o", "-", stdin=datasets.path("faithful").read_bytes()
    )
    header, *rows = cells(found.out)
    assert header == ["eruptions", "waiting", "loglik"]
    logs = np.array([row[2] for row in rows], dtype=float)
    np.testing.assert_array_equal(logs, made["normal"].score_samples(FAITHFUL.values))


def test_a_weight_of_two_scores_as_the_row_twice(run, shelf, tmp_path):
    folder, _ = shelf
    (tmp_path / "weighted.csv").write_text("eruptions,waiting,w\n3.6,79,2\n1.8,54,1\n")
    (tmp_path / "twice.csv").write_text("eruptions,waiting\n3.6,79\n3.6,79\n1.8,54\n")
    model = folder / "mixture.estep"
    weighted = json.loads(run("score", "weighted.csv", "-m", model, "--weights", "w", "--json").out)
    twice = json.loads(run("score", "twice.csv", "-m", model, "--json").out)
    assert weighted["loglik"] == pytest.approx(twice["loglik"], rel=1e-14)
    assert weighted["loglik_per_row"] == pytest.approx(twice["loglik_per_row"], rel=1e-14)
    assert (weighted["rows"], weighted["weight"]) == (2, 3.0)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_drawn_rows_are_the_librarys_for_the_seed(run, shelf, tmp_path, suffix):
    model = shelf[0] / "mixture.estep"
    words = ("sample", model, "-n", 7, "--seed", 3, "--labels", "-o", tmp_path / f"drawn.{suffix}")
    assert run(*words).code == 0
    table = read_table(tmp_path / f"drawn.{suffix}")
    assert table.names == ("eruptions", "waiting", "label")
    values, labels = load(model).set_params(random_state=3).sample(7)
    np.testing.assert_array_equal(table.values, np.column_stack([values, labels]))
    assert run("sample", model, "-n", 7, "--seed", 4).out != run("sample", model, "-n", 7, "--seed", 3).out


def test_drawn_categories_are_words(run, shelf):
    found = run("sample", shelf[0] / "pets.estep", "-n", 20)
    header, *rows = cells(found.out)
    assert header == ["pet", "food"]
    assert {tuple(row) for row in rows} == {("cat", "fish"), ("dog", "bone")}


def test_words_that_a_spreadsheet_would_run_are_made_inert_in_every_output(run, tmp_path):
    (tmp_path / "d.csv").write_text("=x,y\n" + "=1+2,a\n@b,a\n" * 3)
    run("fit", "mixture", "d.csv", "--family", "categorical", "-k", 1, "-o", "m.estep")
    predicted = run("predict", "d.csv", "-m", "m.estep")
    assert {row[0] for row in cells(predicted.out)} == {"'=x", "'=1+2", "'@b"}
    assert "--raw" in predicted.err
    drawn = cells(run("sample", "m.estep", "-n", 30).out)
    assert {row[0] for row in drawn} == {"'=x", "'=1+2", "'@b"}
    raw = cells(run("sample", "m.estep", "-n", 30, "--raw").out)
    assert {row[0] for row in raw} == {"=x", "=1+2", "@b"}


FAULTS = [
    (2, "predict example:faithful -m normal.estep", "a model of the kind Normal, which has no components"),
    (2, "predict example:faithful", "missing option '-m'"),
    (2, "predict example:faithful -m mixture.estep --columns eruptions", "leave out --columns"),
    (2, "predict example:faithful -m mixture.estep --groups eruptions", "hidden Markov model; leave it out"),
    (2, "predict example:faithful -m mixture.estep --name waiting", "have a column waiting already; name"),
    (2, "score example:faithful -m mixture.estep -o - --json", "both print to standard output"),
    (2, "score example:faithful -m mixture.estep -o rows.xlsx", "suffixes .csv"),
    (2, "score series.csv -m chain.estep --columns count --weights count", "a hidden Markov model cannot"),
    (2, "sample mixture.estep", "missing option '-n'"),
    (2, "sample mixture.estep -n 0", "--rows: 0 is out of range; give a whole number >= 1"),
    (2, "sample mixture.estep -n 5 --seed -1", "--seed: -1 is out of range"),
    (2, "sample normal.estep -n 5 --labels", "whose rows have no components"),
    (2, "sample mixture.estep -n 5 --labels --name waiting", "has a column 'waiting' already"),
    (3, "predict example:iris -m mixture.estep", "no columns 'eruptions', 'waiting'; the data have"),
    (3, "predict near.csv -m mixture.estep", "'waiting' (did you mean 'Waiting'?)"),
    (3, "predict pets.csv -m pets.estep", "'bird', which was not among its levels at the fit"),
    (3, "score example:faithful -m mixture.estep --weights weightt", "no column 'weightt'"),
    (4, "predict example:faithful -m pets.csv", "not an estep model file"),
    (4, "sample pets.csv -n 5", "not an estep model file"),
    (5, "predict example:faithful -m mixture.estep -o nowhere/out.csv", "nowhere does not exist"),
    (6, "predict nowhere.csv -m mixture.estep", "nowhere.csv: there is no such file"),
    (6, "score example:faithful -m nowhere.estep", "nowhere.estep"),
]


@pytest.mark.parametrize(("code", "command", "words"), FAULTS, ids=[command for _, command, _ in FAULTS])
def test_a_fault_is_one_sentence_and_a_code(run, shelf, code, command, words):
    tmp_path = Path.cwd()
    for path in shelf[0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pets.csv").write_text("pet,food\ncat,fish\nbird,corn\n")
    (tmp_path / "near.csv").write_text("eruptions,Waiting\n3,60\n")
    (tmp_path / "series.csv").write_text(SERIES)
    before = sorted(path.name for path in tmp_path.iterdir())
    found = run(*command.split())
    assert found.code == code
    assert words in found.error
    assert found.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_intervals_may_be_open_at_the_prompt(run):
    """`inf` in a file is an open end to the family of intervals alone."""
    minutes = datasets.load_geyser().select("waiting")[:, 0]
    ends = [f"{x - 0.5},{x + 0.5 if x < 95 else 'inf'}" for x in minutes]
    Path("wait.csv").write_text("\n".join(["from,to", *ends]) + "\n")
    fitted = run("fit", "mixture", "wait.csv", "--family", "interval", "-k", 2, "-o", "m.estep")
    assert fitted.code == 0
    assert "from, to" in fitted.out
    table = np.genfromtxt("wait.csv", delimiter=",", skip_header=1)
    assert np.isinf(table[:, 1]).any()
    model = Mixture(2, "interval", random_state=0).fit(table)
    scored = run("score", "-m", "m.estep", "wait.csv", "--json")
    assert json.loads(scored.out)["loglik"] == model.loglik_
    labelled = cells(run("predict", "-m", "m.estep", "wait.csv").out)[1:]
    assert [int(row[-1]) for row in labelled] == model.predict(table).tolist()
    refused = run("fit", "mixture", "wait.csv", "-k", 2)
    assert refused.code == 3
    assert "--inf-as-missing takes infinite cells as missing" in refused.err
