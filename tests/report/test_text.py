"""The summary: what it must say of each model, in lines that fit a terminal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from estep import EM, HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.datasets import load_airquality, load_earthquakes, load_faithful
from estep.families import Gaussian, Mixed
from estep.report.tables import numbers, table
from estep.report.words import clean, title, width

AIR_NAMES = ("Ozone", "Solar.R", "Wind", "Temp")
AIR = pd.DataFrame(load_airquality().select(*AIR_NAMES), columns=list(AIR_NAMES))
FAITHFUL = pd.DataFrame(load_faithful().values, columns=["eruptions", "waiting"])
COUNTS = load_earthquakes().select("count")
RNG = np.random.default_rng(0)
TEXT = pd.DataFrame({"class": RNG.choice(["a", "<b>"], 40), "yes": RNG.choice(["no", "yes"], 40)})
SHORT: dict[str, Any] = {"random_state": 0, "n_init": 2, "tol": 0.1}


def words(line: str) -> list[str]:
    return line.split()


def after(text: str, heading: str) -> list[list[str]]:
    """The words of the lines below a heading, up to the next empty line."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(heading))
    end = next((i for i, line in enumerate(lines) if i > start and not line), len(lines))
    return [words(line) for line in lines[start + 1 : end]]


def test_a_mixture_reads_like_this() -> None:
    mixture = GaussianMixture(2, random_state=0).fit(FAITHFUL)
    text = mixture.summary()
    assert text.splitlines()[0] == "Gaussian mixture with 2 components, full covariances"
    for expected in (
        "rows 272",
        "columns 2: eruptions, waiting",
        "missing cells none",
        "log-likelihood -1130.264",
        "free parameters 11",
        f"BIC {mixture.bic(FAITHFUL):.3f} (lower is better)",
        f"AIC {mixture.aic(FAITHFUL):.3f} (lower is better)",
        "status CONVERGED: the gain still to come is below the tolerance",
        f"iterations {mixture.n_iter_}",
        f"EM's linear rate {mixture.diagnostics_['rate']:.3f}",
        f"starts {len(mixture.diagnostics_['starts'])}",
    ):
        assert expected.split() in map(words, text.splitlines()), expected
    assert f"why {mixture.fitted_.verdict.message} iterations" in " ".join(text.split())  # wrapped
    assert after(text, "Mixing weights") == [["0", "1"], [f"{w:.5f}" for w in mixture.weights_]]
    means = mixture.means_
    assert after(text, "Means") == [
        ["0", "1"],
        ["eruptions", *(f"{m:.4f}" for m in means[:, 0])],
        ["waiting", *(f"{m:.3f}" for m in means[:, 1])],
    ]
    covariance = after(text, "Covariances of component 1 (not standard deviations)")
    assert covariance[0] == ["eruptions", "waiting"]
    assert np.allclose(
        [[float(x) for x in row[1:]] for row in covariance[1:]], mixture.covariances_[1], rtol=1e-4
    )
    assert "Findings" not in text


def test_with_the_data_the_sizes_of_clusters_and_the_icl_are_told() -> None:
    class WithIcl(GaussianMixture):
        def icl(self, X: Any) -> float:
            return 2322.5 + len(X)

    mixture = WithIcl(2, random_state=0, n_init=1).fit(FAITHFUL)
    assert "rows by component" not in mixture.summary()
    lines = list(map(words, mixture.summary(FAITHFUL).splitlines()))
    first = int((mixture.predict(FAITHFUL) == 0).sum())
    assert f"rows by component {first}, {272 - first}".split() in lines
    assert ["ICL", "2594.500", "(lower", "is", "better)"] in lines
    assert "rows by component" not in Normal().fit(FAITHFUL).summary(FAITHFUL)


def test_missing_cells_are_counted_from_the_record() -> None:
    text = Normal().fit(AIR).summary()
    assert "missing cells  44 of 612 (7.2%): Ozone 37, Solar.R 7" in text
    weights = np.where(AIR["Ozone"].isna(), 2.5, 1.0)
    text = Normal().fit(AIR, sample_weight=weights).summary()
    assert ["weight", "of", "rows", "208.5"] in map(words, text.splitlines())
    assert "Ozone 92.5, Solar.R 10" in text  # two of the seven rows have weight 2.5


def test_findings_stand_at_the_end() -> None:
    with pytest.warns(ConvergenceWarning, match="EM001"):
        mixture = GaussianMixture(3, max_iter=2, random_state=0, n_init=1).fit(FAITHFUL)
    text = mixture.summary()
    assert "status            MAX_ITER: the iterations ran out before convergence" in text
    assert "stopped at max_iter=2" in text
    assert after(text, "Findings")[0][:3] == ["EM001:", "not", "converged:"]


def test_each_model_is_named_and_its_parameters_told() -> None:
    hmm = HMM(2, "poisson", random_state=0, tol=1e-8).fit(COUNTS)
    text = hmm.summary()
    assert text.startswith("Hidden Markov model with 2 states, Poisson emissions\n")
    rows = after(text, "Transition matrix (row: from, column: to)")[1:]
    assert np.allclose([[float(x) for x in row[1:]] for row in rows], hmm.transmat_, atol=5e-6)
    assert after(text, "Rates")[1] == ["x0", "15.421", "26.018"]
    assert after(text, "Start probabilities")[0] == ["0", "1"]

    ppca = PPCA(1, tol=0.1).fit(AIR)
    text = ppca.summary()
    assert text.startswith("Probabilistic principal component analysis with 1 component\n")
    assert [row[0] for row in after(text, "Loadings")[1:]] == list(AIR_NAMES)
    assert f"Noise variance (not standard deviation): {ppca.noise_variance_:.2f}" in text
    share = float(after(text, "Share of the total variance")[1][0])
    loading = float(np.square(ppca.loadings_).sum())
    assert np.isclose(
        share, (loading + ppca.noise_variance_) / (loading + 4 * ppca.noise_variance_), atol=1e-5
    )

    text = Mixture(2, "categorical", **SHORT).fit(TEXT).summary()
    assert [row[0] for row in after(text, "Probabilities of 'class'")] == ["0", "<b>", "a"]
    text = Mixture(2, "bernoulli", **SHORT).fit((TEXT == "yes")[["yes"]]).summary()
    assert after(text, "Probabilities of a 1")[1][0] == "yes"

    soft = SoftKMeans(2, stiffness=0.01, **SHORT).fit(FAITHFUL)
    text = soft.summary()
    assert text.startswith("Soft k-means with 2 clusters, one spherical variance held fixed\n")
    assert after(text, "Shared spherical variance, not standard deviation") == [
        ["variance", "stiffness"],
        ["50.000", "0.010000"],
    ]


def test_a_prior_is_told_apart_from_the_likelihood() -> None:
    normal = Normal(prior_rows=2).fit(AIR)
    text = normal.summary()
    assert text.startswith("Multivariate normal, with a prior of 2 rows\n")
    assert ["with", "the", "prior", f"{normal.objective_:.3f}"] in map(words, text.splitlines())
    assert ["log-likelihood", f"{normal.loglik_:.3f}"] in map(words, text.splitlines())


def test_a_users_model_lists_its_parameters() -> None:
    def estep(params: Any, block: Any) -> tuple[Any, float]:
        x = block.values[0]
        return {"x": x.sum(), "n": float(x.size)}, float((np.log(params["rate"]) - params["rate"] * x).sum())

    def mstep(params: Any, stats: Any) -> Any:
        return {"rate": stats["n"] / stats["x"], "kept": params["kept"], "long": params["long"]}

    start = {"rate": 0.1, "kept": np.array([1.5, 2.0]), "long": np.zeros((3, 9))}
    text = EM(start, estep, mstep).fit([[4.0], [6.0]]).summary()
    assert after(text, "Parameters") == [
        ["kept:", "1.5000", "2.0000"],
        ["long:", "array", "of", "shape", "(3,", "9)"],
        ["rate:", "0.20000"],
    ]


@pytest.mark.parametrize(
    ("estimator", "first"),
    [
        (
            Mixture(2, Mixed(2, Gaussian("diag")), **SHORT),
            "Mixture of Gaussian mixtures with 2 components, diag",
        ),
        (HMM(2, Mixed(2, Gaussian("tied")), **SHORT), "Hidden Markov model with 2 states, Gaussian mixture"),
        (
            GaussianMixture(1, reg_covar=0.1, covariance_type="spherical"),
            "Gaussian mixture with 1 component, s",
        ),
    ],
)
def test_lines_fit_a_terminal_and_cut_nothing_off(estimator: Any, first: str) -> None:
    text = estimator.fit(AIR).summary()
    assert text.startswith(first)
    assert max(map(len, text.splitlines())) <= 80
    assert all(line == line.rstrip() for line in text.splitlines())


def test_wide_data_go_on_below_and_large_matrices_become_deviations() -> None:
    X = RNG.standard_normal((60, 25))
    names = [f"column number {j:02d}" for j in range(25)]
    normal = Normal(prior_rows=5, tol=1.0).fit(pd.DataFrame(X, columns=names))
    text = normal.summary()
    assert max(map(len, text.splitlines())) <= 80
    deviations = after(text, "Standard deviations (the covariances are too many to print)")
    assert np.allclose(
        [float(row[-1]) for row in deviations[1:]], np.sqrt(np.diag(normal.covariance_)), rtol=1e-3
    )
    mixture = GaussianMixture(30, covariance_type="tied", random_state=0, n_init=1, max_iter=3, tol=10)
    with pytest.warns(UserWarning, match="EM0"):
        text = mixture.fit(FAITHFUL).summary()
    assert max(map(len, text.splitlines())) <= 80
    shown = [word for row in after(text, "Means") if row[0] == "waiting" for word in row[1:]]
    assert np.allclose([float(word) for word in shown], mixture.means_[:, 1], rtol=1e-4)


def test_names_cannot_break_the_layout() -> None:
    odd = pd.DataFrame(FAITHFUL.to_numpy(), columns=["a\nb\x1b[31m", "漢字" * 30])
    text = Normal().fit(odd).summary()
    assert "\x1b" not in text
    assert "a?b?[31m" in text
    assert "漢字" * 4 in text
    widths = {width(line) for line in text.split("Covariances")[1].splitlines()[1:]}
    assert len(widths) == 1


def test_an_estimator_must_be_fitted() -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        Normal().summary()


def test_numbers_of_one_unit_share_their_decimals() -> None:
    assert numbers([1.0, 20.0, 0.5]) == ["1.000", "20.000", "0.500"]
    assert numbers([123456.0, 1.0]) == ["123456", "1.0000"]
    assert numbers([1e-9, 1.0]) == ["1e-09", "1.0000"]
    assert numbers([0.0]) == ["0.0000"]
    assert numbers([float("nan"), float("inf"), -2.0]) == ["nan", "inf", "-2.0000"]
    assert numbers([1e12]) == ["1e+12"]


def test_tables_are_aligned_and_say_what_they_leave_out() -> None:
    lines = table([[1.0, 10.0], [2.0, 20.0]], ["a", "bb"], ["x", "yy"])
    assert lines == ["          x      yy", "  a   1.000  10.000", "  bb  2.000  20.000"]
    lines = table(np.ones((50, 45)), [str(i) for i in range(50)], [str(j) for j in range(45)])
    assert lines[-2:] == ["  ... and 10 more rows", "  ... and 5 more columns"]
    assert max(map(len, lines)) <= 80
    assert table([[1e-9, 0.5, 0.0]], [""], ["a", "b", "c"], alike="probabilities")[1].split() == [
        "1.0e-09",
        "0.50000",
        "0.00000",
    ]


def test_clean_cuts_to_places() -> None:
    assert clean("x" * 70, 10) == "xxxxxxx..."
    assert width(clean("漢" * 70, 10)) <= 10
    assert clean("plain") == "plain"


def test_a_model_nobody_knows_has_its_own_name() -> None:
    class Strange:
        pass

    assert title(Strange()) == "Strange"
