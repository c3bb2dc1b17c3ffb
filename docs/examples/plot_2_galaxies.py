"""
How many clusters of galaxies?
==============================

The speeds of 82 galaxies (Roeder 1990), in km/s. Gaps in their histogram are voids in space; the number of
groups is a matter of debate, and of the criterion.
"""

from estep import GaussianMixture
from estep.datasets import load_galaxies
from estep.report.plots import bic_curve

X = load_galaxies()
fits = [
    GaussianMixture(k, covariance_type=shape, random_state=0).fit(X)
    for shape in ("full", "tied")
    for k in range(1, 6)
]
assert all(fit.converged_ for fit in fits)  # one that is degenerate has a likelihood without meaning

for fit in fits:
    print(f"{fit.covariance_type} {fit.n_components}: BIC {fit.bic(X):7.1f}   ICL {fit.icl(X):7.1f}")

# %%
# BIC charges for each parameter; a difference of less than 2 is none.

bic_curve(fits, X)

# %%
# It takes the number of normals that the density needs.

best = min(fits, key=lambda fit: fit.bic(X))
best.plot("density", X)

# %%
# ICL charges, beyond that, for rows that could belong to either of two components: it counts groups that
# stand apart.

groups = min(fits, key=lambda fit: fit.icl(X))
groups.plot("density", X)
