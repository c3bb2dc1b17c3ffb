"""What the hidden Markov models' faces share: every question that is asked of sequences."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from estep.data.convert.intake import Inf
from estep.data.sequences import split
from estep.data.source import MemorySource
from estep.data.units import has_density
from estep.data.weights import check_weights
from estep.errors import DataError, UsageError
from estep.estimators.base import Face
from estep.estimators.labels import evidence_of
from estep.models.paths import Paths, each_most_probable, most_probable
from estep.records import Array, Int

if TYPE_CHECKING:
    from estep.estimators.outlook import Forecast


class Chains(Face):
    """Abstract base of the hidden Markov models. Methods of many sequences take their lengths or groups."""

    n_components: int
    random_state: Any
    remedy = "ask for fewer states or a simpler emission"

    def loglik(
        self, X: Any, lengths: Any = None, sequence_weight: Any = None, states: Any = None, groups: Any = None
    ) -> float:
        """Log-likelihood, a sum over sequences; on the training data it equals `loglik_` to the bit."""
        return self._fitted().loglik_of(self._sequences(X, lengths, groups, sequence_weight, states))

    def bic(self, X: Any, lengths: Any = None, sequence_weight: Any = None, groups: Any = None) -> float:
        """Bayesian information criterion on X (Schwarz 1978), n the weight of the rows; lower is better."""
        return self._fitted().bic_of(self._sequences(X, lengths, groups, sequence_weight))

    def aic(self, X: Any, lengths: Any = None, sequence_weight: Any = None, groups: Any = None) -> float:
        """Akaike's information criterion on X (Akaike 1974); lower is better."""
        return self._fitted().aic_of(self._sequences(X, lengths, groups, sequence_weight))

    def score(self, X: Any, y: Any = None, lengths: Any = None, groups: Any = None) -> float:
        """As `loglik`: the sum, as hmmlearn's."""
        return self.loglik(X, lengths, groups=groups)

    def score_samples(self, X: Any, lengths: Any = None, groups: Any = None) -> Array:
        """log p(row | rows before it in its sequence), (n,); the sum is the log-likelihood."""
        logs: Array = self._fitted().posterior_of(self._sequences(X, lengths, groups)).loglik
        return self._like(X, logs)

    def predict_proba(self, X: Any, lengths: Any = None, groups: Any = None) -> Array:
        """p(state | whole sequence) at each row, (n, K)."""
        resp: Array = self._fitted().posterior_of(self._sequences(X, lengths, groups)).resp
        return self._like(X, resp.T)

    def filter(self, X: Any, lengths: Any = None, groups: Any = None) -> Array:
        """p(state | the rows of its sequence up to this one) at each row, (n, K): nothing of the future."""
        source = self._sequences(X, lengths, groups)
        fitted = self._fitted()
        found: Array = fitted.rows_of(source, fitted.model.filter)
        return found.T

    def predict(self, X: Any, lengths: Any = None, groups: Any = None) -> Int:
        """The states of the most probable path of each sequence (Viterbi), (n,)."""
        return self.decode(X, lengths, groups)[1]

    def decode(
        self,
        X: Any,
        lengths: Any = None,
        groups: Any = None,
        *,
        algorithm: Literal["viterbi", "map"] = "viterbi",
    ) -> tuple[float, Int]:
        """States, and log p(rows, states) of them, summed over sequences.

        Parameters
        ----------
        X : array-like of shape (n, d)
        lengths, groups : as at `fit`
        algorithm : {"viterbi", "map"}
            The most probable path of each sequence (Viterbi 1967), or at each row its most probable state,
            which may be no path at all: the log-probability is then -inf.

        Returns
        -------
        float, array of int of shape (n,)
        """
        if algorithm not in ("viterbi", "map"):
            raise UsageError(f"algorithm must be 'viterbi' or 'map'; found {algorithm!r}")
        source = self._sequences(X, lengths, groups)
        found: Paths = self.fitted_.rows_of(
            source,
            partial(most_probable if algorithm == "viterbi" else each_most_probable, self.fitted_.model),
        )
        if not has_density(self.fitted_.model.equivariance):
            return float(found.log_joint.sum()), found.states
        scales = np.log(self._fitted().units.scale)
        seen = sum((~np.isnan(source.block(i).values)).sum(axis=1) for i in range(len(source)))
        return float(found.log_joint.sum() - scales @ seen), found.states

    def sample_posterior(
        self, X: Any, n_samples: int = 1, lengths: Any = None, groups: Any = None, random_state: Any = None
    ) -> Int:
        """Paths drawn given the rows, (n_samples, n): forward filtering, backward sampling (Chib 1996).

        Unlike `predict`, they show how sure the states are, and of whatever is computed from them.
        """
        from estep.estimators.outlook import drawn_paths

        seed = self.random_state if random_state is None else random_state
        return drawn_paths(self._fitted(), self._sequences(X, lengths, groups), n_samples, seed)

    def forecast(
        self,
        X: Any,
        h: int = 1,
        lengths: Any = None,
        groups: Any = None,
        *,
        quantiles: Any = (0.05, 0.5, 0.95),
    ) -> Forecast:
        """What follows the last row of each sequence, 1 to h steps ahead.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The rows so far.
        h : int
            Steps ahead.
        lengths, groups : as at `fit`
        quantiles : sequence of float
            Which quantiles of each column, in (0, 1).

        Returns
        -------
        Forecast
            `states`, `means`, `quantiles`, a row a sequence and step, named by `sequence` and `step`.
        """
        from estep.estimators.outlook import forecast

        return forecast(self._fitted(), self._sequences(X, lengths, groups), h, quantiles)

    def pseudo_residuals(
        self,
        X: Any,
        lengths: Any = None,
        groups: Any = None,
        *,
        given: Literal["all", "past"] = "all",
    ) -> Array:
        """Normal pseudo-residuals, (n, d): standard normal where the model is right.

        Each cell's z with Phi(z) = P(X <= x | the other rows), of counts at the middle of their step
        (Zucchini, MacDonald & Langrock 2016, section 6.2); NaN where a cell is missing. None is beyond 37.5,
        where the probabilities of float64 end, but that of an interval's open end, which is infinite.

        Parameters
        ----------
        X : array-like of shape (n, d)
        lengths, groups : as at `fit`
        given : {"all", "past"}
            All other rows of the sequence (ordinary residuals), or those before (forecast residuals).
        """
        from estep.estimators.outlook import pseudo_residuals

        return pseudo_residuals(self._fitted(), self._sequences(X, lengths, groups), given)

    def plot(
        self,
        kind: str = "history",
        X: Any = None,
        *,
        lengths: Any = None,
        groups: Any = None,
        h: int = 12,
        columns: Any = None,
        ax: Any = None,
    ) -> Any:
        """Draw the fit and return the matplotlib axes.

        Parameters
        ----------
        kind : {"history", "states", "transitions", "forecast", "density", "ellipses", ...}
            "states": a column over time, coloured by the most probable path, over p(state | sequence);
            "transitions": the graph of the chain; "forecast": h steps after the last row. The others as of
            every estimator: "history", "density", "ellipses", "pairs", "uncertainty", "imputed", "missing".
        X : array-like of shape (n, d), optional
            The data; needed by all but "history" and "transitions".
        lengths, groups : as at `fit`
        h : int
            Steps ahead, of "forecast".
        columns : int, str, or several of them, optional
            Which column, or columns, to show; the first by default.
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        """
        from estep.report import series, transitions

        if kind == "transitions":
            self._fitted()
            return transitions.transitions(self, ax)
        if kind not in ("states", "forecast"):
            return super().plot(kind, X, columns=columns, ax=ax)
        if X is None:
            raise UsageError(f"kind={kind!r} shows the data: give them as X")
        rows, runs = self._split(X, lengths, groups)
        values = self._read(rows).values
        runs = np.array([len(values)]) if runs is None else runs
        if kind == "states":
            return series.states(self, values, runs, columns, ax)
        return series.fan(self, values, runs, h=h, column=columns, ax=ax)

    def impute(self, X: Any, lengths: Any = None, groups: Any = None) -> Array:
        """A copy of X, missing cells at their means given the whole sequence, seen cells bit-unchanged."""
        rows, runs = self._split(X, lengths, groups)
        return self._fitted().filled(self._sequences(rows, runs), self._read(rows).values)

    def sample(self, n_samples: int = 1) -> tuple[Array, Int]:
        """One sequence drawn from the fitted model: rows (n, d) and states (n,)."""
        return self._draw(n_samples)

    def _split(self, X: Any, lengths: Any, groups: Any) -> tuple[Any, Int | None]:
        """The data without the column that names the sequences, and their lengths."""
        inf: Inf = "refuse" if self._check_cells() is None else "keep"
        return split(X, lengths, groups, text=self._text() == "codes", inf=inf)

    def _sequences(
        self,
        X: Any,
        lengths: Any = None,
        groups: Any = None,
        sequence_weight: Any = None,
        states: Any = None,
        *,
        fitting: bool = False,
    ) -> MemorySource:
        rows, runs = self._split(X, lengths, groups)
        table = self._read(rows, fitting=fitting)
        n = len(table.values)
        if runs is None:
            runs = np.array([n])
        if runs.sum() != n and groups is not None:
            raise DataError(f"groups must have shape ({n},), one name a row; found ({runs.sum()},)")
        evidence = None if states is None else evidence_of(states, n, self.n_components, "states")
        weights = None
        if sequence_weight is not None:
            each = check_weights(sequence_weight, runs.size, "sequence_weight", "sequence")
            weights = np.repeat(each, runs) if runs.sum() == n else None
        return self._source(table, weights, runs, evidence)
