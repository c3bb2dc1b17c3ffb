"""`PPCA`: probabilistic principal components with missing cells."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from estep.engine import Search
from estep.estimators.attempt import attempted
from estep.estimators.parameters import count
from estep.estimators.rows import Densities
from estep.models import ppca as model
from estep.records import Array


class PPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Densities):
    """Probabilistic principal component analysis by EM; missing cells are integrated out.

    Parameters
    ----------
    n_components : int
        Number of components q, below the number of columns.
    tol, max_iter, verbose, verbose_interval
        As in `GaussianMixture`.
    random_state : int, RandomState or None
        For `sample`.

    Attributes
    ----------
    components_ : array of shape (q, d)
        Principal axes, orthonormal, largest variance first; the largest entry of each is positive.
    loadings_ : array of shape (d, q)
        ``x = mean_ + loadings_ z + noise``, z standard normal; columns along the principal axes.
    mean_ : array of shape (d,)
    noise_variance_ : float
        Variance, not standard deviation; maximum likelihood, divisor n.
    loglik_, objective_, converged_, status_, n_iter_, history_, diagnostics_
        As in `GaussianMixture`.

    References
    ----------
    Tipping, M. E. & Bishop, C. M. (1999). J. R. Statist. Soc. B 61, 611-622.

    Examples
    --------
    >>> from estep import PPCA
    >>> from estep.datasets import load_iris
    >>> ppca = PPCA(2).fit(load_iris().values)
    >>> round(ppca.loglik_, 6)
    -404.96278
    """

    remedy = "drop a column that repeats others, or ask for fewer components"

    def __init__(
        self,
        n_components: int = 1,
        *,
        tol: float = 1e-4,
        max_iter: int = 10_000,
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    @attempted
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `sample_weight` (n,) counts rows.

        Raises
        ------
        DataError
            Infinite values, a column with no seen cell, or no fewer components than columns.
        """
        source = self._open(X, sample_weight, fitting=True)
        return self._run(self._model(source.weight), source, Search())

    def transform(self, X: Any) -> Array:
        """E[z | seen cells] of each row, (n, q): shrunk towards 0, the more so the fewer cells are seen."""
        latent: Array = self._fitted().posterior_of(self._open(X)).latent
        return self._like(X, latent.T)

    def inverse_transform(self, Z: Any) -> Array:
        """The rows (n, d) with these latent values (n, q)."""
        params = self._fitted().user_params
        rows: Array = np.asarray(Z, dtype=np.float64) @ params.loadings.T + params.mean
        return rows

    def get_covariance(self) -> Array:
        """The covariance of the data under the model, (d, d)."""
        _, loadings, noise = self._fitted().user_params
        covariance: Array = loadings @ loadings.T + float(noise) * np.eye(len(loadings))
        return covariance

    def sample(self, n_samples: int = 1) -> Array:
        """Draws from the fitted model, (n, d)."""
        return self._draw(n_samples)[0]

    def _model(self, weight: float) -> model.PPCA:
        return model.PPCA(count(self, "n_components"))

    def _publish_params(self) -> None:
        params: model.PPCAParams = self.fitted_.user_params
        self.mean_, self.loadings_, self.noise_variance_ = params.mean, params.loadings, float(params.noise)
        axes, _, _ = np.linalg.svd(params.loadings, full_matrices=False)
        signs = np.sign(np.sum(axes * params.loadings, axis=0))
        self.components_ = (axes * np.where(signs == 0, 1.0, signs)).T
        self._n_features_out = params.loadings.shape[1]
