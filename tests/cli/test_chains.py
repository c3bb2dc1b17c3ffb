"""`estep decode`, `filter`, `forecast` and the options of `estep fit hmm`: as the saved chain says itself."""

import csv
import io

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from estep import load
from estep.datasets import load_earthquakes

COUNTS = load_earthquakes().select("count")
FIT = ("fit", "hmm", "example:earthquakes", "--columns", "count", "--emission", "poisson", "-k", "3")
SERIES = "series,count\n" + "".join(f"{s},{c}\n" for s in "ba" for c in (3, 4, 2, 19, 21, 20, 3, 2))


def cells(text):
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


@pytest.fixture
def quakes(run):
    assert run(*FIT, "--startprob", "stationary", "-o", "m.estep").code == 0
    return load("m.estep")


@pytest.mark.parametrize("algorithm", ["viterbi", "map"])
def test_decode_adds_the_path_and_tells_its_probability(run, quakes, algorithm):
    found = run("decode", "example:earthquakes", "-m", "m.estep", "--algorithm", algorithm)
    header, rows = cells(found.out)
    joint, states = quakes.decode(COUNTS, algorithm=algorithm)
    assert header == ["year", "count", "state"]
    assert [int(row[2]) for row in rows] == states.tolist()
    assert found.err == f"log-probability of the rows and this path: {joint:.6f}\n"


def test_filter_adds_what_the_past_says(run, quakes):
    found = run("filter", "example:earthquakes", "-m", "m.estep", "--only", "--name", "s")
    header, rows = cells(found.out)
    assert header == ["s", "s_p0", "s_p1", "s_p2"]
    past = quakes.filter(COUNTS)
    np.testing.assert_array_equal(np.array(rows, dtype=float)[:, 1:], past)
    assert [int(row[0]) for row in rows] == past.argmax(axis=1).tolist()


def test_forecast_is_a_table_of_steps(run, quakes):
    found = run("forecast", "example:earthquakes", "-m", "m.estep", "-n", "3", "--quantiles", "0.1,0.9")
    header, rows = cells(found.out)
    assert header == [
        *("step", "state_p0", "state_p1", "state_p2"), *("count_mean", "count_q0.1", "count_q0.9"),
    ]  # fmt: skip
    ahead, numbers = quakes.forecast(COUNTS, 3, quantiles=[0.1, 0.9]), np.array(rows, dtype=float)
    assert numbers[:, 0].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(numbers[:, 1:4], ahead.states)
    np.testing.assert_array_equal(numbers[:, 4], ahead.means[:, 0])
    np.testing.assert_array_equal(numbers[:, 5:], ahead.quantiles[:, 0])


def test_each_sequence_has_its_own_forecast(run, tmp_path):
    (tmp_path / "s.csv").write_text(SERIES)
    fit = run(
        "fit", "hmm", "s.csv", "--emission", "poisson", "-k", "2", "--groups", "series", "-o", "g.estep"
    )
    assert fit.code == 0
    found = run("forecast", "s.csv", "-m", "g.estep", "--groups", "series", "-n", "2", "-o", "f.parquet")
    assert found.err == "wrote f.parquet\n"
    table = pq.read_table("f.parquet").to_pandas()
    assert table["series"].tolist() == ["b", "b", "a", "a"]
    assert table["step"].tolist() == [1, 2, 1, 2]
    one = pd.read_csv(tmp_path / "s.csv").query("series == 'a'")[["count"]]
    ahead = load("g.estep").forecast(one, 2)
    np.testing.assert_array_equal(table["count_mean"][2:], ahead.means[:, 0])


def test_left_to_right(run):
    assert run(*FIT, "--left-right", "-o", "m.estep").code == 0
    moves = load("m.estep").transmat_
    assert (np.tril(moves, -1) == 0).all()
    refused = run(*FIT, "--left-right", "--startprob", "stationary")
    assert refused.code == 2
    assert "leave one out" in refused.err


@pytest.mark.parametrize("command", ["decode", "filter", "forecast"])
def test_only_chains_have_states_in_time(run, command):
    assert run("fit", "normal", "example:iris", "-o", "n.estep").code == 0
    found = run(command, "example:iris", "-m", "n.estep")
    assert found.code == 2
    assert "n.estep holds a model of the kind Normal" in found.err
    assert "estep fit hmm" in found.err


@pytest.mark.parametrize("quantiles", ["0.5,1", "a", "", "0.5,0.5"])
def test_quantiles_that_are_none(run, quakes, quantiles):
    found = run("forecast", "example:earthquakes", "-m", "m.estep", "--quantiles", quantiles)
    assert found.code == 2
    assert "--quantiles" in found.err
