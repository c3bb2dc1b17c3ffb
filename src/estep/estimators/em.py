"""`EM`: the model a user brings as three functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from estep.engine import Search, Status
from estep.errors import HookError
from estep.estimators.attempt import attempted
from estep.estimators.parameters import draw_seed
from estep.estimators.rows import Rows
from estep.models import Custom
from estep.records import Block


class EM(Rows):
    """EM for a model given by its E-step and its M-step.

    Parameters
    ----------
    start : Any
        Starting parameters: any nest of tuples, named tuples, dicts, arrays and numbers; or a function
        ``start(block, rng)`` of a sample of distinct rows.
    estep : callable
        ``estep(params, block) -> (stats, loglik)``: expected statistics of one block of rows, a nest of the
        same kinds that adds leaf by leaf over blocks, and the block's log-likelihood at `params`.
        ``block.values`` is (d, m), NaN = missing: each row of it is a column of the data;
        ``block.weights`` is (m,).
    mstep : callable
        ``mstep(params, stats) -> params`` from the statistics summed over all blocks.
    log_prior : callable, optional
        ``log_prior(params)``, added to the objective.
    spaces : nest of estep.space.Space, optional
        Where each parameter lives, e.g. ``Unit()`` for a probability: half steps and degrees of freedom use
        it. Real numbers by default.
    tol, max_iter, verbose, verbose_interval
        As in `GaussianMixture`.

    Attributes
    ----------
    params_ : Any
        As `start`.
    loglik_, objective_, converged_, status_, n_iter_, history_, diagnostics_
        As in `GaussianMixture`.

    Raises
    ------
    HookError
        A function that raised (its error is chained), returned NaN or the wrong shape, or an M-step after
        which the objective fell at every length of step.

    References
    ----------
    Dempster, A. P., Laird, N. M. & Rubin, D. B. (1977). J. R. Statist. Soc. B 39, 1-38.

    Examples
    --------
    Genetic linkage (Rao 1973): 197 animals in four classes, the first a mixture of two.

    >>> import numpy as np
    >>> from estep import EM
    >>> from estep.space import Unit
    >>> def estep(theta, block):
    ...     a, b, c, d = block.values @ block.weights
    ...     hidden = a * theta / (2 + theta)
    ...     loglik = a * np.log(2 + theta) + (b + c) * np.log(1 - theta) + d * np.log(theta)
    ...     return (hidden + d, b + c), loglik
    >>> def mstep(theta, stats):
    ...     return stats[0] / (stats[0] + stats[1])
    >>> model = EM(0.5, estep, mstep, spaces=Unit(), tol=1e-10).fit([[125, 18, 20, 34]])
    >>> print(round(model.params_, 6))
    0.626821
    """

    def __init__(
        self,
        start: Any,
        estep: Callable[[Any, Block], tuple[Any, float]],
        mstep: Callable[[Any, Any], Any],
        log_prior: Callable[[Any], float] | None = None,
        spaces: Any = None,
        *,
        tol: float = 1e-4,
        max_iter: int = 10_000,
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.start = start
        self.estep = estep
        self.mstep = mstep
        self.log_prior = log_prior
        self.spaces = spaces
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    @attempted
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit to the rows of X, (n, d), NaN or null = missing; `estep` sees weights as `block.weights`."""
        source = self._open(X, sample_weight, fitting=True)
        self._run(self._model(source.weight), source, Search(seed=draw_seed(self.random_state)))
        if self.status_ is Status.DECREASED:
            raise HookError(f"mstep: {self.fitted_.verdict.message}; check it against estep")
        return self

    def _model(self, weight: float) -> Custom:
        return Custom(self.start, self.estep, self.mstep, self.log_prior, self.spaces)

    def _publish_params(self) -> None:
        self.params_ = self.fitted_.user_params
