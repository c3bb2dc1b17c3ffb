"""What the mixtures' faces share: starts, memberships, sampling, imputation."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np

from estep.data.source import MemorySource
from estep.data.weights import numbers
from estep.engine.starts import Starts
from estep.errors import UsageError
from estep.estimators.rows import Densities
from estep.estimators.search import search
from estep.models import Alone
from estep.records import Array, Int
from estep.run import Local


class Clusters(Densities):
    """Abstract base of the mixtures."""

    random_state: Any
    remedy = "ask for fewer components, a simpler shape, or a prior"

    @abstractmethod
    def _model(self, weight: float) -> Alone:
        """The model for data of this total weight."""

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `sample_weight` (n,) counts rows."""
        source = self._open(X, sample_weight, fitting=True)
        model = self._model(source.weight)
        return self._run(model, source, self._starts(model, source))

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Int:
        """`fit(X)`, then the component of each row."""
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def predict_proba(self, X: Any) -> Array:
        """p(component | seen cells) of each row, (n, k)."""
        resp: Array = self._fitted().posterior_of(self._open(X)).resp
        return resp.T

    def predict(self, X: Any) -> Int:
        """The most probable component of each row, (n,)."""
        labels: Int = self.predict_proba(X).argmax(axis=1)
        return labels

    def sample(self, n_samples: int = 1) -> tuple[Array, Int]:
        """Draws from the fitted mixture: rows (n, d) and the components they came from (n,)."""
        return self._draw(n_samples)

    def _starts(self, model: Alone, source: MemorySource) -> Starts:
        return search(self)


def start_from_resp(model: Alone, source: MemorySource, resp: Array) -> Any:
    """Parameters, in the fit's units, from responsibilities (n, k) or labels (n,) of all rows."""
    framed = source.framed(source.natural_units(model.equivariance))
    bound = model.bind(framed.columns)
    with Local() as run:
        return bound.start_from(framed, run, memberships(resp, source.n_rows, bound.family.k))


def memberships(resp: Any, n: int, k: int) -> Array:
    """Labels (n,) or responsibilities (n, k), as (k, n) responsibilities."""
    array = numbers(resp, "resp_init")
    if array.shape == (n,):
        if not np.isin(array, np.arange(k)).all():
            raise UsageError(f"resp_init as labels must hold the integers 0 to {k - 1}, one a row")
        array = np.eye(k)[array.astype(np.int64)]
    if array.shape != (n, k):
        raise UsageError(f"resp_init must have shape ({n},) or ({n}, {k}); found {array.shape}")
    bad = np.flatnonzero(~(np.isfinite(array).all(axis=1) & (array >= 0).all(axis=1)))
    if bad.size or not np.allclose(array.sum(axis=1), 1, atol=1e-6):
        row = bad[0] if bad.size else np.abs(array.sum(axis=1) - 1).argmax()
        raise UsageError(f"resp_init must be >= 0 and sum to 1 in every row; row {row} is {array[row]}")
    empty = np.flatnonzero(array.sum(axis=0) == 0)
    if empty.size:
        raise UsageError(f"resp_init gives component {empty[0]} no row; each of the {k} needs one")
    return np.ascontiguousarray(array.T)
