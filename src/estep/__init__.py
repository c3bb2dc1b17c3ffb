"""Latent-variable models by Expectation-Maximization.

`GaussianMixture`, `Mixture`, `SoftKMeans`, `Normal`, `HMM`, `PPCA` and `EM` are the estimators;
`GaussianHMM`, `PoissonHMM`, `CategoricalHMM` and `GMMHMM` are names of the commonest chains. `fit` is the
engine under them; `load` opens a saved model. Everything is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from estep.engine.fit import fit
    from estep.estimators import (
        EM,
        GMMHMM,
        HMM,
        PPCA,
        CategoricalHMM,
        GaussianHMM,
        GaussianMixture,
        Mixture,
        Normal,
        PoissonHMM,
        SoftKMeans,
    )
    from estep.estimators.saved.files import load
    from estep.inference.rubin import combine

__version__ = "0.1.0"

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
    "combine",
    "fit",
    "load",
]

_HOMES = dict.fromkeys(__all__, "estep.estimators") | {
    "combine": "estep.inference.rubin",
    "fit": "estep.engine.fit",
    "load": "estep.estimators.saved.files",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'estep' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
