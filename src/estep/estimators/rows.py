"""What the models of independent rows share: scores and imputation."""

from __future__ import annotations

from typing import Any

from sklearn.base import DensityMixin

from estep.estimators.base import Face
from estep.records import Array


class Rows(DensityMixin, Face):
    """Abstract base of every face but `HMM`, whose rows depend on each other, and `EM`."""

    def score_samples(self, X: Any) -> Array:
        """Log-density of the seen cells of each row, (n,), in nats; 0 for a row with nothing seen."""
        logs: Array = self._fitted().posterior_of(self._open(X)).loglik
        return logs

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Mean log-likelihood of a row (per unit of weight)."""
        source = self._open(X, sample_weight)
        return self._fitted().loglik_of(source) / source.weight

    def impute(self, X: Any) -> Array:
        """A copy of X, (n, d), with each missing cell at its conditional mean; seen cells bit-unchanged."""
        table = self._read(X)
        return self._fitted().filled(self._source(table), table.values)
