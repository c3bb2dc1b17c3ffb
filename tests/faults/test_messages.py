"""Every error names what it is about, and a way out: a table of calls, one for each kind of mistake.

Commands have their own table in tests/cli; here are Python's calls. The words are those a reader looks for:
first the row, column or parameter, then what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from faults.sentences import Site, sites

from estep import EM, HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans, load
from estep.data.files import read_table, write_table
from estep.data.table import as_table
from estep.errors import EstepError

X = np.random.default_rng(0).normal(size=(12, 2))
FRAME = pd.DataFrame(X, columns=["height", "age"])
COUNTS = np.arange(12.0)[:, None]
FITTED = Normal().fit(FRAME)
CLASSES = Mixture(1, "categorical", n_init=1).fit(pd.DataFrame({"colour": list("rgb" * 4)}))


class Call(NamedTuple):
    call: Callable[[Path], Any]
    names: str  # the row, column, file or parameter
    way: str  # what to do, or what would have been right


def changed(row: int, value: Any) -> pd.DataFrame:
    frame = FRAME.astype(object)
    frame.loc[row, "age"] = value
    return frame


def csv(folder: Path, text: str | bytes, name: str = "data.csv", **how: Any) -> Any:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(path, **how)


def own(estep: Any = lambda p, b: (1.0, 0.0), mstep: Any = lambda p, s: p, **more: Any) -> Any:
    return EM(1.0, estep, mstep, max_iter=2, **more).fit(X)


CALLS = {
    # shapes
    "one-dimension": Call(lambda _: Normal().fit(X[:, 0]), "1D array", r"reshape\(-1, 1\)"),
    "three-dimensions": Call(lambda _: Normal().fit(X[None]), "dim 3", "dim <= 2 is required"),
    "no-rows": Call(lambda _: Normal().fit(X[:0]), r"0 sample\(s\)", "minimum of 1"),
    "no-columns": Call(lambda _: Normal().fit(X[:, :0]), r"0 feature\(s\)", "minimum of 1"),
    "ragged": Call(lambda _: Normal().fit([[1, 2], [3]]), "row 1", "put None where a cell is missing"),
    "word": Call(lambda _: as_table(3), "scalar|int", "Reshape|2D array"),
    # cells
    "infinite": Call(lambda _: as_table(changed(3, np.inf)), "'age'.*row 3", "replace them by NaN"),
    "text": Call(lambda _: as_table(changed(3, "old")), "'age'.*row 3", "give numbers"),
    "number-as-text": Call(lambda _: as_table(pd.DataFrame({"a": ["1", "2"]})), "'a'", "astype"),
    "complex": Call(lambda _: as_table(changed(3, 1j)), "'age', row 3", "real and imaginary parts"),
    "date": Call(lambda _: as_table(changed(3, pd.Timestamp(0))), "'age', row 3", "give a number"),
    "list": Call(lambda _: as_table(changed(3, [1])), "'age', row 3", "must be a string or a real number"),
    "all-missing": Call(lambda _: Normal().fit(FRAME.assign(age=np.nan)), "'age'", "drop"),
    "variance": Call(lambda _: Normal().fit(X * [1, 1e-200]), "'x1'", r"multiply the column by 2\.0\*\*"),
    "not-a-count": Call(lambda _: Mixture(1, "poisson").fit(COUNTS + 0.5), "'x0'", "whole|count|integer"),
    "not-a-code": Call(lambda _: Mixture(1, "bernoulli").fit(COUNTS), "'x0'", "0 (and|or) 1"),
    # columns
    "duplicate": Call(lambda _: as_table(FRAME.set_axis(["a", "a"], axis=1)), "'a'", "rename or drop"),
    "labels": Call(lambda _: as_table(FRAME.set_axis([1.5, 2.5], axis=1)), "1.5", "rename"),
    "multi-index": Call(
        lambda _: as_table(FRAME.set_axis([("a", 1), ("a", 2)], axis=1)), "MultiIndex", "join"
    ),
    "fewer-columns": Call(lambda _: FITTED.impute(X[:, :1]), "1 features", "expecting 2 features"),
    "unknown-columns": Call(
        lambda _: FITTED.impute(FRAME.rename(columns={"age": "Age2"})), "'age'.*'Age2'", "did you mean"
    ),
    "new-level": Call(
        lambda _: CLASSES.predict(pd.DataFrame({"colour": ["x"]})), "'colour' holds 'x'", "levels at the fit"
    ),
    # parameters
    "k-zero": Call(lambda _: GaussianMixture(0).fit(X), "n_components", "integer >= 1; found 0"),
    "k-true": Call(lambda _: HMM(True).fit(X), "n_components", "integer >= 1; found True"),
    "k-fraction": Call(lambda _: Mixture(2.5).fit(X), "n_components", r"integer >= 1; found 2\.5"),
    "k-beyond-rows": Call(lambda _: GaussianMixture(13).fit(X), "12 distinct rows", "13|fewer"),
    "q-beyond-columns": Call(lambda _: PPCA(2).fit(X), "n_components=2", "below the number of columns"),
    "tol": Call(lambda _: Normal(tol=np.nan).fit(X), "tol", "finite number >= 0"),
    "max-iter": Call(lambda _: Normal(max_iter=0).fit(X), "max_iter", "integer >= 1"),
    "prior-rows": Call(lambda _: Normal(prior_rows=-1).fit(X), "prior_rows", "finite number >= 0"),
    "stiffness": Call(lambda _: SoftKMeans(2, stiffness=0).fit(X), "stiffness", "> 0"),
    "covariance-type": Call(
        lambda _: GaussianMixture(2, covariance_type="ful").fit(X), "covariance_type", "one of 'full'"
    ),
    "family": Call(lambda _: Mixture(2, "poison").fit(COUNTS), "family", "one of|'poisson'"),
    "means-init": Call(
        lambda _: GaussianMixture(2, means_init=[[1, 2]]).fit(X), "means_init", r"shape \(2, 2\)"
    ),
    "weights-init": Call(
        lambda _: GaussianMixture(2, weights_init=[1, 1]).fit(X), "weights_init", "sum to 1; the sum is 2"
    ),
    "precisions-init": Call(
        lambda _: GaussianMixture(1, precisions_init=[-np.eye(2)]).fit(X),
        "precisions_init",
        "positive definite",
    ),
    "resp-init": Call(
        lambda _: GaussianMixture(2, resp_init=np.zeros(12)).fit(X), "component 1", "each of the 2 needs one"
    ),
    "covariance-init": Call(
        lambda _: Normal(covariance_init=[[1, 2], [2, 1]]).fit(X), "covariance_init", "positive definite"
    ),
    "weights": Call(
        lambda _: Normal().fit(X, sample_weight=-np.ones(12)), "sample_weight.*0", ">= 0|negative"
    ),
    "weights-shape": Call(
        lambda _: Normal().fit(X, sample_weight=np.ones(3)),
        "sample_weight",
        r"shape \(12,\), one weight a row",
    ),
    "lengths": Call(lambda _: HMM(1).fit(X, lengths=[5]), "lengths", "sum to the number of rows, 12"),
    "n-samples": Call(lambda _: FITTED.sample(0), "n_samples", "integer >= 1"),
    "plot-kind": Call(lambda _: FITTED.plot("pie"), "kind", "'history'"),
    "plot-data": Call(lambda _: FITTED.plot("pairs"), "kind='pairs'", "give them as X"),
    "plot-column": Call(
        lambda _: FITTED.plot("density", X, columns="wide"), "'wide'", "choose .*'height', 'age'"
    ),
    "frame": Call(lambda _: FITTED.to_frame("excel"), "backend", "'pandas', 'polars' or 'pyarrow'"),
    # functions of the user
    "estep-raises": Call(
        lambda _: own(lambda p, b: 1 / 0), "estep raised ZeroDivisionError", "division by zero"
    ),
    "estep-returns": Call(lambda _: own(lambda p, b: 1.0), "estep", r"must return a pair \(stats, loglik\)"),
    "estep-nan": Call(
        lambda _: own(lambda p, b: (1.0, np.nan)), "estep.*row 0", "must return a number as loglik"
    ),
    "mstep-shape": Call(lambda _: own(mstep=lambda p, s: np.ones(2)), "mstep", "of the same shapes"),
    "spaces": Call(lambda _: own(spaces={"a": 1}), "spaces", "in the same nesting as start"),
    # files
    "nowhere": Call(lambda _: read_table("nowhere.csv"), "nowhere.csv", "check the path"),
    "suffix": Call(
        lambda folder: csv(folder, "", name="a.xlsx"), "a.xlsx", r"rename the file to one of \.csv"
    ),
    "empty": Call(lambda folder: csv(folder, ""), "data.csv", "expected a line of column names"),
    "header-only": Call(lambda folder: csv(folder, "a,b\n"), "'a', 'b'", "no rows below it"),
    "no-header": Call(lambda folder: csv(folder, "1,2\n3,4\n"), "first line", "put a line of names above it"),
    "blank-name": Call(lambda folder: csv(folder, "a,\n1,2\n"), "column 1", "name them"),
    "twice": Call(lambda folder: csv(folder, "a,a\n1,2\n"), "'a'", "rename or drop"),
    "short-row": Call(lambda folder: csv(folder, "a,b\n1,2\n3\n"), "row 1", "2|expected"),
    "quote": Call(lambda folder: csv(folder, 'a,b\n"1,2\n'), "line 2", "close it or remove it"),
    "latin": Call(lambda folder: csv(folder, b"a,b\n\xe9,1\n"), "line 2", "save the file as UTF-8"),
    "nul": Call(lambda folder: csv(folder, b"a,b\n\x00,1\n"), "NUL", "UTF-8"),
    "separator": Call(lambda folder: csv(folder, "a;b\n1;2\n"), "separator", "--sep ';'"),
    "option": Call(
        lambda folder: csv(folder, "a\n1\n", separator="::"), "separator='::'", "give one character"
    ),
    "column": Call(lambda folder: csv(folder, "aa,b\n1,2\n", columns=["aab"]), "'aab'", "did you mean 'aa'"),
    "write": Call(
        lambda folder: write_table(folder / "a.xls", ["a"], np.ones((1, 1))), "a.xls", "one of the suffixes"
    ),
    "save": Call(lambda folder: FITTED.save(folder / "a.csv"), "a.csv", r"\.estep"),
    "save-nowhere": Call(
        lambda folder: FITTED.save(folder / "no" / "a.estep"), "no", "does not exist|folder"
    ),
    "load": Call(lambda folder: load(folder / "a.estep"), "a.estep", "check the path"),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_error_names_its_object_and_a_way_out(name: str, tmp_path: Path) -> None:
    call, names, way = CALLS[name]
    with pytest.raises(EstepError, match=re.compile(names, re.DOTALL)) as caught:
        call(tmp_path)
    message = str(caught.value)
    assert re.search(way, message, re.DOTALL), message
    assert not message.startswith(("Traceback", "<"))
    assert caught.value.exit_code in {2, 3, 4, 5, 6}


def test_every_class_of_errors_is_in_the_table(tmp_path: Path) -> None:
    """Damage to a model file has tests of its own, bit by bit; Degenerate ends a start, not a call."""
    seen = set()
    for call, *_ in CALLS.values():
        try:
            call(tmp_path)
        except EstepError as error:
            seen |= {kind.__name__ for kind in type(error).__mro__}
    every = {kind.__name__ for kind in EstepError.__subclasses__()}
    assert every - seen == {"ModelFileError", "Degenerate"}


# places whose words come from elsewhere, or which no user reaches
ELSEWHERE = {
    "cli/refusing.py UsageError {}": "sentences of options, each tried in tests/cli/test_refusing.py",
    "cli/writing.py ResourceError cannot write {}: {}": "what `replacing` says, with a way out",
    "data/scales.py UsageError {}: {}": "the sentence of `find_columns`, with the columns that there are",
    "engine/sampled.py DataError a sample of a search keeps the units of the fit": "a guard of its own",
    "estimators/normal.py UsageError covariance_init {}": "what a Space says: it must be positive definite",
    "models/custom.py HookError {} raised {}: {}": "an error of the user's own function, which is chained",
}


def test_every_place_that_raises_names_its_object_and_a_way_out() -> None:
    every = list(sites())
    assert len(every) > 250
    judged = {}
    for site in every:
        path = site.place.partition(":")[0]
        judged.setdefault(f"{path} {site.kind} {site.text}", site.names and site.helps)
    poor = {sentence for sentence, good in judged.items() if not good}
    assert sorted(poor) == sorted(ELSEWHERE)


@pytest.mark.parametrize(
    ("text", "names", "helps"),
    [
        ("something went wrong", False, False),
        ("column {} is wrong", True, False),
        ("it is wrong; give another", False, True),
        ("tol must be a finite number; found {}", True, True),
    ],
)
def test_the_judge_of_sentences_is_not_blind(text: str, names: bool, helps: bool) -> None:
    site = Site("engine/some.py:1", "UsageError", text)
    assert (site.names, site.helps) == (names, helps)
