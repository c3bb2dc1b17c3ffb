"""The shipped files against facts that their sources state."""

import csv

import numpy as np
import pytest

from estep import datasets
from estep.errors import UsageError

LOADERS = {
    "airquality": (datasets.load_airquality, (153, 6)),
    "casino": (datasets.load_casino, (300, 1)),
    "earthquakes": (datasets.load_earthquakes, (107, 2)),
    "faithful": (datasets.load_faithful, (272, 2)),
    "galaxies": (datasets.load_galaxies, (82, 1)),
    "geyser": (datasets.load_geyser, (299, 2)),
    "iris": (datasets.load_iris, (150, 4)),
}


@pytest.mark.parametrize("name", LOADERS)
def test_shape_and_dtype(name):
    load, shape = LOADERS[name]
    data = load()
    assert data.values.shape == shape
    assert data.values.dtype == np.float64
    assert data.values.flags.c_contiguous
    assert len(data.columns) == shape[1]
    assert data.description.endswith(".")


@pytest.mark.parametrize("name", LOADERS)
def test_values_are_the_cells_of_the_file(name):
    data = LOADERS[name][0]()
    with datasets.path(name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(data.values)
    for row, values in zip(rows, data.values, strict=True):
        for column, value in zip(data.columns, values, strict=True):
            assert (row[column] == "") if np.isnan(value) else (float(row[column]) == value)


@pytest.mark.parametrize("name", sorted(set(LOADERS) - {"airquality"}))
def test_only_airquality_has_holes(name):
    assert not np.isnan(LOADERS[name][0]().values).any()


def test_holes_of_airquality():
    data = datasets.load_airquality()
    holes = dict(zip(data.columns, np.isnan(data.values).sum(axis=0).tolist(), strict=True))
    assert holes == {"Ozone": 37, "Solar.R": 7, "Wind": 0, "Temp": 0, "Month": 0, "Day": 0}
    assert (~np.isnan(data.values).any(axis=1)).sum() == 111  # R: nrow(na.omit(airquality))


def test_iris_has_fifty_flowers_of_each_species():
    data = datasets.load_iris()
    assert data.target_names == ("setosa", "versicolor", "virginica")
    assert data.target.dtype == np.int64
    assert np.bincount(data.target).tolist() == [50, 50, 50]
    # R: aggregate(. ~ Species, iris, mean); the UCI copy of the table has other values
    means = [data.values[data.target == j].mean(axis=0).tolist() for j in range(3)]
    np.testing.assert_allclose(
        means,
        [[5.006, 3.428, 1.462, 0.246], [5.936, 2.770, 4.260, 1.326], [6.588, 2.974, 5.552, 2.026]],
        rtol=0,
        atol=1e-9,
    )


def test_years_of_the_earthquakes_run_without_a_gap():
    data = datasets.load_earthquakes()
    assert data.select("year")[:, 0].tolist() == list(range(1900, 2007))


def test_galaxies_keep_the_misprint_of_r():
    values = datasets.load_galaxies().values[:, 0]
    assert values[77] == 26690  # README.md of the data sets: 26960 in the paper
    assert (np.diff(values) >= 0).all()


def test_geyser_is_the_corrected_version_of_r():
    data = datasets.load_geyser()
    waiting, duration = data.values.T
    assert (waiting == np.rint(waiting)).all()
    assert (waiting.min(), waiting.max()) == (43, 108)  # R: range(MASS::geyser$waiting)
    assert [int((duration == minutes).sum()) for minutes in (2, 3, 4)] == [23, 2, 53]  # as told at night


@pytest.mark.parametrize("name", sorted(set(LOADERS) - {"casino", "iris"}))
def test_no_classes_elsewhere(name):
    data = LOADERS[name][0]()
    assert data.target is None
    assert data.target_names == ()


def test_a_loader_gives_a_fresh_copy():
    datasets.load_faithful().values[:] = 0.0
    assert datasets.load_faithful().values[0].tolist() == [3.6, 79.0]


def test_select_takes_columns_in_the_order_asked():
    data = datasets.load_faithful()
    swapped = data.select("waiting", "eruptions")
    assert np.array_equal(swapped, data.values[:, ::-1])
    swapped[:] = 0.0
    assert data.values.min() > 0.0


def test_select_names_the_unknown_column():
    with pytest.raises(UsageError, match=r"no column 'ozone'; the columns are Ozone, Solar\.R"):
        datasets.load_airquality().select("Temp", "ozone")
    with pytest.raises(UsageError, match="name at least one column"):
        datasets.load_airquality().select()


@pytest.mark.parametrize("name", ["nile", "../files", ""])
def test_path_refuses_what_is_not_shipped(name):
    with pytest.raises(UsageError, match=r"is not a shipped data set; they are airquality, "):
        datasets.path(name)
