"""Mixtures of normals that follow from a fitted one: of some columns, or of the others given these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from estep.engine import Verdict
from estep.errors import DataError
from estep.estimators.fitted import FARTHEST, Fitted
from estep.families.gaussian import GaussianParams
from estep.families.mixed import MixedParams
from estep.inference.conditioning import Law, conditional, marginal, read_columns, read_given
from estep.linalg import symmetric
from estep.records import Array, Int, Units

if TYPE_CHECKING:
    from estep.estimators.gaussian_mixture import GaussianMixture


def marginal_of(mixture: GaussianMixture, columns: Any) -> GaussianMixture:
    """The law of these columns."""
    law = _law(mixture)
    places = read_columns(columns, law.columns)
    some = marginal(law, places)
    return _fitted(mixture, some, places, f"the law of {', '.join(map(repr, some.columns))}")


def conditional_of(mixture: GaussianMixture, given: Any) -> GaussianMixture:
    """The law of the columns of which nothing is given."""
    law = _law(mixture)
    row = read_given(given, law.columns)
    units = mixture.fitted_.units
    framed = (row - units.centre) / units.scale
    for name, x, far in zip(law.columns, row, np.abs(framed) > FARTHEST, strict=True):
        if far:
            raise DataError(
                f"given {name}={x:g} is too far from the fit's values to be squared; check its units"
            )
    told = ", ".join(f"{name}={x:g}" for name, x in zip(law.columns, row, strict=True) if not np.isnan(x))
    where = np.flatnonzero(np.isnan(row))
    return _fitted(mixture, conditional(law, framed), where, f"the law given {told or 'nothing'}")


def _law(mixture: GaussianMixture) -> Law:
    """The fit's, in its own units."""
    fitted = mixture._fitted()
    params: MixedParams = fitted.params
    dense = fitted.model.family.family.law.dense(params.inner.covariances, *params.inner.means.shape)
    names = tuple(column.name for column in fitted.columns)
    return Law(names, params.weights[0], params.inner.means, dense)


def _fitted(mixture: GaussianMixture, law: Law, places: Int, what: str) -> GaussianMixture:
    """A fitted mixture with this law, of the shape of the one it is of, and without data of its own."""
    last = mixture.fitted_
    nothing = {
        "weights_init": None,
        "means_init": None,
        "precisions_init": None,
        "resp_init": None,
        "fixed": (),
    }
    # the weights of a conditional law are those that the given values leave
    equal = bool(mixture.equal_weights) and bool(np.all(law.weights == law.weights[0]))
    made = type(mixture)(**mixture.get_params(deep=False) | nothing | {"equal_weights": equal})
    columns = tuple(last.columns[j] for j in places)
    units = Units(last.units.centre[places], last.units.scale[places])
    model = made._model(last.weight).bind(columns)
    covariances = _of_shape(symmetric(np.ascontiguousarray(law.covariances)), mixture.covariance_type)
    means = np.ascontiguousarray(law.means)  # the order in memory moves bits
    params = MixedParams(law.weights[None], GaussianParams(means, covariances))
    message = f"{what}, of a fit of which: {last.verdict.message}"
    nan = float("nan")
    made.fitted_ = Fitted(
        model,
        params,
        units,
        columns,
        nan,
        nan,
        last.weight,
        Verdict(last.verdict.status, message, 0, nan),
        (),
        (),
    )
    made.n_features_in_, made._float32 = len(columns), mixture._float32
    if hasattr(mixture, "feature_names_in_"):
        made.feature_names_in_ = mixture.feature_names_in_[places]
    made._publish()
    return made


def _of_shape(dense: Array, shape: str) -> Array:
    """k matrices as their shape stores them: conditioning leads out of none of the shapes."""
    if shape == "full":
        return dense
    if shape == "tied":
        shared: Array = dense[0]
        return shared
    variances: Array = np.diagonal(dense, axis1=1, axis2=2).copy()
    return variances if shape == "diag" else variances[:, 0]
