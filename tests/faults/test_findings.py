"""Rows of the table of faults that end in a result and a coded warning: the code, the column, the record."""

from __future__ import annotations

import re
import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans, datasets
from estep.data.look import SHARE, Look, look
from estep.data.source import MemorySource

RNG = np.random.default_rng(5)
THREE = RNG.normal(size=(60, 3))
SHORT: dict[str, Any] = {"random_state": 0, "n_init": 1}


def frame(**changed: Any) -> pd.DataFrame:
    return pd.DataFrame(THREE, columns=["a", "b", "c"]).assign(**changed)


def apart() -> pd.DataFrame:
    """Columns a and b in turn, never together."""
    X = frame()
    X.loc[:29, "a"] = np.nan
    X.loc[30:, "b"] = np.nan
    return X


def once() -> pd.DataFrame:
    X = frame()
    X.loc[1:, "a"] = np.nan
    return X


class Case(NamedTuple):
    id: str
    model: Any
    X: pd.DataFrame
    code: str
    words: str


A, B = THREE[:, 0], THREE[:, 1]
SPIKE = np.where(np.arange(60) % 5 < 2, 0.0, A)
SIXES = np.arange(60) % 7
NINES = frame(a=np.where(np.arange(60) < 7, -999.0, A))
CASES = [
    Case("V03-1e16", Normal(), frame(a=1e16 + A), "EM014", r"'a' \(\d distinct values\).*subtract"),
    Case("V03-1e15-spherical", PPCA(1), frame(a=1e15 + A), "EM014", r"'a' \(\d+ distinct values\)"),
    Case("V10-constant", Normal(), frame(b=3.0), "EM004", r"column 'b' is constant"),
    Case("V12-twice", Normal(), frame(c=A), "EM008", r"'c' repeats 'a'"),
    Case("V12-other-units", GaussianMixture(2, **SHORT), frame(c=7 - 3e5 * A), "EM008", r"'c' repeats 'a'"),
    Case("V12-sum", Normal(), frame(c=A + 2 * B), "EM008", r"'c' is a linear combination of 'a' and 'b'"),
    Case("V12-states", HMM(2, **SHORT), frame(c=A), "EM008", r"'c' repeats 'a'"),
    Case("V25-spike", GaussianMixture(2, **SHORT), frame(b=SPIKE), "EM015", r"'b' \(one value is 40%\)"),
    Case("V25-binary", Mixture(2, "gaussian-diag", **SHORT), frame(b=A > 0), "EM015", r"'b' \(one value is"),
    Case("V25-counts", GaussianMixture(2, **SHORT), frame(b=SIXES), "EM015", r"'b' \(7 distinct values\)"),
    Case("M03-once", Normal(), once(), "EM013", r"seen in one row only: 'a'"),
    Case("M03-once-mixture", GaussianMixture(2, **SHORT), once(), "EM013", r"seen in one row only: 'a'"),
    Case("M04-apart", Normal(), apart(), "EM009", r"'a' with 'b'"),
    Case("M04-tied", GaussianMixture(2, covariance_type="tied", **SHORT), apart(), "EM009", r"'a' with 'b'"),
    Case(
        "M09-nines",
        Normal(),
        NINES,
        "EM011",
        r"'a' \(7 times -999\).*--na -999",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_finding_is_a_warning_and_an_entry(case: Case) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        case.model.fit(case.X)
    told = [str(each.message) for each in caught]
    matching = [text for text in told if text.startswith(case.code)]
    assert len(matching) == 1, told  # once, also where it was told while the data were read
    assert re.search(case.words, matching[0])
    code, text = next(found for found in case.model.diagnostics_["findings"] if found[0] == case.code)
    assert f"{code}: {text}" == matching[0]
    assert np.isfinite(case.model.loglik_)
    assert f"{case.code}: " in case.model.summary()


@pytest.mark.parametrize("name", ["faithful", "airquality", "iris", "earthquakes", "galaxies"])
def test_ordinary_data_have_no_findings(name: str) -> None:
    """They have ties (iris is rounded to millimetres, a month has 31 days), holes, and related columns."""
    data = getattr(datasets, f"load_{name}")()
    source = MemorySource(np.asarray(data.values), tuple(data.columns))
    # airquality was measured in five months, which are no measurement
    five = ((data.columns.index("Month"), 5),) if name == "airquality" else ()
    assert look(source, ties=True) == Look(discrete=five)
    assert Normal().fit(data).diagnostics_["findings"] == []


@pytest.mark.parametrize("name", ["faithful", "iris"])
def test_columns_that_are_merely_rounded_have_no_heavy_ties(name: str) -> None:
    data = getattr(datasets, f"load_{name}")()
    assert GaussianMixture(3, **SHORT).fit(data).diagnostics_["findings"] == []


@pytest.mark.parametrize(("mean", "n"), [(3, 150), (5, 1000), (5, 40_000)])
def test_counts_are_discrete_in_any_number_and_block(mean: float, n: int) -> None:
    counts = np.random.default_rng(4).poisson(mean, n).astype(float)
    counts[::7] = np.nan
    x = np.random.default_rng(5).normal(size=n)
    distinct = np.unique(counts[~np.isnan(counts)]).size
    assert look(blocks(np.column_stack([x, counts])), ties=True).discrete == ((1, distinct),)
    # once more than 20, or than rows a value: rounded, and no more
    assert look(blocks(np.column_stack([x, np.arange(n) % 21])), ties=True).discrete == ()
    some = np.arange(60) % 8
    assert look(blocks(some[:, None]), ties=True).discrete == ()
    assert look(blocks(some[:, None], np.full(60, 2.0)), ties=True).discrete == ((0, 8),)


def test_a_repeat_needs_no_warning_where_the_model_bears_it() -> None:
    """V12: PPCA has noise of its own in every column; diagonal covariances know no pairs."""
    for model in (PPCA(1), SoftKMeans(2, **SHORT)):
        assert model.fit(frame(c=A)).diagnostics_["findings"] == []
    assert GaussianMixture(2, covariance_type="diag", **SHORT).fit(apart()).diagnostics_["findings"] == []
    tied = GaussianMixture(2, covariance_type="tied", **SHORT).fit(frame(b=SPIKE))
    assert tied.diagnostics_["findings"] == []


def blocks(X: Any, weights: Any = None) -> MemorySource:
    X = np.asarray(X, dtype=float)
    return MemorySource(X, tuple(f"x{j}" for j in range(X.shape[1])), weights=weights)


@pytest.mark.parametrize("order", ["sorted", "random", "spread"])
@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("share", [0.30, 0.36, 0.55])
def test_ties_are_found_in_any_order_and_block(order: str, holes: bool, share: float) -> None:
    """By counting: 40 000 rows are three blocks, and the tied value may lie in few of them."""
    n, rng = 40_000, np.random.default_rng(1)
    x = rng.normal(size=n)
    tied = {
        "sorted": np.arange(n) < share * n,
        "random": rng.permutation(n) < share * n,
        "spread": np.diff(np.floor(share * np.arange(n + 1))) > 0,
    }[order]
    x[tied] = 0.25
    if holes:
        x[rng.random(n) < 0.2] = np.nan
    exact = np.mean(x[~np.isnan(x)] == 0.25)
    found = look(blocks(np.column_stack([rng.normal(size=n), x])), ties=True)
    assert found.tied == (((1, pytest.approx(exact)),) if exact > SHARE else ())


def test_weight_two_is_the_row_twice_and_weight_zero_is_no_row() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(90, 3))
    X[:30, 0] = 1.5
    X[30:60, 1], X[60:, 2] = np.nan, np.nan
    weights = rng.integers(0, 3, size=90).astype(float)
    weights[:30] = 2.0
    repeated = look(blocks(np.repeat(X, weights.astype(int), axis=0)), ties=True)
    once = look(blocks(X, weights), ties=True)
    assert once.tied[0] == (0, pytest.approx(repeated.tied[0][1]))
    alone = X.copy()
    alone[1:, 1] = np.nan
    first = np.ones(90)
    assert look(blocks(alone, first), ties=False).once == (1,)
    first[0] = 0.0  # now no row of the fit shows it
    assert look(blocks(alone, first), ties=False).once == ()


def test_pairs_are_counted_over_blocks() -> None:
    """A row that shows both columns may be the last of many."""
    X = np.random.default_rng(3).normal(size=(40_000, 2))
    X[:20_000, 0] = np.nan
    X[20_000:, 1] = np.nan
    assert look(blocks(X), ties=False).apart == ((0, 1),)
    X[-1] = 0.0
    assert look(blocks(X), ties=False).apart == ()


def test_codes_of_the_reading_come_with_a_table_and_only_at_the_fit() -> None:
    """M09 by a file: what `read_table` found is in the fit's record, and is not told again."""
    from estep.data.table import as_table

    with pytest.warns(UserWarning, match="EM011"):
        table = as_table(NINES)
    normal = Normal().fit(table)
    assert [code for code, _ in normal.diagnostics_["findings"]] == ["EM011"]
    assert Normal().fit(table.select(["b", "c"])).converged_
