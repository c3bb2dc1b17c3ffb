"""
Restless decades: a hidden Markov chain, from counts to a forecast
==================================================================

How many earthquakes of magnitude 7 or more the world had in each year from 1900 to 2006. A Poisson law has
a variance equal to its mean; these counts vary more, and neighbouring years are alike. A hidden Markov
chain of Poisson laws says why: the earth has calm and restless spells. The data and the model are those of
Zucchini, MacDonald & Langrock (2016), *Hidden Markov Models for Time Series*.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from estep import PoissonHMM
from estep.datasets import load_earthquakes
from estep.report.plots import bic_curve

years, counts = load_earthquakes().values.T
X = pd.DataFrame({"earthquakes": counts})
print("mean", counts.mean().round(1), "variance", counts.var().round(1))

# %%
# How many states? The record is a piece of something that has run for long, so the first year starts from the
# stationary law of the transitions, which costs no parameter.

fits = [PoissonHMM(k, startprob="stationary", tol=1e-8, random_state=0).fit(X) for k in (1, 2, 3, 4)]
bic_curve(fits, X)

# %%
# Three, by BIC. Each state has a rate; the transition matrix says how long a spell lasts.

model = fits[2]
print(model.summary())
print("years in a state:", model.durations_.round(1))

# %%
# The graph of the chain:

model.plot("transitions")

# %%
# Each year in the colour of its state on the most probable path. Below, how sure each state is.

model.plot("states", X)

# %%
# Is the model right? Each year's place in its law given all the other years, as a standard normal number:
# the ordinary pseudo-residuals. They should lie on the line.

residuals = np.sort(model.pseudo_residuals(X).ravel())
normal = np.sort(np.random.default_rng(0).standard_normal((1000, residuals.size)), axis=1)

figure, ax = plt.subplots(layout="constrained")
ax.fill_between(normal.mean(axis=0), *np.quantile(normal, [0.025, 0.975], axis=0), color="0.85", lw=0)
ax.plot(normal.mean(axis=0), residuals, "o", ms=3)
ax.axline((0, 0), slope=1, color="0.3", lw=0.8)
ax.set(xlabel="standard normal", ylabel="pseudo-residual")

# %%
# What all years say of a year is its *smoothed* state; a monitor in that year knew only the past, the
# *filtered* one. The year in which they differ most:

smoothed, filtered = model.predict_proba(X), model.filter(X)
worst = np.abs(smoothed - filtered).max(axis=1).argmax()
print(int(years[worst]), "smoothed", smoothed[worst].round(2), "filtered", filtered[worst].round(2))

# %%
# Other histories are possible. A hundred of them drawn given the counts, and how many years each has in the
# most restless state:

paths = model.sample_posterior(X, 100, random_state=0)
print("restless years in a history:", np.quantile((paths == 2).sum(axis=1), [0.05, 0.5, 0.95]))

# %%
# The next years. Far ahead the forecast forgets where it began, and is the stationary law.

ahead = model.forecast(X, 3)
for year, states, mean in zip((2007, 2008, 2009), ahead.states, ahead.means[:, 0], strict=True):
    print(year, "states", states.round(3), "expected count", round(mean, 1))
model.plot("forecast", X, h=16)
