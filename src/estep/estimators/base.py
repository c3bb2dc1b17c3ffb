"""What every estimator shares: opening data, running the engine, and the common attributes."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from estep.data.levels import recode
from estep.data.source import MemorySource
from estep.data.table import Table, as_table
from estep.data.weights import check_weights
from estep.engine import Aitken, Model, Printer, Status, fit, linear_rate, silent
from estep.engine.probe import saddles
from estep.engine.starts import Starts
from estep.errors import DataError, EstepWarning
from estep.estimators.fitted import Fitted
from estep.estimators.parameters import count, draw_seed, positive, whole
from estep.records import Array, Int
from estep.run import Local


class Face(BaseEstimator, ABC):
    """Abstract base of the estimators; it holds no mathematics."""

    tol: float
    max_iter: int
    fitted_: Fitted
    remedy: ClassVar[str] = "drop a column that repeats others"  # of a degenerate fit

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags

    def summary(self) -> str:
        """The fit in words: model, size, log-likelihood, why it stopped, parameters."""
        from estep.report.text import summary

        return summary(self)

    def plot(self, kind: str = "history", X: Any = None, *, columns: Any = None, ax: Any = None) -> Any:
        """Draw the fit and return the matplotlib axes.

        Parameters
        ----------
        kind : {"history", "density", "ellipses", "missing"}
            The objective by iteration; one column's histogram with the fitted density; two columns with the
            components' ellipses; which cells are missing.
        X : array-like of shape (n, d), optional
            The data; needed by all but "history".
        columns : int, str, or pair of them, optional
            Which column (density) or columns (ellipses) to show; the first by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        """
        from estep.report.plots import plot

        return plot(self, kind, None if X is None else self._read(X).values, columns=columns, ax=ax)

    def save(self, path: Any) -> None:
        """Write the fitted model to a `.estep` file, whole or not at all; it holds no data rows."""
        from estep.estimators.saved.files import save

        save(self, path)

    def _fitted(self) -> Fitted:
        check_is_fitted(self, "fitted_")
        return self.fitted_

    def _text(self) -> Any:
        """Whether text columns are refused or taken as categories."""
        return "refuse"

    def _read(self, X: Any, *, fitting: bool = False) -> Table:
        """X as a table; at a fitted estimator with the columns of the fit, by name where both have names."""
        table = as_table(X, text=self._text())
        if fitting:
            self.n_features_in_ = len(table.names)
            if table.named:
                self.feature_names_in_ = np.array(table.names, dtype=object)
            elif hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
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
        return recode(table, tuple(column.levels for column in self.fitted_.columns))

    def _open(
        self, X: Any, sample_weight: Any = None, lengths: Any = None, *, fitting: bool = False
    ) -> MemorySource:
        return self._source(self._read(X, fitting=fitting), sample_weight, lengths)

    def _source(self, table: Table, sample_weight: Any = None, lengths: Any = None) -> MemorySource:
        n = len(table.values)
        return MemorySource(
            table.values,
            table.names,
            weights=None if sample_weight is None else check_weights(sample_weight, n),
            lengths=None if lengths is None else np.asarray(lengths, dtype=np.int64),
            levels=table.levels,
        )

    def _run(self, model: Model, source: MemorySource, starts: Starts, units: Any = None) -> Self:
        """Fit and set the attributes; Ctrl-C sets them at the best point so far and goes on up."""
        verbose = int(getattr(self, "verbose", 0) or 0)
        result = fit(
            model,
            source,
            starts=starts,
            stop=Aitken(positive(self, "tol", zero=True), count(self, "max_iter")),
            watch=Printer(count(self, "verbose_interval")) if verbose else silent,
            units=units,
        )
        self.fitted_ = Fitted.of(result, source.weight)
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
            "findings": self._findings(),
        }
        self._publish_params()

    @abstractmethod
    def _publish_params(self) -> None:
        """The parameters under their public names, in the user's units."""

    def _findings(self) -> list[tuple[str, str]]:
        """Coded findings of a fit; docs/warnings.md has a section on each."""
        verdict, found = self.fitted_.verdict, []
        if verdict.status is Status.MAX_ITER:
            found.append(("EM001", f"not converged: {verdict.message}; raise max_iter or tol"))
        if verdict.status is Status.INTERRUPTED:
            found.append(("EM001", f"not converged: {verdict.message}; this is the best point so far"))
        if verdict.status is Status.DEGENERATE:
            found.append(("EM002", f"degenerate: {verdict.message}; {self.remedy}"))
        if verdict.status is Status.DECREASED:
            found.append(("EM003", f"{verdict.message}; this is a bug in an M-step, please report it"))
        if verdict.status is Status.SADDLE:
            found.append(("EM007", f"a saddle: {verdict.message}; raise max_iter"))
        if verdict.status is Status.NONFINITE:
            found.append(("EM006", f"{verdict.message}; look for values of extreme size"))
        failed = [
            start
            for start in self.fitted_.starts
            if start.status is Status.DEGENERATE and not start.iteration
        ]
        if failed:
            count = f"{len(failed)} of {len(self.fitted_.starts)} starts failed and the others were used"
            found.append(("EM026", f"{count}; {failed[0].message}; give more rows or fewer components"))
        constant = [c.name for c in self.fitted_.columns if c.variance == 0 and c.seen > 0]
        if constant and self.fitted_.model.equivariance != "none":
            names = ", ".join(map(repr, constant))
            held = ", with a variance held at a floor" if self.fitted_.model.equivariance == "column" else ""
            which = f"columns {names} are" if len(constant) > 1 else f"column {names} is"
            found.append(("EM004", f"{which} constant{held}; leave such columns out"))
        return found

    def _warn(self) -> None:
        for code, text in self.diagnostics_["findings"]:
            kind = ConvergenceWarning if code in ("EM001", "EM003", "EM006", "EM007") else EstepWarning
            warnings.warn(f"{code}: {text}", kind, stacklevel=4)

    def _draw(self, n_samples: Any) -> tuple[Array, Int]:
        """Rows (n, d) from the fitted model and their labels (n,)."""
        fitted = self._fitted()
        n = whole(n_samples, "n_samples")
        rng = np.random.default_rng(draw_seed(getattr(self, "random_state", None)))
        with Local(threads=1):
            values, labels = fitted.model.sample(fitted.user_params, n, rng)
        return values.T, labels
