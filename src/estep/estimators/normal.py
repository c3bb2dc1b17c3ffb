"""`Normal`: one multivariate normal with missing cells."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import OneToOneFeatureMixin, TransformerMixin

from estep.engine import Search
from estep.errors import UsageError
from estep.estimators.answers import Answers
from estep.estimators.parameters import positive, shaped
from estep.models import Normal as NormalModel
from estep.models.normal import NormalParams
from estep.records import Array
from estep.space import PosDef


class Normal(OneToOneFeatureMixin, TransformerMixin, Answers):
    """Multivariate normal with cells missing at random, fitted by EM.

    Parameters
    ----------
    tol : float
        Nats of the summed objective still to gain, projected; 0 runs exactly `max_iter` passes of plain EM.
    max_iter : int
        Passes after the first measurement.
    mean_init : array-like of shape (d,), optional
    covariance_init : array-like of shape (d, d), optional
        Starting values; by default the means and variances of the seen cells, no correlation.
    prior_rows : float
        That many extra rows' worth of prior towards zero correlation at the observed variances: the ridge
        that steadies a fit with many columns and few rows, as Amelia's manual describes it (its code
        divides by d + 2 rows more).
    random_state : int, RandomState or None
        For `sample`.
    verbose, verbose_interval : int
        Print a line to standard error every so many passes.

    Attributes
    ----------
    mean_ : array of shape (d,)
    covariance_ : array of shape (d, d)
        Covariance, not standard deviation; maximum likelihood, divisor n.
    fraction_missing_information_ : array of shape (d,)
        What share of the information about each mean the holes took; see `missing_information`. Computed
        when first asked for, from the training data, which a loaded or unpickled model does not have.
    loglik_, objective_, converged_, status_, n_iter_, history_, diagnostics_
        As in `GaussianMixture`.

    References
    ----------
    Little, R. J. A. & Rubin, D. B. (2019). Statistical Analysis with Missing Data, 3rd ed., chapter 11.

    Examples
    --------
    >>> from estep import Normal
    >>> from estep.datasets import load_airquality
    >>> air = load_airquality().select("Ozone", "Solar.R", "Wind", "Temp")
    >>> normal = Normal().fit(air)
    >>> normal.mean_.round(2)
    array([ 41.87, 184.85,   9.96,  77.88])
    >>> normal.impute(air)[9].round(1)
    array([ 31.9, 194. ,   8.6,  69. ])
    """

    remedy = "drop a column that repeats others, or set prior_rows"

    def __init__(
        self,
        *,
        tol: float = 1e-4,
        max_iter: int = 10_000,
        mean_init: Any = None,
        covariance_init: Any = None,
        prior_rows: float = 0.0,
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.tol = tol
        self.max_iter = max_iter
        self.mean_init = mean_init
        self.covariance_init = covariance_init
        self.prior_rows = prior_rows
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `sample_weight` (n,) counts rows.

        Raises
        ------
        DataError
            Infinite values, or a column with no seen cell.
        """
        table = self._read(X, fitting=True)
        source = self._source(table, sample_weight)
        model = self._model(source.weight)
        units = source.natural_units(model.equivariance)
        d = len(source.columns)

        def adjust(params: NormalParams) -> NormalParams:
            mean, covariance = model.rescale(params, units)
            if self.mean_init is not None:
                mean = shaped(self.mean_init, (d,), "mean_init")
            if self.covariance_init is not None:
                covariance = shaped(self.covariance_init, (d, d), "covariance_init")
                fault = PosDef().fault(covariance)
                if fault is not None:
                    raise UsageError(f"covariance_init {fault}")
            return model.rescale(NormalParams(mean, covariance), units.inverse())

        nothing_given = self.mean_init is None and self.covariance_init is None
        self._run(model, source, Search() if nothing_given else Search(adjust=adjust), units)
        self._keep(table, sample_weight)
        return self

    def transform(self, X: Any) -> Array:
        """As `impute`."""
        return self.impute(X)

    def sample(self, n_samples: int = 1) -> Array:
        """Draws from the fitted normal, (n, d)."""
        return self._draw(n_samples)[0]

    def _model(self, weight: float) -> NormalModel:
        return NormalModel(positive(self, "prior_rows", zero=True))

    def _publish_params(self) -> None:
        self._forget()
        self.mean_, self.covariance_ = self.fitted_.user_params
