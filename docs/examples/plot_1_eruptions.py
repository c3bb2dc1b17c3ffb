"""
Two kinds of eruption
=====================

Old Faithful, 272 eruptions: how long each lasted, and how long the wait for the next one was. Nobody wrote
down what kind an eruption was. A mixture of two normals finds the kinds, their sizes and shapes, and how
sure it is of each row.
"""

from estep import GaussianMixture
from estep.datasets import load_faithful

X = load_faithful()
mixture = GaussianMixture(2, random_state=0).fit(X)
print(mixture.summary(X))

# %%
# A row's colour mixes those of the two components by its responsibilities. The ellipses are those of one and
# two standard deviations.

mixture.plot("ellipses", X)

# %%
# Which rows are in doubt? Where the most probable component leaves more than 5 % to the other one:

unsure = mixture.uncertainty_ > 0.05
print(f"{unsure.sum()} of {len(unsure)} rows")
mixture.plot("uncertainty", X)

# %%
# One column at a time: the wait, with the share of each kind.

mixture.plot("density", X, columns="waiting")

# %%
# Somebody saw an eruption of two minutes. What wait is to be expected? The law of one column given the
# other is a fitted mixture as well.

wait = mixture.conditional({"eruptions": 2.0})
print(wait.means_.ravel().round(1), wait.weights_.round(3))
