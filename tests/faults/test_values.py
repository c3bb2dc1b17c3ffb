"""Rows V, S, M and L of FAULTS.md through both doors: what a fit says, and with which code it ends.

Long because it is a table.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from faults.doors import Door

from estep.datasets import load_iris

X = load_iris().values[::2]
N, D = X.shape
RNG = np.random.default_rng(8)
A = RNG.normal(size=(60, 2))
ONE, TWO = "gaussian-mixture -k 1 --starts 1", "gaussian-mixture -k 2 --starts 2"
DIAG = TWO + " --covariance diag"
SPHERICAL = TWO + " --covariance spherical"
HMM = "hmm -k 2 --starts 1"
SOFT = "soft-kmeans -k 2 --starts 1"
CODE = "mixture -k 2 --starts 1 --family "


def column(j: int, values: Any, of: Any = X) -> Any:
    changed = np.array(of, dtype=float)
    changed[:, j] = values
    return changed


def cell(i: int, j: int, value: Any) -> Any:
    changed = X.copy()
    changed[i, j] = value
    return changed


def arrow(kind: Any, values: Any = None) -> Any:
    """A table of which one column is of another type."""
    values = list(range(60)) if values is None else values
    return pa.table({"a": pa.array(values, kind), "b": pa.array(A[:, 0])})


def seen(j: int, rows: Any) -> Any:
    """Column j seen in these rows only."""
    changed = np.full(60, np.nan)
    changed[rows] = A[rows, j]
    return column(j, changed, A)


def apart() -> Any:
    return np.where(np.arange(60)[:, None] % 2 == [0, 1], A, np.nan)


# a warning's code with its words, or an error's exit code with them; "" is no warning at all
class Row(NamedTuple):
    id: str
    words: str
    data: Any
    code: str | int = ""
    said: str = ""


def units(scale: int) -> str:
    size = re.escape(format(scale, "+")).replace("\\+", r"\+")
    return rf"'x1', from \S+{size} .*variance outside float64; multiply the column by 2\.0\*\*"


ROWS = [
    *(
        Row("V03", words, column(0, 1e16 + X[:, 0]), "EM014", r"'x0' \(\d distinct values\)")
        for words in (ONE, HMM)
    ),
    *(
        Row(f"V06-{size}-{words.split()[0]}", words, column(1, 10.0**size * X[:, 1]), 3, units(size))
        for size in (-200, -310, 200)
        for words in ("normal", SPHERICAL)
    ),
    Row("V06-product", "normal", X * 1e-200, 3, r"'x0'.*multiply"),
    Row("V12-pair", TWO, np.c_[X, X[:, 0]], "EM008", "'x4' repeats 'x0'"),
    Row("V12-sum", "normal", np.c_[X, X[:, 0] + X[:, 1]], "EM008", "'x4' is a linear combination"),
    Row("V12-ppca", "ppca -k 1", np.c_[X, X[:, 0]]),
    Row("V13-two", TWO, np.full((20, 2), 3.25), 3, "1 distinct row for 2 components; ask for at most 1"),
    Row("V13-hmm", HMM, np.full((20, 2), 3.25), 3, "1 distinct row for 2 components"),
    Row("V13-one", ONE, np.full((20, 2), 3.25), "EM004", "'x0', 'x1' are constant"),
    Row("V15", TWO, np.repeat([[0.0, 0], [1, 2]], 150, axis=0), "EM002", "degenerate: component 0 .*floor"),
    Row("V15-tied", TWO + " --covariance tied", np.repeat([[0.0, 0], [1, 2]], 150, axis=0), "EM002", "floor"),
    Row("V16-n-is-k", "gaussian-mixture -k 3 --starts 1", A[:3], "EM002", "diag|tied|simpler|fewer"),
    Row("V16-n-below-d", "normal", RNG.normal(size=(5, 9)), "EM002", "degenerate"),
    Row("V16-n-below-d-ppca", "ppca -k 2", RNG.normal(size=(5, 9))),
    Row("V18-inf", "normal", cell(3, 1, np.inf), 3, r"'x1' holds 1 infinite cell.*row 3 \(counted from 0\)"),
    Row("V18-minus-inf", CODE + "poisson", column(2, -np.inf), 3, "'x2' holds 75 infinite cells.*row 0"),
    *(
        Row(f"V19-{words.split()[0]}-{words.split()[-1]}", words, cell(3, 1, np.nan))
        for words in ("normal", ONE, DIAG, SPHERICAL, HMM, SOFT, "ppca -k 1")
    ),
    *(
        Row(f"V19-{family}", CODE + family, column(1, np.r_[np.nan, np.arange(59) % 2], A > 0))
        for family in ("poisson", "bernoulli", "categorical")
    ),
    Row("V21-uint64", "normal", arrow(pa.uint64(), [*range(59), 2**64 - 1]), "EM010", "'a' holds integers"),
    Row("V21-int64", "normal", arrow(pa.int64(), [2**53 + 1, *range(59)]), "EM010", "they lose precision"),
    Row("V24-decimal", "normal", arrow(pa.decimal128(30, 2), [Decimal(i) / 4 for i in range(60)])),
    Row("V24-dictionary", "normal", pa.table({"a": pa.array(range(60)).dictionary_encode(), "b": A[:, 0]})),
    Row(
        "V24-dictionary-of-text",
        CODE + "categorical",
        pa.table({"a": pa.array(list("ab") * 30).dictionary_encode()}),
    ),
    Row("V24-list", "normal", arrow(pa.list_(pa.int8()), [[1]] * 60), 3, "'a' is of Arrow type list.*unpack"),
    Row(
        "V24-map",
        "normal",
        arrow(pa.map_(pa.string(), pa.int8()), [[("k", 1)]] * 60),
        3,
        "'a' is of Arrow type map",
    ),
    Row("V24-struct", "normal", arrow(pa.struct({"f": pa.int8()}), [{"f": 1}] * 60), 3, "Arrow type struct"),
    Row("V24-binary", "normal", arrow(pa.binary(), [b"x"] * 60), 3, "'a'"),
    Row(
        "V25-spike",
        TWO,
        column(1, np.where(np.arange(60) % 5 < 2, 0, A[:, 1]), A),
        "EM015",
        r"'x1' \(one value is 40%",
    ),
    Row(
        "V25-counts",
        DIAG,
        column(1, RNG.poisson(4.0, 300), RNG.normal(size=(300, 2))),
        "EM015",
        "'x1' .* distinct values",
    ),
    Row(
        "V27",
        "gaussian-mixture -k 3 --tol 1e-8",
        np.random.default_rng(0).choice([9999.0, 0], size=(40, 2)),
        "EM026",
        "starts failed and the others were used",
    ),
    Row("V28-one-pass", TWO + " --max-iter 1", X, "EM001", "stopped at max_iter=1"),
    Row(
        "V28-no-tolerance",
        "normal --tol 0 --max-iter 7",
        cell(3, 1, np.nan),
        "EM001",
        "stopped at max_iter=7",
    ),
    Row("V28-no-pass", "normal --max-iter 0", X, 2, "0"),
    *(Row(f"V31-k-{k}", f"gaussian-mixture -k {k}", X, 2, re.escape(k)) for k in ("0", "-1", "2.5", "True")),
    Row("V31-k-1", ONE, X),
    Row("V31-k-n", "gaussian-mixture -k 12 --starts 1", A[:12], "EM002", "degenerate"),
    Row(
        "V31-k-beyond-n",
        "gaussian-mixture -k 13",
        A[:12],
        3,
        "12 distinct rows for 13 components; ask for at most 12",
    ),
    Row(
        "S01-no-rows",
        "normal",
        pa.table({"a": pa.array([], pa.float64())}),
        3,
        r"0 sample\(s\) \(shape=\(0, 1\)\)",
    ),
    Row("S01-no-columns", "normal", pa.table({}), 3, "minimum of 1 is required"),
    Row(
        "S07-twice",
        "normal",
        pa.table([A[:, 0], A[:, 1]], names=["a", "a"]),
        3,
        "duplicate column names: 'a'; rename",
    ),
    Row("M03-one-value", "normal", seen(1, [4]), "EM013", "seen in one row only: 'x1'"),
    Row("M03-one-value-of-a-mixture", TWO, seen(1, [4]), "EM013", "'x1'; a variance needs two"),
    Row("M03-none", "normal", seen(1, []), 3, "column 'x1' has no seen value; drop it"),
    Row("M04", "normal", apart(), "EM009", "'x0' with 'x1'"),
    Row("L02-tol", "normal --tol nan", X, 2, "tol"),
    Row("L02-seed", TWO + " --seed -1", X, 2, "seed|random_state"),
    Row("L03", "normal", np.full((2, 25), np.inf), 3, "25 faults in the data"),
]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.id}-{i}" for i, row in enumerate(ROWS)])
def test_a_row_of_the_table_at_both_doors(door: Door, row: Row) -> None:
    before = row.data.copy() if isinstance(row.data, np.ndarray) else row.data
    found = door(row.words, row.data)
    assert re.search(row.said, found.told, re.DOTALL), found.told
    if isinstance(row.code, int):
        assert found.exit_code == row.code, found.told
        return
    assert found.exit_code == 0, found.told
    assert row.code in found.codes if row.code else not found.codes, found.told
    assert np.isfinite(found.loglik)
    findings = [f"{code}: {text}" for code, text in found.fitted["diagnostics_"]["findings"]]
    assert re.search(row.said, "\n".join(findings), re.DOTALL)  # an entry of the record as well
    if isinstance(before, np.ndarray):
        np.testing.assert_array_equal(row.data, before)


def same(a: Any, b: Any, shift: float = 0.0) -> None:
    """No warning of either, the same labels, and log-likelihoods that differ by the Jacobian."""
    assert (a.exit_code, b.exit_code, a.told, b.told) == (0, 0, "", "")
    assert a.loglik == pytest.approx(b.loglik + shift, rel=1e-10)
    assert a.labels == b.labels


LARGE = np.greater(X, X.mean(axis=0))
EVERY = ("normal", HMM)
CELLS = N * D


class Law(NamedTuple):
    """Two sets of data whose fits differ by a known constant of log-likelihood."""

    id: str
    one: Any
    other: Any
    shift: float = 0.0
    words: tuple[str, ...] = EVERY


LAWS = [
    Law("V01", X + 1e8, (X + 1e8) - 1e8),
    Law("V04-1e-8", X * 1e-8, X, -CELLS * np.log(1e-8)),
    Law("V04-1e-5", X * 1e-5, X, -CELLS * np.log(1e-5)),
    Law("V07-1e150", X * 1e150, X, -CELLS * np.log(1e150)),
    Law("V07-1e-150", X * 1e-150, X, -CELLS * np.log(1e-150)),
    Law("V09", X * [1e-8, 1e8, 1, 1], X, words=("normal", TWO, HMM)),
    Law("V22-float32", X.astype("f4"), X.astype("f4").astype(float), words=("normal", HMM)),
    Law("V22-float16", X.astype("f2"), X.astype("f2").astype(float), words=("normal", HMM)),
    Law("V22-int8", (9 * X).astype("i1"), (9 * X).astype("i1").astype(float), words=("normal",)),
    Law(
        "V22-bool",
        LARGE,
        LARGE.astype(float),
        words=("normal", CODE + "bernoulli"),
    ),
]
CASES = [(law, words) for law in LAWS for words in law.words]


@pytest.mark.parametrize(
    ("law", "words"), CASES, ids=[f"{law.id}-{words.split()[0]}-{i}" for i, (law, words) in enumerate(CASES)]
)
def test_units_offsets_and_types(door: Door, law: Law, words: str) -> None:
    labels = {"labels": words not in ("normal", "ppca")}
    same(door(words, law.one, **labels), door(words, law.other, **labels), law.shift)


@pytest.mark.parametrize("words", ["normal", TWO], ids=["V33-normal", "V33-mixture"])
def test_whole_weights_are_repeated_rows(door: Door, words: str) -> None:
    weights = np.random.default_rng(1).integers(1, 4, N)
    weighted = door(words + " --tol 1e-9", X, weights, labels=words == TWO)
    repeated = door(words + " --tol 1e-9", np.repeat(X, weights, axis=0), labels=words == TWO)
    assert weighted.loglik == pytest.approx(repeated.loglik, rel=1e-10)
    if words == TWO:
        assert np.repeat(weighted.labels, weights).tolist() == repeated.labels


@pytest.mark.parametrize("words", ["normal", TWO + " --tol 1e-9"], ids=["V34-normal", "V34-mixture"])
def test_the_order_of_rows_and_columns(door: Door, words: str) -> None:
    order = np.random.default_rng(2).permutation(N)
    labels = {"labels": words != "normal"}
    plain, rows = door(words, X, **labels), door(words, X[order], **labels)
    columns = door(words.replace("--starts 2", "--starts 8"), X[:, ::-1])
    assert rows.loglik == pytest.approx(plain.loglik, rel=1e-10)
    assert columns.loglik == pytest.approx(plain.loglik, rel=1e-10)
    if words != "normal":
        assert [plain.labels[i] for i in order] == rows.labels


@pytest.mark.parametrize("words", ["normal", TWO, HMM], ids=["V10-normal", "V10-mixture", "V10-hmm"])
def test_a_constant_column_leaves_the_others_alone(door: Door, words: str) -> None:
    labels = {"labels": words != "normal"}
    with_it, without = (door(words, data, **labels) for data in (column(2, 7.0), np.delete(X, 2, axis=1)))
    assert with_it.codes == {"EM004"}
    assert "column 'x2' is constant" in with_it.told
    assert with_it.labels == without.labels
    added = -0.5 * N * np.log(2 * np.pi * 1e-8)  # its density at the floor
    assert with_it.loglik - without.loglik == pytest.approx(added, rel=1e-9)


@pytest.mark.parametrize("words", ["normal", TWO, "ppca -k 1"], ids=["M01-normal", "M01-mixture", "M01-ppca"])
def test_a_row_with_nothing_seen(door: Door, words: str) -> None:
    words += "" if words == TWO else " --tol 1e-10"
    blank = np.vstack([X, np.full((1, D), np.nan)])
    with_it, without = door(words, blank, summary=True), door(words, X)
    assert with_it.exit_code == 0
    assert with_it.loglik == pytest.approx(without.loglik, rel=1e-8)
    assert f"{N + 1}" in with_it.summary  # it is counted


@pytest.mark.parametrize("kind", ["monotone", "arbitrary"], ids=lambda kind: f"M06-{kind}")
def test_patterns_of_missing_cells(door: Door, kind: str) -> None:
    """The law of each row's seen cells, by dense algebra row by row."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(1500, 12)) @ (np.eye(12) + 0.3 * rng.normal(size=(12, 12)))
    last = rng.integers(1, 13, size=(1500, 1))
    holes = np.arange(12) >= last if kind == "monotone" else rng.random(rows.shape) < 0.5
    rows[holes] = np.nan
    found = door("normal --tol 0 --max-iter 3", rows)
    assert found.codes == {"EM001"}
    mean, covariance = (np.asarray(found.fitted[name]) for name in ("mean_", "covariance_"))
    total = 0.0
    for row in rows:
        at = np.flatnonzero(~np.isnan(row))
        part = covariance[np.ix_(at, at)]
        apart = row[at] - mean[at]
        total -= (
            0.5 * (np.linalg.slogdet(2 * np.pi * part)[1] + apart @ np.linalg.solve(part, apart))
            if at.size
            else 0
        )
    assert found.loglik == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("data", [apart()], ids=["M04-summary"])
def test_an_entry_that_no_row_tells_is_marked(door: Door, data: Any) -> None:
    assert re.search(r"-?\d\S*\*", door("normal", data, summary=True).summary)
