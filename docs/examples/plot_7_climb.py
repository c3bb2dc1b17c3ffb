"""
Was that the maximum?
=====================

EM climbs; what it climbs may have several tops. Here is the same model from one start, from the search that
is the default, and what each says of its own end.
"""

import warnings
from collections import Counter

import matplotlib.pyplot as plt

from estep import GaussianMixture
from estep.datasets import load_iris

X = load_iris()

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the one start may end at a degenerate point, and says so
    one = GaussianMixture(4, n_init=1, init_params="random", random_state=3).fit(X)
searched = GaussianMixture(4, random_state=0).fit(X)

for name, fit in (("one random start", one), ("the search", searched)):
    print(f"{name}: {fit.loglik_:.2f}, {fit.status_.name}, {fit.diagnostics_['stop']}")

# %%
# The objective of the fit, and what each iteration gained (right axis). The gains fall by the linear rate
# of EM; when their projected sum is below ``tol`` nats, it stops.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
one.plot("history", ax=left)
searched.plot("history", ax=right)

# %%
# What became of the starts of the search. A sound optimum is preferred to a degenerate one, however high.

for status, times in Counter(status for status, _ in searched.diagnostics_["starts"]).most_common():
    print(f"{times:4} {status}")
for sentence in [sentence for _, sentence in searched.diagnostics_["starts"]][:6]:
    print(f"     {sentence}")
