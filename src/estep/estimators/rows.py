"""What the models of independent rows share: likelihoods, scores and imputation."""

from __future__ import annotations

from typing import Any

from sklearn.base import DensityMixin

from estep.estimators.base import Face
from estep.records import Array


class Rows(DensityMixin, Face):
    """Abstract base of every face but `HMM`, whose rows depend on each other."""

    def loglik(self, X: Any, sample_weight: Any = None) -> float:
        """Log-likelihood of the seen cells of X, summed over rows with their weights, in nats.

        On the training data it equals `loglik_` to the bit.
        """
        return self._fitted().loglik_of(self._open(X, sample_weight))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Mean log-likelihood of a row (per unit of weight)."""
        source = self._open(X, sample_weight)
        return self._fitted().loglik_of(source) / source.weight

    def bic(self, X: Any, sample_weight: Any = None) -> float:
        """Bayesian information criterion on X (Schwarz 1978), n the sum of weights; lower is better."""
        return self._fitted().bic_of(self._open(X, sample_weight))

    def aic(self, X: Any, sample_weight: Any = None) -> float:
        """Akaike's information criterion on X (Akaike 1974); lower is better."""
        return self._fitted().aic_of(self._open(X, sample_weight))


class Densities(Rows):
    """Abstract base of the models that give each row a density and fill its missing cells."""

    def score_samples(self, X: Any) -> Array:
        """Log-density of the seen cells of each row, (n,), in nats; 0 for a row with nothing seen."""
        logs: Array = self._fitted().posterior_of(self._open(X)).loglik
        return self._like(X, logs)

    def impute(self, X: Any) -> Array:
        """A copy of X, (n, d), with each missing cell at its conditional mean; seen cells bit-unchanged."""
        table = self._read(X)
        return self._fitted().filled(self._source(table), table.values)
