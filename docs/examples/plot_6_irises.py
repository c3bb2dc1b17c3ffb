"""
A few labels, and cells missing
===============================

Fisher's irises, 150 flowers of three species. A botanist had time for five flowers of each species, and
every eighth measurement is lost. The fit uses all flowers, all cells that are there, and the fifteen
labels.
"""

import numpy as np
import pandas as pd

from estep import GaussianMixture
from estep.datasets import load_iris, make_missing

iris = load_iris()
X = pd.DataFrame(make_missing(iris.values, 0.125, random_state=0), columns=iris.columns)
known = np.concatenate([np.flatnonzero(iris.target == j)[:5] for j in range(3)])
labels = np.full(len(X), -1)
labels[known] = iris.target[known]

helped = GaussianMixture(3, random_state=0).fit(X, labels=labels)
print(f"right, with {known.size} labels: {(helped.predict(X) == iris.target).mean():.0%}")

# %%
# Components are in the order of the labels. Rows with a hole in one of the two columns are not in its
# picture, but they are in the fit.

helped.plot("pairs", X)

# %%
# How far are the filled cells from what was taken away? In standard deviations of each column:

filled = helped.impute(X)
holes = X.isna().to_numpy()
for j, name in enumerate(iris.columns):
    error = filled[holes[:, j], j] - iris.values[holes[:, j], j]
    print(f"{name:13} {np.sqrt(np.mean(error**2)) / iris.values[:, j].std():.2f}")

helped.plot("imputed", X)
