"""What `as_table` takes, in which bits, and what it says of the rest.

IDs such as V18 name rows of the project's list of faults.
"""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from estep.data.convert.frames import as_frame
from estep.data.convert.intake import Intake
from estep.data.table import as_table
from estep.datasets import load_faithful
from estep.errors import DataError, EstepWarning, UsageError

NAN = float("nan")
GRID = np.array([[1.5, -2.0], [NAN, 0.1], [1e-310, 5e8]])
NAMES = ("height", "age")
FRAMES = {
    "pandas": lambda X: pd.DataFrame(X, columns=list(NAMES)),
    "pandas-nullable": lambda X: pd.DataFrame(X, columns=list(NAMES)).astype("Float64"),
    "pandas-object": lambda X: pd.DataFrame(X, columns=list(NAMES)).astype(object),
    "pandas-arrow": lambda X: pd.DataFrame(X, columns=list(NAMES)).astype("double[pyarrow]"),
    "polars": lambda X: pl.DataFrame(X, schema=list(NAMES)),
    "polars-lazy": lambda X: pl.LazyFrame(X, schema=list(NAMES)),
    "narwhals": lambda X: nw.from_native(pl.DataFrame(X, schema=list(NAMES))),
    "pyarrow": lambda X: pa.table(list(X.T), names=list(NAMES)),
    "pyarrow-null": lambda X: pa.table([pa.array(x, from_pandas=True) for x in X.T], names=list(NAMES)),
    "record-batch": lambda X: pa.record_batch(list(X.T), names=list(NAMES)),
}
ARRAYS = {
    "array": lambda X: X,
    "fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "big-endian": lambda X: X.astype(">f8"),
    "view-of-a-frame": lambda X: pd.DataFrame(X).to_numpy(),
    "object": lambda X: X.astype(object),
    "masked": lambda X: np.ma.array(np.where(np.isnan(X), np.inf, X), mask=np.isnan(X)),
    "list": lambda X: X.tolist(),
    "list-of-None": lambda X: [[None if np.isnan(x) else x for x in row] for row in X],
    "list-of-arrays": list,
    "decimal": lambda X: [[Decimal(x) for x in row] for row in X.tolist()],
    "fraction": lambda X: [[Fraction(x) if x and np.isfinite(x) else x for x in row] for row in X.tolist()],
}


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = (np.where(np.isnan(x), np.nan, x) for x in (a, b))  # one NaN: its sign carries nothing
    return a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES.keys())
def test_frames_give_the_bits_and_the_names(make):
    table = as_table(make(GRID))
    assert same_bits(table.values, GRID)
    assert table.values.dtype == np.float64
    assert (table.names, table.named, table.levels) == (NAMES, True, (None, None))


@pytest.mark.parametrize("make", ARRAYS.values(), ids=ARRAYS.keys())
def test_arrays_give_the_bits_and_numbered_names(make):
    table = as_table(make(GRID))
    assert same_bits(table.values, GRID)
    assert type(table.values) is np.ndarray
    assert (table.names, table.named, table.levels) == (("x0", "x1"), False, (None, None))


@pytest.mark.filterwarnings("ignore::estep.errors.EstepWarning")
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(2)), elements=st.floats(allow_infinity=False))
)
@settings(deadline=None, database=None, max_examples=25)
def test_any_numbers_are_the_same_bits_from_every_kind(X):
    for make in (*FRAMES.values(), *ARRAYS.values()):
        assert same_bits(as_table(make(X)).values, X)


@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", "i2", "u4", "i8", "f2", "f4", "g"], ids=lambda kind: f"V22-{kind}"
)
def test_other_dtypes_equal_their_float64_copy(dtype):
    X = (np.arange(6).reshape(3, 2) / 3 * 2).astype(dtype)
    expected = X.astype(np.float64)
    for made in (X, X[::-1][::-1], pd.DataFrame(X, columns=list(NAMES)), X.tolist()):
        assert same_bits(as_table(made).values, expected)


CONVERTED = {
    "V24-decimal128": (pa.array([Decimal("0.10"), None], pa.decimal128(38, 2)), [0.1, NAN]),
    "V24-decimal256": (pa.array([Decimal("0.3"), None], pa.decimal256(50, 17)), [0.3, NAN]),
    "V24-negative-scale": (pa.array([Decimal(12000)], pa.decimal128(5, -3)), [12000]),
    "V24-dictionary": (pa.array([7, None]).dictionary_encode(), [7, NAN]),
    "V22-bool": (pa.array([True, None, False]), [1, NAN, 0]),
    "V22-float16": (pa.array([1.5, None], pa.float16()), [1.5, NAN]),
    "V24-null": (pa.nulls(2), [NAN, NAN]),
    "V24-null-text": (pa.nulls(2, pa.string()), [NAN, NAN]),
    "V24-run-end": (pa.RunEndEncodedArray.from_arrays([2], [7.0]), [7, 7]),
    "V24-int128": (pl.Series([1, None], dtype=pl.Int128), [1, NAN]),
    "V24-polars-object": (pl.Series([1.5, None], dtype=pl.Object), [1.5, NAN]),
    "S05-pandas-sparse": (pd.arrays.SparseArray([1.0, 0.0]), [1, 0]),
    "V24-categorical-numbers": (pd.Categorical([3, None]), [3, NAN]),
    "NA": (pd.Series([1, pd.NA, pd.NaT, None, Decimal("sNaN")], dtype=object), [1] + [NAN] * 4),
}


@pytest.mark.parametrize(("column", "expected"), CONVERTED.values(), ids=CONVERTED.keys())
def test_columns_of_other_types_convert(column, expected):
    frame = {"pyarrow": pa.table, "polars": pl.DataFrame}.get(
        type(column).__module__.split(".")[0], pd.DataFrame
    )
    assert same_bits(as_table(frame({"a": column})).values[:, 0], np.array(expected, dtype=float))


def test_float64_is_not_copied_and_nothing_else_is_loaded():
    code = (
        "import sys, numpy as np; from estep.data.table import as_table; X = np.ones((3, 2));"
        "assert np.shares_memory(as_table(X).values, X);"
        "print({'pyarrow', 'narwhals', 'pandas', 'polars', 'sklearn', 'scipy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("kind", ["array", "fortran", "masked", "object", "pandas"])
def test_the_callers_data_do_not_change(kind):
    data = {**ARRAYS, **FRAMES}[kind](np.array([[1.0, np.inf], [2.0, NAN]]))
    before = np.array(data, dtype=float).tobytes()
    as_table(data, inf="missing")
    with pytest.raises(DataError, match="infinite"):
        as_table(data)
    assert np.array(data, dtype=float).tobytes() == before


def test_masked_cells_are_missing_and_what_lies_under_the_mask_does_not_count():
    X = np.ma.array([[2**60, 1], [2, 3]], mask=[[True, False], [False, False]])
    assert same_bits(as_table(X).values, np.array([[NAN, 1], [2, 3]]))
    text = np.ma.array([["a", 1.0]], mask=[[True, False]], dtype=object)
    assert same_bits(as_table(text).values, np.array([[NAN, 1]]))
    assert same_bits(as_table(list(X)).values, np.array([[NAN, 1], [2, 3]]))


TEXT = [["b", 1], [None, 2], ["a", 3], ["b", 4]]


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        np.array(TEXT, dtype=object),
        pd.DataFrame(TEXT),
        pd.DataFrame(TEXT).astype({0: "category"}),
        pd.DataFrame(TEXT).astype({0: object}),
        pd.DataFrame(TEXT).astype({0: "string"}),
        pl.DataFrame(TEXT, schema=["a", "b"], orient="row"),
        pl.DataFrame(TEXT, schema={"a": pl.Enum(["b", "z", "a"]), "b": pl.Int8}, orient="row"),
        pa.table({"a": pa.array(["b", None, "a", "b"], pa.string_view()), "b": [1, 2, 3, 4]}),
        pa.table({"a": pa.array(["b", None, "a", "b"]).dictionary_encode(), "b": [1, 2, 3, 4]}),
    ],
    ids=[
        "list",
        "object",
        "pandas",
        "category",
        "pandas-object",
        "string",
        "polars",
        "enum",
        "view",
        "dictionary",
    ],
)
def test_text_is_refused_or_coded_by_its_sorted_strings(data):
    table = as_table(data, text="codes")
    assert table.levels == (("a", "b"), None)
    assert same_bits(table.values, np.array([[1, 1], [NAN, 2], [0, 3], [1, 4.0]]))
    with pytest.raises(
        DataError, match=r"column '(x0|a)' holds text, for instance 'b' in row 0 .*leave the column"
    ):
        as_table(data)
    assert table.numeric().values.tolist() == [[1], [2], [3], [4]]


def test_infinite_cells_can_be_taken_as_missing():
    assert same_bits(as_table([[np.inf, 1.0]], inf="missing").values, np.array([[NAN, 1.0]]))
    with pytest.raises(UsageError, match="inf='drop'"):
        as_table([[1.0]], inf="drop")


@pytest.mark.parametrize(
    "make", [np.array, pd.DataFrame, pl.DataFrame, list], ids=lambda m: f"V21-{m.__name__}"
)
@pytest.mark.parametrize(
    ("cell", "warned"), [(2**53, False), (2**53 + 1, True), (-(2**63), True), (2**64 - 1, True)]
)
def test_integers_beyond_float64_are_taken_with_a_warning(make, cell, warned):
    data = make([[cell]])
    if not warned:
        assert as_table(data).values[0, 0] == float(cell)
        return
    with pytest.warns(
        EstepWarning, match=r"^EM010: column '.*' holds integers beyond 2\*\*53; they lose precision"
    ):
        assert as_table(data).values[0, 0] == float(cell)


@pytest.mark.parametrize("code", [-999.0, -99.0, 9999.0], ids=lambda code: f"M09-{code:g}")
def test_a_number_that_looks_like_a_code_is_kept_with_a_warning(code):
    X = np.array([[1.0], [code], [3.0], [code], [NAN]])
    with pytest.warns(
        EstepWarning, match=rf"^EM011: column .*x0.*2 times {code:g}.* may hold a code.*--na {code:g}"
    ):
        assert same_bits(as_table(X).values, X)


@pytest.mark.parametrize(
    "column",
    [[1, -999, 3], [-999, -999], [-999, -999, -600, 0], [-98, -99, -97, -99]],
    ids=["once", "all", "near", "among"],
)
def test_an_ordinary_number_is_no_code(column):
    as_table(np.array(column, dtype=float)[:, None])


def test_select_reorders_by_name_and_names_what_is_not_there():
    table = as_table(FRAMES["pandas"](GRID))
    assert same_bits(table.select(["age", "height"]).values, GRID[:, ::-1])
    assert table.select(["age"]).names == ("age",)
    assert table.select(NAMES) is table
    with pytest.raises(
        DataError,
        match=r"no columns 'HIGHT_' \(did you mean 'height'\?\), 'z'; the data have 'height', 'age'",
    ):
        table.select(["HIGHT_", "age", "z"])
    with pytest.raises(DataError, match="distinct columns"):
        table.select(["age", "age"])


def test_pandas_own_labels_are_no_names():
    assert as_table(pd.DataFrame(np.eye(2))).named is False
    assert as_table(pd.DataFrame(np.eye(2), columns=["0", "1"])).names == ("0", "1")


def test_a_table_of_text_alone_has_no_numbers():
    with pytest.raises(DataError, match="every column holds text: 'x0'"):
        as_table([["a"]], text="codes").numeric()
    assert as_table(as_table([[1]])).values.tolist() == [[1.0]]


def test_a_shipped_data_set_is_taken():
    assert same_bits(as_table(load_faithful()).values, load_faithful().values)
    frame = as_frame(Intake(), load_faithful())
    assert (frame.names, frame.named, frame.n_rows) == (("eruptions", "waiting"), True, 272)
