"""`estep fit` and `estep show`: the answers are the library's, and what is left out is said."""

import json

import numpy as np
import pytest

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans, datasets, load

FAITHFUL = datasets.load_faithful().values
IRIS = datasets.load_iris().values
COUNTS = datasets.load_earthquakes().select("count")

CASES = {
    "gaussian-mixture example:faithful -k 2 --covariance diagonal --seed 3": (
        lambda: GaussianMixture(2, covariance_type="diag", random_state=3),
        FAITHFUL,
    ),
    "gaussian-mixture example:iris -k 2 --tol 0 --max-iter 5": (
        lambda: GaussianMixture(2, random_state=0, tol=0.0, max_iter=5),
        IRIS,
    ),
    "normal example:iris --prior-rows 2.5": (lambda: Normal(prior_rows=2.5), IRIS),
    "mixture example:earthquakes --columns count --family poisson -k 2": (
        lambda: Mixture(2, "poisson", random_state=0),
        COUNTS,
    ),
    "soft-kmeans example:faithful -k 2 --stiffness 0.01": (
        lambda: SoftKMeans(2, stiffness=0.01, random_state=0),
        FAITHFUL,
    ),
    "hmm example:earthquakes --columns count --emission poisson -k 3": (
        lambda: HMM(3, "poisson", random_state=0),
        COUNTS,
    ),
    "ppca example:iris -k 2": (lambda: PPCA(2), IRIS),
}


@pytest.mark.parametrize("words", CASES)
@pytest.mark.filterwarnings("ignore:EM001")  # of the fit in Python that stops at five passes
def test_a_command_and_the_library_give_the_same_bits(run, words):
    make, rows = CASES[words]
    found = run("fit", *words.split(), "--json")
    assert found.code == 0
    assert json.loads(found.out)["loglik_"] == make().fit(rows).loglik_


def test_the_summary_is_the_estimators_and_show_prints_it_again(run):
    fitted = run("fit", "gaussian-mixture", "example:faithful", "-k", 2, "-o", "m.estep")
    assert fitted.code == 0
    assert fitted.err == "wrote m.estep\n"
    assert fitted.out == load("m.estep").summary() + "\n"
    shown = run("show", "m.estep")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(fitted.out)


def test_json_holds_all_that_is_fitted(run):
    made = run("fit", "hmm", "example:earthquakes", "--columns=count", "-k", 2, "--json", "-o", "m.estep")
    shown = run("show", "m.estep", "--json")
    document, model = json.loads(shown.out), load("m.estep")
    assert document.pop("file")["columns"][0]["seen"] == 107
    assert document == json.loads(made.out)
    assert document["model"] == "HMM"
    assert document["columns"] == [{"name": "count", "levels": None}]
    assert document["parameters"]["n_components"] == 2
    assert document["status_"] == "CONVERGED"
    assert len(document["history_"]) == model.n_iter_
    for name in ("transmat_", "means_", "covars_", "startprob_"):
        np.testing.assert_array_equal(document[name], getattr(model, name))


def test_json_holds_no_row_of_the_data(run):
    document = json.loads(run("fit", "soft-kmeans", "example:faithful", "-k", 2, "--json").out)
    assert not {"memberships_", "labels_"} & set(document)


def test_a_text_column_is_left_out_and_said(run):
    found = run("fit", "normal", "example:iris", "--json")
    assert found.err == "note: left out: Species (text; this model takes numbers)\n"
    assert len(json.loads(found.out)["mean_"]) == 4


@pytest.mark.parametrize(
    ("cells", "words", "note"),
    [
        (("2,5", "3,5", "4"), (), "'2,5': --decimal , reads a decimal comma"),
        (("1,234", "5,678", "12,000"), (), "'1,234': take out what separates the thousands"),
        (("$5", "$7", "$9"), (), "'$5': leave only digits"),
        (("6%", "7%", "9%"), (), "'6%': leave only digits"),
        (("1.234,5", "2.000,5", "7.100,5"), ("--decimal", ","), "'1.234,5': take out what separates"),
    ],
)
def test_text_that_looks_like_numbers_is_left_out_with_a_way_out(run, tmp_path, cells, words, note):
    lines = "".join(f"{a};{b}\n" for a, b in zip((1, 2, 4), cells, strict=True))
    (tmp_path / "s.csv").write_text("a;b\n" + lines)
    found = run("fit", "normal", "s.csv", "--sep", ";", *words)
    assert found.code == 0
    assert f"note: left out: b (text that looks like numbers, for instance {note}" in found.err


def test_a_decimal_comma_between_commas(run, tmp_path):
    (tmp_path / "s.csv").write_text('a,b\n1,"2,5"\n2,"3,5"\n4,"5,25"\n')
    assert "'2,5': write a point for the decimal comma" in run("fit", "normal", "s.csv").err


def test_numbers_taken_as_names_are_told(run, tmp_path):
    (tmp_path / "years.csv").write_text("2019,2020\n1,2\n2,1\n4,4\n")
    assert (
        "note: the numbers 2019, 2020 in the first line are taken as names"
        in run("fit", "normal", "years.csv").err
    )


def test_a_text_column_that_was_asked_for_is_refused(run):
    found = run("fit", "normal", "example:iris", "--columns", "Sepal.Length,Species")
    assert found.code == 3
    assert "'Species' holds text" in found.error


def test_text_is_data_to_a_categorical_law(run):
    found = run(
        "fit", "mixture", "example:iris", "--family", "categorical", "--columns", "Species", "-k", 1, "--json"
    )
    assert found.code == 0
    assert json.loads(found.out)["columns"] == [
        {"name": "Species", "levels": ["setosa", "versicolor", "virginica"]}
    ]


def test_a_messy_file_is_read_as_it_is_meant(run, tmp_path):
    head = (
        "name;day;x;y\r\nann;2024-01-01;1,5;2\r\n\r\nbob;2024-01-02;-999;3\r\ncid;;2,5;k.A.\r\ndee;;0,5;1\r\n"
    )
    text = head + "eve;;2;1\rfay;;1;2\ngil;;1,75;2,5\n"
    (tmp_path / "messy.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    options = ("--sep", ";", "--decimal", ",", "--na", "-999", "--na", "k.A.", "--json")
    found = run("fit", "normal", "messy.csv", *options)
    assert found.code == 0
    assert "left out: day (dates)" in found.err
    assert "left out: name (text" in found.err
    nan = float("nan")
    expected = Normal().fit([[1.5, 2], [nan, 3], [2.5, nan], [0.5, 1], [2, 1], [1, 2], [1.75, 2.5]])
    assert json.loads(found.out)["loglik_"] == expected.loglik_


def test_columns_may_be_quoted_and_repeated(run, tmp_path):
    (tmp_path / "odd.csv").write_text('"a,b",c,d\n1,2,3\n2,1,5\n4,4,4\n')
    found = run("fit", "normal", "odd.csv", "--columns", '"a,b", d', "--columns", "c", "--json")
    assert [column["name"] for column in json.loads(found.out)["columns"]] == ["a,b", "d", "c"]


def test_data_on_standard_input(run):
    text = datasets.path("faithful").read_bytes()
    piped = run("fit", "gaussian-mixture", "-", "-k", 2, stdin=text)
    assert piped == run("fit", "gaussian-mixture", "example:faithful", "-k", 2)


def test_tabs_may_be_named(run, tmp_path):
    (tmp_path / "tabs.txt").write_text("a\tb\n1\t2\n2\t1\n4\t4\n")
    for word in ("tab", "\\t", "\t"):
        assert run("fit", "normal", "tabs.txt", "--sep", word).code == 0


def test_infinite_cells_are_missing_when_asked(run, tmp_path):
    (tmp_path / "inf.csv").write_text("a,b\n1,2\ninf,1\n4,4\n")
    assert run("fit", "normal", "inf.csv").code == 3
    found = run("fit", "normal", "inf.csv", "--inf-as-missing")
    assert found.code == 0
    assert "1 of 6" in found.out


def test_weights_count_rows(run, tmp_path):
    (tmp_path / "weighted.csv").write_text("a,b,w\n1,2,2\n2,1,1\n4,4,3\n")
    (tmp_path / "repeated.csv").write_text("a,b\n" + "1,2\n" * 2 + "2,1\n" + "4,4\n" * 3)
    weighted = json.loads(run("fit", "normal", "weighted.csv", "--weights", "w", "--json").out)
    repeated = json.loads(run("fit", "normal", "repeated.csv", "--json").out)
    assert [column["name"] for column in weighted["columns"]] == ["a", "b"]
    assert weighted["loglik_"] == pytest.approx(repeated["loglik_"], rel=1e-12)


@pytest.mark.parametrize(
    ("cells", "words", "sentence"),
    [
        ("1,2,-1\n2,1,1\n", ("--weights", "w"), "column 'w'"),
        ("1,2,x\n2,1,y\n", ("--weights", "w"), "holds text"),
        ("1,2,1\n2,1,1\n", ("--weights", "v"), "no column 'v'"),
    ],
)
def test_weights_that_cannot_be(run, tmp_path, cells, words, sentence):
    (tmp_path / "data.csv").write_text(f"a,b,w\n{cells}")
    found = run("fit", "normal", "data.csv", *words)
    assert found.code == 3
    assert sentence in found.error


def test_weights_among_the_columns_are_a_mistake(run):
    found = run("fit", "normal", "example:iris", "--columns", "Sepal.Length", "--weights", "Sepal.Length")
    assert found.code == 2


@pytest.mark.parametrize("names", [(1, 2), ("first", "second")])
def test_groups_are_sequences(run, tmp_path, names):
    rows = np.column_stack([np.repeat(names, [60, 47]), COUNTS.astype(int).ravel()])
    lines = "\n".join(f"{name},{count}" for name, count in rows)
    (tmp_path / "data.csv").write_text(f"series,count\n{lines}\n")
    words = ("--emission", "poisson", "-k", 2, "--groups", "series", "--json")
    document = json.loads(run("fit", "hmm", "data.csv", *words).out)
    expected = HMM(2, "poisson", random_state=0).fit(COUNTS, lengths=[60, 47])
    assert document["loglik_"] == expected.loglik_


@pytest.mark.parametrize(
    ("series", "sentence"),
    [
        ("a b a", "group 'a' are not together: after other groups it begins again in row 2"),
        ("1 2 1", "group 1 are not together"),
        ("a a NA", "names no group in row 2"),
    ],
)
def test_groups_that_cannot_be(run, tmp_path, series, sentence):
    lines = "\n".join(f"{name},{count}" for name, count in zip(series.split(), (3, 1, 4), strict=True))
    (tmp_path / "data.csv").write_text(f"series,count\n{lines}\n")
    found = run("fit", "hmm", "data.csv", "-k", 1, "--groups", "series")
    assert found.code == 3
    assert sentence in found.error
