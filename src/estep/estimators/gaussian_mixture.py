"""`GaussianMixture`: scikit-learn's names and meanings, over `Alone(Mixed(k, Gaussian(shape)))`."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np

from estep.data.source import MemorySource
from estep.engine import Given
from estep.engine.starts import Starts
from estep.errors import Degenerate, UsageError
from estep.estimators.clusters import Clusters, start_from_resp
from estep.estimators.parameters import count, positive, shaped
from estep.estimators.search import search
from estep.families import Gaussian, Mixed
from estep.families.covariance import SHAPES
from estep.families.gaussian import FLOOR, GaussianParams
from estep.families.mixed import MixedParams
from estep.families.partition import nearest
from estep.models import Alone
from estep.records import Array, Block, Column
from estep.run import Local


class GaussianMixture(Clusters):
    """Mixture of multivariate normals, fitted by EM; missing cells are integrated out.

    Parameters
    ----------
    n_components : int
        Number of components k.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Shape of the covariances.
    tol : float
        Nats of the summed objective still to gain, projected; 0 runs exactly `max_iter` passes of plain EM.
    reg_covar : float, optional
        None keeps each variance above 1e-8 of its column's. A number is a fixed prior on the covariances,
        whose effect equals scikit-learn's `reg_covar` on a component of n/k rows; it enters `objective_`.
    max_iter : int
        Passes over the data after the first measurement.
    n_init : "auto" or int
        "auto" searches until the best optimum was met often enough; an integer is that many full runs.
    init_params : {"auto", "kmeans", "k-means++", "random_from_data", "random"}
        Kind of start.
    weights_init, means_init, precisions_init : array-like, optional
        (k,), (k, d), and precisions in the shape of `covariance_type`. All three given = that one start.
        means_init without the others: one start, each row in the component of its nearest mean; the others
        without it are put into every start of the search.
    resp_init : array-like of shape (n,) or (n, k), optional
        Labels or responsibilities of the training rows to start from; no search.
    random_state : int, RandomState or None
    warm_start : bool
        Start from the last fit's parameters.
    verbose, verbose_interval : int
        Print a line to standard error every so many passes.

    Attributes
    ----------
    weights_, means_, covariances_, precisions_, precisions_cholesky_ : arrays
        In the user's units; covariances, not standard deviations.
    loglik_, objective_ : float
        Summed log-likelihood of the seen cells at these parameters, and with the prior.
    converged_, status_, n_iter_, history_, diagnostics_
        How the fit ended: only `Status.CONVERGED` is converged.
    lower_bound_, lower_bounds_
        The objective per unit of weight, at the end and after each pass.

    References
    ----------
    McLachlan, G. & Peel, D. (2000). Finite Mixture Models, chapter 3.

    Examples
    --------
    >>> from estep import GaussianMixture
    >>> from estep.datasets import load_faithful
    >>> mixture = GaussianMixture(2, random_state=0).fit(load_faithful().values)
    >>> mixture.means_.round(2)
    array([[ 2.04, 54.48],
           [ 4.29, 79.97]])
    >>> round(mixture.loglik_, 3)
    -1130.264
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "full",
        tol: float = 1e-4,
        reg_covar: float | None = None,
        max_iter: int = 10_000,
        n_init: int | Literal["auto"] = "auto",
        init_params: str = "auto",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        resp_init: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.resp_init = resp_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `sample_weight` (n,) counts rows.

        Raises
        ------
        DataError
            Infinite values, a column with no seen cell, fewer distinct rows than components.
        UsageError
            A parameter that makes no sense.
        """
        source = self._open(X, sample_weight, fitting=True)
        model = self._model(source.weight)
        if self.warm_start and hasattr(self, "fitted_"):
            last = self.fitted_
            before, now = _kind(last.model, last.columns), _kind(model, source.columns)
            if before != now:
                raise UsageError(
                    f"warm_start=True goes on from a fit of {before}, which cannot start one of {now}; "
                    "set warm_start=False"
                )
            return self._run(model, source, Given(last.params), last.units)
        return self._run(model, source, self._starts(model, source))

    def _model(self, weight: float) -> Alone:
        k = count(self, "n_components")
        if not isinstance(self.covariance_type, str) or self.covariance_type not in SHAPES:
            known = ", ".join(map(repr, SHAPES))
            raise UsageError(f"covariance_type must be one of {known}; found {self.covariance_type!r}")
        if self.reg_covar is None:
            return Alone(Mixed(k, Gaussian(self.covariance_type, FLOOR)))
        rows = weight if self.covariance_type == "tied" else weight / k
        ridge = positive(self, "reg_covar", zero=True) * rows
        return Alone(Mixed(k, Gaussian(self.covariance_type, floor=0.0, ridge=ridge)))

    def _starts(self, model: Alone, source: MemorySource) -> Starts:
        units = source.natural_units(model.equivariance)
        if self.resp_init is not None:
            return Given(start_from_resp(model, source, self.resp_init))
        k, d = model.family.k, len(source.columns)
        given = (self.weights_init, self.means_init, self.precisions_init)
        if all(each is None for each in given):
            return search(self)

        def adjust(params: MixedParams) -> MixedParams:
            """The parameters with what the user gave put in."""
            user = model.rescale(params, units)
            weights, means, covariances = user.weights, user.inner.means, user.inner.covariances
            if self.weights_init is not None:
                weights = shaped(self.weights_init, (k,), "weights_init")[None]
                if np.any(weights < 0) or not np.isclose(weights.sum(), 1):
                    raise UsageError(f"weights_init must be >= 0 and sum to 1; the sum is {weights.sum():g}")
            if self.means_init is not None:
                means = shaped(self.means_init, (k, d), "means_init")
            if self.precisions_init is not None:
                precisions = shaped(self.precisions_init, covariances.shape, "precisions_init")
                covariances = _inverse(precisions, self.covariance_type, "precisions_init")
            return model.rescale(MixedParams(weights, GaussianParams(means, covariances)), units.inverse())

        if self.means_init is None:
            return search(self, adjust=adjust, given=True)
        centres = (shaped(self.means_init, (k, d), "means_init") - units.centre) / units.scale
        framed = source.framed(units)

        def share(block: Block) -> Array:
            return nearest(np.nan_to_num(block.values), centres.T)

        with Local() as run:
            bound = model.bind(framed.columns)
            try:
                params = bound.start_by(framed, run, share)
            except Degenerate:  # a mean with no row of its own: all components share the pooled law
                params = bound.start_by(framed, run, lambda block: np.full((k, block.weights.size), 1.0 / k))
        return Given(adjust(params))

    def _publish_params(self) -> None:
        params: MixedParams = self.fitted_.user_params
        self.weights_, self.means_ = params.weights[0], params.inner.means
        self.covariances_ = params.inner.covariances
        self.precisions_ = _inverse(self.covariances_, self.covariance_type, "covariances_")
        matrix = self.covariance_type in ("full", "tied")
        # as scikit-learn's: precision = P @ P.T with P upper triangular
        self.precisions_cholesky_ = (
            np.triu(np.swapaxes(np.linalg.inv(np.linalg.cholesky(self.covariances_)), -1, -2))
            if matrix
            else np.sqrt(self.precisions_)
        )


def _kind(model: Any, columns: tuple[Column, ...]) -> str:
    """What a warm start must share with the fit before."""
    family = model.family
    return f"{family.k} {family.family.law.name} components in {len(columns)} columns"


def _inverse(matrices: Array, shape: str, name: str) -> Array:
    """Precisions from covariances, or back."""
    if shape not in ("full", "tied"):
        if np.any(matrices <= 0):
            raise UsageError(f"{name} must be > 0")
        return 1.0 / matrices
    try:
        half = np.linalg.inv(np.linalg.cholesky((matrices + np.swapaxes(matrices, -1, -2)) / 2))
    except np.linalg.LinAlgError:
        raise UsageError(f"{name} must hold symmetric positive definite matrices") from None
    inverse: Array = np.swapaxes(half, -1, -2) @ half
    return inverse
