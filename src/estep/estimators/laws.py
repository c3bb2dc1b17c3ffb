"""Families by name, and their parameters as attributes."""

from __future__ import annotations

from typing import Any, Literal

from estep.errors import UsageError
from estep.estimators.base import CheckCells
from estep.families import Bernoulli, Categorical, Gaussian, IntervalNormal, Mixed, Poisson
from estep.families.covariance import SHAPES
from estep.families.family import Family

NAMED: dict[str, Family] = {
    "gaussian": Gaussian("full"),
    **{f"gaussian-{name}": Gaussian(shape) for name, shape in SHAPES.items()},
    "poisson": Poisson(),
    "categorical": Categorical(),
    "bernoulli": Bernoulli(),
    "interval": IntervalNormal(),
}


def family_of(family: str | Family, name: str = "family") -> Family:
    """A family by its name, or the object itself."""
    if not isinstance(family, str):
        if isinstance(family, type) or not all(
            hasattr(family, method) for method in ("at", "update", "bind")
        ):
            raise UsageError(f"{name} must be a name or an object such as Gaussian('diag'); found {family!r}")
        return family
    if family not in NAMED:
        raise UsageError(f"{name} {family!r} is unknown; choose from {', '.join(map(repr, NAMED))}")
    return NAMED[family]


def takes_text(family: str | Family, name: str = "family") -> Literal["refuse", "codes"]:
    """Whether text columns are categories to this family."""
    return "codes" if isinstance(_innermost(family, name), Categorical) else "refuse"


def check_cells_of(family: str | Family, name: str = "family") -> CheckCells | None:
    """What judges the cells of a row together, if the family does that; infinite ones are then let in."""
    check: CheckCells | None = getattr(_innermost(family, name), "check_cells", None)
    return check


def dimension(family: str | Family, d: int, name: str = "family") -> int:
    """Of the numbers that d columns tell of: two columns may be the ends of one."""
    return d // 2 if family_of(family, name).equivariance == "pair" else d


def _innermost(family: str | Family, name: str) -> Family:
    law = family_of(family, name)
    while isinstance(law, Mixed):
        law = law.family
    return law


def publish_family(estimator: Any, params: Any) -> None:
    """Each field of the family's parameters as an attribute: means -> means_."""
    for name, value in zip(params._fields, params, strict=True):
        setattr(estimator, f"{name}_", value)
