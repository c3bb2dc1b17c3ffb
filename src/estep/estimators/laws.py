"""Families by name, and their parameters as attributes."""

from __future__ import annotations

from typing import Any, Literal

from estep.errors import UsageError
from estep.families import Bernoulli, Categorical, Gaussian, Mixed, Poisson
from estep.families.covariance import SHAPES
from estep.families.family import Family

NAMED: dict[str, Family] = {
    "gaussian": Gaussian("full"),
    **{f"gaussian-{name}": Gaussian(shape) for name, shape in SHAPES.items()},
    "poisson": Poisson(),
    "categorical": Categorical(),
    "bernoulli": Bernoulli(),
}


def family_of(family: str | Family) -> Family:
    """A family by its name, or the object itself."""
    if not isinstance(family, str):
        return family
    if family not in NAMED:
        raise UsageError(f"family {family!r} is unknown; choose from {', '.join(map(repr, NAMED))}")
    return NAMED[family]


def takes_text(family: str | Family) -> Literal["refuse", "codes"]:
    """Whether text columns are categories to this family."""
    law = family_of(family)
    while isinstance(law, Mixed):
        law = law.family
    return "codes" if isinstance(law, Categorical) else "refuse"


def publish_family(estimator: Any, params: Any) -> None:
    """Each field of the family's parameters as an attribute: means -> means_."""
    for name, value in zip(params._fields, params, strict=True):
        setattr(estimator, f"{name}_", value)
