"""Families: pure component laws, all k components at once. One file = one law."""

from estep.families.bernoulli import Bernoulli
from estep.families.categorical import Categorical
from estep.families.gaussian import Gaussian
from estep.families.interval import IntervalNormal
from estep.families.mixed import Mixed
from estep.families.poisson import Poisson

__all__ = ["Bernoulli", "Categorical", "Gaussian", "IntervalNormal", "Mixed", "Poisson"]
