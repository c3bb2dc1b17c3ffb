"""`SoftKMeans`: equal weights and one shared spherical variance."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin

from estep.data.source import MemorySource
from estep.data.weights import check_weights
from estep.engine.starts import Starts
from estep.estimators.clusters import Clusters
from estep.estimators.parameters import count, positive
from estep.families import Gaussian, Mixed
from estep.families.covariance import OneSphere
from estep.families.gaussian import GaussianParams
from estep.families.mixed import MixedParams
from estep.models import Alone
from estep.records import Array


class SoftKMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, Clusters):
    """Soft k-means: memberships proportional to exp(-stiffness * squared distance).

    Parameters
    ----------
    n_clusters : int
        Number of clusters k.
    stiffness : float, optional
        1 / (2 sigma^2), in the user's units to the power -2: fixed when given, estimated when None.
    tol, max_iter, n_init, init_params, random_state, verbose, verbose_interval
        As in `GaussianMixture`.

    Attributes
    ----------
    cluster_centers_ : array of shape (k, d)
    memberships_ : array of shape (n, k)
        Of the training rows; every row sums to 1.
    labels_ : array of shape (n,)
        The cluster of largest membership.
    inertia_ : float
        Weighted sum of squared distances to the nearest centre over seen cells, as in hard k-means.
    stiffness_ : float
    loglik_, objective_, converged_, status_, n_iter_, history_, diagnostics_
        As in `GaussianMixture`.

    References
    ----------
    MacKay, D. J. C. (2003). Information Theory, Inference, and Learning Algorithms, chapter 22.

    Examples
    --------
    >>> from estep import SoftKMeans
    >>> from estep.datasets import load_faithful
    >>> clusters = SoftKMeans(2, random_state=0).fit(load_faithful().values)
    >>> clusters.cluster_centers_.round(1)
    array([[ 2.1, 54.8],
           [ 4.3, 80.3]])
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        stiffness: float | None = None,
        tol: float = 1e-4,
        max_iter: int = 10_000,
        n_init: int | Literal["auto"] = "auto",
        init_params: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_clusters = n_clusters
        self.stiffness = stiffness
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, labels: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `sample_weight` (n,) counts rows.

        `labels` (n,) holds the cluster of each row where it is known, from 0 on, and -1 where it is not.
        """
        super().fit(X, sample_weight=sample_weight, labels=labels)
        shares = self._fitted().posterior_of(self._labelled(X, labels=labels)).resp.T
        self.memberships_ = self._like(X, shares)
        self.labels_ = self.memberships_.argmax(axis=1)
        weights = check_weights(1.0 if sample_weight is None else sample_weight, len(self.labels_))
        self.inertia_ = float(np.square(self._distances(X)).min(axis=1) @ weights)
        return self

    def transform(self, X: Any) -> Array:
        """Euclidean distance of each row to each centre over its seen cells, (n, k)."""
        return self._like(X, self._distances(X))

    def _distances(self, X: Any) -> Array:
        values = self._read(X).values
        centres = self._fitted().user_params.inner.means
        gaps = np.where(np.isnan(values)[:, None, :], 0.0, values[:, None, :] - centres)
        distances: Array = np.sqrt(np.square(gaps).sum(axis=2))
        return distances

    def _model(self, weight: float) -> Alone:
        shape = OneSphere(fixed=self.stiffness is not None)
        return Alone(Mixed(count(self, "n_clusters"), Gaussian(shape), equal=True))

    def _starts(self, model: Alone, source: MemorySource) -> Starts:
        if self.stiffness is None:
            return self._search(source)
        scale = source.natural_units(model.equivariance).scale[0]
        variance = np.asarray(0.5 / positive(self, "stiffness", zero=False) / scale**2)

        def adjust(params: MixedParams) -> MixedParams:
            return MixedParams(params.weights, GaussianParams(params.inner.means, variance))

        return self._search(source, adjust=adjust)

    def _publish_params(self) -> None:
        params: MixedParams = self.fitted_.user_params
        self.cluster_centers_ = params.inner.means
        self._n_features_out = len(self.cluster_centers_)
        self.stiffness_ = float(0.5 / params.inner.covariances)
