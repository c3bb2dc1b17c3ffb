"""The public classes: thin faces in the users' words, with no mathematics."""

from estep.estimators.em import EM
from estep.estimators.gaussian_mixture import GaussianMixture
from estep.estimators.hmm import HMM
from estep.estimators.mixture import Mixture
from estep.estimators.named_hmm import GMMHMM, CategoricalHMM, GaussianHMM, PoissonHMM
from estep.estimators.normal import Normal
from estep.estimators.ppca import PPCA
from estep.estimators.soft_kmeans import SoftKMeans

__all__ = [
    "EM",
    "GMMHMM",
    "HMM",
    "PPCA",
    "CategoricalHMM",
    "GaussianHMM",
    "GaussianMixture",
    "Mixture",
    "Normal",
    "PoissonHMM",
    "SoftKMeans",
]
