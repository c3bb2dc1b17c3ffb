"""Parameters that make no sense: a typed error whose message names the parameter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from traps.faces import irises

from estep import HMM, PPCA, GaussianMixture, Mixture, Normal, SoftKMeans
from estep.errors import DataError, EstepError, UsageError

NO_COUNT = [0, -1, 2.5, 2.0, True, False, "2", None, float("nan"), [2]]
NO_TOL = [float("nan"), -1e-9, float("inf"), "small", True, None, 1j]
EYES = np.stack([np.eye(4)] * 2)


def refuse(model: Any, name: str, kind: type[EstepError] = UsageError, **data: Any) -> None:
    before = model.get_params()
    with pytest.raises(kind, match=rf"\b{name}\b"):
        model.fit(irises(), **data)
    assert not hasattr(model, "fitted_")
    assert all(model.get_params()[key] is value for key, value in before.items())


@pytest.mark.parametrize("bad", NO_COUNT, ids=repr)
@pytest.mark.parametrize("face", [GaussianMixture, Mixture, HMM, PPCA])
def test_n_components(face: Any, bad: Any) -> None:
    refuse(face(bad), "n_components")


@pytest.mark.parametrize("bad", NO_COUNT, ids=repr)
def test_n_clusters(bad: Any) -> None:
    refuse(SoftKMeans(bad), "n_clusters")


@pytest.mark.parametrize("face", [GaussianMixture, Mixture, HMM, PPCA, SoftKMeans, Normal])
def test_tol_and_max_iter(face: Any) -> None:
    for bad in NO_TOL:
        refuse(face(tol=bad), "tol")
    for bad in NO_COUNT:
        refuse(face(max_iter=bad), "max_iter")


@pytest.mark.parametrize("face", [GaussianMixture, Mixture, HMM, SoftKMeans])
def test_n_init_and_init_params(face: Any) -> None:
    for bad in ("x", 0, -1, 2.5, True, None):
        refuse(face(2, n_init=bad), "n_init")
    for bad in ("x", None, 3):
        refuse(face(2, init_params=bad), "init_params")


@pytest.mark.parametrize("bad", ["x", "FULL", None, 3, ["full"]], ids=repr)
def test_covariance_type(bad: Any) -> None:
    refuse(GaussianMixture(2, covariance_type=bad), "covariance_type")


@pytest.mark.parametrize("bad", [-1e-6, float("nan"), float("inf"), "x", True], ids=repr)
def test_reg_covar(bad: Any) -> None:
    refuse(GaussianMixture(2, reg_covar=bad), "reg_covar")


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros(3),
        np.ones((75, 3)) / 3,
        np.full((75, 2), 0.4),
        np.full((75, 2), np.nan),
        np.tile([1.5, -0.5], (75, 1)),
        np.arange(75),
        np.full(75, -1),
        np.full(75, 0.5),
        np.zeros(75),  # nothing for component 1
        np.tile([1.0, 0.0], (75, 1)),
        "ab",
        ["a"] * 75,
        [[1, 0], [1]],
    ],
    ids=lambda bad: str(np.shape(bad)) if isinstance(bad, np.ndarray) else repr(bad)[:10],
)
def test_resp_init(bad: Any) -> None:
    refuse(GaussianMixture(2, resp_init=bad), "resp_init")


@pytest.mark.parametrize(
    "bad", [[-1, 2], [0.5, 0.6], [0, 0], [1], [np.nan, 1], "ab", [["0.5"], ["0.5"]], object()], ids=range(8)
)
def test_weights_init(bad: Any) -> None:
    refuse(GaussianMixture(2, weights_init=bad), "weights_init")


@pytest.mark.parametrize(
    "bad", [[[1, 2]], np.full((2, 4), np.inf), np.zeros(4), "x", [[1], [1, 2]]], ids=repr
)
def test_means_init(bad: Any) -> None:
    refuse(GaussianMixture(2, means_init=bad), "means_init")


@pytest.mark.parametrize(
    ("shape", "bad"),
    [
        ("full", np.eye(4)),
        ("full", -EYES),
        ("full", np.ones((2, 4, 4))),
        ("full", np.full((2, 4, 4), np.nan)),
        ("tied", EYES),
        ("tied", -np.eye(4)),
        ("diag", np.zeros((2, 4))),
        ("diag", -np.ones((2, 4))),
        ("spherical", np.zeros(2)),
        ("spherical", np.ones((2, 4))),
        ("full", "x"),
    ],
)
def test_precisions_init(shape: str, bad: Any) -> None:
    refuse(GaussianMixture(2, covariance_type=shape, precisions_init=bad), "precisions_init")


@pytest.mark.parametrize("bad", [[1.0], [np.nan] * 4, "x", np.zeros((4, 1))], ids=repr)
def test_mean_init(bad: Any) -> None:
    refuse(Normal(mean_init=bad), "mean_init")


@pytest.mark.parametrize(
    "bad",
    [np.eye(3), -np.eye(4), np.zeros((4, 4)), np.arange(16.0).reshape(4, 4), np.full((4, 4), np.inf), "x"],
)
def test_covariance_init(bad: Any) -> None:
    refuse(Normal(covariance_init=bad), "covariance_init")


@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), "x", True, None], ids=repr)
def test_prior_rows(bad: Any) -> None:
    refuse(Normal(prior_rows=bad), "prior_rows")


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf"), "x", True], ids=repr)
def test_stiffness(bad: Any) -> None:
    refuse(SoftKMeans(2, stiffness=bad), "stiffness")


@pytest.mark.parametrize("bad", ["x", 3, None, GaussianMixture()], ids=lambda bad: type(bad).__name__)
def test_family_and_emission(bad: Any) -> None:
    refuse(Mixture(2, bad), "family")
    refuse(HMM(2, bad), "emission")


@pytest.mark.parametrize("bad", [0, -3, 1.5, "x", None], ids=repr)
def test_verbose_interval(bad: Any, capsys: pytest.CaptureFixture[str]) -> None:
    refuse(GaussianMixture(1, verbose=1, verbose_interval=bad), "verbose_interval")


def test_components_of_ppca_are_fewer_than_columns() -> None:
    for bad in (4, 5):
        refuse(PPCA(bad), f"n_components={bad} must be below the number of columns", DataError)


@pytest.mark.parametrize(
    "bad",
    [-np.ones(75), np.zeros(75), np.ones(3), np.full(75, np.nan), np.full(75, np.inf), np.ones((75, 2)), "x"],
    ids=lambda bad: str(np.shape(bad)) + str(np.ravel(bad)[0]),
)
@pytest.mark.parametrize("face", [GaussianMixture, Normal, PPCA, SoftKMeans], ids=lambda face: face.__name__)
def test_sample_weight(face: Any, bad: Any) -> None:
    refuse(face(), "sample_weight", DataError, sample_weight=bad)


def test_the_first_bad_weight_is_named() -> None:
    weights = np.ones(75)
    weights[[4, 9]] = -2.0
    with pytest.raises(DataError, match=r"sample_weight must be .* >= 0; row 4 \(counted from 0\) has -2"):
        GaussianMixture(1).fit(irises(), sample_weight=weights)


@pytest.mark.parametrize(
    "bad",
    [[1, 2], [75.0], [-1, 76], [0, 75], [[75]], "a", 75, [np.nan], [], [50, 26]],
    ids=repr,
)
def test_lengths(bad: Any) -> None:
    refuse(HMM(2, random_state=0), "lengths", DataError, lengths=bad)


@pytest.mark.parametrize("bad", [[-1, 1], [0, 0], [1], [np.nan, 1], [np.inf, 1], "x"], ids=repr)
def test_sequence_weight(bad: Any) -> None:
    refuse(HMM(2, random_state=0), "sequence_weight", DataError, lengths=[50, 25], sequence_weight=bad)


@pytest.mark.parametrize("bad", [-1, 2.5, "x", None], ids=repr)
@pytest.mark.parametrize("face", [GaussianMixture, Normal, PPCA, HMM], ids=lambda face: face.__name__)
def test_n_samples(face: Any, bad: Any) -> None:
    model = face().fit(irises())
    with pytest.raises(UsageError, match="n_samples"):
        model.sample(bad)


@pytest.mark.parametrize(
    ("family", "message"),
    [
        (
            "poisson",
            "column 'x0' has values that are not whole numbers; a Poisson law takes whole numbers >= 0",
        ),
        ("bernoulli", r"column 'x0' has values other than 0 and 1, from 4\.4 to 7\.7"),
        ("categorical", "column 'x0' has values that are not whole numbers"),
    ],
)
def test_data_that_a_family_cannot_take(family: str, message: str) -> None:
    for model in (Mixture(2, family), HMM(2, family)):
        with pytest.raises(DataError, match=message):
            model.fit(irises())
    with pytest.raises(
        DataError, match=r"column 'x0' has (a value of -7|values other than 0 and 1, from -7)"
    ):
        Mixture(2, family).fit(-np.floor(irises()))


def test_whole_numbers_of_numpy_are_counts() -> None:
    assert GaussianMixture(np.int64(2), max_iter=np.int32(50), n_init=np.uint8(1)).fit(irises()).converged_
