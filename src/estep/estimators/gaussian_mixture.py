"""`GaussianMixture`: scikit-learn's names and meanings, over `Alone(Mixed(k, Gaussian(shape)))`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Literal, Self, cast

import numpy as np

from estep.data.source import MemorySource
from estep.engine import Given
from estep.engine.starts import Starts
from estep.errors import Degenerate, UsageError
from estep.estimators.attempt import attempted
from estep.estimators.clusters import Clusters
from estep.estimators.derived import conditional_of, marginal_of
from estep.estimators.labels import start_from_resp
from estep.estimators.parameters import count, positive, shaped
from estep.estimators.precisions import cholesky_of, inverse
from estep.families import Gaussian, Mixed
from estep.families.covariance import SHAPES
from estep.families.gaussian import FLOOR, GaussianParams
from estep.families.mixed import MixedParams
from estep.families.partition import nearest
from estep.models import Alone
from estep.records import Array, Block, Column, Units
from estep.run import Local

INITS = {"weights": "weights_init", "means": "means_init", "covariances": "precisions_init"}


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
    equal_weights : bool
        Keep all weights at 1/k.
    fixed : tuple of {"weights", "means", "covariances"}
        What is kept at its `weights_init`, `means_init` or `precisions_init` and not estimated; BIC does not
        charge for it.
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
    uncertainty_ : array of shape (n,)
        Of each row of the fit, 1 - p(its most probable component); a saved model does not hold it.
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
        equal_weights: bool = False,
        fixed: tuple[str, ...] = (),
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
        self.equal_weights = equal_weights
        self.fixed = fixed
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    @attempted
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, labels: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `sample_weight` (n,) counts rows.

        `labels` (n,) holds the component of each row where it is known, from 0 on, and -1 where it is not.
        Components are then in the order of the labels, and `loglik_` is of cells and labels together.

        Raises
        ------
        DataError
            Infinite values, a column with no seen cell, fewer distinct rows than components, labels that are
            no components.
        UsageError
            A parameter that makes no sense.
        """
        source = self._labelled(X, sample_weight, labels, fitting=True)
        model = self._model(source.weight)
        units = self.fitted_.units if self._goes_on() else None
        return self._climb(model, source, self._starts(model, source), units)

    def marginal(self, columns: Any) -> GaussianMixture:
        """The fitted mixture of some columns, in the order asked for.

        Parameters
        ----------
        columns : str, int, or list of them
            By name or number, from 0.

        Returns
        -------
        GaussianMixture
            It has no data of its own: its `loglik_` is nan, its history empty, its status that of this fit.
        """
        return marginal_of(self, columns)

    def conditional(self, given: Any) -> GaussianMixture:
        """The fitted mixture of the other columns, given the values of some.

        Parameters
        ----------
        given : dict of column (name or number) to value; or array-like of shape (d,)
            In a row, NaN stands for a column that is asked for.

        Returns
        -------
        GaussianMixture
            Its weights are p(component | given). It has no data of its own: its `loglik_` is nan, its history
            empty, its status that of this fit.

        Examples
        --------
        >>> from estep import GaussianMixture
        >>> from estep.datasets import load_faithful
        >>> eruptions = GaussianMixture(2, random_state=0).fit(load_faithful().values)
        >>> waiting = eruptions.conditional({0: 4.5})
        >>> waiting.means_.round(1)
        array([[70. ],
               [81.1]])
        >>> waiting.weights_.round(3)
        array([0., 1.])
        """
        return conditional_of(self, given)

    def _goes_on(self) -> bool:
        """Whether a fit starts where the last one ended."""
        return bool(self.warm_start) and hasattr(self, "fitted_")

    def _model(self, weight: float) -> Alone:
        k, held = count(self, "n_components"), self._held()
        if not isinstance(self.covariance_type, str) or self.covariance_type not in SHAPES:
            known = ", ".join(map(repr, SHAPES))
            raise UsageError(f"covariance_type must be one of {known}; found {self.covariance_type!r}")
        inside = tuple(name for name in held if name != "weights")
        law = Gaussian(self.covariance_type, FLOOR, fixed=inside)
        if self.reg_covar is not None:
            rows = weight if self.covariance_type == "tied" else weight / k
            law = replace(law, floor=0.0, ridge=positive(self, "reg_covar", zero=True) * rows)
        return Alone(Mixed(k, law, equal=bool(self.equal_weights), fixed="weights" in held))

    def _held(self) -> tuple[str, ...]:
        """What is not estimated, in the order of INITS."""
        names = (self.fixed,) if isinstance(self.fixed, str) else tuple(self.fixed)
        known = ", ".join(map(repr, INITS))
        for name in names:
            if name not in INITS:
                raise UsageError(f"fixed may hold {known}; found {name!r}")
            if getattr(self, INITS[name]) is None:
                raise UsageError(f"fixed={name!r} needs {INITS[name]}: the values to keep")
        if self.equal_weights and self.weights_init is not None:
            raise UsageError("equal_weights=True keeps the weights at 1/k; leave weights_init out")
        return tuple(name for name in INITS if name in names)

    def _starts(self, model: Alone, source: MemorySource) -> Starts:
        units, held = source.natural_units(model.equivariance), self._held()
        if self._goes_on():
            last = self.fitted_
            before, now = _kind(last.model, last.columns), _kind(model, source.columns)
            if before != now:
                raise UsageError(
                    f"warm_start=True goes on from a fit of {before}, which cannot start one of {now}; "
                    "set warm_start=False"
                )
            return Given(self._put(model, last.params, last.units, held))
        given = tuple(name for name, init in INITS.items() if getattr(self, init) is not None)
        law = replace(cast("Gaussian", model.family.family), fixed=())
        free = replace(model, family=replace(model.family, family=law))
        if self.resp_init is not None:
            return Given(self._put(model, start_from_resp(free, source, self.resp_init), units, held))
        if not given:
            return self._search(source)
        if "means" not in given:
            adjust = partial(self._put, model, units=units, names=given)
            return self._search(source, adjust=adjust, given=True)
        shape = (model.family.k, len(source.columns))
        centres = (shaped(self.means_init, shape, "means_init") - units.centre) / units.scale
        framed = source.framed(units)

        def share(block: Block) -> Array:
            return nearest(np.nan_to_num(block.values), centres.T)

        with Local() as run:
            bound = free.bind(framed.columns)
            try:
                params = bound.start_by(framed, run, share)
            except Degenerate:  # a mean with no row of its own: all components share the pooled law
                k = model.family.k
                params = bound.start_by(framed, run, lambda block: np.full((k, block.weights.size), 1.0 / k))
        return Given(self._put(model, params, units, given))

    def _put(self, model: Alone, params: MixedParams, units: Units, names: tuple[str, ...]) -> MixedParams:
        """The parameters, in the fit's units, with what the user gave under these names put in."""
        if not names:
            return params
        user = model.rescale(params, units)
        weights, means, covariances = user.weights, user.inner.means, user.inner.covariances
        if "weights" in names:
            weights = shaped(self.weights_init, weights.shape[1:], "weights_init")[None]
            if "weights" in self._held() and not weights.all():
                raise UsageError("weights_init must be > 0 to be fixed: a component of weight 0 has no rows")
            if np.any(weights < 0) or not np.isclose(weights.sum(), 1):
                raise UsageError(f"weights_init must be >= 0 and sum to 1; the sum is {weights.sum():g}")
        if "means" in names:
            means = shaped(self.means_init, means.shape, "means_init")
        if "covariances" in names:
            precisions = shaped(self.precisions_init, covariances.shape, "precisions_init")
            covariances = inverse(precisions, self.covariance_type, "precisions_init")
        return model.rescale(MixedParams(weights, GaussianParams(means, covariances)), units.inverse())

    def _publish_params(self) -> None:
        params: MixedParams = self.fitted_.user_params
        self.weights_, self.means_ = params.weights[0], params.inner.means
        self.covariances_ = params.inner.covariances
        self.precisions_ = inverse(self.covariances_, self.covariance_type, "covariances_")
        self.precisions_cholesky_ = cholesky_of(self.covariances_, self.covariance_type)


def _kind(model: Any, columns: tuple[Column, ...]) -> str:
    """What a warm start must share with the fit before."""
    family = model.family
    return f"{family.k} {family.family.law.name} components in {len(columns)} columns"
