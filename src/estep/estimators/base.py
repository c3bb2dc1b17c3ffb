"""What every estimator shares: opening data, running the engine, and the common attributes."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from estep.data.convert.narrow import as_float32, is_float32
from estep.data.levels import recode
from estep.data.source import MemorySource
from estep.data.table import Table, as_table
from estep.data.weights import check_weights
from estep.engine import Aitken, Model, Printer, Status, fit, linear_rate, silent
from estep.engine.probe import saddles
from estep.engine.starts import Starts
from estep.engine.watch import chosen
from estep.errors import DataError, EstepWarning
from estep.estimators.findings import findings_of
from estep.estimators.fitted import Fitted
from estep.estimators.parameters import count, draw_seed, positive, whole
from estep.records import Array, Column, Int
from estep.report.columns import look_of
from estep.run import Local

if TYPE_CHECKING:
    from estep.report.diagnose import Diagnosis


CheckCells = Callable[[Array, tuple[str, ...]], None]  # of rows (n, d) and the names of their columns


class Face(BaseEstimator, ABC):
    """Abstract base of the estimators; it holds no mathematics."""

    tol: float
    max_iter: int
    fitted_: Fitted
    _float32: bool = False  # the data of the fit were of single precision
    remedy: ClassVar[str] = "drop a column that repeats others"  # of a degenerate fit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags

    def summary(self, X: Any = None) -> str:
        """The fit in words: model, size, log-likelihood, why it stopped, parameters, findings.

        Parameters
        ----------
        X : array-like of shape (n, d), optional
            The data of the fit, which no fit keeps: of a mixture, adds how many rows each component gets when
            each row goes to its most probable one, and the ICL.

        Returns
        -------
        str
            A notebook shows it as tables.
        """
        from estep.report.text import summary

        return summary(self, X)

    def to_frame(self, backend: Literal["pandas", "polars", "pyarrow"] = "pandas") -> Any:
        """The fitted parameters as a data frame, in the user's units, a row a number.

        Parameters
        ----------
        backend : {"pandas", "polars", "pyarrow"}
            The library of the frame. pyarrow is always there; the others must be installed.

        Returns
        -------
        DataFrame or Table
            Columns `parameter` (as "means"), `component` (or state), `column`, `other` (the second column of
            a covariance, a category, the state that a transition leads to), null where they say nothing, and
            `value`.
        """
        from estep.report.frame import to_frame

        return to_frame(self, backend)

    def diagnose(self) -> Diagnosis:
        """What is found of the fit, with causes and remedies; needs no data.

        The warnings of the fit, and what deserves a look without being worth a warning: components that are
        nearly equal or empty, covariances near their floor, slow convergence. A section of docs/warnings.md
        is on each code.

        Returns
        -------
        Diagnosis
            A tuple of findings: `code`, `what`, `cause`, `fix`, `page`; empty if there are none.
        """
        from estep.report.diagnose import diagnose

        return diagnose(self)

    def plot(self, kind: str = "history", X: Any = None, *, columns: Any = None, ax: Any = None) -> Any:
        """Draw the fit and return the matplotlib axes.

        Parameters
        ----------
        kind : {"history", "density", "ellipses", "pairs", "uncertainty", "imputed", "missing"}
            The objective by iteration; one column's histogram with the fitted density; two columns with the
            components' ellipses; every two of up to six columns; where the rows' components are uncertain;
            the observed cells of a column and the imputed ones; which cells are missing.
        X : array-like of shape (n, d), optional
            The data; needed by all but "history".
        columns : int, str, or several of them, optional
            Which column (density, imputed), two columns (ellipses, uncertainty) or columns (pairs) to show;
            the first by default, of "imputed" that with the most missing cells.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default, and always of "pairs", which returns an array of axes.
        """
        from estep.report.plots import plot

        if X is None:
            return plot(self, kind, columns=columns, ax=ax)
        table = self._read(X)
        # laws are on the scales of their columns, imputed cells in the user's units
        values = table.values if kind == "imputed" else self._on_scale(table)[0]
        return plot(self, kind, values, columns=columns, ax=ax)

    def save(self, path: Any) -> None:
        """Write the fitted model to a `.estep` file, whole or not at all; it holds no data rows."""
        from estep.estimators.saved.files import save

        save(self, path)

    def _like(self, X: Any, found: Array) -> Array:
        """What was found of the rows of X, in float32 where both they and the rows of the fit are."""
        if not (self._float32 and is_float32(X)):
            return found
        with np.errstate(over="ignore"):  # a log-density beyond float32 is as good as -inf
            return found.astype(np.float32)

    def _fitted(self) -> Fitted:
        check_is_fitted(self, "fitted_")
        return self.fitted_

    def _text(self) -> Any:
        """Whether text columns are refused or taken as categories."""
        return "refuse"

    def _check_cells(self) -> CheckCells | None:
        """What judges the cells of a row together, infinite ones too; None where these are refused."""
        return None

    def _read(self, X: Any, *, fitting: bool = False) -> Table:
        """X as a table; at a fitted estimator with the columns of the fit, by name where both have names."""
        check = self._check_cells()
        table = as_table(X, text=self._text(), inf="refuse" if check is None else "keep")
        if fitting:
            self.n_features_in_ = len(table.names)
            self._float32 = is_float32(X)
            if table.named:
                self.feature_names_in_ = np.array(table.names, dtype=object)
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
            if check is not None:
                check(table.values, table.names)
            return table
        self._fitted()
        known = getattr(self, "feature_names_in_", None)
        if known is not None and table.named and tuple(known) != table.names:
            selected = table.select(tuple(known))
            if set(known) == set(table.names):
                warnings.warn(
                    "EM005: the columns of X are in another order than at fit; they are taken by name",
                    EstepWarning,
                    stacklevel=4,
                )
            table = selected
        if len(table.names) != self.n_features_in_:
            raise DataError(
                f"X has {len(table.names)} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        if check is not None:
            check(table.values, table.names)
        return recode(table, tuple(column.levels for column in self.fitted_.columns))

    def _open(
        self,
        X: Any,
        sample_weight: Any = None,
        lengths: Any = None,
        evidence: Array | None = None,
        *,
        fitting: bool = False,
    ) -> MemorySource:
        return self._source(self._read(X, fitting=fitting), sample_weight, lengths, evidence)

    def _source(
        self,
        table: Table,
        sample_weight: Any = None,
        lengths: Any = None,
        evidence: Array | None = None,
    ) -> MemorySource:
        n, (values, slopes) = len(table.values), self._on_scale(table)
        return MemorySource(
            values,
            table.names,
            weights=None if sample_weight is None else check_weights(sample_weight, n),
            lengths=None if lengths is None else np.asarray(lengths, dtype=np.int64),
            evidence=evidence,
            levels=table.levels,
            notes=table.notes,
            slopes=slopes,
            single=self._float32,
        )

    def _on_scale(self, table: Table) -> tuple[Array, Array | None]:
        """The values as modelled (n, d), and the log-derivatives of their scales summed over a row (n,)."""
        return table.values, None

    def _modelled_columns(self) -> tuple[Column, ...]:
        """The columns under names that say on which scale the parameters are."""
        return self._fitted().columns

    def _run(self, model: Model, source: MemorySource, starts: Starts, units: Any = None) -> Self:
        """Fit and set the attributes; Ctrl-C sets them at the best point so far and goes on up."""
        verbose = int(getattr(self, "verbose", 0) or 0)
        result = fit(
            model,
            source,
            starts=starts,
            stop=Aitken(positive(self, "tol", zero=True), count(self, "max_iter")),
            watch=chosen(Printer(count(self, "verbose_interval")) if verbose else silent),
            units=units,
        )
        seen = look_of(result.model, result.point.params, source.framed(result.units))
        self.fitted_ = Fitted.of(result, source.weight, seen, source.notes)
        self._publish()
        self._warn()
        if self.status_ is Status.INTERRUPTED:
            raise KeyboardInterrupt
        return self

    def _publish(self) -> None:
        """The attributes, as views of the fitted record."""
        fitted = self.fitted_
        self.status_ = fitted.verdict.status
        self.converged_ = self.status_ is Status.CONVERGED
        self.n_iter_ = len(fitted.history)
        self.loglik_, self.objective_ = fitted.loglik, fitted.objective
        self.history_ = fitted.history
        self.lower_bounds_ = [info.objective / fitted.weight for info in fitted.history]
        self.lower_bound_ = fitted.objective / fitted.weight
        self.diagnostics_: dict[str, Any] = {
            "stop": fitted.verdict.message,
            "rate": linear_rate(fitted.history),
            "starts": [(verdict.status.name, verdict.message) for verdict in fitted.starts],
            "saddles": saddles(fitted.history),
            "findings": findings_of(fitted, self.remedy),
        }
        self._publish_params()
        if self._float32:  # as scikit-learn; what is computed later starts from `fitted_`, in float64
            for name, value in list(vars(self).items()):
                ours = name.endswith("_") and name != "params_"  # those are a user's M-step's
                if ours and isinstance(value, np.ndarray) and value.dtype == np.float64:
                    setattr(self, name, as_float32(value))

    @abstractmethod
    def _publish_params(self) -> None:
        """The parameters under their public names, in the user's units."""

    def _warn(self) -> None:
        told = len(self.fitted_.notes)  # they stand last
        for code, text in self.diagnostics_["findings"][: -told or None]:
            kind = ConvergenceWarning if code in ("EM001", "EM003", "EM006", "EM007") else EstepWarning
            warnings.warn(f"{code}: {text}", kind, stacklevel=5)

    def _draw(self, n_samples: Any) -> tuple[Array, Int]:
        """Rows (n, d) from the fitted model and their labels (n,)."""
        fitted = self._fitted()
        n = whole(n_samples, "n_samples")
        rng = np.random.default_rng(draw_seed(getattr(self, "random_state", None)))
        with Local(threads=1):
            values, labels = fitted.model.sample(fitted.user_params, n, rng)
        return values.T, labels
