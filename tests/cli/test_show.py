"""`estep show` prints all that a model file holds, and runs none of it."""

import json
import shutil

import pytest
from golden import CASES, FOLDER

from estep.io import read


@pytest.fixture
def shown(run):
    def call(name, *options):
        shutil.copy(FOLDER / "format1" / f"{name}.estep", "m.estep")
        found = run("show", "m.estep", *options)
        assert (found.code, found.err) == (0, "")
        return found.out

    return call


@pytest.mark.parametrize("name", CASES)
def test_every_number_and_every_word_of_the_file_is_in_the_json(shown, name):
    document, file = json.loads(shown(name, "--json")), read(FOLDER / "format1" / f"{name}.estep")
    own = document["file"]
    assert own["library"] == file.library
    assert own["bytes"] == (FOLDER / "format1" / f"{name}.estep").stat().st_size
    assert own["weight"] == file.outcome["weight"]
    assert own["units"]["scale"] == file.tensors["units.scale"].tolist()
    assert own["units"]["centre"] == file.tensors["units.centre"].tolist()
    assert [each["name"] for each in own["columns"]] == [each["name"] for each in file.outcome["columns"]]
    assert [each["levels"] for each in own["columns"]] == [each["levels"] for each in file.outcome["columns"]]
    assert [start["message"] for start in own["starts"]] == [start[1] for start in file.outcome["starts"]]
    assert len(document["history_"]) == len(file.tensors["history"])
    assert document["diagnostics_"]["stop"] == file.outcome["message"]
    assert set(document["parameters"]) >= file.parameters.keys() - {"nest", "hooks"}
    for path, tensor in file.tensors.items():
        if path.startswith("params."):
            inside = own["params"]
            for part in path.split(".")[1:]:
                inside = inside[part]
            assert inside == tensor.tolist()


@pytest.mark.parametrize("name", CASES)
def test_the_text_has_a_section_for_each_part(shown, name):
    out, file = shown(name), read(FOLDER / "format1" / f"{name}.estep")
    for words in (file.library, file.kind, "Parameters of the estimator", "Columns", "Starts", "Iterations"):
        assert words in out
    for parameter in file.parameters.keys() - {"nest", "hooks"}:
        assert f"\n  {parameter} " in out


def test_means_and_deviations_are_in_the_users_units(shown):
    out = shown("gaussian_mixture")
    faithful = CASES["gaussian_mixture"][1]
    row = next(line for line in out.split("Columns")[1].splitlines() if line.startswith("  x1"))
    n, mean, deviation, centre, scale = map(float, row.split()[1:])
    assert (n, centre, scale) == (40, 64, 16)
    assert mean == pytest.approx(faithful[:, 1].mean(), abs=1e-3)
    assert deviation == pytest.approx(faithful[:, 1].std(), abs=1e-3)


def test_the_categories_of_text_are_named(shown):
    assert "<b>, a, é" in shown("mixture_categorical").split("Categories")[1]


def test_a_users_model_is_shown_without_its_functions(shown):
    out = shown("em")
    assert "rates: 0.29380  0.30051" in out
    assert "estep.load(path, estep=..., mstep=..., log_prior=...)" in out
    assert "Positive()" in out
