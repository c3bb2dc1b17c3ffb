"""
Restless decades
================

How many earthquakes of magnitude 7 or more the world had in each year from 1900 to 2006. A Poisson law has
a variance equal to its mean; these counts vary more, and neighbouring years are alike. A hidden Markov
chain of Poisson laws says why: the earth has calm and restless spells.
"""

import matplotlib.pyplot as plt
import pandas as pd

from estep import HMM
from estep.datasets import load_earthquakes
from estep.report.plots import bic_curve

years, counts = load_earthquakes().values.T
X = pd.DataFrame({"earthquakes": counts})
fits = [HMM(k, "poisson", random_state=0).fit(X) for k in (1, 2, 3)]
bic_curve(fits, X)

# %%
# Two or three states? Their BIC differ by less than 2. With three:

model = fits[2]
model.plot("density", X)

# %%
# The mean that each year has given the whole series, and the path of states that is most probable as a
# whole.

states = model.predict(X)
expected = model.predict_proba(X) @ model.rates_.ravel()

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ax.plot(years, counts, "o", ms=4, color="0.6", label="earthquakes in the year")
ax.plot(years, expected, lw=2, color="#0072B2", label="expected, given all years")
ax.step(
    years, model.rates_.ravel()[states], where="mid", color="#D55E00", label="rate on the most probable path"
)
ax.set(xlabel="year", ylabel="count")
ax.legend(frameon=False)

# %%
# The next year: from the last year's state a step of the chain.

ahead = model.predict_proba(X)[-1] @ model.transmat_
print("2007:", ahead.round(2), "expected count", (ahead @ model.rates_.ravel()).round(1))
