"""`estep demo`: every file is there, opens, and holds what the summaries say."""

import csv

import matplotlib.image
import numpy as np

from estep import datasets, load

PLOTS = [
    "airquality_density.png",
    "airquality_missing.png",
    "faithful_density.png",
    "faithful_ellipses.png",
    "faithful_history.png",
]
OTHERS = ["airquality.estep", "airquality_imputed.csv", "faithful.estep"]


def test_the_demo(run, tmp_path):
    found = run("demo", "--out", "some/where")
    assert found.code == 0
    folder = tmp_path / "some" / "where"
    assert sorted(path.name for path in folder.iterdir()) == sorted(PLOTS + OTHERS)
    for name in PLOTS + OTHERS:
        assert f"wrote some/where/{name}" in found.err

    for name in PLOTS:
        picture = matplotlib.image.imread(folder / name)
        assert picture.shape[0] > 500
        assert picture.std() > 0.05

    mixture, normal = load(folder / "faithful.estep"), load(folder / "airquality.estep")
    assert mixture.n_components == 3
    assert mixture.converged_
    assert normal.converged_
    assert mixture.summary() in found.out
    assert normal.summary() in found.out

    with (folder / "airquality_imputed.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    air = datasets.load_airquality()
    values = np.array(rows, dtype=float)
    assert tuple(header) == air.columns
    seen = ~np.isnan(air.values)
    np.testing.assert_array_equal(values[seen], air.values[seen])
    assert np.isfinite(values).all()


def test_the_demo_is_the_same_every_time(run, tmp_path):
    first = run("demo", "--out", "one")
    assert run("demo", "--out", "two").out == first.out
    for name in PLOTS + OTHERS:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
