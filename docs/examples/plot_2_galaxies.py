"""
How many clusters of galaxies?
==============================

The speeds of 82 galaxies (Roeder 1990), in km/s. Gaps in their histogram are voids in space; the number of groups
is a matter of debate, and of the criterion.
"""

from estep import GaussianMixture
from estep.datasets import load_galaxies
from estep.report.plots import bic_curve

X = load_galaxies().values
fits = [
    GaussianMixture(k, covariance_type=shape, random_state=0).fit(X)
    for shape in ("full", "tied")
    for k in range(1, 7)
]

# %%
# BIC charges each parameter with half the logarithm of the number of rows, twice. The lowest is the choice, and
# a difference of less than 2 is none.

bic_curve(fits, X)

# %%
# ICL charges, beyond that, for rows that could belong to either of two components: it counts groups, where BIC counts
# the normals that a density needs.

for fit in fits[:6]:
    print(f"{fit.n_components}: BIC {fit.bic(X):7.1f}   ICL {fit.icl(X):7.1f}   {fit.status_.name}")

best = min(fits, key=lambda fit: fit.bic(X))
best.plot("density", X)

# %%
# A fit is only worth comparing if it is the maximum, and a maximum that means something. ``diagnose`` says what
# it thinks of each.

print(best.diagnose())
