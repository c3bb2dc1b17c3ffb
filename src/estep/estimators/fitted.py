"""The fitted record every estimator holds: what scoring, warm starts and files use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from estep.data.look import Look
from estep.data.source import MemorySource
from estep.data.units import has_density
from estep.engine import Info, Model, Problem, Result, Verdict
from estep.errors import DataError
from estep.records import Array, Block, Column, Units
from estep.run import Local
from estep.space import degrees_of_freedom

FARTHEST = 1e150  # in units of the fit


class Fitted(NamedTuple):
    """Parameters in the fit's units, their frame, and how they were found."""

    model: Any  # bound to the columns
    params: Any  # in the fit's units
    units: Units
    columns: tuple[Column, ...]  # of the training data, in the fit's units
    loglik: float  # of the training data, a sum, in the user's units
    objective: float  # loglik + log_prior
    weight: float  # sum of the row weights
    verdict: Verdict
    history: tuple[Info, ...]
    starts: tuple[Verdict, ...]
    seen_in_rows: Look = Look()  # of a fit in this process: model files do not hold it
    notes: tuple[tuple[str, str], ...] = ()  # codes and sentences of the reading, as above
    said: tuple[tuple[str, str], ...] = ()  # and those of the model on its last pass, as above

    @classmethod
    def of(
        cls, result: Result, weight: float, seen_in_rows: Look, notes: tuple[tuple[str, str], ...]
    ) -> Fitted:
        """Of a finished fit to rows of this total weight."""
        point = result.point
        said = getattr(result.model, "findings", lambda stats: ())(point.stats)
        return cls(
            result.model,
            point.params,
            result.units,
            result.columns,
            point.loglik,
            point.objective,
            weight,
            result.verdict,
            result.history,
            result.starts,
            seen_in_rows,
            notes,
            said,
        )

    @property
    def user_params(self) -> Any:
        """The parameters in the user's units."""
        return self.model.rescale(self.params, self.units)

    @property
    def n_parameters(self) -> int:
        """Free parameters: what BIC and AIC charge for."""
        return degrees_of_freedom(self.model.spaces(), self.params)

    def seen(self, source: MemorySource) -> MemorySource:
        """New data in the fit's units; `DataError` for values the model gives no density."""
        framed = source.framed(self.units)
        self.model.check(framed.columns)
        for column in framed.columns:
            if FARTHEST < max(-column.low, column.high) < np.inf:
                raise DataError(
                    f"column {column.name!r} has a value too far from the fit's to be squared; "
                    "check its units"
                )
        return framed

    def rows_of(self, source: MemorySource, of: Callable[[Any, Block], Any]) -> Any:
        """What `of(prepared model, block)` finds in new data, arrays with rows last, joined along them."""
        with Local() as run:
            prep = self.model.prepare(self.params)
            return run.rows(lambda block: of(prep, block), self.seen(source))

    def loglik_of(self, source: MemorySource) -> float:
        """The log-likelihood of new data by the same path as the fit's: the same bits on the same data."""
        with Local() as run:
            return Problem(self.model, self.seen(source), run).measure(self.params).loglik

    def bic_of(self, source: MemorySource) -> float:
        """Bayesian information criterion (Schwarz 1978), n the sum of weights; lower is better."""
        return float(self.n_parameters * np.log(source.weight) - 2 * self.loglik_of(source))

    def aic_of(self, source: MemorySource) -> float:
        """Akaike's information criterion (Akaike 1974); lower is better."""
        return 2 * self.n_parameters - 2 * self.loglik_of(source)

    def uncertainty_of(self, source: MemorySource) -> Array:
        """1 - p(most probable component) of each row of a mixture, (n,)."""

        def of(prep: Any, block: Block) -> Array:
            others = self.model.posterior(prep, block).resp.copy()
            others[others.argmax(axis=0), np.arange(others.shape[1])] = 0.0
            rest: Array = others.sum(axis=0)  # keeps the digits that 1 - p would lose
            return rest

        unsure: Array = self.rows_of(source, of)
        return unsure

    def icl_of(self, source: MemorySource) -> float:
        """Integrated completed likelihood of a mixture; lower is better."""
        sure = np.log1p(-self.uncertainty_of(source))
        return self.bic_of(source) - 2 * float(source.weights @ sure)

    def posterior_of(self, source: MemorySource) -> Any:
        """The model's per-row record, with `loglik` in the user's units."""
        model: Model = self.model
        framed = source.framed(self.units)

        def of(prep: Any, block: Block) -> Any:
            found = model.posterior(prep, block)
            if not has_density(model.equivariance):
                return found
            return found._replace(loglik=found.loglik + framed.log_jacobian_of(block))

        return self.rows_of(source, of)

    def filled(self, source: MemorySource, raw: Array) -> Array:
        """A copy of raw (n, d), missing cells at their conditional means, seen cells bit-unchanged."""
        values: Array = self.rows_of(source, self.model.fill)
        return np.where(np.isnan(raw), self.units.undo(values).T, raw)
