"""save and load: the same bits again, no data in the file, and no inconsistent file believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from estep import (
    EM,
    GMMHMM,
    HMM,
    PPCA,
    CategoricalHMM,
    GaussianHMM,
    GaussianMixture,
    Mixture,
    Normal,
    PoissonHMM,
    SoftKMeans,
    load,
)
from estep.datasets import load_airquality, load_earthquakes, load_faithful, load_galaxies
from estep.errors import ModelFileError, SourceError, UsageError
from estep.families import Bernoulli, Categorical, Gaussian, Mixed, Poisson
from estep.families.covariance import SHAPES, OneSphere
from estep.io import ModelFile, read, write
from estep.records import Block, named_leaves
from estep.space import Fixed, Loadings, PosDef, Positive, Real, Simplex, Unit

RNG = np.random.default_rng(0)
AIR = load_airquality().select("Ozone", "Solar.R", "Wind", "Temp")[:60]
FAITHFUL = load_faithful().values[:80]
COUNTS = load_earthquakes().select("count")
CODES = np.column_stack([RNG.integers(0, 3, 50), RNG.integers(0, 2, 50)]).astype(float)
TEXT = pd.DataFrame({"class": RNG.choice(["a", "é", "<b>"], 50), "yes": RNG.choice(["no", "yes"], 50)})
TEXT.loc[3, "class"] = None
SHORT: dict[str, Any] = {"random_state": 0, "n_init": 2, "tol": 0.1}

CASES: dict[str, tuple[Callable[[], Any], Any]] = {
    "mixture": (lambda: GaussianMixture(2, **SHORT), FAITHFUL),
    "mixture, holes": (lambda: GaussianMixture(2, covariance_type="diag", **SHORT), AIR),
    "mixture, float32 frame": (
        lambda: GaussianMixture(2, covariance_type="spherical", **SHORT),
        pd.DataFrame(FAITHFUL.astype(np.float32), columns=["length", "wait"]),
    ),
    "mixture, starts and ridge": (
        lambda: GaussianMixture(
            2, covariance_type="tied", reg_covar=1e-3, means_init=[[2, 55], [4, 80]], warm_start=True
        ),
        FAITHFUL,
    ),
    "mixture, parts fixed": (
        lambda: GaussianMixture(
            2,
            fixed=("weights", "covariances"),
            weights_init=[0.3, 0.7],
            precisions_init=np.tile(np.diag([4, 0.02]), (2, 1, 1)),
            **SHORT,
        ),
        FAITHFUL,
    ),
    "mixture, means fixed": (
        lambda: GaussianMixture(2, fixed="means", means_init=[[2, 55], [4, 80]], equal_weights=True),
        FAITHFUL,
    ),
    "normal": (Normal, AIR),
    "normal, prior": (lambda: Normal(prior_rows=2, mean_init=[40, 185, 10, 78]), AIR),
    "ppca": (lambda: PPCA(2, tol=0.1), AIR),
    "soft k-means": (lambda: SoftKMeans(2, **SHORT), load_galaxies().values),
    "soft k-means, stiffness": (lambda: SoftKMeans(2, stiffness=0.01, **SHORT), AIR),
    "hmm, poisson": (lambda: HMM(2, "poisson", **SHORT), COUNTS),
    "gaussian hmm": (lambda: GaussianHMM(2, transmat_prior=[[3, 1], [1, 3]], **SHORT), AIR),
    "categorical hmm": (lambda: CategoricalHMM(2, startprob="stationary", **SHORT), CODES),
    "mixture hmm": (
        lambda: GMMHMM(2, 2, transmat_mask=[[0, 1], [1, 1]], low_memory=True, **SHORT),
        FAITHFUL,
    ),
    "poisson hmm, rates fixed": (
        lambda: PoissonHMM(
            2,
            transmat_fixed=[[0.9, 0.1], [np.nan, np.nan]],
            fixed="rates",
            rates_init=[[15.0], [26]],
            **SHORT,
        ),
        COUNTS,
    ),
    "hmm, mixed": (lambda: HMM(2, Mixed(2, Gaussian("diag", floor=1e-6)), **SHORT), AIR),
    "poisson": (lambda: Mixture(2, Poisson(), **SHORT), COUNTS),
    "bernoulli": (lambda: Mixture(2, "bernoulli", **SHORT), CODES[:, 1:]),
    "text categories": (lambda: Mixture(2, "categorical", **SHORT), TEXT),
    "more levels than seen": (lambda: Mixture(2, Categorical((5, 2)), **SHORT), CODES),
    "one sphere": (lambda: Mixture(2, Gaussian(OneSphere(), ridge=0.5), **SHORT), AIR),
}


def fitted(name: str) -> tuple[Any, Any]:
    make, X = CASES[name]
    return make().fit(X), X


def again(estimator: Any, folder: Path, **hooks: Any) -> Any:
    estimator.save(folder / "model.estep")
    return load(folder / "model.estep", **hooks)


def bits(estimator: Any, X: Any) -> dict[str, Any]:
    """Everything an estimator says of data, as bytes."""
    asked = ("score_samples", "predict_proba", "predict", "impute", "transform")
    said = {name: getattr(estimator, name)(X) for name in asked if hasattr(estimator, name)}
    return {name: found.tobytes() for name, found in said.items()} | {"loglik": estimator.loglik(X)}


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_estimator_says_the_same_to_the_bit(name: str, tmp_path: Path) -> None:
    estimator, X = fitted(name)
    other = again(estimator, tmp_path)
    assert type(other) is type(estimator)
    assert bits(other, X) == bits(estimator, X)
    assert other.loglik_ == other.loglik(X) == estimator.loglik_
    assert repr(other.fitted_.verdict) == repr(estimator.fitted_.verdict)
    assert repr(other.diagnostics_) == repr(estimator.diagnostics_)
    assert other.history_ == estimator.history_
    assert other.summary() == estimator.summary()
    assert getattr(other, "feature_names_in_", np.array([])).tolist() == list(getattr(X, "columns", []))
    per_row = {"memberships_", "labels_", "inertia_", "uncertainty_"}
    assert vars(estimator).keys() - vars(other).keys() <= per_row


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_estimator_has_the_parameters_and_fits_again(name: str, tmp_path: Path) -> None:
    estimator, X = fitted(name)
    other = again(estimator, tmp_path)
    before, after = estimator.get_params(deep=False), other.get_params(deep=False)
    for key in before.keys() - {"family", "emission"}:
        same = {"equal_nan": isinstance(before[key], list)}  # NaN = free
        assert np.array_equal(np.asarray(after[key]), np.asarray(before[key]), **same), key
    if not getattr(estimator, "warm_start", False):
        assert other.fit(X).loglik_ == estimator.loglik_
    again(other, tmp_path)


def test_weights_are_of_the_fit(tmp_path: Path) -> None:
    weights = np.arange(len(FAITHFUL)) % 3 + 0.5
    estimator = GaussianMixture(2, reg_covar=1e-3, **SHORT).fit(FAITHFUL, sample_weight=weights)
    other = again(estimator, tmp_path)
    assert other.loglik(FAITHFUL, weights) == estimator.loglik_
    assert other.fitted_.weight == weights.sum()
    prior = other.fitted_.model.log_prior(other.fitted_.params)
    assert estimator.loglik_ + prior == estimator.objective_ == other.objective_


FAMILIES = {
    **{name: Gaussian(name, floor=1e-5, ridge=0.25) for name in SHAPES},  # type: ignore[arg-type]
    "shape object": Gaussian(SHAPES["diag"]),
    "one sphere": Gaussian(OneSphere()),
    "fixed sphere": Gaussian(OneSphere(fixed=True)),
    "mixed": Mixed(2, Mixed(3, Poisson()), equal=True),
    "bernoulli": Bernoulli(),
    "levels": Categorical((3, 2)),
    "no levels": Categorical(),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_spelled_and_read(name: str) -> None:
    from estep.estimators.saved.spell import spell, unspell

    words = spell(FAMILIES[name])
    assert spell(unspell(words)) == words
    assert type(unspell(words)) is type(FAMILIES[name])
    for key in words:
        for wrong in (None, -1, 1.5, "x", [], {}, [0]):
            number = key in ("floor", "ridge") and wrong == 1.5
            if number or (key == "levels" and wrong is None):
                continue
            with pytest.raises(ModelFileError, match=r"unknown|of the family|the family"):
                unspell({**words, key: wrong})
    with pytest.raises(ModelFileError, match="unknown"):
        unspell({**words, "extra": 1})


def test_a_users_family_cannot_be_saved(tmp_path: Path) -> None:
    class Own(Poisson):
        pass

    estimator = Mixture(2, Own(), **SHORT).fit(COUNTS)
    with pytest.raises(UsageError, match="the family Own cannot be saved"):
        estimator.save(tmp_path / "model.estep")

    class OwnMixture(GaussianMixture):
        pass

    with pytest.raises(UsageError, match="OwnMixture is not an estimator of this package"):
        OwnMixture(2, **SHORT).fit(FAITHFUL).save(tmp_path / "model.estep")
    with pytest.raises(NotFittedError, match="not fitted"):
        GaussianMixture(2).save(tmp_path / "model.estep")
    estimator = GaussianMixture(2, **SHORT).fit(FAITHFUL)
    with pytest.raises(UsageError, match=r"could not be loaded again: .*shape \(1, 3\).*fit again"):
        estimator.set_params(n_components=3).save(tmp_path / "model.estep")
    with pytest.raises(UsageError, match="tol=nan cannot be saved"):
        estimator.set_params(n_components=2, tol=float("nan")).save(tmp_path / "model.estep")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_number_is_left_out(tmp_path: Path) -> None:
    labels = (FAITHFUL[:, 0] > 3).astype(int)
    estimator = GaussianMixture(
        2, random_state=np.random.RandomState(3), resp_init=labels, tol=np.float32(0.5)
    )
    other = again(estimator.fit(FAITHFUL), tmp_path)
    assert other.random_state is None
    assert other.resp_init is None
    assert other.tol == 0.5
    assert bits(other, FAITHFUL) == bits(estimator, FAITHFUL)
    seeded = GaussianMixture(2, random_state=np.int64(3), n_init=np.int64(2)).fit(FAITHFUL)
    assert (again(seeded, tmp_path).random_state, again(seeded, tmp_path).n_init) == (3, 2)


@pytest.mark.parametrize("name", ["mixture", "normal", "ppca", "poisson", "hmm, poisson", "soft k-means"])
def test_no_cell_of_the_data_is_in_the_file(name: str, tmp_path: Path) -> None:
    make, X = CASES[name]
    values = np.array(X)
    canaries = [values[:, 0].max() + 7, values[:, 0].max() + 13]  # the greatest value, and another
    values[[5, 9], 0] = canaries
    estimator = make().fit(values)
    estimator.save(tmp_path / "model.estep")
    data = (tmp_path / "model.estep").read_bytes()
    centre, scale = (each[0] for each in estimator.fitted_.units)
    for cell in (*canaries, *((canary - centre) / scale for canary in canaries)):
        assert np.float64(cell).tobytes() not in data
        assert repr(float(cell)).encode() not in data


class Rates(NamedTuple):
    rate: float
    shares: dict[str, np.ndarray]


def estep(params: Rates, block: Block) -> tuple[Any, float]:
    x = block.values[0]
    own = np.log(params.shares["p"])
    loglik = float((np.log(params.rate) - params.rate * x).sum() + own.sum())
    return (x.sum(), float(x.size)), loglik


def mstep(params: Rates, stats: Any) -> Rates:
    return Rates(stats[1] / stats[0], params.shares)


def prior(params: Rates) -> float:
    return -params.rate


def test_a_users_model_needs_its_functions_again(tmp_path: Path) -> None:
    start = Rates(0.2, {"p": np.array([0.25, 0.75])})
    spaces = Rates(Positive(), {"p": Unit()})  # type: ignore[arg-type, dict-item]
    X = RNG.exponential(5.0, (40, 1))
    estimator = EM(start, estep, mstep, prior, spaces, tol=0.5).fit(X)
    estimator.save(tmp_path / "own.estep")
    both: dict[str, Any] = {"estep": estep, "mstep": mstep}
    for given in ({}, {"estep": estep}, both, {**both, "spaces": spaces}, {"start": start}):
        with pytest.raises(ModelFileError, match=r"the fit, estep=\.\.\., mstep=\.\.\., log_prior=\.\.\.$"):
            load(tmp_path / "own.estep", **given)
    hooks = {**both, "log_prior": prior}
    other = load(tmp_path / "own.estep", **hooks)
    assert other.loglik(X) == estimator.loglik_ == other.loglik_
    assert other.objective_ == estimator.objective_
    assert repr(other.params_.rate) == repr(estimator.params_.rate)
    assert other.params_.shares["p"].tolist() == [0.25, 0.75]
    assert other.start is other.fitted_.params
    assert (other.spaces.rate, other.spaces.shares) == (Positive(), {"p": Unit()})
    assert other.bic(X) == estimator.bic(X)  # free parameters are counted by the spaces
    assert load(tmp_path / "own.estep", start=start, **hooks).fit(X).loglik_ == estimator.loglik_
    assert load(tmp_path / "own.estep", spaces=Real(), **hooks).spaces == Real()
    assert "EM" not in other.summary().splitlines()[0]
    changed(tmp_path / "own.estep", lambda f: f.tensors["params.rate"].fill(-1))
    with pytest.raises(ModelFileError, match=r"params\.rate must be finite and not negative"):
        load(tmp_path / "own.estep", **hooks)


def user(spaces: Any, start: Any) -> EM:
    """A model that stays where it is."""
    estimator = EM(start, lambda params, _: (1.0, 0.0), lambda params, _: params, None, spaces, max_iter=1)
    with pytest.warns(UserWarning, match="EM001"):
        return estimator.fit([[1.0], [2.0]])


@pytest.mark.parametrize(
    ("spaces", "start"),
    [
        (None, 2.0),
        (Fixed(), np.ones(3)),
        ({"a": PosDef(), "b": Loadings()}, {"a": np.eye(2), "b": np.array([[1.0], [2.0]])}),
        ((Real(), (Unit(),)), (1.0, (0.5,))),
        (Simplex(np.array([[True, False], [True, True]])), np.array([[1.0, 0.0], [0.5, 0.5]])),
    ],
)
def test_spaces_come_back(spaces: Any, start: Any, tmp_path: Path) -> None:
    estimator = user(spaces, start)
    other = again(estimator, tmp_path, estep=estimator.estep, mstep=estimator.mstep)
    assert repr(other.spaces) == repr(spaces)
    assert other.fitted_.n_parameters == estimator.fitted_.n_parameters


class Half(Real):
    """A space of a user's own, which may be any code."""


def test_spaces_of_a_users_own_must_be_given_again(tmp_path: Path) -> None:
    estimator = user((Half(), Unit()), (1.0, 0.5))
    estimator.save(tmp_path / "own.estep")
    both = {"estep": estimator.estep, "mstep": estimator.mstep}
    with pytest.raises(ModelFileError, match=r"estep=\.\.\., mstep=\.\.\., spaces=\.\.\.$"):
        load(tmp_path / "own.estep", **both)
    assert type(load(tmp_path / "own.estep", spaces=estimator.spaces, **both).spaces[0]) is Half
    with pytest.raises(ModelFileError, match="spaces do not fit the parameters"):
        load(tmp_path / "own.estep", spaces=(Half(),), **both)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ("os.system", "'os.system' is unknown"),
        ("Half", "'Half' is unknown"),
        ({"Simplex": [[True], [True, False]]}, "is unknown"),
        ({"Simplex": [1, 0]}, "is unknown"),
        ({"Real": None}, "is unknown"),
        ({"tuple": ["Real", "Real"]}, "spaces do not fit"),
        ({"dict": {"b": "Real"}}, "spaces do not fit"),
        ("Loadings", "do not fit each other"),
        ("PosDef", "spaces do not fit"),
        ({"Simplex": [True] * 3}, "do not fit each other|sum to 1"),
    ],
)
def test_spaces_that_cannot_be_are_refused(words: Any, match: str, tmp_path: Path) -> None:
    estimator = user(None, {"a": np.array([0.5, 0.5])})
    estimator.save(tmp_path / "own.estep")
    changed(tmp_path / "own.estep", parameter("spaces", words))
    with pytest.raises(ModelFileError, match=match):
        load(tmp_path / "own.estep", estep=estimator.estep, mstep=estimator.mstep)


def test_a_users_parameters_of_any_nest(tmp_path: Path) -> None:
    def loss(params: Any, block: Block) -> tuple[Any, float]:
        return {"n": 1.0}, 0.0

    def keep(params: Any, stats: Any) -> Any:
        return params

    for nest in (
        2.5,
        np.float64(0.1),
        np.arange(6.0).reshape(2, 3),
        (1.0, (np.asarray(0.5), {"b": 3, "a": np.arange(2)})),
    ):
        estimator = EM(nest, loss, keep, max_iter=1, tol=0.5)
        with pytest.warns(UserWarning, match="EM001"):
            estimator.fit([[1.0], [2.0]])
        other = again(estimator, tmp_path, estep=loss, mstep=keep)
        found, given = list(named_leaves(other.params_)), list(named_leaves(nest))
        assert [(name, type(leaf)) for name, leaf in found] == [(name, type(leaf)) for name, leaf in given]
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found, given, strict=True))
        assert type(other.params_) is type(nest)
    for nest, match in (
        ({"a": np.float32(1)}, "float32.*make it float64"),
        ({"a.b": 1.0, "a": {"b": 2.0}}, "have the path 'params.a.b'"),
        ({1: 1.0}, "a key that is not a string"),
    ):
        estimator = EM(nest, loss, keep, max_iter=1, tol=0.5)
        with pytest.warns(UserWarning, match="EM001"):
            estimator.fit([[1.0], [2.0]])
        with pytest.raises(UsageError, match=match):
            estimator.save(tmp_path / "own.estep")


def test_functions_for_another_model_are_refused(tmp_path: Path) -> None:
    fitted("normal")[0].save(tmp_path / "model.estep")
    with pytest.raises(UsageError, match="holds a Normal, which takes no functions"):
        load(tmp_path / "model.estep", estep=estep)
    with pytest.raises(SourceError, match="cannot read"):
        load(tmp_path / "nothing.estep")


def changed(path: Path, change: Callable[[ModelFile], Any]) -> None:
    """The file with its contents changed, and a checksum that is right."""
    file = read(path)
    found = change(file)
    write(path, found if isinstance(found, ModelFile) else file)


def tensor(name: str, value: Any) -> Callable[[ModelFile], Any]:
    def change(file: ModelFile) -> None:
        if value is None:
            del file.tensors[name]
        else:
            file.tensors[name] = np.asarray(value)

    return change


def field(name: str, value: Any) -> Callable[[ModelFile], Any]:
    return lambda file: file.outcome.__setitem__(name, value)


def parameter(name: str, value: Any) -> Callable[[ModelFile], Any]:
    return lambda file: file.parameters.__setitem__(name, value)


def column(name: str, value: Any) -> Callable[[ModelFile], Any]:
    return lambda file: file.outcome["columns"][0].__setitem__(name, value)


def first(name: str, value: float) -> Callable[[ModelFile], Any]:
    return lambda file: file.tensors[name].reshape(-1).__setitem__(0, value)


W, M, C = "params.weights", "params.inner.means", "params.inner.covariances"
WRONG: list[tuple[str, Callable[[ModelFile], Any], str]] = [
    ("mixture", tensor(W, [[1.5, -0.5]]), "params.weights must be >= 0 and sum to 1"),
    ("mixture", tensor(W, [[0.5, 0.6]]), "sum to 1"),
    ("mixture", tensor(W, [0.5, 0.5]), r"params.weights' must be float64 of shape \(1, 2\); found"),
    ("mixture", tensor(W, [[0.2, 0.3, 0.5]]), r"found float64 of shape \(1, 3\)"),
    ("mixture", tensor(W, [[1, 0]]), "found int64"),
    ("mixture", tensor(W, None), "found nothing"),
    ("mixture", first(M, np.nan), "params.inner.means must be finite"),
    ("mixture", first(M, 1e308), "beyond float64 in the units of the data"),
    ("mixture", tensor(M, np.zeros((2, 3))), r"must be float64 of shape \(2, 2\)"),
    ("mixture", tensor(C, -np.ones((2, 2, 2))), "covariances must be positive definite"),
    ("mixture", tensor(C, [[[1, 2.0], [2, 1]]] * 2), "covariances must be positive definite"),
    ("mixture", tensor(C, [[[1, 0.1], [0.2, 1]]] * 2), "covariances must be finite and symmetric"),
    ("mixture", first(C, np.inf), "covariances must be finite and symmetric"),
    ("mixture", tensor("params.extra", [1.0]), "unknown array 'params.extra'"),
    ("mixture", tensor("parameter.mean_init", [1.0]), "unknown array 'parameter.mean_init'"),
    ("mixture", tensor("units.scale", None), "the array 'units.scale' is missing"),
    ("mixture", first("units.scale", 3.0), "'units' must be finite, and equal to the scales"),
    ("mixture", first("units.centre", np.nan), "'units' must be finite"),
    ("mixture", tensor("units.centre", np.zeros(3)), "'units' must be finite"),
    ("mixture", tensor("history", np.zeros((3, 5))), "history must be float64 of shape"),
    ("mixture", tensor("history", [[0, 0, 0, 0, 1, 3.0]]), "a kind of step that cannot be"),
    ("mixture", tensor("history", [[0, 0, 0, 0, np.inf, 1]]), "a number of passes"),
    ("mixture", parameter("n_components", 3), r"must be float64 of shape \(1, 3\)"),
    ("mixture", parameter("n_components", 10**15), r"must be float64 of shape \(1, 1000000000000000\)"),
    ("mixture", parameter("n_components", True), "'n_components' cannot be 'True'"),
    ("mixture", parameter("n_components", 2.0), "'n_components' cannot be '2.0'"),
    ("mixture", parameter("n_components", 0), "n_components must be an integer >= 1"),
    ("mixture", parameter("covariance_type", "os.system"), "covariance_type must be one of"),
    ("mixture", parameter("covariance_type", "tied"), r"must be float64 of shape \(2, 2\)"),
    ("mixture", parameter("tol", -1.0), "tol must be a finite number >= 0"),
    ("mixture", parameter("tol", "x"), "'tol' cannot be 'x'"),
    ("mixture", parameter("max_iter", 0), "max_iter must be"),
    ("mixture", parameter("n_init", "many"), "n_init must be"),
    ("mixture", parameter("init_params", "os"), "init_params must be one of"),
    ("mixture", parameter("random_state", -1), "do not fit each other"),
    ("mixture", parameter("means_init", [[1]]), "'means_init' cannot be"),
    ("mixture", parameter("extra", 1), "the parameter 'extra' is unknown"),
    ("mixture", lambda file: file.parameters.pop("tol"), "the parameter 'tol' is missing"),
    ("mixture", lambda file: file._replace(kind="Face"), "holds a 'Face', which this estep does not know"),
    ("mixture", lambda file: file._replace(kind="Normal"), "'covariance_init' is missing"),
    ("mixture", field("loglik", "big"), "'loglik' must be of type float; found str"),
    ("mixture", field("loglik", 1), "'loglik' must be of type float; found int"),
    ("mixture", field("weight", -1.0), "'weight' must be finite and not negative"),
    ("mixture", field("weight", "nan"), "'weight' must be finite"),
    ("mixture", field("status", "FINE"), "unknown status 'FINE'"),
    ("mixture", field("iteration", 1.5), "'iteration' must be of type int"),
    ("mixture", field("starts", [["CONVERGED", "", 1]]), "start 1 must be a list of status"),
    ("mixture", field("starts", [7]), "start 1 must be a list of status"),
    ("mixture", field("columns", []), "at least one"),
    ("mixture", field("columns", [1, 2]), "column 0 must be a JSON object"),
    ("mixture", field("named", 0), "'named' must be of type bool"),
    ("mixture", field("extra", 0), "the unknown field 'extra'"),
    ("mixture", lambda file: file.outcome.pop("message"), "lacks the field 'message'"),
    ("mixture", lambda file: file.outcome["columns"].pop(), r"must be float64 of shape \(2, 1\)"),
    ("mixture", column("name", "x1"), "distinct names"),
    ("mixture", column("seen", -1.0), "'seen' and 'variance' >= 0"),
    ("mixture", column("seen", 0.0), "'x0' has no seen value"),
    ("mixture", column("mean", "nan"), "finite numbers"),
    ("mixture", column("scale", 0.0), "'scale' > 0"),
    ("mixture", column("levels", ["a", "a"]), "'levels' must be distinct strings"),
    ("mixture", column("levels", 3), "'levels' must be of type list"),
    ("mixture", column("extra", 3), "the unknown field 'extra'"),
    ("mixture, holes", first(C, 0.0), "covariances must be > 0"),
    ("mixture, holes", first(C, 5e-324), "covariances must be > 0, and have a finite inverse"),
    ("mixture, holes", first(C, -1.0), "covariances must be finite and not negative"),
    ("mixture, starts and ridge", tensor("parameter.tol", [1.0]), "unknown array 'parameter.tol'"),
    ("normal", tensor("params.covariance", np.zeros((4, 4))), "covariance must be positive definite"),
    ("mixture, starts and ridge", tensor("parameter.means_init", [[1.0, np.nan]] * 2), "means_init"),
    ("mixture, starts and ridge", tensor("parameter.means_init", np.zeros((3, 2))), "means_init"),
    ("mixture", tensor("parameter.weights_init", [0.5]), "weights_init"),
    ("normal, prior", tensor("parameter.mean_init", np.zeros(3)), "mean_init"),
    ("normal", tensor("params.mean", np.zeros(3)), r"'params.mean' must be float64 of shape \(4,\)"),
    ("normal", parameter("prior_rows", -1), "prior_rows must be a finite number >= 0"),
    ("normal", parameter("scales", {"x0": "log"}), "'scales' cannot be"),
    ("normal", parameter("scales", [["x0"]]), "'scales' cannot hold"),
    ("normal", parameter("scales", [["x0", "sqrt"]]), "scales must be 'log' or 'logit'"),
    ("normal", parameter("scales", [["x9", "log"]]), "scales: no column 'x9'"),
    ("normal", parameter("scales", [["x0", "log"], ["x0", "logit"]]), "'scales' names a column twice"),
    ("normal", parameter("bounds", [["x0", 0, 1]]), "'bounds' cannot hold"),
    ("normal", parameter("bounds", [["x0", 1.0, 0.0]]), "low < high"),
    ("ppca", first("params.noise", 0.0), "noise must be > 0"),
    ("ppca", parameter("n_components", 4), "must be below the number of columns"),
    ("ppca", first("units.scale", 128.0), "'units' must be"),
    ("soft k-means", tensor(W, [[0.3, 0.7]]), "weights must be equal and sum to 1"),
    ("soft k-means", first(C, -1.0), "covariances must be"),
    ("soft k-means, stiffness", first(C, 0.0), "covariances must be > 0"),
    ("hmm, poisson", first("params.moves", 2.0), "moves must be >= 0 and sum to 1"),
    ("hmm, poisson", first("params.emission.rates", -1.0), "rates must be finite and not negative"),
    ("hmm, poisson", parameter("emission", "cauchy"), "emission 'cauchy' is unknown"),
    ("hmm, poisson", parameter("emission", {"family": "cauchy"}), "'cauchy'.* is unknown"),
    ("hmm, poisson", parameter("emission", "bernoulli"), "values other than 0 and 1"),
    ("hmm, poisson", parameter("emission", "gaussian"), r"'params.emission.means' must be float64"),
    ("hmm, mixed", lambda f: f.parameters["emission"].__setitem__("k", 3), r"shape \(2, 3\)"),
    ("hmm, mixed", lambda f: f.parameters["emission"]["inner"].__setitem__("shape", "os"), "'os' of cov"),
    ("poisson", tensor("units.centre", [1.0]), "not those that this model allows"),
    ("bernoulli", first("params.inner.probabilities", 1.5), r"probabilities must lie in \[0, 1\]"),
    ("text categories", first("params.inner.probabilities", np.nan), "probabilities must be >= 0"),
    ("text categories", column("levels", ["a", "b"]), "probabilities' must be|structure forbids"),
    ("more levels than seen", column("high", 1e18), "has the code 1000000000000000000"),
    ("more levels than seen", column("whole", False), "not whole numbers"),
]


@pytest.mark.parametrize(("name", "change", "match"), WRONG)
def test_contents_that_cannot_be_are_refused(
    name: str, change: Callable[[ModelFile], Any], match: str, saved: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "model.estep"
    path.write_bytes(saved[name])
    load(path)
    changed(path, change)
    with pytest.raises(ModelFileError, match=match) as caught:
        load(path)
    assert "model.estep" in str(caught.value)


def test_a_file_from_before_there_were_scales_and_bounds(tmp_path: Path) -> None:
    path = tmp_path / "model.estep"
    estimator, X = fitted("normal")
    estimator.save(path)
    changed(path, lambda file: [file.parameters.pop(name) for name in ("scales", "bounds")] and None)
    assert load(path).loglik(X) == estimator.loglik_


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("saved")
    found = {}
    for name in {name for name, _, _ in WRONG}:
        fitted(name)[0].save(folder / "model.estep")
        found[name] = (folder / "model.estep").read_bytes()
    return found
