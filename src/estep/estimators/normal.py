"""`Normal`: one multivariate normal with missing cells."""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from estep.data.scales import read_scales
from estep.data.table import Table
from estep.data.weights import check_weights
from estep.engine import Aitken, Search, Status
from estep.errors import EstepWarning, UsageError
from estep.estimators.answers import Answers
from estep.estimators.attempt import attempted
from estep.estimators.parameters import count, draw_seed, positive, shaped, whole
from estep.inference.imputation import Fit, draw
from estep.models import Normal as NormalModel
from estep.models.normal import NormalParams
from estep.records import Array, Column
from estep.run import Local
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
    scales : dict, optional
        {"income": "log", "share": "logit"}: columns (by name or number) that are normal on another scale.
        Their values must be > 0, or between 0 and 1. `mean_`, `covariance_`, `mean_init`, `covariance_init`
        and the laws of `marginal` and `conditional` are on these scales; likelihoods, samples, what is given
        to `conditional`, and imputed cells are in the user's units.
    bounds : dict, optional
        {"age": (0, 120)}: what may be imputed, in the user's units; None for no bound on that side. A draw
        outside is made anew, 100 times, and then put on the bound, as in Amelia; a conditional mean is put on
        the bound. Seen cells may lie outside. The fit does not change.
    random_state : int, RandomState or None
        For `sample` and `impute`.
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
        scales: Any = None,
        bounds: Any = None,
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.tol = tol
        self.max_iter = max_iter
        self.mean_init = mean_init
        self.covariance_init = covariance_init
        self.prior_rows = prior_rows
        self.scales = scales
        self.bounds = bounds
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    @attempted
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `sample_weight` (n,) counts rows.

        Raises
        ------
        DataError
            Infinite values, a column with no seen cell, or a value that a column's scale does not have.
        UsageError
            A parameter that makes no sense.
        """
        table = self._read(X, fitting=True)
        self._scales = read_scales(self.scales, self.bounds, table.names)
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

    def impute(
        self,
        X: Any,
        draws: int | None = None,
        *,
        proper: bool = True,
        random_state: Any = None,
        sample_weight: Any = None,
    ) -> Array:
        """X with its missing cells filled, by their conditional means or several times by draws.

        Parameters
        ----------
        X : array-like of shape (n, d)
        draws : int, optional
            How many completed tables to draw, for multiple imputation; analyse each, and `estep.combine` the
            answers. By default there is one table, with conditional means: right for prediction, too certain
            for inference.
        proper : bool
            Whether each draw takes its parameters from a fit to a bootstrap of the rows of X, so that they
            vary as they are unknown (Honaker, King & Blackwell 2011). X should then be the training data, or
            as good a sample. With False every draw takes the fitted parameters, and intervals are too short.
        random_state : int, RandomState or None
            By default the estimator's. The i-th draw depends on it, on i and on the rows, not on their order,
            nor on how many draws are made.
        sample_weight : array-like of shape (n,), optional
            Counts of the rows in the bootstrap, which takes as many rows as they sum to. Weight 2 is the row
            twice in distribution, not draw by draw; its cells are drawn once.

        Returns
        -------
        array of shape (n, d), or (draws, n, d)
            Seen cells are bit-unchanged. A column on a scale gets the value whose log or logit has that
            conditional mean, which is its conditional median.

        Warns
        -----
        ConvergenceWarning, EstepWarning
            EM001, EM002: fits to bootstraps that did not converge, or are degenerate.

        Examples
        --------
        >>> from estep import Normal, combine
        >>> from estep.datasets import load_airquality
        >>> air = load_airquality().select("Ozone", "Solar.R", "Wind", "Temp")
        >>> completed = Normal().fit(air).impute(air, draws=20, random_state=0)
        >>> completed.shape
        (20, 153, 4)
        >>> ozone = completed[:, :, 0]
        >>> found = combine(ozone.mean(axis=1), ozone.var(axis=1, ddof=1) / 153, df_complete=152)
        >>> round(found.estimate), round(float(found.standard_error), 1)
        (42, 2.8)
        """
        table = self._read(X)
        source, fitted = self._source(table), self._fitted()
        if sample_weight is not None and not (draws is not None and proper):
            raise UsageError("sample_weight counts rows in the bootstrap of proper draws; leave it out here")
        if draws is None:
            return self._scales.completed(table.values, fitted.filled(source, self._on_scale(table)[0]))
        n = len(table.values)
        weights = np.ones(n) if sample_weight is None else check_weights(sample_weight, n)
        seed = draw_seed(self.random_state if random_state is None else random_state)
        stop = Aitken(positive(self, "tol", zero=True), count(self, "max_iter")) if proper else None
        fitted.seen(source)  # what cannot be taken is refused before the work
        each = np.random.SeedSequence(seed).spawn(whole(draws, "draws"))
        with Local() as run:
            of = Fit(fitted.model, fitted.params, fitted.units, *self._scales.limits(), run)
            found = [draw(of, source, weights, one, stop) for one in each]
        self._warn_of_draws([one.status for one in found])
        return np.array([self._scales.completed(table.values, one.values) for one in found])

    def transform(self, X: Any) -> Array:
        """As `impute(X)`: conditional means."""
        return self.impute(X)

    def sample(self, n_samples: int = 1) -> Array:
        """Draws from the fitted normal, (n, d), in the user's units."""
        drawn, _ = self._draw(n_samples)
        return self._scales.undo(drawn)

    def _warn_of_draws(self, statuses: list[Status]) -> None:
        for code, bad, what, way in (
            ("EM001", Status.MAX_ITER, "did not converge", "raise max_iter or tol"),
            ("EM002", Status.DEGENERATE, "are degenerate", self.remedy),
        ):
            if bad in statuses:
                kind = ConvergenceWarning if code == "EM001" else EstepWarning
                times = f"{statuses.count(bad)} of {len(statuses)}"
                warnings.warn(f"{code}: {times} fits to bootstraps {what}; {way}", kind, stacklevel=3)

    def _on_scale(self, table: Table) -> tuple[Array, Array | None]:
        return self._scales.apply(table)

    def _modelled_columns(self) -> tuple[Column, ...]:
        labels = self._scales.labels(self._names())
        return tuple(c._replace(name=label) for c, label in zip(self.fitted_.columns, labels, strict=True))

    def _model(self, weight: float) -> NormalModel:
        return NormalModel(positive(self, "prior_rows", zero=True))

    def _publish_params(self) -> None:
        self._forget()
        names = tuple(column.name for column in self.fitted_.columns)
        self._scales = read_scales(self.scales, self.bounds, names)
        self.mean_, self.covariance_ = self.fitted_.user_params
