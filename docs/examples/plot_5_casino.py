"""
The occasionally dishonest casino
=================================

Three hundred rolls of a die that somebody swaps now and then for a loaded one (Durbin, Eddy, Krogh &
Mitchison 1998). Which die was used when is known here, so the answer can be checked.
"""

import matplotlib.pyplot as plt
import numpy as np

from estep import HMM
from estep.datasets import load_casino

casino = load_casino()
rolls = casino.values[:, :1]
loaded = casino.target == casino.target_names.index("L")

model = HMM(2, "categorical", random_state=0).fit(rolls - 1)  # codes from 0 on
six = model.probabilities_[:, 0, 5]
bad = int(six.argmax())
print("probability of a six:", six.round(3))
print("probability of keeping a die:", np.diag(model.transmat_).round(3))

# %%
# What the gambler would know at the table (``filter``: the rolls so far) and what he knows at home
# (``predict_proba``: all rolls). The shaded stretches are the truth.

figure, ax = plt.subplots(figsize=(9, 3.5), layout="constrained")
roll = np.arange(1, len(rolls) + 1)
ax.fill_between(roll, 0, 1, where=loaded, color="0.88", step="mid", label="loaded, in truth")
ax.plot(roll, model.filter(rolls - 1)[:, bad], color="#E69F00", lw=1, label="from the rolls so far")
ax.plot(roll, model.predict_proba(rolls - 1)[:, bad], color="#0072B2", lw=2, label="from all rolls")
ax.set(xlabel="roll", ylabel="p(loaded)", xlim=(1, len(rolls)), ylim=(0, 1))
ax.legend(loc="upper center", ncols=3, frameon=False, bbox_to_anchor=(0.5, 1.15))

# %%
# The most probable path, against the truth:

path = model.predict(rolls - 1) == bad
print(f"{(path == loaded).mean():.0%} of the rolls are given the right die")
