"""What `as_table` refuses, and the sentence it says of it.

IDs such as V18 name rows of the project's list of faults.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.utils import check_array

from estep.data.table import as_table
from estep.errors import DataError

REFUSED = {
    "S01-1d": (np.ones(3), r"(?s)Expected 2D array, got 1D.*Reshape your data.*reshape\(-1, 1\)"),
    "S01-series": (pl.Series([1, 2]), r"got 1D.*Reshape your data.*\.to_frame\(\)"),
    "S01-pandas-series": (pd.Series([1, 2]), r"got 1D.*Reshape your data.*\.to_frame\(\)"),
    "S01-arrow-array": (pa.array([1, 2]), r"(?s)got 1D.*reshape\(-1, 1\)"),
    "S01-flat-list": ([1, 2], r"(?s)got 1D.*reshape\(-1, 1\)"),
    "S01-long": (np.arange(10**6), r"^[^\n]{,250}$"),
    "S01-scalar": (3, r"got scalar array"),
    "S01-ragged": ([[1, 2], [3]], r"n rows by d columns.*ragged.*row 0 has 2 cells and row 1 "),
    "S01-ragged-scalar": ([[1], 2], r"row 1 .* has a single cell"),
    "S01-dict": ({"a": [1]}, r"2D array .* got dict instead"),
    "S01-none": (None, r"got NoneType instead"),
    "S01-frame-no-rows": (pd.DataFrame({"a": []}), r"0 sample\(s\) \(shape=\(0, 1\)\)"),
    "S01-frame-no-columns": (pd.DataFrame(index=[0, 1]), r"0 feature\(s\) \(shape=\(2, 0\)\)"),
    "S05": (scipy.sparse.csr_array(np.eye(2)), r"Sparse data.*toarray\(\)"),
    "S07-pandas": (pd.DataFrame(np.eye(2), columns=["a", "a"]), r"duplicate column names: 'a'"),
    "S07-arrow": (pa.table([[1], [2]], names=["a", "a"]), r"duplicate column names: 'a'"),
    "S07-names": (pd.DataFrame(np.eye(2), columns=["a", 7]), r"found 7 \(int\).*astype\(str\)"),
    "S07-multiindex": (pd.DataFrame({("a", "b"): [1.0]}), r"MultiIndex.*'_'.join"),
    "V18": ([[1, np.inf], [-np.inf, np.inf]], r"(?s)2 faults.*'x0' holds 1 .*row 1 .*'x1' holds 2 .*NaN"),
    "V18-integer-beyond-float64": ([[1, 10**400]], r"'x1' .*beyond float64.*row 0"),
    "V24-complex": (np.array([[1j]]), r"Complex data not supported: column 'x0'"),
    "V24-complex-cell": ([[1.0], [1j]], r"'x0', row 1 .*Complex data not supported"),
    "V24-date-cell": ([[1.0], [dt.date(2020, 1, 1)]], r"'x0', row 1 .*date.*days since"),
    "V24-datetime64": (np.array([["2020"]], "M8[D]"), r"'x0' holds dates.*days since"),
    "V24-timestamp": (pd.DataFrame({"t": pd.to_datetime(["2020"])}), r"'t' holds dates"),
    "V24-duration": (pl.DataFrame({"t": [dt.timedelta(1)]}), r"'t' holds dates"),
    "V24-list": (pa.table({"l": [[1]]}), r"'l' is of Arrow type list.*unpack"),
    "V24-struct": (pa.table({"l": [{"a": 1}]}), r"'l' is of Arrow type struct.*unpack"),
    "V24-extension": (pa.table({"u": pa.array([b"a" * 16], pa.uuid())}), r"'u' is of Arrow type ext"),
    "V24-period": (pd.DataFrame({"p": pd.period_range("2020", periods=1)}), r"'p' is of Arrow type ext"),
    "V24-bytes": (np.array([[b"a"]]), r"'x0' holds \|S1.*decode"),
    "M09-mixed": ([["a", 1], [2, 2]], r"'x0' holds text, .*'a' in row 0 .* and numbers, as in row 1"),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_taken_is_named_with_a_way_out(data, words):
    with pytest.raises(DataError, match=words):
        as_table(data, text="codes")


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 2, 2), (2,), ()], ids=lambda shape: f"S01-{shape}")
def test_shapes_are_refused_in_the_words_of_scikit_learn(shape):
    X = np.ones(shape)
    with pytest.raises(ValueError, match="array") as theirs:
        check_array(X)
    with pytest.raises(DataError, match="array") as ours:
        as_table(X)
    first = str(theirs.value).split(":\narray=")[0]  # the whole array is not repeated
    assert str(ours.value).startswith(first.rstrip("."))


@pytest.mark.parametrize(
    "data",
    [pd.DataFrame({"x0": ["1.5", None, "2"]}), pl.DataFrame({"x0": ["1", "2"]}), [["1"], [None], ["2"]]],
    ids=["pandas", "polars", "list"],
)
def test_text_that_is_numbers_is_told_how_to_convert(data):
    with pytest.raises(DataError, match=r"'x0' holds text, .* is a number: convert with astype\(float\)"):
        as_table(data)


def test_a_cell_that_is_no_number_is_a_type_error_as_in_scikit_learn():
    with pytest.raises(
        TypeError, match=r"'x0', row 1 .*argument must be a string or a real number, not 'dict'"
    ):
        as_table(np.array([[1.0], [{"foo": "bar"}]], dtype=object))


def test_many_faults_are_listed_together_up_to_a_cap():
    with pytest.raises(DataError, match="25 faults in the data") as caught:
        as_table(np.full((2, 25), np.inf))
    lines = str(caught.value).splitlines()
    assert len(lines) == 22
    assert "'x19'" in lines[20]
    assert lines[21] == "- and 5 more"
