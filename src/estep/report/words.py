"""Models and columns in words."""

from __future__ import annotations

from typing import Any
from unicodedata import east_asian_width

from estep.families import Bernoulli, Categorical, Gaussian, IntervalNormal, Mixed, Poisson
from estep.families.covariance import OneSphere
from estep.models import PPCA, Alone, Chain, Custom, Normal
from estep.space import Fixed

LAWS: dict[type[Any], str] = {
    Gaussian: "Gaussian",
    Poisson: "Poisson",
    Bernoulli: "Bernoulli",
    Categorical: "categorical",
    IntervalNormal: "interval-normal",
}


def title(model: Any) -> str:
    """The model in a line: "Gaussian mixture with 3 components, full covariances"."""
    if isinstance(model, Alone):
        return _mixture(model.family)
    if isinstance(model, Chain):
        law, shape = _law(model.family), _shape(model.family)
        inside = f" of {_count(model.family.k, 'component')}" if isinstance(model.family, Mixed) else ""
        return f"Hidden Markov model with {_count(model.k, 'state')}, {law} emissions{inside}{shape}"
    if isinstance(model, Normal):
        prior = f", with a prior of {model.prior_rows:g} rows" if model.prior_rows else ""
        return f"Multivariate normal{prior}"
    if isinstance(model, PPCA):
        return f"Probabilistic principal component analysis with {_count(model.q, 'component')}"
    return "Model given by its E-step and M-step" if isinstance(model, Custom) else type(model).__name__


def clean(text: str, most: int = 60) -> str:
    """The text on one line without control characters, cut to at most so many places."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    if width(plain) <= most:
        return plain
    while width(plain) > most - 3:
        plain = plain[: most - 3] if len(plain) > most else plain[:-1]
    return plain + "..."


def width(text: str) -> int:
    """Places the text takes in a terminal; a Chinese character takes two."""
    return len(text) + sum(east_asian_width(c) in "WF" for c in text)


def _mixture(family: Mixed) -> str:
    inner = family.family
    if family.equal and isinstance(inner, Gaussian) and isinstance(inner.law, OneSphere):
        held = " held fixed" if isinstance(inner.law.space, Fixed) else ""
        return f"Soft k-means with {_count(family.k, 'cluster')}{_shape(inner)}{held}"
    law = _law(inner)
    kind = f"{law[0].upper()}{law[1:]} mixture"
    if isinstance(inner, Mixed):
        kind = f"Mixture of {law}s"
    fixed = [*(["weights"] if family.fixed else []), *(inner.fixed if isinstance(inner, Gaussian) else ())]
    equal = ", equal weights" if family.equal else ""
    held = f", with fixed {' and '.join(fixed)}" if fixed else ""
    return f"{kind} with {_count(family.k, 'component')}{_shape(inner)}{equal}{held}"


def _law(family: Any) -> str:
    if isinstance(family, Mixed):
        return f"{_law(family.family)} mixture"
    return LAWS.get(type(family), type(family).__name__)


def _shape(family: Any) -> str:
    if isinstance(family, Mixed):
        return _shape(family.family)
    if not isinstance(family, Gaussian):
        return ""
    ridge = ", with a ridge" if family.ridge else ""
    kind = "one spherical variance" if isinstance(family.law, OneSphere) else f"{family.law.name} covariances"
    return f", {kind}{ridge}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
