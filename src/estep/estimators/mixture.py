"""`Mixture`: a finite mixture of any family."""

from __future__ import annotations

from typing import Any, Literal

from estep.estimators.base import CheckCells
from estep.estimators.clusters import Clusters
from estep.estimators.laws import check_cells_of, family_of, publish_family, takes_text
from estep.estimators.parameters import count
from estep.families import Mixed
from estep.families.family import Family
from estep.models import Alone


class Mixture(Clusters):
    """Finite mixture of a family, fitted by EM; missing cells are integrated out.

    Parameters
    ----------
    n_components : int
        Number of components k.
    family : str or Family
        "gaussian" (or "gaussian-tied", "gaussian-diag", "gaussian-spherical"), "poisson", "categorical",
        "bernoulli", "interval" (columns in pairs, lower and upper: `IntervalNormal`), or a family object such
        as ``estep.families.Gaussian("diag")``. Categorical columns hold the codes 0, 1, ... or text.
    tol, max_iter, n_init, init_params, random_state, verbose, verbose_interval
        As in `GaussianMixture`.

    Attributes
    ----------
    weights_ : array of shape (k,)
    means_, covariances_ | means_, variances_ | rates_ | probabilities_
        The family's parameters, in the user's units.
    uncertainty_ : array of shape (n,)
        Of each row of the fit, 1 - p(its most probable component); a saved model does not hold it.
    loglik_, objective_, converged_, status_, n_iter_, history_, diagnostics_
        As in `GaussianMixture`.

    References
    ----------
    McLachlan, G. & Peel, D. (2000). Finite Mixture Models.

    Examples
    --------
    >>> from estep import Mixture
    >>> from estep.datasets import load_earthquakes
    >>> counts = load_earthquakes().select("count")
    >>> Mixture(2, "poisson", random_state=0).fit(counts).rates_.round(1)
    array([[15.8],
           [26.8]])
    """

    def __init__(
        self,
        n_components: int = 1,
        family: str | Family = "gaussian",
        *,
        tol: float = 1e-4,
        max_iter: int = 10_000,
        n_init: int | Literal["auto"] = "auto",
        init_params: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.family = family
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def _model(self, weight: float) -> Alone:
        return Alone(Mixed(count(self, "n_components"), family_of(self.family)))

    def _text(self) -> Literal["refuse", "codes"]:
        return takes_text(self.family)

    def _check_cells(self) -> CheckCells | None:
        return check_cells_of(self.family)

    def _publish_params(self) -> None:
        params = self.fitted_.user_params
        publish_family(self, params.inner)
        self.weights_ = params.weights[0]  # the outer ones, if the family is itself a mixture
