"""The parameters as frames and HTML, and the findings of `diagnose`."""

from __future__ import annotations

import builtins
import pickle
import warnings
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from estep import EM, HMM, PPCA, GaussianMixture, Mixture, Normal, datasets
from estep.errors import UsageError
from estep.report.diagnose import CODES

FAITHFUL = pd.DataFrame(datasets.load_faithful().values, columns=["eruptions", "waiting"])
SHORT: dict[str, Any] = {"random_state": 0, "n_init": 1, "tol": 0.1}
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "javascript:alert(1)",
)


class Reader(HTMLParser):
    """Tags, attributes and text, as a browser finds them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def mixture() -> GaussianMixture:
    return GaussianMixture(2, **SHORT).fit(FAITHFUL)


def cells(frame: pd.DataFrame, **of: str) -> np.ndarray:
    for name, value in of.items():
        frame = frame[frame[name] == value]
    return frame["value"].to_numpy()


def test_a_frame_holds_every_parameter(mixture: GaussianMixture) -> None:
    frame = mixture.to_frame()
    assert list(frame.columns) == ["parameter", "component", "column", "other", "value"]
    assert len(frame) == 2 + 2 + 4 + 8
    assert np.array_equal(cells(frame, parameter="weights"), mixture.weights_)
    assert np.array_equal(cells(frame, parameter="rows"), 272 * mixture.weights_)
    assert cells(frame, parameter="means", component="1", column="waiting") == mixture.means_[1, 1]
    inner = cells(frame, parameter="covariances", component="1", column="eruptions")
    assert np.array_equal(inner, mixture.covariances_[1, 0])
    found = mixture.to_frame("polars").filter(pl.col("parameter") == "means", pl.col("other").is_null())
    assert found["value"].to_list() == mixture.means_.T.ravel().tolist()
    table = mixture.to_frame("pyarrow")
    assert table["value"].to_pylist() == frame["value"].tolist()
    assert table["other"][0].as_py() is None


def test_a_frame_of_each_kind_of_model() -> None:
    text = pd.DataFrame({"class": ["x", "y", "x", "y", "x", "y"], "b": ["u", "u", "v", "v", "u", "v"]})
    classes = Mixture(2, "categorical", **SHORT).fit(text)
    frame = classes.to_frame()
    assert cells(frame, component="1", column="class", other="y") == classes.probabilities_[1, 0, 1]
    counts = datasets.load_earthquakes().select("count")
    chain = HMM(2, "poisson", **SHORT).fit(counts)
    frame = chain.to_frame()
    assert cells(frame, parameter="moves", component="0", other="1") == chain.transmat_[0, 1]
    assert np.array_equal(cells(frame, parameter="rates"), chain.rates_.ravel())
    ppca = PPCA(1, tol=0.1).fit(FAITHFUL)
    assert cells(ppca.to_frame(), parameter="noise") == ppca.noise_variance_

    def estep(params: Any, block: Any) -> tuple[Any, float]:
        x = block.values[0]
        return {"x": x.sum(), "n": float(x.size)}, float((np.log(params["rate"]) - params["rate"] * x).sum())

    start = {"rate": 0.1, "long": np.arange(6.0).reshape(2, 3)}
    own = EM(start, estep, lambda params, stats: params | {"rate": stats["n"] / stats["x"]})
    frame = own.fit([[4.0], [6.0]]).to_frame()
    assert cells(frame, parameter="long", other="1, 2") == 5.0
    assert cells(frame, parameter="rate") == pytest.approx(0.2)


def test_large_covariances_are_all_in_the_frame() -> None:
    X = np.random.default_rng(0).standard_normal((60, 25))
    normal = Normal(prior_rows=5, tol=1.0).fit(X)
    assert "Standard deviations (the covariances are too many" in normal.summary()
    found = cells(normal.to_frame(), parameter="covariance").reshape(25, 25)
    assert np.array_equal(found, normal.covariance_)


def test_a_frame_of_a_library_that_is_not_there(
    mixture: GaussianMixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="backend must be 'pandas', 'polars' or 'pyarrow'; found 'excel'"):
        mixture.to_frame("excel")  # type: ignore[arg-type]
    real = builtins.__import__

    def without(name: str, *rest: Any, **how: Any) -> Any:
        if name == "polars":
            raise ImportError(name)
        return real(name, *rest, **how)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match="install polars, or use backend='pyarrow'"):
        mixture.to_frame("polars")


def test_a_summary_is_text_at_a_prompt_and_tables_in_a_notebook(mixture: GaussianMixture) -> None:
    summary: Any = mixture.summary()
    assert isinstance(summary, str)
    assert repr(summary) == summary
    read = Reader(summary._repr_html_())
    assert read.tags == {"div", "p", "strong", "table", "tr", "th", "td", "caption"}
    told = [text.strip() for text in read.texts if text.strip()]
    shown = [word for line in summary.splitlines() for word in line.split()]
    assert sorted(" ".join(told).split()) == sorted(shown)  # not a word more, not one less


def test_hostile_names_are_inert() -> None:
    """R01: in column names, categories and findings."""
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 4)), columns=list(HOSTILE))
    X.iloc[:, 3] = X.iloc[:, 0]
    text = pd.DataFrame({HOSTILE[0]: [*HOSTILE, *HOSTILE], "b": list("uvuvvuuv")})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits = Normal().fit(X), Mixture(2, "categorical", **SHORT).fit(text)
    for fit in fits:
        html = fit.summary()._repr_html_()
        read = Reader(html)
        assert read.tags <= {"div", "p", "strong", "table", "tr", "th", "td", "caption", "ul", "li"}
        assert read.attributes == {"style"}
        assert "<img" not in html
        assert "<script" not in html
        for name in HOSTILE:
            assert any(name in told for told in read.texts)
    assert "repeats" in "".join(Reader(fits[0].summary()._repr_html_()).texts)


def test_pairs_never_seen_together_have_a_star() -> None:
    """M04: in the text and in HTML, and only these."""
    X = pd.DataFrame(np.random.default_rng(5).normal(size=(60, 3)), columns=["a", "b", "c"])
    X.loc[:29, "a"], X.loc[30:, "b"] = np.nan, np.nan
    with pytest.warns(UserWarning, match="EM009"):
        summary: Any = Normal().fit(X).summary()
    assert summary.count("*") == 3  # two cells and the word on them
    rows = {
        line.split()[0]: line.split() for line in summary.splitlines() if line.startswith(("  a ", "  b "))
    }
    assert rows["a"][2].endswith("*")
    assert rows["b"][1].endswith("*")
    assert "*" in "".join(Reader(summary._repr_html_()).texts)


def test_a_sound_fit_has_nothing_to_report(mixture: GaussianMixture) -> None:
    assert mixture.diagnose() == ()
    assert repr(mixture.diagnose()) == "nothing to report"


def test_a_diagnosis_has_the_warnings_first_with_cause_and_fix() -> None:
    with pytest.warns(UserWarning, match="EM001"):
        short = GaussianMixture(3, max_iter=2, random_state=0, n_init=1).fit(FAITHFUL)
    first = short.diagnose()[0]
    assert first.code == "EM001"
    assert f"EM001: {first.what}" in " ".join(short.summary().split())
    assert (first.cause, first.fix) == CODES["EM001"]
    assert first.page == "docs/warnings.md, EM001"
    assert repr(short.diagnose()).startswith("EM001: not converged")
    assert pickle.loads(pickle.dumps(short.diagnose())) == short.diagnose()  # noqa: S301 - our own bytes


def fitted(weights: list[float], means: Any, covariances: Any) -> GaussianMixture:
    """One pass from exactly these parameters, to data that leave them where they are."""
    mixture = GaussianMixture(
        len(weights),
        weights_init=weights,
        means_init=means,
        precisions_init=np.linalg.inv(covariances),
        max_iter=1,
        tol=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mixture.fit(FAITHFUL)


def test_what_deserves_a_look_is_found() -> None:
    """Each with the number that a hand computes."""
    one = np.cov(FAITHFUL.to_numpy().T, bias=True)
    both = fitted([0.5, 0.5], [FAITHFUL.mean()] * 2, [one] * 2).diagnose()
    assert [each.what for each in both if each.code == "EM020"] == [
        "component 0 and component 1 overlap by 1.000, where 1 is all"
    ]
    empty = fitted([0.999, 0.001], [FAITHFUL.mean()] * 2, [one] * 2).diagnose()
    assert [each.what for each in empty if each.code == "EM021"] == ["component 1 holds 0.27 rows' worth"]

    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    near = pd.DataFrame({"a": x, "b": x + 1e-3 * rng.normal(size=300), "c": rng.normal(size=300)})
    found = {each.code: each.what for each in Normal().fit(near).diagnose()}
    assert found.keys() == {"EM022", "EM024"}
    assert (
        found["EM024"] == f"columns that are nearly the same: 'a' with 'b' ({near['a'].corr(near['b']):.6f})"
    )
    least = np.linalg.eigvalsh(near.corr())[0]
    assert found["EM022"].startswith(f"the normal has {least:.1g} of the variance in a direction, mostly of ")

    lump = np.random.default_rng(1).normal(size=(272, 1))  # three components where one would do
    slow = GaussianMixture(3, covariance_type="diag", random_state=0, n_init=1).fit(lump)
    assert slow.diagnostics_["rate"] > 0.99
    assert "EM023" in {each.code for each in slow.diagnose()}
