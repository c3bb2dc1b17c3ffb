"""Saving a fitted estimator to a model file, and loading it again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from estep.errors import ModelFileError, UsageError
from estep.estimators.base import Face
from estep.estimators.em import EM
from estep.estimators.saved.arguments import spell_arguments
from estep.estimators.saved.rebuild import FUNCTIONS, HOOKS, KNOWN, rebuilt
from estep.estimators.saved.spell import own_spaces, spell_space
from estep.families import Categorical, Mixed
from estep.io import ModelFile, decode, encode, nest, outcome, read, write
from estep.io.container import Tensor
from estep.io.modelfile import naming
from estep.records import Column, named_leaves


def save(estimator: Face, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator to a `.estep` file, whole or not at all.

    The file holds the constructor's parameters, the fitted ones, how the fit ended, and of each column its
    name, mean, variance and names of categories. It holds no row of the data: `resp_init`, the training
    memberships of `SoftKMeans` and the extremes of the columns are left out. A `random_state` that is no
    integer is saved as None.

    Parameters
    ----------
    estimator : estimator of this package, fitted
        Of `EM` the parameters and their spaces are saved; its functions are code, and are not.
    path : path
        Ends in `.estep`. A file that is there is replaced.

    Raises
    ------
    UsageError
        Another suffix, a subclass, a family this package does not know, or constructor's parameters that were
        set anew after the fit and no longer describe it.
    ResourceError
        The file cannot be written; a file that was there is then unchanged.
    """
    fitted = estimator._fitted()
    kind = type(estimator).__name__
    if type(estimator) is not KNOWN.get(kind, EM):
        raise UsageError(
            f"{kind} is not an estimator of this package, and cannot be saved; give one of estep"
        )
    tensors: dict[str, Tensor] = {
        "units.centre": fitted.units.centre,
        "units.scale": fitted.units.scale,
        "history": outcome.history_to_array(fitted.history),
    }
    if isinstance(estimator, EM):
        parameters = spell_arguments(estimator, tensors, without=("start", *HOOKS))
        own = own_spaces(estimator.spaces)
        parameters["nest"] = nest.spell(fitted.params, "params", nest.into(tensors))
        parameters["spaces"] = None if own else nest.spell(estimator.spaces, "spaces", spell_space)
        functions = [name for name in FUNCTIONS if getattr(estimator, name) is not None]
        parameters["hooks"] = [*functions, "spaces"] if own else functions
    else:
        parameters = spell_arguments(estimator, tensors)
        tensors |= {f"params.{name}": np.asarray(leaf) for name, leaf in named_leaves(fitted.params)}
    of = outcome.Outcome(
        fitted.loglik,
        fitted.objective,
        fitted.weight,
        fitted.verdict,
        fitted.starts,
        _without_extremes(fitted.model, fitted.columns),
        named=hasattr(estimator, "feature_names_in_"),
        float32=estimator._float32,
    )
    file = ModelFile(kind, parameters, outcome.to_json(of), tensors)
    try:
        rebuilt(decode(encode(file)))  # a file that cannot be loaded is never written
    except ModelFileError as error:
        raise UsageError(
            f"this {kind} could not be loaded again: {error}; if its parameters were set anew after the "
            "fit, fit again before saving"
        ) from error
    write(path, file)


def load(
    path: str | os.PathLike[str],
    *,
    start: Any = None,
    estep: Callable[..., Any] | None = None,
    mstep: Callable[..., Any] | None = None,
    log_prior: Callable[..., Any] | None = None,
    spaces: Any = None,
) -> Any:
    """A fitted estimator from a `.estep` file; nothing in the file is run.

    On the same data it scores, predicts and imputes to the same bits as the estimator that was saved.

    Parameters
    ----------
    path : path
    estep, mstep, log_prior : callable, optional
        For a saved `EM` only, and needed there: the functions it was fitted with, which no file holds.
    spaces : nest of estep.space.Space, optional
        For a saved `EM` only: those of the fit, needed where they are of classes of your own. The file holds
        spaces of this package.
    start : Any, optional
        For a saved `EM`: where a new fit starts; the saved parameters by default.

    Returns
    -------
    estimator
        Of the class that was saved.

    Raises
    ------
    SourceError
        There is no such file, or it may not be read.
    ModelFileError
        It is not a model file, or a damaged, inconsistent or newer one; or an `EM` without its functions.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from estep import Normal, load
    >>> from estep.datasets import load_faithful
    >>> normal = Normal().fit(load_faithful().values)
    >>> with TemporaryDirectory() as folder:
    ...     normal.save(Path(folder, "faithful.estep"))
    ...     again = load(Path(folder, "faithful.estep"))
    >>> again.mean_.round(2)
    array([ 3.49, 70.9 ])
    """
    given = dict(zip(HOOKS, (estep, mstep, log_prior, spaces), strict=True))
    file = read(path)
    if file.kind != "EM" and (start is not None or any(hook is not None for hook in given.values())):
        raise UsageError(f"{os.fspath(path)!r} holds a {file.kind}, which takes no functions; give the path")
    with _naming(path):
        return rebuilt(file, start, given)


def look(path: str | os.PathLike[str]) -> tuple[ModelFile, Any]:
    """What a model file holds, and the estimator; an `EM` without its functions, to be read and no more."""
    file = read(path)
    with _naming(path):
        return file, rebuilt(file)


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except ModelFileError as error:
        raise naming(path, error) from None


def _without_extremes(model: Any, columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Columns without their least and greatest values, which are cells of the data."""
    family = getattr(model, "family", None)
    while isinstance(family, Mixed):
        family = family.family
    if isinstance(family, Categorical):  # its greatest code says how many levels there are
        return columns
    return tuple(column._replace(low=column.mean, high=column.mean) for column in columns)
