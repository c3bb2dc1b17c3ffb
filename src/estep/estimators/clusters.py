"""What the mixtures' faces share: starts, memberships, sampling, imputation."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np

from estep.data.source import MemorySource
from estep.engine.starts import Search, Starts
from estep.estimators.attempt import attempted
from estep.estimators.labels import evidence_of
from estep.estimators.rows import Densities
from estep.estimators.search import search
from estep.models import Alone
from estep.records import Array, Int, Units


class Clusters(Densities):
    """Abstract base of the mixtures."""

    random_state: Any
    remedy = "ask for fewer components, a simpler shape, or a prior"

    @abstractmethod
    def _model(self, weight: float) -> Alone:
        """The model for data of this total weight."""

    @attempted
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, labels: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : None
            Ignored.
        sample_weight : array-like of shape (n,), optional
            How often each row counts.
        labels : array-like of int of shape (n,), optional
            The component of each row, from 0 on, where it is known, and -1 where it is not. Components are
            then in the order of the labels, and `loglik_` is that of the cells and of these labels together.
        """
        source = self._labelled(X, sample_weight, labels, fitting=True)
        model = self._model(source.weight)
        return self._climb(model, source, self._starts(model, source))

    def _climb(self, model: Alone, source: MemorySource, starts: Starts, units: Units | None = None) -> Self:
        self.__dict__.pop("uncertainty_", None)  # of an earlier fit, should this one be interrupted
        self._run(model, source, starts, units)
        unsure = self.fitted_.uncertainty_of(source)
        self.uncertainty_ = unsure.astype(np.float32) if self._float32 else unsure
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None, labels: Any = None) -> Int:
        """`fit(X)`, then the most probable component of each row; that of a labelled row is its label."""
        self.fit(X, sample_weight=sample_weight, labels=labels)
        resp: Array = self._fitted().posterior_of(self._labelled(X, labels=labels)).resp
        found: Int = resp.argmax(axis=0)
        return found

    def loglik(self, X: Any, sample_weight: Any = None, labels: Any = None) -> float:
        """Log-likelihood of the seen cells of X and of `labels`, a sum over rows with their weights, in nats.

        On the training data, with its weights and labels, it equals `loglik_` to the bit.
        """
        return self._fitted().loglik_of(self._labelled(X, sample_weight, labels))

    def bic(self, X: Any, sample_weight: Any = None, labels: Any = None) -> float:
        """Bayesian information criterion on X (Schwarz 1978), n the sum of weights; lower is better."""
        return self._fitted().bic_of(self._labelled(X, sample_weight, labels))

    def aic(self, X: Any, sample_weight: Any = None, labels: Any = None) -> float:
        """Akaike's information criterion on X (Akaike 1974); lower is better."""
        return self._fitted().aic_of(self._labelled(X, sample_weight, labels))

    def icl(self, X: Any, sample_weight: Any = None, labels: Any = None) -> float:
        """Integrated completed likelihood of X (Biernacki, Celeux & Govaert 2000); lower is better.

        BIC plus twice the sum over rows of -log p(most probable component | row), their weights in it: the
        charge for what the clusters leave uncertain. It is minus what mclust's `icl` gives, as `bic` is minus
        its `bic`.
        """
        return self._fitted().icl_of(self._labelled(X, sample_weight, labels))

    def predict_proba(self, X: Any) -> Array:
        """p(component | seen cells) of each row, (n, k)."""
        resp: Array = self._fitted().posterior_of(self._open(X)).resp
        return self._like(X, resp.T)

    def predict(self, X: Any) -> Int:
        """The most probable component of each row, (n,)."""
        labels: Int = self.predict_proba(X).argmax(axis=1)
        return labels

    def sample(self, n_samples: int = 1) -> tuple[Array, Int]:
        """Draws from the fitted mixture: rows (n, d) and the components they came from (n,)."""
        return self._draw(n_samples)

    def _starts(self, model: Alone, source: MemorySource) -> Starts:
        return self._search(source)

    def _search(self, source: MemorySource, **how: Any) -> Search:
        """The search; labels give the components their order, and if every row has one there is one start."""
        found = search(self, **how)
        if source.unlabelled == 0:
            found = replace(found, n_init=1)
        return replace(found, given=found.given or source.unlabelled < source.weight)

    def _labelled(
        self, X: Any, sample_weight: Any = None, labels: Any = None, *, fitting: bool = False
    ) -> MemorySource:
        table = self._read(X, fitting=fitting)
        model = self._model(1.0) if fitting else self._fitted().model
        evidence = None if labels is None else evidence_of(labels, len(table.values), model.family.k)
        return self._source(table, sample_weight, evidence=evidence)
