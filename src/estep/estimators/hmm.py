"""`HMM`: a hidden Markov chain over any family."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np

from estep.estimators.attempt import attempted
from estep.estimators.base import CheckCells
from estep.estimators.chain_options import VARIANCES, chain_of
from estep.estimators.chain_starts import chain_starts, check_states
from estep.estimators.chains import Chains
from estep.estimators.laws import check_cells_of, family_of, publish_family, takes_text
from estep.families.family import Family
from estep.models import Chain
from estep.models.chain import ChainParams


class HMM(Chains):
    """Hidden Markov model, fitted by EM (Baum-Welch); missing cells and rows are integrated out.

    Parameters
    ----------
    n_components : int
        Number of states K.
    emission : str or Family
        "gaussian" (or "gaussian-tied", "gaussian-diag", "gaussian-spherical"), "poisson", "categorical",
        "bernoulli", "interval" (columns in pairs, lower and upper: `IntervalNormal`), or a family object;
        ``Mixed(k, family)`` gives mixture emissions.
    startprob : {"free", "fixed", "stationary"}
        The law of a sequence's first state: estimated, kept at `startprob_init` (equal shares without it), or
        the stationary law of the transitions, which then also explain where sequences start.
    transmat_mask : array-like of bool of shape (K, K), optional
        Which moves are allowed: ``np.triu(np.ones((K, K)))`` for left to right. The others stay exactly 0,
        and the states keep the places that the mask gives them.
    transmat_fixed : array-like of shape (K, K), optional
        Probabilities that are not estimated; NaN where they are.
    startprob_prior, transmat_prior : float or array-like, optional
        Parameters >= 1 of Dirichlet priors; a diagonal above the rest makes states last. Their mode is
        fitted, and `objective_` is `loglik_` plus the log-prior. None: maximum likelihood.
    fixed : tuple of str
        What stays at its `_init`: "startprob", "transmat", "means", "covars", "rates", "emissionprob".
    low_memory : bool
        Of a long sequence, do the forward recursion twice instead of keeping 8 K bytes a row.
    startprob_init, transmat_init : array-like of shape (K,) and (K, K), optional
        Where the chain starts from. A probability of exactly 0 stays 0.
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
    durations_ : array of shape (K,)
        Expected rows in a state once it is entered, 1 / (1 - p(stay)).
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

    def __init__(
        self,
        n_components: int = 1,
        emission: str | Family = "gaussian",
        *,
        startprob: Literal["free", "fixed", "stationary"] = "free",
        transmat_mask: Any = None,
        transmat_fixed: Any = None,
        startprob_prior: Any = None,
        transmat_prior: Any = None,
        fixed: tuple[str, ...] = (),
        low_memory: bool = False,
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
        self.startprob = startprob
        self.transmat_mask = transmat_mask
        self.transmat_fixed = transmat_fixed
        self.startprob_prior = startprob_prior
        self.transmat_prior = transmat_prior
        self.fixed = fixed
        self.low_memory = low_memory
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
    def fit(
        self,
        X: Any,
        y: Any = None,
        lengths: Any = None,
        sequence_weight: Any = None,
        *,
        states: Any = None,
        groups: Any = None,
    ) -> Self:
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
        states : array-like of int of shape (n,), optional
            The state of each row, from 0 on, where it is known, and -1 where it is not. `loglik_` is then
            that of the cells and of these states together. States that no path goes through by the mask or
            by zeros among the starting values are refused.
        groups : str or array-like of shape (n,), optional
            Instead of lengths: the column of X (which is then no data), or the names, that say to which
            sequence each row belongs. The rows of a sequence must stand together.
        """
        source = self._sequences(X, lengths, groups, sequence_weight, states, fitting=True)
        model = self._model(source.weight)
        if states is not None:
            check_states(self, model, source)
        return self._run(model, source, chain_starts(self, model, source))

    def _model(self, weight: float) -> Chain:
        return chain_of(self)

    def _emission(self) -> Family:
        return family_of(self.emission, "emission")

    def _text(self) -> Literal["refuse", "codes"]:
        return takes_text(self._emission())

    def _check_cells(self) -> CheckCells | None:
        return check_cells_of(self._emission())

    def _publish_params(self) -> None:
        params: ChainParams = self.fitted_.user_params
        self.startprob_, self.transmat_ = params.start, params.moves
        with np.errstate(divide="ignore"):
            self.durations_ = 1 / np.maximum(1 - np.diag(params.moves), 0.0)
        publish_family(self, params.emission)
        for name in VARIANCES:
            if hasattr(params.emission, name):
                self.covars_ = getattr(params.emission, name)
