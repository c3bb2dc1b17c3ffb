"""The hidden Markov models by their usual names: `HMM` over one family, its options in place of an object.

Each class spells its own parameters, for scikit-learn's `clone` and `get_params` read them from there.
"""

from __future__ import annotations

from typing import Any, Literal

from estep.errors import UsageError
from estep.estimators.hmm import HMM
from estep.estimators.parameters import count
from estep.families import Categorical, Gaussian, Mixed, Poisson
from estep.families.covariance import SHAPES
from estep.families.family import Family


class GaussianHMM(HMM):
    """`HMM` with normal emissions.

    Parameters
    ----------
    n_components : int
        Number of states K.
    covariance_type : {"diag", "full", "tied", "spherical"}
        Shape of the covariances.
    means_init, covars_init : array-like, optional
        Means (K, d), and covariances (not standard deviations): (K, d) for diag, (K, d, d), (d, d) or (K,).
    startprob, transmat_mask, ... : as in `HMM`

    Examples
    --------
    >>> from estep import GaussianHMM
    >>> from estep.datasets import load_faithful
    >>> model = GaussianHMM(2, random_state=0).fit(load_faithful())
    >>> model.means_.round(1)
    array([[ 2. , 54.5],
           [ 4.3, 80. ]])
    """

    def __init__(
        self,
        n_components: int = 1,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag",
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
        tol: float = 1e-4,
        max_iter: int = 10_000,
        n_init: int | Literal["auto"] = "auto",
        init_params: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
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
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def _emission(self) -> Family:
        return _gaussian(self.covariance_type)


class PoissonHMM(HMM):
    """`HMM` with independent Poisson counts.

    Parameters
    ----------
    n_components : int
        Number of states K.
    rates_init : array-like of shape (K, d), optional
    startprob, transmat_mask, ... : as in `HMM`
    """

    def __init__(
        self,
        n_components: int = 1,
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
        rates_init: Any = None,
        tol: float = 1e-4,
        max_iter: int = 10_000,
        n_init: int | Literal["auto"] = "auto",
        init_params: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.startprob = startprob
        self.transmat_mask = transmat_mask
        self.transmat_fixed = transmat_fixed
        self.startprob_prior = startprob_prior
        self.transmat_prior = transmat_prior
        self.fixed = fixed
        self.low_memory = low_memory
        self.startprob_init = startprob_init
        self.transmat_init = transmat_init
        self.rates_init = rates_init
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def _emission(self) -> Family:
        return Poisson()


class CategoricalHMM(HMM):
    """`HMM` with categories: codes 0, 1, ... or text.

    Parameters
    ----------
    n_components : int
        Number of states K.
    emissionprob_init : array-like of shape (K, d, levels), or (K, levels) of one column, optional
    startprob, transmat_mask, ... : as in `HMM`

    Attributes
    ----------
    probabilities_ : array of shape (K, d, levels)
    """

    def __init__(
        self,
        n_components: int = 1,
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
        self.startprob = startprob
        self.transmat_mask = transmat_mask
        self.transmat_fixed = transmat_fixed
        self.startprob_prior = startprob_prior
        self.transmat_prior = transmat_prior
        self.fixed = fixed
        self.low_memory = low_memory
        self.startprob_init = startprob_init
        self.transmat_init = transmat_init
        self.emissionprob_init = emissionprob_init
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def _emission(self) -> Family:
        return Categorical()


class GMMHMM(HMM):
    """`HMM` whose emissions are mixtures of normals.

    Parameters
    ----------
    n_components : int
        Number of states K.
    n_mix : int
        Number of components in the mixture of each state.
    covariance_type : {"diag", "full", "tied", "spherical"}
        Shape of the covariances.
    startprob, transmat_mask, ... : as in `HMM`

    Attributes
    ----------
    weights_ : array of shape (K, n_mix)
    inner_ : the means and covariances of all K * n_mix components, state after state
    """

    def __init__(
        self,
        n_components: int = 1,
        n_mix: int = 1,
        covariance_type: Literal["full", "tied", "diag", "spherical"] = "diag",
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
        tol: float = 1e-4,
        max_iter: int = 10_000,
        n_init: int | Literal["auto"] = "auto",
        init_params: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.n_mix = n_mix
        self.covariance_type = covariance_type
        self.startprob = startprob
        self.transmat_mask = transmat_mask
        self.transmat_fixed = transmat_fixed
        self.startprob_prior = startprob_prior
        self.transmat_prior = transmat_prior
        self.fixed = fixed
        self.low_memory = low_memory
        self.startprob_init = startprob_init
        self.transmat_init = transmat_init
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.random_state = random_state
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    def _emission(self) -> Family:
        return Mixed(count(self, "n_mix"), _gaussian(self.covariance_type))


def _gaussian(covariance_type: Any) -> Gaussian:
    if not isinstance(covariance_type, str) or covariance_type not in SHAPES:
        known = ", ".join(map(repr, SHAPES))
        raise UsageError(f"covariance_type must be one of {known}; found {covariance_type!r}")
    return Gaussian(covariance_type)  # type: ignore[arg-type]  # a word, and one of SHAPES by now
