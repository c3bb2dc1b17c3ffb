"""`HMM`: a hidden Markov chain over any family."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np

from estep.data.source import MemorySource
from estep.data.units import has_density
from estep.data.weights import check_weights
from estep.errors import DataError
from estep.estimators.attempt import attempted
from estep.estimators.base import CheckCells, Face
from estep.estimators.chain_starts import VARIANCES, chain_starts
from estep.estimators.laws import check_cells_of, family_of, publish_family, takes_text
from estep.estimators.parameters import count
from estep.families.family import Family
from estep.models import Chain
from estep.models.chain import ChainParams, Paths
from estep.records import Array, Int
from estep.run import Local


class HMM(Face):
    """Hidden Markov model, fitted by EM (Baum-Welch); missing cells and rows are integrated out.

    Parameters
    ----------
    n_components : int
        Number of states K.
    emission : str or Family
        "gaussian" (or "gaussian-tied", "gaussian-diag", "gaussian-spherical"), "poisson", "categorical",
        "bernoulli", "interval" (columns in pairs, lower and upper: `IntervalNormal`), or a family object;
        ``Mixed(k, family)`` gives mixture emissions.
    startprob_init, transmat_init : array-like of shape (K,) and (K, K), optional
        Where the chain starts from. A probability of exactly 0 stays 0: so a left-right model is made.
    means_init, covars_init | rates_init | emissionprob_init : array-like, optional
        Where the emission starts from, in the user's units: means (K, d) and covariances (not standard
        deviations), (K, d, d), (d, d), (K, d) or (K,) by shape; rates (K, d); probabilities (K, d, levels),
        or (K, levels) of one column; of p pairs of ends, means and variances (K, p). All of them given, with
        the chain's, there is that one start and no search, and the states keep their order; otherwise every
        start of the search takes what is given.
    tol, max_iter, n_init, init_params, random_state, verbose, verbose_interval
        As in `GaussianMixture`.

    Attributes
    ----------
    startprob_ : array of shape (K,)
    transmat_ : array of shape (K, K)
        Row i: from state i.
    means_, covars_ | means_, variances_ | rates_ | probabilities_ | weights_, inner_
        The emission's parameters (the last two of a mixture emission), in the user's units; covariances,
        not standard deviations.
    loglik_ : float
        A sum over sequences.
    objective_, converged_, status_, n_iter_, history_, diagnostics_
        As in `GaussianMixture`.

    References
    ----------
    Baum, L. E., Petrie, T., Soules, G. & Weiss, N. (1970). Ann. Math. Statist. 41, 164-171.

    Examples
    --------
    >>> from estep import HMM
    >>> from estep.datasets import load_earthquakes
    >>> counts = load_earthquakes().select("count")
    >>> model = HMM(2, "poisson", random_state=0, tol=1e-8).fit(counts)
    >>> model.rates_.round(3).ravel()
    array([15.421, 26.018])
    >>> round(model.loglik_, 4)
    -341.8787
    """

    remedy = "ask for fewer states or a simpler emission"

    def __init__(
        self,
        n_components: int = 1,
        emission: str | Family = "gaussian",
        *,
        startprob_init: Any = None,
        transmat_init: Any = None,
        means_init: Any = None,
        covars_init: Any = None,
        rates_init: Any = None,
        emissionprob_init: Any = None,
        tol: float = 1e-4,
        max_iter: int = 10_000,
        n_init: int | Literal["auto"] = "auto",
        init_params: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.emission = emission
        self.startprob_init = startprob_init
        self.transmat_init = transmat_init
        self.means_init = means_init
        self.covars_init = covars_init
        self.rates_init = rates_init
        self.emissionprob_init = emissionprob_init
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    @attempted
    def fit(self, X: Any, y: Any = None, lengths: Any = None, sequence_weight: Any = None) -> Self:
        """Fit to the rows of X, (n, d), in time order.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Sequences one after the other; NaN or null = missing.
        y : None
            Ignored.
        lengths : array-like of int of shape (s,), optional
            Length of each sequence, summing to n; one sequence by default.
        sequence_weight : array-like of shape (s,), optional
            How often each sequence counts.
        """
        source = self._sequences(X, lengths, sequence_weight, fitting=True)
        model = self._model(source.weight)
        return self._run(model, source, chain_starts(self, model, source))

    def loglik(self, X: Any, lengths: Any = None, sequence_weight: Any = None) -> float:
        """Log-likelihood, a sum over sequences; on the training data it equals `loglik_` to the bit."""
        return self._fitted().loglik_of(self._sequences(X, lengths, sequence_weight))

    def bic(self, X: Any, lengths: Any = None, sequence_weight: Any = None) -> float:
        """Bayesian information criterion on X (Schwarz 1978), n the weight of the rows; lower is better."""
        return self._fitted().bic_of(self._sequences(X, lengths, sequence_weight))

    def aic(self, X: Any, lengths: Any = None, sequence_weight: Any = None) -> float:
        """Akaike's information criterion on X (Akaike 1974); lower is better."""
        return self._fitted().aic_of(self._sequences(X, lengths, sequence_weight))

    def score(self, X: Any, y: Any = None, lengths: Any = None) -> float:
        """As `loglik`: the sum, as hmmlearn's."""
        return self.loglik(X, lengths)

    def score_samples(self, X: Any, lengths: Any = None) -> Array:
        """log p(row | rows before it in its sequence), (n,); the sum is the log-likelihood."""
        logs: Array = self._fitted().posterior_of(self._sequences(X, lengths)).loglik
        return self._like(X, logs)

    def predict_proba(self, X: Any, lengths: Any = None) -> Array:
        """p(state | whole sequence) at each row, (n, K)."""
        resp: Array = self._fitted().posterior_of(self._sequences(X, lengths)).resp
        return self._like(X, resp.T)

    def filter(self, X: Any, lengths: Any = None) -> Array:
        """p(state | the rows of its sequence up to this one) at each row, (n, K): nothing of the future."""
        fitted = self._fitted()
        with Local() as run:
            prep = fitted.model.prepare(fitted.params)
            source = fitted.seen(self._sequences(X, lengths))
            past: Array = run.rows(lambda block: fitted.model.filter(prep, block), source)
            return past.T

    def predict(self, X: Any, lengths: Any = None) -> Int:
        """The states of the most probable path of each sequence (Viterbi), (n,)."""
        return self._paths(X, lengths).states

    def decode(self, X: Any, lengths: Any = None) -> tuple[float, Int]:
        """The joint log-probability of the most probable paths, summed over sequences, and their states."""
        source = self._sequences(X, lengths)
        paths = self._paths(X, lengths)
        joint = float(paths.log_joint.sum())
        if not has_density(self._fitted().model.equivariance):
            return joint, paths.states
        scales = np.log(self._fitted().units.scale)
        seen = sum((~np.isnan(source.block(i).values)).sum(axis=1) for i in range(len(source)))
        return float(joint - scales @ seen), paths.states

    def impute(self, X: Any, lengths: Any = None) -> Array:
        """A copy of X, missing cells at their means given the whole sequence, seen cells bit-unchanged."""
        return self._fitted().filled(self._sequences(X, lengths), self._read(X).values)

    def sample(self, n_samples: int = 1) -> tuple[Array, Int]:
        """One sequence drawn from the fitted model: rows (n, d) and states (n,)."""
        return self._draw(n_samples)

    def _model(self, weight: float) -> Chain:
        return Chain(count(self, "n_components"), family_of(self.emission, "emission"))

    def _text(self) -> Literal["refuse", "codes"]:
        return takes_text(self.emission, "emission")

    def _check_cells(self) -> CheckCells | None:
        return check_cells_of(self.emission, "emission")

    def _sequences(
        self, X: Any, lengths: Any = None, sequence_weight: Any = None, *, fitting: bool = False
    ) -> MemorySource:
        table = self._read(X, fitting=fitting)
        runs = np.array([len(table.values)]) if lengths is None else np.asarray(lengths)
        if runs.ndim != 1 or not np.issubdtype(runs.dtype, np.integer) or (runs < 1).any():
            raise DataError("lengths must be a vector of integers >= 1, one a sequence")
        if sequence_weight is None:
            return self._source(table, None, runs)
        weights = check_weights(sequence_weight, runs.size, "sequence_weight", "sequence")
        return self._source(table, np.repeat(weights, runs), runs)

    def _paths(self, X: Any, lengths: Any) -> Paths:
        fitted = self._fitted()
        with Local() as run:
            prep = fitted.model.prepare(fitted.params)
            source = fitted.seen(self._sequences(X, lengths))
            paths: Paths = run.rows(lambda block: fitted.model.decode(prep, block), source)
            return paths

    def _publish_params(self) -> None:
        params: ChainParams = self.fitted_.user_params
        self.startprob_, self.transmat_ = params.start, params.moves
        publish_family(self, params.emission)
        for name in VARIANCES:
            if hasattr(params.emission, name):
                self.covars_ = getattr(params.emission, name)
