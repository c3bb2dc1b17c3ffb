"""scikit-learn's own tests of its GaussianMixture, as installed, run against ours.

A test that we mean to fail is in `OTHERWISE` with the reason: it is expected to fail, and fails here if it
passes.
Tests of scikit-learn's private functions, in which no mixture is made, are not about us.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn

from estep import GaussianMixture

ARRAY_API = "array_api"  # in the name of what needs arrays of other libraries: we compute with NumPy
_NAMED = "our messages name the parameter the user gave, such as weights_init, and the way out"
_ZERO = (
    "max_iter is at least 1; a mixture with everything `fixed` gives the log-likelihood of given parameters"
)
_PRIVATE = "uses a private method of scikit-learn's class"
_THREE = "one or two passes cannot show how much is still to gain: a fit converges after three or more"
OTHERWISE: dict[str, str] = {
    "test_check_weights": _NAMED,
    "test_check_means": _NAMED,
    "test_check_precisions": _NAMED,
    "test_gaussian_mixture_fit_convergence_warning": "the warning begins with a code and says why",
    "test_gaussian_mixture_n_parameters": _PRIVATE,
    "test_gaussian_mixture_aic_bic": _PRIVATE,
    "test_convergence_detected_with_warm_start": _THREE,
    "test_monotonic_likelihood": _THREE,
    "test_regularisation": "fewer distinct rows than components is an error that says how many there are",
    "test_sample": "our messages name the parameter first: n_samples must be an integer >= 1",
    "test_init_means_not_duplicated": _ZERO,
    "test_max_iter_zero": _ZERO,
    "test_init": "of ten starts a sound one is kept, before a higher one whose component has too few rows",
    "test_gaussian_mixture_precisions_init": _PRIVATE,
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": "counts private calls",
}


def theirs() -> dict[str, Callable[..., Any]]:
    """Their tests, with our class in the place of theirs."""
    path = Path(sklearn.__file__).parent / "mixture" / "tests" / "test_gaussian_mixture.py"
    spec = importlib.util.spec_from_file_location("scikit_learns_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # one start unless they say otherwise, as by their default
    module.GaussianMixture = partial(GaussianMixture, n_init=1)  # type: ignore[attr-defined]
    return {
        name: test
        for name, test in vars(module).items()
        if name.startswith("test_") and "GaussianMixture" in test.__code__.co_names and ARRAY_API not in name
    }


THEIRS = theirs()
globals().update(THEIRS)
# their suite does not make errors of warnings
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def global_dtype() -> type[np.float64]:
    """Of float32 `test_float32.py` asks more."""
    return np.float64


@pytest.fixture
def global_random_seed() -> int:
    return 42


@pytest.fixture(autouse=True)
def _expected(request: pytest.FixtureRequest) -> None:
    for name in (request.node.name, request.node.originalname):
        if name in OTHERWISE:
            request.node.add_marker(pytest.mark.xfail(reason=OTHERWISE[name], strict=True))


def test_the_table_names_tests_that_exist() -> None:
    assert {name.partition("[")[0] for name in OTHERWISE} <= THEIRS.keys()
    assert len(THEIRS) > 25
