"""
Forty-four missing cells
========================

New York's air in the summer of 1973: 37 of 153 days have no measurement of ozone, 7 none of the sun.
Leaving those days out throws away what was measured on them. A normal law fitted by EM uses every cell that
is there.
"""

import numpy as np
import pandas as pd

from estep import Normal, combine
from estep.datasets import path

air = pd.read_csv(path("airquality"))[["Ozone", "Solar.R", "Wind", "Temp"]]
normal = Normal(scales={"Ozone": "log"}, random_state=0).fit(air)

# %%
# Which cells are missing: a pattern is a row of the picture, as high as it is frequent.

normal.plot("missing", air)

# %%
# Ozone is positive and skew, so its logarithm is modelled (``scales``). Filled cells are put where the other
# columns say; the two histograms need not agree.

normal.plot("imputed", air, columns="Ozone")

# %%
# For inference one filled table is too certain of itself. Twenty drawn ones are analysed each, and
# ``combine`` (Rubin's rules) makes one answer of them: the slope of log ozone on temperature.

slopes, variances = [], []
for table in normal.impute(air, draws=20):
    y = np.log(table[:, 0])
    design = np.column_stack([np.ones(len(y)), table[:, 3]])
    coefficients, (rss,), *_ = np.linalg.lstsq(design, y, rcond=None)
    covariance = rss / (len(y) - 2) * np.linalg.inv(design.T @ design)
    slopes.append(coefficients[1])
    variances.append(covariance[1, 1])

slope = combine(slopes, variances, df_complete=len(air) - 2)
print(f"slope {slope.estimate:.4f} ± {slope.standard_error:.4f}, 95 % interval {slope.interval().round(4)}")
print(f"{slope.fraction_missing_information:.0%} of the information about it is missing")

# %%
# Are the holes where they are by pure chance? A small p-value of Little's test would speak against it.
# Dropping rows needs it; likelihood needs only that holes go with what is seen, not with what they hide.

print(normal.mcar_test())
