"""What can be asked of a fitted `Normal`: conditional laws, missing information, Little's test."""

from __future__ import annotations

from typing import Any

import numpy as np

from estep.data.scales import Scales
from estep.data.source import MemorySource
from estep.data.table import Table
from estep.errors import UsageError
from estep.estimators.rows import Densities
from estep.inference import conditioning
from estep.inference.conditioning import Law
from estep.inference.information import MissingInformation, missing_information
from estep.inference.mcar import McarTest, led_to_the_end, mcar_test
from estep.models.by_pattern import Compressed
from estep.models.by_row import split
from estep.records import Array
from estep.run import Local

NO_ROWS = "a model that was loaded or copied holds no rows; give them: missing_information(X), mcar_test(X)"


class Answers(Densities):
    """Abstract base of `Normal`."""

    _scales: Scales
    _training: tuple[Table, Any] | None = None  # the data and weights of the fit, while this object has them
    _information: MissingInformation | None = None

    def marginal(self, columns: Any) -> Law:
        """The law of some columns: the name or number (from 0) of one, or several in the order wanted."""
        law = self._law()
        return conditioning.marginal(law, conditioning.read_columns(columns, self._names()))

    def conditional(self, given: Any) -> Law:
        """The law of the other columns where some are known: a normal, with `mean` and `covariance`.

        Parameters
        ----------
        given : dict or array-like of shape (d,)
            Values of columns, in the user's units, by name or number (from 0); or a row with NaN in the
            columns asked for.

        Returns
        -------
        Law
            `columns` says which columns are left, in their order at the fit; one on a scale is named so, as
            in "log(income)", and its law is on that scale.

        Raises
        ------
        UsageError, DataError
            A column that is not there, a value that is no finite number, or every column given.

        Examples
        --------
        >>> from estep import Normal
        >>> from estep.datasets import load_airquality
        >>> normal = Normal().fit(load_airquality().select("Ozone", "Solar.R", "Wind", "Temp"))
        >>> hot = normal.conditional({3: 90, 2: 10})
        >>> hot.columns, hot.mean.round(2)
        (('x0', 'x1'), array([ 64.14, 222.29]))
        """
        law, names = self._law(), self._names()
        row = conditioning.read_given(given, names)[None]
        scaled, _ = self._scales.apply(Table(row, names, named=True, levels=(None,) * len(names)))
        return conditioning.conditional(law, scaled[0])

    def mcar_test(self, X: Any = None, sample_weight: Any = None) -> McarTest:
        """Little's test of whether the cells of X are missing completely at random (Little 1988).

        The normal is fitted to X to the end, from the fitted parameters on, and the covariance is the maximum
        likelihood one (divisor n), as in R's `naniar`.

        Parameters
        ----------
        X : array-like of shape (n, d), optional
            The training data by default.
        sample_weight : array-like of shape (n,), optional
            Counts of the rows of X.

        Returns
        -------
        McarTest
            `statistic`, `df`, `p_value` and `n_patterns`. A small p-value speaks against *completely* at
            random; no test can tell at random from not at random.

        Raises
        ------
        DataError
            Nothing is missing, or no column is seen in two patterns.
        UsageError
            No X, and the model was loaded or unpickled.

        Examples
        --------
        >>> from estep import Normal
        >>> from estep.datasets import load_airquality
        >>> test = Normal().fit(load_airquality().values).mcar_test()
        >>> round(test.statistic, 4), test.df, round(test.p_value, 4)
        (35.1062, 14, 0.0014)
        """
        source = self._rows_of(X, sample_weight)
        fitted = self.fitted_
        params = led_to_the_end(fitted.model, source, fitted.params, fitted.units)
        patterns = self._patterns(source)
        with Local(threads=1):
            return mcar_test(patterns, params.mean, params.covariance)

    def missing_information(self, X: Any = None, sample_weight: Any = None) -> MissingInformation:
        """Fractions of missing information at the fitted parameters, by the observed information.

        Parameters
        ----------
        X, sample_weight
            As in `mcar_test`.

        Returns
        -------
        MissingInformation
            `fraction` about the mean of each column: 1 - V_complete/V_observed, its sampling variances
            without and with holes; `standard_error` of the means; `rates`, the eigenvalues of EM's rate
            matrix, the largest of which is its linear rate of convergence. `prior_rows` count as information.

        Raises
        ------
        ResourceError
            More than 100 columns.
        UsageError
            No X, and the model was loaded or unpickled.

        References
        ----------
        Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). J. R. Statist. Soc. B 39, 1-38, section 3.
        Savalei, V. & Rhemtulla, M. (2012). Structural Equation Modeling 19, 477-494.
        """
        source = self._rows_of(X, sample_weight)
        fitted, model = self.fitted_, self.fitted_.model
        patterns, (mean, covariance) = self._patterns(source), fitted.params
        with Local(threads=1):
            fraction, variance, rates = missing_information(
                patterns, mean, covariance, model.prior_rows, model.variances()
            )
        errors = np.sqrt(variance) * fitted.units.scale
        return MissingInformation(self._scales.labels(self._names()), fraction, errors, rates)

    @property
    def fraction_missing_information_(self) -> Array:
        """The share of the information about each mean that is missing, (d,)."""
        self._fitted()
        if self._information is None:
            if self._training is None:
                raise AttributeError(NO_ROWS)
            self._information = self.missing_information()
        return self._information.fraction

    def __getstate__(self) -> Any:
        """Without the training data, which no copy carries along."""
        state = dict(super().__getstate__())
        if "_training" in state:
            state["_training"] = None
        return state

    def _rows_of(self, X: Any, sample_weight: Any) -> MemorySource:
        """X, or the training data where X is None, in the fit's units."""
        fitted = self._fitted()
        if X is not None:
            return fitted.seen(self._open(X, sample_weight))
        if sample_weight is not None:
            raise UsageError(
                "sample_weight goes with X; leave it out: the training data have the weights of the fit"
            )
        if self._training is None:
            raise UsageError(NO_ROWS)
        source = self._source(*self._training)
        if fitted.loglik_of(source) != fitted.loglik:
            raise UsageError("the training data were changed after the fit; give them as X, or fit again")
        return fitted.seen(source)

    def _patterns(self, source: MemorySource) -> Compressed:
        with Local() as run:
            return split(source, run, lambda d, census, blocks: np.zeros(len(census.rows), dtype=bool))

    def _forget(self) -> None:
        self._training = self._information = None

    def _keep(self, table: Table, sample_weight: Any) -> None:
        """Remember the training data, until the next fit or the end of this object; nothing is copied."""
        self._training = table, sample_weight

    def _names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self._fitted().columns)

    def _law(self) -> Law:
        mean, covariance = self._fitted().user_params
        return Law(self._scales.labels(self._names()), np.ones(1), mean[None], covariance[None])
