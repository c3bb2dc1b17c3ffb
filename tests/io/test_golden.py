"""What an older estep wrote stays readable, and says of its data what it said then."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from golden import CASES, FOLDER, hooks

from estep import load
from estep.errors import ModelFileError
from estep.estimators.saved import arguments
from estep.estimators.saved.rebuild import KNOWN
from estep.io import read, write
from estep.io.modelfile import FORMAT

FILES = sorted(FOLDER.glob("*/*.estep"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_file_gives_the_recorded_log_likelihood(path: Path) -> None:
    recorded = json.loads((path.parent / "logliks.json").read_text())[path.stem]
    model = load(path, **hooks(path.stem))
    assert model.loglik_ == recorded
    # to the last bits: another processor or BLAS rounds in another order
    assert model.loglik(CASES[path.stem][1]) == pytest.approx(recorded, rel=1e-12)
    assert model.summary()


def test_each_format_has_a_file_of_each_kind_of_estimator() -> None:
    for format_ in range(1, FORMAT + 1):
        kinds = {read(path).kind for path in FILES if path.parent.name == f"format{format_}"}
        assert kinds == {*KNOWN, "EM"}


def test_a_parameter_that_came_later_has_the_value_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if `prior_rows` had come after the golden files: those that lack it are read, others are not."""
    file, path = read(FOLDER / "format1" / "normal.estep"), tmp_path / "old.estep"
    older: dict[str, Any] = {name: value for name, value in file.parameters.items() if name != "prior_rows"}
    write(path, file._replace(parameters=older))
    with pytest.raises(ModelFileError, match="the parameter 'prior_rows' is missing"):
        load(path)
    monkeypatch.setitem(arguments.ADDED, "prior_rows", 0.5)
    assert load(path).prior_rows == 0.5
    write(path, file)
    assert load(path).prior_rows == 1


def test_the_file_says_which_estep_wrote_it() -> None:
    assert re.fullmatch(r"estep \d+\.\d+\.\d+", read(FILES[0]).library)
