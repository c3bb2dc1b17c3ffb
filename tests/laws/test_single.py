"""float32 rows: a climb hurries in float32 and ends, with its verdict, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from estep import GaussianMixture, fit
from estep.data.single import WORTH, singles
from estep.data.source import MemorySource
from estep.engine import Aitken, Given, Status
from estep.families import Gaussian, Mixed
from estep.families.gaussian import GaussianParams
from estep.families.mixed import MixedParams
from estep.models import Alone
from estep.run import Local

D, K = 8, 3
CENTRES = np.random.default_rng(0).normal(size=(K, D))


def rows(n: int = WORTH // D) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (rng.standard_normal((n, D)) + CENTRES[np.arange(n) % K]).astype(np.float32)


def mixture(**options: object) -> GaussianMixture:
    return GaussianMixture(K, means_init=CENTRES, **options)


@pytest.mark.parametrize("shape", ["full", "tied", "diag", "spherical"])
@pytest.mark.parametrize("offset", [0.0, 4096.0])
def test_it_ends_where_float64_ends(shape: str, offset: float) -> None:
    X = rows() + np.float32(offset)
    options = {"covariance_type": shape, "means_init": CENTRES + offset}
    single = GaussianMixture(K, **options).fit(X)
    double = GaussianMixture(K, **options).fit(X.astype(np.float64))
    assert single.status_ is double.status_ is Status.CONVERGED
    kinds = [info.kind for info in single.history_]
    assert kinds.count("single") > len(kinds) / 2
    assert "single" not in kinds[-2:]
    assert "single" not in {info.kind for info in double.history_}
    assert (
        abs(single.loglik_ - double.loglik_) < 1e-3
    )  # nats: both stop within their tolerance of the maximum
    assert single.loglik_ == single.loglik(X) == single.loglik(X.astype(np.float64))


def test_every_iteration_of_tol_0_and_no_more() -> None:
    model = mixture(tol=0, max_iter=5)
    with pytest.warns(match="EM001"):
        model.fit(rows())
    assert model.n_iter_ == 5
    assert model.status_ is Status.MAX_ITER


def test_threads_change_no_bit() -> None:
    X = rows().astype(np.float64)
    params = MixedParams(np.full((1, K), 1 / K), GaussianParams(CENTRES, np.tile(np.eye(D), (K, 1, 1))))
    found = []
    for threads in (1, 2):
        source = MemorySource(X, tuple(map(str, range(D))), single=True)
        model = Alone(Mixed(K, Gaussian("full")))
        units = source.natural_units(model.equivariance)
        start = Given(model.rescale(params, units.inverse()))
        found.append(fit(model, source, starts=start, stop=Aitken(), run=Local(threads)))
    assert found[0].history == found[1].history
    assert found[0].point.loglik == found[1].point.loglik


def test_what_stays_float64() -> None:
    X, names = rows().astype(np.float64), tuple(map(str, range(D)))
    assert singles(MemorySource(X, names, single=True)) is not None
    assert singles(MemorySource(X, names)) is None
    assert singles(MemorySource(X[:-1], names, single=True)) is None
    holes = X.copy()
    holes[-1, 0] = np.nan
    assert singles(MemorySource(holes, names, single=True)) is None
    assert singles(MemorySource(X, names, single=True, evidence=np.zeros((K, len(X))))) is None
    assert singles(MemorySource(X, names, single=True, lengths=np.array([len(X)]))) is None
