"""How much of the information about a normal is missing.

In the whitened parameters of the fit (mean and covariance, complete information = the identity) the
observed information is A = I - DM, with DM the rate matrix of EM (Dempster, Laird & Rubin 1977, section 3;
McLachlan & Krishnan 2008, section 3.9). Its eigenvalues are the fractions of missing information along as
many directions, the largest is EM's linear rate. The fraction for the mean of a column is
1 - V_complete/V_observed, V its sampling variance by the inverse of the information (Orchard & Woodbury 1972;
Savalei & Rhemtulla 2012). The information is the observed one, with its block between mean and covariance:
the expected one is wrong where cells are missing at random, but not completely so (Kenward & Molenberghs
1998).

Of rows with scatter T about the mean, sum of deviations s and precision K of the seen cells, weight w, along
changes m, E of mean and covariance:  m'(wK)m + 2 m'KE Ks + tr(E K E (K T K - wK/2)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from estep.errors import ResourceError
from estep.inference.groups import spread
from estep.linalg import cholesky, solve_lower
from estep.models.by_pattern import Compressed
from estep.records import Array

MOST_COLUMNS = 100  # d^4 numbers are held at once
NOTHING = 1e-9  # an eigenvalue of A below it is a direction about which the rows say nothing
LOADING = 1e-6  # a mean that has less of such a direction does not depend on it


class MissingInformation(NamedTuple):
    """Fractions of missing information, and what the means are known to."""

    columns: tuple[str, ...]
    fraction: Array  # (d,) about the mean of each column, in [0, 1]
    standard_error: Array  # (d,) of these means, in the user's units; inf where nothing is known
    rates: Array  # (d + d(d+1)/2,) along the eigenvectors of EM's rate matrix, largest first


def missing_information(
    patterns: Compressed, mean: Array, covariance: Array, prior_rows: float, prior_variances: Array
) -> tuple[Array, Array, Array]:
    """Fractions (d,), variances of the means (d,) and rates, largest first, in the units of the parameters.

    A prior counts as information that is not missing.
    """
    d = len(mean)
    if d > MOST_COLUMNS:
        raise ResourceError(
            f"missing information of {d} columns needs {8e-9 * d**4:.1f} GB; fit at most {MOST_COLUMNS}"
        )
    root = cholesky(covariance)
    weight = 0.0
    of_mean, cross, of_covariance = np.zeros((d, d)), np.zeros((d, d * d)), np.zeros((d * d, d * d))
    for item in range(len(patterns)):
        groups = patterns.block(item)
        w = groups.weights
        precisions, apart, about = spread(groups, mean, covariance)
        weight += float(w.sum())
        pull = np.einsum("gcd,gd,g->gc", precisions, apart, w) @ root
        curve = precisions @ about @ precisions - 0.5 * w[:, None, None] * precisions
        k, curve = root.T @ precisions @ root, root.T @ curve @ root
        of_mean += np.tensordot(w, k, 1)
        cross += np.einsum("gic,gd->icd", k, pull).reshape(d, d * d)
        of_covariance += k.reshape(-1, d * d).T @ curve.reshape(-1, d * d)
    if prior_rows > 0:  # -1/2 r (log|S| + tr(S^-1 D)): rows that say nothing of the mean
        white = solve_lower(root, solve_lower(root, np.diag(prior_variances)).T)
        curve = prior_rows * (white - 0.5 * np.eye(d))
        of_covariance += np.outer(np.eye(d).ravel(), curve.ravel())
    # tr(E K F M) = sum E_ab K_bc F_cd M_da: from (bc, da) to (ab, cd)
    form = of_covariance.reshape(d, d, d, d).transpose(3, 0, 1, 2).reshape(d * d, d * d)
    # orthonormal symmetric directions: e_i e_i', and (e_i e_j' + e_j e_i')/sqrt(2)
    i, j = np.triu_indices(d)
    share = np.where(i == j, 0.5, np.sqrt(0.5))
    ij, ji = i * d + j, j * d + i
    form = (form[ij] + form[ji]) * share[:, None]
    form = (form[:, ij] + form[:, ji]) * share
    cross = (cross[:, ij] + cross[:, ji]) * share
    scale = np.sqrt((weight + prior_rows) / 2)
    observed = np.block(
        [
            [of_mean / weight, cross / (np.sqrt(weight) * scale)],
            [cross.T / (np.sqrt(weight) * scale), (form + form.T) / (2 * scale**2)],
        ]
    )
    values, vectors = np.linalg.eigh(observed)
    loads = root @ vectors[:d]  # (d, P) of the means of the columns
    loads /= np.sqrt(np.diag(covariance))[:, None]
    known = values > NOTHING
    inflation = (loads[:, known] ** 2 / values[known]).sum(axis=1)  # V_observed / V_complete
    inflation[(np.abs(loads[:, ~known]) > LOADING).any(axis=1)] = np.inf
    fraction = np.clip(1 - 1 / inflation, 0.0, 1.0)
    return fraction, inflation * np.diag(covariance) / weight, 1 - values
