"""
How many clusters of galaxies?
==============================

The speeds of 82 galaxies (Roeder 1990), in km/s. Gaps in their histogram are voids in space; the number of
groups is a matter of debate, and of the criterion.
"""

import warnings

from estep import GaussianMixture
from estep.datasets import load_galaxies
from estep.errors import EstepWarning
from estep.report.plots import bic_curve

X = load_galaxies()
with warnings.catch_warnings():
    warnings.simplefilter("ignore", EstepWarning)  # of degenerate fits, which are told apart below
    fits = [
        GaussianMixture(k, covariance_type=shape, n_init=8, random_state=0).fit(X)
        for shape in ("full", "tied")
        for k in range(1, 7)
    ]

for fit in fits:
    name = f"{fit.covariance_type} {fit.n_components}"
    print(f"{name}: BIC {fit.bic(X):7.1f}   ICL {fit.icl(X):7.1f}   {fit.status_.name}")

# %%
# Only fits that converged are compared. In a degenerate one a component has next to no rows, or a very thin
# set of them, and the likelihood, as high as the floor under the variances lets it be, means nothing.
#
# BIC charges for each parameter; a difference of less than 2 is none.

sound = [fit for fit in fits if fit.converged_]
bic_curve(sound, X)

# %%
# ICL charges, beyond that, for rows that could belong to either of two components: it counts groups, where
# BIC counts the normals that a density needs.

best = min(sound, key=lambda fit: fit.bic(X))
best.plot("density", X)

# %%

groups = min(sound, key=lambda fit: fit.icl(X))
groups.plot("density", X)
